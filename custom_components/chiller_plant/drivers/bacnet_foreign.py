"""Hearing the broadcasts of another subnet, through the BBMD that is there.

A BBMD passes broadcasts on to foreign devices that have registered with it
(BACnet J.5). The stack registers too, but for good gives up hearing when it is
refused once, and goes on registering after it was closed: this does it again
until it works, and says so.
"""

import asyncio
from collections.abc import Callable
import logging
from typing import Any

from bacpypes3.ipv4.bvll import RegisterForeignDevice, Result
from bacpypes3.ipv4.service import BIPForeign
from bacpypes3.pdu import IPv4Address

from .bacnet_shortcut import Shortcut
from .bacnet_socket import Server, put_on

_LOGGER = logging.getLogger(__name__)

_PATIENCE = 3.0
"""Seconds that a BBMD has to answer."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
"""Seconds before a registration that failed is tried again."""
_SUCCESS, _REFUSED, _NOT_REGISTERED = 0x0000, 0x0030, 0x0060
_UNREGISTERED = -2
"""As the stack says it."""


class ForeignLink(BIPForeign):  # type: ignore[misc]
    """A link to a subnet that we are not on."""

    server: Server

    def __init__(
        self, address: IPv4Address, lost: Callable[[], None], shortcut: Shortcut
    ) -> None:
        """Open it; see `keep_registered`, and `Server` for the rest."""
        super().__init__()
        put_on(self, Server(address, lost, shortcut))
        self.trouble: str | None = "it has not been registered yet"
        """Why broadcasts do not reach us; None: they do."""
        self._answer: asyncio.Future[int] | None = None
        self._forgotten = asyncio.Event()
        self._registering: asyncio.Task[None] | None = None

    def keep_registered(self, bbmd: str, lifetime: int) -> None:
        """Register with a BBMD (`ip:port`) for so many seconds, again and again."""
        self.bbmdAddress = IPv4Address(bbmd)
        self.bbmdTimeToLive = lifetime
        self._registering = asyncio.get_running_loop().create_task(self._register())

    def close(self) -> None:
        """Let the registration run out, and close the sockets."""
        if self._registering is not None:
            self._registering.cancel()
        self.server.close()

    async def confirmation(self, lpdu: Any) -> None:
        """Take in what came; the answers of the BBMD are for us."""
        if not isinstance(lpdu, Result):
            await super().confirmation(lpdu)
        elif lpdu.pduSource == self.bbmdAddress:
            code = int(lpdu.bvlciResultCode)
            if code == _NOT_REGISTERED:
                # It was restarted, and refuses to pass our broadcasts on.
                self._forgotten.set()
            elif (
                code in {_SUCCESS, _REFUSED}
                and self._answer is not None
                and not self._answer.done()
            ):
                self._answer.set_result(code)

    async def _register(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._forgotten.clear()
            trouble = await self._ask()
            self._say(trouble)
            if trouble is None:
                # Half of it, so that one lost renewal does no harm.
                pause, rest = _FIRST_PAUSE, self.bbmdTimeToLive / 2
            else:
                pause, rest = min(2 * pause, _LONGEST_PAUSE), pause
            try:
                async with asyncio.timeout(rest):
                    await self._forgotten.wait()
            except TimeoutError:
                continue
            # Nobody makes us register more often than that.
            await asyncio.sleep(_FIRST_PAUSE)

    async def _ask(self) -> str | None:
        """Register once; return why that failed."""
        self._answer = asyncio.get_running_loop().create_future()
        try:
            await self.request(
                RegisterForeignDevice(self.bbmdTimeToLive, destination=self.bbmdAddress)
            )
            async with asyncio.timeout(_PATIENCE):
                code = await self._answer
        except TimeoutError:
            return "it does not answer"
        except OSError as error:
            return f"it cannot be reached: {error.strerror}"
        return None if code == _SUCCESS else "it refuses foreign devices"

    def _say(self, trouble: str | None) -> None:
        """Take in how it stands, and log what is new."""
        if trouble is None and self.trouble is not None:
            _LOGGER.info("Registered with the BBMD %s", self.bbmdAddress)
        elif trouble is not None and trouble != self.trouble:
            _LOGGER.warning(
                "No broadcast of BBMD %s reaches us: %s. Check the connection's bbmd; "
                "registering is tried again until it works",
                self.bbmdAddress,
                trouble,
            )
        self.trouble = trouble
        self.bbmdRegistrationStatus = _SUCCESS if trouble is None else _UNREGISTERED
        # What the stack looks at before it believes a broadcast.
        if trouble is None:
            self._registration_event.set()
        else:
            self._registration_event.clear()
