"""What is known of a BACnet device, and how it is asked.

What the limits of a device ask for is learned when it first answers, and by
halving a request that was too much. Commands are asked once: whether a start
whose answer was lost came through is for whoever sent it to find out.
"""

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from typing import Any

from bacpypes3.basetypes import PropertyIdentifier
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier

from ..plant.model import BacnetDevice
from .bacnet_failures import NoAnswer, NotSent, Refused, RequestFailed
from .bacnet_network import BacnetNetwork
from .bacnet_read_multiple import READ_PROPERTY_MULTIPLE
from .driver import DeviceSilent, PointRefused, Traffic
from .lanes import Lane

_OUR_APDU = 1476
_USUAL_APDU = 480
"""For a device that does not say how long an answer may be."""
_IN_FLIGHT = 2
"""Requests at a time to a device that takes more than `_USUAL_APDU`."""
_SMOOTHING = 0.2
"""Share of the newest answer in the latency."""
_VALUE_AND_FLAGS = 26
"""Octets that present value and status flags of one object take at most."""
_AROUND = 10
"""Octets of an answer that are none of its objects."""

_LONGEST = PropertyIdentifier("max-apdu-length-accepted")
_SERVICES = PropertyIdentifier("protocol-services-supported")


class Device:
    """A device of the plant file, on the network."""

    def __init__(
        self, declared: BacnetDevice, address: Address, network: BacnetNetwork
    ) -> None:
        """Begin with nothing known but where it is."""
        self.key = declared.key
        self.instance = declared.instance
        self.address = address
        self.known = False
        """Whether it is certain who answers there."""
        self.reads_several = True
        """Whether it reads several objects at once."""
        self.status_flags: dict[tuple[int, int], tuple[int, Any]] = {}
        """By object, where it does not: what they were, and for how many readings
        more that is believed."""
        self.in_flight = 1
        """Requests that it takes at a time."""
        self.last_failure: str | None = None
        self.traffic = Traffic()
        self._text = f"{declared.key} ({declared.address})"
        self._network = network
        self._longest: int | None = None
        self._most = 1

    def __str__(self) -> str:
        """Name it, for people."""
        return self._text

    def batch(self, octets: int = _VALUE_AND_FLAGS) -> int:
        """Return how many objects to ask for at once, at so many octets each."""
        if not self.reads_several:
            return 1
        return max(1, self._most * _VALUE_AND_FLAGS // octets)

    def was_too_much(self, asked: int, octets: int = _VALUE_AND_FLAGS) -> None:
        """Ask for half of this from now on."""
        most = max(1, asked // 2) * octets // _VALUE_AND_FLAGS
        self._most = max(1, min(self._most, most))

    async def meet(self, lane: Lane) -> None:
        """Learn what it can do, and that it is the one that is meant.

        Raises `DeviceSilent`, or `PointRefused` where another device answers:
        nothing must ever be commanded in the wrong one.
        """
        if self.known:
            return
        self.status_flags.clear()
        longest = _USUAL_APDU
        try:
            longest = min(int(await self._about(lane, _LONGEST)), _OUR_APDU)
        except Refused as error:
            if error.code == "unknown-object":
                raise PointRefused(
                    f"{self} is not device instance {self.instance}; check the "
                    "device's address and instance in the plant file"
                ) from error
        except RequestFailed, TypeError, ValueError:
            # It need not tell; a request that is too much will be halved.
            pass
        # Back after an outage it is as it was: what was learned the hard way
        # is not to be learned again.
        if longest != self._longest:
            self.reads_several = await self._understands_several(lane)
            self._longest = longest
            self._most = max(1, (longest - _AROUND) // _VALUE_AND_FLAGS)
        routed = self.address.addrNet is not None
        self.in_flight = 1 if routed or longest <= _USUAL_APDU else _IN_FLIGHT
        self._network.allow(self.address, self.in_flight)
        self.known = True

    async def read[Answer](
        self, call: Callable[[Any], Awaitable[Answer]], lane: Lane = Lane.POLL
    ) -> Answer:
        """Send a request that changes nothing; once more if it is lost.

        Raises `DeviceSilent` or what else went wrong.
        """
        if not self.known:
            # Who has not answered lately is probed, not besieged.
            return await self.ask(call, lane)
        try:
            return await self._ask(call, lane)
        except DeviceSilent as error:
            if isinstance(error.__cause__, NotSent):
                raise
            return await self.ask(call, lane)

    async def ask[Answer](
        self, call: Callable[[Any], Awaitable[Answer]], lane: Lane
    ) -> Answer:
        """Send one request, once. Raise `DeviceSilent` or what else went wrong."""
        try:
            return await self._ask(call, lane)
        except DeviceSilent as error:
            if not isinstance(error.__cause__, NotSent):
                # Who comes back may be another, or have been replaced.
                self.known = False
            raise

    async def _ask[Answer](
        self, call: Callable[[Any], Awaitable[Answer]], lane: Lane
    ) -> Answer:
        traffic = self.traffic
        traffic.requests += 1
        took = 0.0

        async def timed(application: Any) -> Answer:
            nonlocal took
            clock = get_running_loop().time
            began = clock()
            try:
                return await call(application)
            finally:
                took = clock() - began

        try:
            answer: Answer = await self._network.request(self.address, lane, timed)
        except NoAnswer as error:
            if not isinstance(error, NotSent):
                traffic.timeouts += 1
            self.last_failure = f"{self} does not answer: {error.reason}"
            raise DeviceSilent(self.last_failure) from error
        except RequestFailed as error:
            self.last_failure = error.reason
            traffic.refusals += 1
            self._answered(took)
            raise
        self._answered(took)
        return answer

    def traffic_now(self) -> Traffic:
        """Return what it costs."""
        self.traffic.waiting = self._network.waiting(self.address)
        return self.traffic

    def diagnostics(self) -> dict[str, object]:
        """Return what a person who searches a fault wants to know."""
        traffic = self.traffic_now()
        return {
            "address": str(self.address),
            "instance": self.instance,
            "known": self.known,
            "longest_apdu": self._longest,
            "objects_per_request": self.batch(),
            "requests_at_a_time": self.in_flight,
            "requests": traffic.requests,
            "timeouts": traffic.timeouts,
            "refusals": traffic.refusals,
            "latency": traffic.latency,
            "waiting": traffic.waiting,
            "last_failure": self.last_failure,
        }

    def _answered(self, took: float) -> None:
        latency = self.traffic.latency
        self.traffic.latency = (
            took if latency is None else latency + _SMOOTHING * (took - latency)
        )

    async def _understands_several(self, lane: Lane) -> bool:
        try:
            services = await self._about(lane, _SERVICES)
            return bool((*services,)[READ_PROPERTY_MULTIPLE])
        except RequestFailed, TypeError, IndexError:
            # It need not tell this either, and will say when it is asked.
            return True

    async def _about(self, lane: Lane, name: PropertyIdentifier) -> Any:
        identifier = ObjectIdentifier(("device", self.instance))
        return await self.read(
            lambda application: application.read_property(
                self.address, identifier, name
            ),
            lane,
        )
