"""What BACnet devices say unasked, and who hears it.

Several plants and their subscriptions share one stack, so each report and each
announcement goes to all who listen.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bacpypes3.pdu import Address

from .bacnet_notification import Notification


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a device says of itself when it is asked who is there (I-Am)."""

    instance: int
    address: Address
    vendor: int
    longest_apdu: int
    """Octets that it takes in one message."""
    segmentation: str
    """`segmented-both`, `segmented-transmit`, `segmented-receive` or
    `no-segmentation`."""


class Ears:
    """Who listens to what devices report and announce."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._hear_cov: list[Callable[[Notification], bool]] = []
        self._hear_announcement: list[Callable[[Announcement], None]] = []
        self._hear_lost: list[Callable[[], None]] = []

    def listen_cov(self, handler: Callable[[Notification], bool]) -> Callable[[], None]:
        """Call `handler` with each report of a change of value.

        It returns whether it knows the subscription: a device whose report
        nobody knows is told so. Such a report may come to it twice. The
        function returned ends it.
        """
        return _listen(self._hear_cov, handler)

    def listen_i_am(
        self, handler: Callable[[int, Address], None]
    ) -> Callable[[], None]:
        """Call `handler` with instance and address of who announces itself.

        The function returned ends it.
        """
        return self.listen_announcements(
            lambda heard: handler(heard.instance, heard.address)
        )

    def listen_announcements(
        self, handler: Callable[[Announcement], None]
    ) -> Callable[[], None]:
        """Call `handler` with all that a device says when it announces itself."""
        return _listen(self._hear_announcement, handler)

    def listen_lost(self, handler: Callable[[], None]) -> Callable[[], None]:
        """Call `handler` when something came that this machine had no room for.

        Nobody knows what it was. The function returned ends it.
        """
        return _listen(self._hear_lost, handler)

    def lost(self) -> None:
        """Tell that something was lost."""
        for handler in tuple(self._hear_lost):
            handler()

    def heard_cov(self, notification: Notification) -> bool:
        """Pass a report on; return whether anybody knows it."""
        # Everybody hears it: two plants may ask for the same object.
        known = [handler(notification) for handler in tuple(self._hear_cov)]
        return any(known)

    def heard_i_am(self, i_am: Any) -> None:
        """Pass on who announced itself."""
        announcement = Announcement(
            int(i_am.iAmDeviceIdentifier[1]),
            i_am.pduSource,
            int(i_am.vendorID or 0),
            int(i_am.maxAPDULengthAccepted or 0),
            str(i_am.segmentationSupported),
        )
        for handler in tuple(self._hear_announcement):
            handler(announcement)


def _listen[Handler](handlers: list[Handler], handler: Handler) -> Callable[[], None]:
    handlers.append(handler)

    def stop() -> None:
        with suppress(ValueError):
            handlers.remove(handler)

    return stop
