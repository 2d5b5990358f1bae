"""What the tests of demand response inside Home Assistant share."""

import asyncio
from collections.abc import AsyncIterator

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory, real_monotonic
import pytest

from tests.integration.demand_response.site import Board, board


@pytest.fixture
async def machines(socket_enabled: None) -> AsyncIterator[Board]:
    """Serve a site with a chiller, a zone, two circuits and meters."""
    async with board() as made:
        yield made


@pytest.fixture
async def clock(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FrozenDateTimeFactory]:
    """Let a test say what time it is, while waiting takes the time it takes."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", real_monotonic)
    with freeze_time() as frozen:
        yield frozen
