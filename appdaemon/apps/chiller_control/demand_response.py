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
        self._utilities = Utilities(self)
        super().initialize()

    def terminate(self) -> None:
        """Stop; called by AppDaemon."""
        try:
            self._on_loop(self._utilities.stop())
        finally:
            super().terminate()

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

    # What Home Assistant keeps for us.

    async def keep_events(self, book: list[dict[str, Any]]) -> None:
        """Have the event book kept on disk; raises CallFailed."""
        await self._keep("keep_events", {"book": json.dumps(book)})

    async def keep_reports(self, connection: str, text: str) -> None:
        """Have what waits for a utility kept; raises CallFailed."""
        await self._keep("keep_reports", {"connection": connection, "reports": text})

    async def kept_reports(self, connection: str) -> str:
        """Return what waited for a utility; raises CallFailed."""
        answer = await self._keep(
            "get_reports", {"connection": connection}, return_response=True
        )
        response = (answer.get("result") or {}).get("response") or {}
        return str(response.get("reports") or "")

    async def _keep(
        self, action: str, data: dict[str, Any], **options: Any
    ) -> dict[str, Any]:
        if self._stopped:
            raise NoAnswer("the engine is stopping")
        return await self.call_soon(
            action, {"plant": self._entry_id, **data}, **options
        )

    def _on_loop(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run something on AppDaemon's event loop, where the connections live."""
        running = asyncio.run_coroutine_threadsafe(work, self.AD.loop)
        try:
            return running.result(LOOP_SECONDS)
        except TimeoutError:
            running.cancel()
            raise
