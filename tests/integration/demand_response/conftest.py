"""What the tests of demand response inside Home Assistant share."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.demand_response.site import Board, board


@pytest.fixture
async def machines(socket_enabled: None) -> AsyncIterator[Board]:
    """Serve a site with a chiller, a zone, two circuits and meters."""
    async with board() as made:
        yield made
