"""What the tests inside Home Assistant share."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.served_plant import ServedPlant, served_plant


@pytest.fixture(autouse=True)
def _custom_integration(socket_enabled: None, enable_custom_integrations: None) -> None:
    """Let Home Assistant load what is in custom_components, and fixtures bind
    sockets: they are made before the tests are allowed to.
    """


@pytest.fixture
async def served() -> AsyncIterator[ServedPlant]:
    """The example plant, on the wire."""
    async with served_plant() as plant:
        yield plant
