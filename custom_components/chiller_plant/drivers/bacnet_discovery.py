"""Who is on a BACnet network, for a person who does not know it yet.

Devices are heard by what they announce when everybody is asked, or when an
address is asked; one that announces nothing but answers reads is found at its
address too. Nothing is written, and nothing is read again and again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from bacpypes3.basetypes import PropertyIdentifier
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier

from .bacnet_failures import RequestFailed
from .bacnet_interview import Interview, Wanted, text_of
from .bacnet_network import BacnetNetwork, parse_address

LOWEST_INSTANCE, HIGHEST_INSTANCE = 0, 4_194_302
_ANY_INSTANCE = 4_194_303
"""The instance by which a device answers reads whatever its own is."""
MOST_DEVICES = 500
MOST_ADDRESSES = 100
_USUAL_APDU = 480

type Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class DeviceHeard:
    """A device that answered, and what it says of itself."""

    instance: int
    address: str
    """As a plant file has it: `host:port` or `net:mac`."""
    name: str | None = None
    vendor: str | None = None
    model: str | None = None
    objects: int | None = None
    """How many objects it lists."""
    longest_apdu: int = _USUAL_APDU
    twin: bool = False
    """Whether another address claims the same instance: one of the two has to
    be changed before either can be commanded."""
    trouble: str | None = None
    """Why it did not tell more, for people."""


async def discover(
    network: BacnetNetwork,
    low: int = LOWEST_INSTANCE,
    high: int = HIGHEST_INSTANCE,
    *,
    addresses: Iterable[str] = (),
    seconds: float = 3.0,
    progress: Progress | None = None,
) -> list[DeviceHeard]:
    """Return the devices with an instance from `low` to `high`, by instance.

    Asks everybody, and each of `addresses` apart: stations that broadcasts do
    not reach. Waits `seconds` for announcements. At most `MOST_DEVICES` are
    returned. Raises `ValueError` for text that is no address.
    """
    asked = {text: parse_address(text) for text in addresses}
    answers = await asyncio.gather(
        network.who_is(low, high, None, seconds),
        *(network.who_is(low, high, address, seconds) for address in asked.values()),
    )
    heard = {
        (item.instance, written(item.address)): DeviceHeard(
            item.instance,
            written(item.address),
            longest_apdu=item.longest_apdu or _USUAL_APDU,
        )
        for answer in answers
        for item in answer
    }
    announced = {address for _, address in heard}
    quiet = [item for item in asked.values() if written(item) not in announced]
    for device in await asyncio.gather(
        *(_found_by_reading(network, item, low, high) for item in quiet)
    ):
        if device is not None:
            heard[device.instance, device.address] = device
    claimed = Counter(instance for instance, _ in heard)
    devices = [
        replace(device, twin=claimed[device.instance] > 1)
        for _, device in sorted(heard.items())
    ][:MOST_DEVICES]
    done = 0

    async def introduce(device: DeviceHeard) -> DeviceHeard:
        nonlocal done
        introduced = await _introduced(network, device)
        done += 1
        if progress is not None:
            progress(done, len(devices))
        return introduced

    return list(await asyncio.gather(*(introduce(device) for device in devices)))


def written(address: Address) -> str:
    """Return an address of the stack as a plant file has it."""
    # Behind @ is the router that it was heard through, which may change.
    return str(address).partition("@")[0]


async def _found_by_reading(
    network: BacnetNetwork, address: Address, low: int, high: int
) -> DeviceHeard | None:
    """Return the device at an address that announces nothing; None if none."""
    if not (address.is_localstation or address.is_remotestation):
        return None
    for instance in [_ANY_INSTANCE] + [low] * (low == high):
        wanted = Wanted(
            ObjectIdentifier(("device", instance)),
            PropertyIdentifier("object-identifier"),
        )
        interview = Interview(network, written(address), _USUAL_APDU)
        try:
            found = (await interview.ask([wanted]))[wanted]
            number = int(found[1])
        except RequestFailed, KeyError, TypeError, ValueError, IndexError:
            continue
        if low <= number <= high:
            return DeviceHeard(number, written(address))
    return None


async def _introduced(network: BacnetNetwork, device: DeviceHeard) -> DeviceHeard:
    """Return a device with what it says of itself."""
    identifier = ObjectIdentifier(("device", device.instance))
    name, vendor, model, count = (
        Wanted(identifier, PropertyIdentifier(prop), index)
        for prop, index in (
            ("object-name", None),
            ("vendor-name", None),
            ("model-name", None),
            ("object-list", 0),
        )
    )
    interview = Interview(network, device.address, device.longest_apdu)
    try:
        said = await interview.ask([name, vendor, model, count])
    except RequestFailed as error:
        return replace(device, trouble=error.reason)
    listed: Any = said.get(count)
    return replace(
        device,
        name=text_of(said.get(name)),
        vendor=text_of(said.get(vendor)),
        model=text_of(said.get(model)),
        objects=int(listed) if isinstance(listed, int) else None,
    )
