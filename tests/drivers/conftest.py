"""What the tests of the drivers share."""

from pathlib import Path

import pytest

from tests.drivers.libmodbus import build


@pytest.fixture(scope="session")
def libmodbus_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the libmodbus server, once."""
    return build(tmp_path_factory.mktemp("libmodbus"))
