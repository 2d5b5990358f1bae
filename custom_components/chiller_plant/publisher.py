"""Tells those who show something that it has changed, and nobody else.

A plant of five thousand points is shown by as many entities. Woken all at once
they would stop Home Assistant for a good part of a second; so only those are
told whose thing changed, and in slices, between which everything else goes on.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable
import logging
from time import perf_counter

_LOGGER = logging.getLogger(__package__)

_SLICE = 0.004
"""Seconds that are told at a stretch."""

type Topic = Hashable
type Update = Callable[[], None]


class Publisher:
    """Who wants to know of what, and who is still to be told."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listeners: dict[Topic, dict[Update, None]] = {}
        self._updates: dict[Update, int] = {}
        """How many topics each of them follows."""
        self._pending: dict[Update, None] = {}
        self._first: dict[Update, None] = {}
        """Who is told before those."""
        self._lock = asyncio.Lock()
        self._first_lock = asyncio.Lock()

    def listen(self, topics: Iterable[Topic], update: Update) -> Callable[[], None]:
        """Call `update` when one of these changed; return what ends that."""
        followed = tuple(dict.fromkeys(topics))
        for topic in followed:
            self._listeners.setdefault(topic, {})[update] = None
        self._updates[update] = len(followed)

        def end() -> None:
            self._updates.pop(update, None)
            self._pending.pop(update, None)
            self._first.pop(update, None)
            for topic in followed:
                listeners = self._listeners[topic]
                del listeners[update]
                if not listeners:
                    del self._listeners[topic]

        return end

    def touch(self, topics: Iterable[Topic], *, first: bool = False) -> None:
        """Note that these changed; they are told with the next `async_publish`.

        Those that come `first` also with the next `async_publish_first`.
        """
        listeners = self._listeners
        waiting = self._first if first else self._pending
        for topic in topics:
            if (found := listeners.get(topic)) is not None:
                waiting |= found

    def touch_all(self) -> None:
        """Note that everything changed."""
        self._pending = dict.fromkeys(self._updates)

    def queue(self, updates: Iterable[Update]) -> None:
        """Have these called too, once, whatever they follow."""
        for update in updates:
            self._pending[update] = None

    @property
    def pending(self) -> bool:
        """Whether somebody is still to be told."""
        return bool(self._first or self._pending)

    async def async_publish(self) -> None:
        """Tell all who are to be told; return when that is done."""
        async with self._lock:
            while self.pending:
                await self.async_publish_first()
                updates, self._pending = self._pending, {}
                await self._async_tell(updates)

    async def async_publish_first(self) -> None:
        """Tell those who come first, and return when that is done.

        Who commands waits for this: not for a thousand readings of other things.
        """
        async with self._first_lock:
            updates, self._first = self._first, {}
            await self._async_tell(updates)

    async def _async_tell(self, updates: Iterable[Update]) -> None:
        began = perf_counter()
        for update in updates:
            try:
                update()
            except Exception:
                # One that cannot show itself must not hide the others.
                _LOGGER.exception("%r could not be updated", update)
            if perf_counter() - began > _SLICE:
                await asyncio.sleep(0)
                began = perf_counter()
