"""Asking one BACnet device for much, in answers that it can send.

What is asked for together is what should fit one message without segments; a
device that finds it too much is asked for half from then on, and one that does
not understand questions for several things is asked for one at a time.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from bacpypes3.basetypes import ErrorType, PropertyIdentifier, PropertyReference
from bacpypes3.primitivedata import ObjectIdentifier

from .bacnet_failures import NoAnswer, NotUnderstood, RequestFailed, TooMuch
from .bacnet_network import BacnetNetwork, parse_address
from .lanes import Lane

_OUR_APDU = 1476
_OVERHEAD = 10
_MOST_AT_ONCE = 40
"""Questions in one message: the question has to fit without segments too."""
_LONGEST_TEXT = 255

# Octets of an answer, with its object and property: what is usual, not the most.
_OCTETS = {
    int(PropertyIdentifier(name)): octets
    for name, octets in (
        ("present-value", 20),
        ("units", 18),
        ("object-list", 22),
        ("object-name", 50),
        ("description", 60),
        ("active-text", 32),
        ("inactive-text", 32),
        ("state-text", 120),
    )
}
_UNKNOWN_OCTETS = 50


class Wanted(NamedTuple):
    """One property of one object, or one element of it."""

    target: ObjectIdentifier
    name: PropertyIdentifier
    element: int | None = None

    @property
    def octets(self) -> int:
        """How long its answer probably is."""
        return _OCTETS.get(int(self.name), _UNKNOWN_OCTETS)


class Interview:
    """What one device is asked for, and how much of it at a time."""

    def __init__(self, network: BacnetNetwork, address: str, longest_apdu: int) -> None:
        """Ask the device at `address`, which takes messages of so many octets."""
        self._network = network
        self._address = parse_address(address)
        self._room = min(longest_apdu, _OUR_APDU) - _OVERHEAD
        self._several = True

    async def ask(
        self,
        wanted: Iterable[Wanted],
        progress: Callable[[int], None] | None = None,
    ) -> dict[Wanted, Any]:
        """Return what the device has of all that is wanted.

        What it does not have, or refuses, is not in the answer. `progress` is
        called with the number of questions that are over. Raises
        `RequestFailed` when the device does not answer at all.
        """
        waiting = deque(wanted)
        found: dict[Wanted, Any] = {}
        over = 0
        while waiting:
            batch = self._next(waiting)
            if len(batch) > 1:
                try:
                    found |= await self._ask_for_several(batch)
                except TooMuch:
                    self._room = sum(item.octets for item in batch) // 2
                    waiting.extendleft(reversed(batch))
                    continue
                except NotUnderstood:
                    self._several = False
                    waiting.extendleft(reversed(batch))
                    continue
                except NoAnswer:
                    # Some drop what they cannot answer in one piece.
                    await self._ask_for_one(batch[0])
                    self._room = sum(item.octets for item in batch) // 2
                    waiting.extendleft(reversed(batch))
                    continue
                except RequestFailed:
                    # One of them spoils it for all.
                    for item in batch:
                        found |= await self._ask_for_one(item)
            else:
                found |= await self._ask_for_one(batch[0])
            over += len(batch)
            if progress is not None:
                progress(over)
        return found

    def _next(self, waiting: deque[Wanted]) -> list[Wanted]:
        """Take from `waiting` what fits one answer; one at least."""
        batch = [waiting.popleft()]
        if not self._several:
            return batch
        room = self._room - batch[0].octets
        while waiting and len(batch) < _MOST_AT_ONCE and waiting[0].octets <= room:
            room -= waiting[0].octets
            batch.append(waiting.popleft())
        return batch

    async def _ask_for_several(self, batch: Sequence[Wanted]) -> dict[Wanted, Any]:
        question: list[Any] = []
        for item in batch:
            reference = PropertyReference(
                propertyIdentifier=item.name, propertyArrayIndex=item.element
            )
            if question and question[-2] == item.target:
                question[-1].append(reference)
            else:
                question += (item.target, [reference])
        results = await self._request(
            # A list of its own: the stack empties it.
            lambda app: app.read_property_multiple(self._address, list(question))
        )
        # By number, because devices and stacks spell the names in several ways.
        answers = {
            (int(thing[0]), int(thing[1]), int(prop), index): value
            for thing, prop, index, value in results or ()
        }
        return {
            item: value
            for item in batch
            if (
                value := answers.get(
                    (
                        int(item.target[0]),
                        int(item.target[1]),
                        int(item.name),
                        item.element,
                    )
                )
            )
            is not None
            and not isinstance(value, ErrorType)
        }

    async def _ask_for_one(self, item: Wanted) -> dict[Wanted, Any]:
        def call(app: Any) -> Any:
            return app.read_property(
                self._address, item.target, item.name, item.element
            )

        try:
            try:
                value = await self._request(call)
            except NoAnswer:
                # It may have been lost.
                value = await self._request(call)
        except NoAnswer:
            raise
        except RequestFailed:
            return {}
        return {} if value is None else {item: value}

    async def _request(self, call: Callable[[Any], Any]) -> Any:
        return await self._network.request(self._address, Lane.POLL, call)


def text_of(value: Any) -> str | None:
    """Return a text of a device as it can be shown; None for none."""
    if value is None:
        return None
    shown = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return " ".join(shown[:_LONGEST_TEXT].split()) or None
