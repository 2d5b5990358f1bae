"""What the tests inside Home Assistant share."""

from collections.abc import AsyncIterator

import pytest
import pytest_socket

from tests.integration.served_plant import ServedPlant, served_plant


@pytest.fixture(autouse=True)
def _custom_integration(socket_enabled: None, enable_custom_integrations: None) -> None:
    """Let Home Assistant load what is in custom_components.

    Fixtures use sockets on loopback, and are made before tests are allowed to.
    """
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


@pytest.fixture
async def served() -> AsyncIterator[ServedPlant]:
    """Put the example plant on the wire."""
    async with served_plant() as plant:
        yield plant
