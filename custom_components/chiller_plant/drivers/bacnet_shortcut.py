"""Takes reports of change to who asked for them, past the stack.

What is read here and known to somebody has come to its end, and is acknowledged
where its device waits for that. Everything else goes the way through the stack:
what is not a report, what is built unusually, what nobody asked for and must be
refused, and whatever comes over a router that the stack does not know of yet.
"""

from collections.abc import Callable
from functools import lru_cache
import logging

from bacpypes3.pdu import Address, IPv4Address, RemoteStation

from .bacnet_notification import Notification, acknowledgement, read_datagram

_LOGGER = logging.getLogger(__name__)

_MOST_REMEMBERED = 4096
"""Addresses of devices; making one takes longer than to read a report."""

type Endpoint = tuple[str, int]


class Shortcut:
    """Who hears reports of the devices on one local address."""

    def __init__(
        self,
        heard: Callable[[Notification], bool],
        leads: Callable[[int, Address], bool],
    ) -> None:
        """`heard` returns whether anybody knows a report.

        `leads` returns whether the stack sends what is for a network to this
        router: from what comes over another one it has to learn.
        """
        self._heard = heard
        self._leads = leads
        self._address = lru_cache(_MOST_REMEMBERED)(IPv4Address)
        self._station = lru_cache(_MOST_REMEMBERED)(RemoteStation)

    def take(
        self,
        data: bytes,
        source: Endpoint,
        answer: Callable[[bytes, Endpoint], None],
    ) -> bool:
        """Take in a datagram; return whether nothing is left to do with it.

        `answer` sends one back.
        """
        if (read := read_datagram(data)) is None:
            return False
        address: Address = self._address(source)
        if read.station is not None:
            if not self._leads(read.station[0], address):
                return False
            address = self._station(*read.station)
        try:
            known = self._heard(
                Notification(
                    address,
                    read.process,
                    read.device,
                    read.place,
                    read.remaining,
                    read.answer,
                )
            )
        except Exception:
            # The others that wait have to be taken in all the same.
            _LOGGER.exception("A report of %s could not be taken in", address)
            return True
        if read.invoke is None:
            return True
        if known:
            answer(acknowledgement(read.station, read.invoke), source)
        return known
