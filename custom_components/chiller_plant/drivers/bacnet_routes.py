"""Which router leads to which network behind one.

Left to itself, the stack looks for a router while a request already runs, and
sends the request when one is found: for a command that may be after it was
given up. So the way is found first, and a request is sent or is not.
"""

import asyncio
from contextlib import suppress
from typing import Any

from bacpypes3.netservice import RouterInfoCache
from bacpypes3.npdu import WhoIsRouterToNetwork
from bacpypes3.pdu import Address, LocalBroadcast

_PATIENCE = 2.0
"""Seconds that routers have to answer."""
_PAUSE = 5.0
"""Seconds before a router that was not found is looked for again."""
_DOUBT = 15.0
"""Seconds between two questions for a router whose devices do not answer."""


class Routes(RouterInfoCache):  # type: ignore[misc]
    """What is known of the routers; the stack looks here, and learns here."""

    def __init__(self, declared: dict[int, Address]) -> None:
        """Begin with the router of each network that the plant files name."""
        super().__init__()
        self._declared = declared
        self._learned: dict[int, asyncio.Event] = {}
        self._next_search: dict[int, float] = {}

    async def set_path_info(
        self, snet: int | None, dnet: int, address: Address, status: Any
    ) -> bool:
        """Take in what the stack has learned from what a router sent."""
        changed: bool = await super().set_path_info(snet, dnet, address, status)
        if (learned := self._learned.get(dnet)) is not None:
            learned.set()
        return changed

    def leads_to(self, snet: int | None, dnet: int, router: Address) -> bool:
        """Return whether this is the router that is known to lead to a network."""
        known = self.path_info.get((snet, dnet))
        return known is not None and bool(known[0] == router)

    async def find(self, application: Any, network: int) -> bool:
        """Return whether a router leads to a network; look for one if need be."""
        here = application.nsap.local_adapter.adapterNet
        if await self.get_path_info(here, network):
            return True
        if (router := self._declared.get(network)) is not None:
            await self.update_path_info(here, router, {network})
            return True
        clock = asyncio.get_running_loop().time
        if clock() < self._next_search.get(network, 0):
            return False
        learned = self._learned.setdefault(network, asyncio.Event())
        await _ask(application, network)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await learned.wait()
        found = learned.is_set()
        self._learned.pop(network, None)
        self._next_search[network] = 0 if found else clock() + _PAUSE
        return found

    async def doubt(self, application: Any, network: int) -> None:
        """Ask who leads to a network where nobody answers: it may be another now."""
        now = asyncio.get_running_loop().time()
        if now >= self._next_search.get(network, 0):
            self._next_search[network] = now + _DOUBT
            await _ask(application, network)


async def _ask(application: Any, network: int) -> None:
    question = WhoIsRouterToNetwork(network)
    question.npduHopCount = 255
    question.pduDestination = LocalBroadcast()
    await application.nse.request(application.nsap.local_adapter, question)
