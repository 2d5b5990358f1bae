"""Demand response as an AppDaemon app: connections on its loop, measures in a thread."""

import asyncio
from collections.abc import Coroutine, Mapping
import json
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from .control.demand_response.site import parse_site
from .house import NoAnswer
from .load_shedding import LoadShedding
from .plant_app import DOMAIN, PlantApp
from .utilities import Utilities

_T = TypeVar("_T")

LOOP_SECONDS = 60.0
"""In which the event loop has to do what the app's thread waits for."""


class DemandResponseApp(PlantApp):
    """Runs demand response of a plant."""

    asks = "get_demand_response"
    hears = f"{DOMAIN}_demand_response_changed"

    def initialize(self) -> None:
        """Start; called by AppDaemon."""
        self._entry_id = ""
        self._shedding = LoadShedding(self, ZoneInfo(str(self.AD.tz)))
        self._utilities = Utilities(self._keep)
        super().initialize()

    def terminate(self) -> None:
        """Stop; called by AppDaemon."""
        super().terminate()
        self._on_loop(self._utilities.stop())

    @property
    def interval(self) -> float:
        """Seconds from one cycle to the next."""
        return self._shedding.interval

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take over what people decided, and what was known before a restart."""
        site = parse_site(answer)
        self._entry_id = site.entry_id
        self._on_loop(self._utilities.take(site))
        self._shedding.take(site)

    def cycle(self, now: float) -> None:
        """Look at the events and the meter once, and shed."""
        if self._stopped:
            return
        desk = self._on_loop(self._utilities.look(now))
        self._on_loop(self._utilities.tell(self._shedding.cycle(now, desk)))

    async def _keep(self, book: list[dict[str, Any]]) -> None:
        """Have the event book kept on disk; raises CallFailed."""
        if self._stopped:
            raise NoAnswer("the engine is stopping")
        await self.call_soon(
            "keep_events", {"plant": self._entry_id, "book": json.dumps(book)}
        )

    def _on_loop(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run something on AppDaemon's event loop, where the connections live."""
        running = asyncio.run_coroutine_threadsafe(work, self.AD.loop)
        try:
            return running.result(LOOP_SECONDS)
        except TimeoutError:
            running.cancel()
            raise
