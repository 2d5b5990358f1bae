"""BAC0, made fit for an event loop that others share.

As it comes, BAC0 opens files while it starts, writes a log of its own to the
user's folder and to the console, and announces itself with a task that never
ends. This module is imported in an executor, because the import itself reads
files; what it makes uses nothing of BAC0 but the stack that it starts.
"""

from collections.abc import Callable
import json
import logging
from pathlib import Path
from typing import Any

import BAC0
from BAC0.core.app import asyncApp
from BAC0.core.functions.TimeSync import TimeHandler
from BAC0.scripts.Base import Base
from bacpypes3.apdu import ComplexAckPDU, SimpleAckPDU
from bacpypes3.app import Application
from bacpypes3.appservice import ApplicationServiceAccessPoint
from bacpypes3.basetypes import IPMode
from bacpypes3.comm import ServiceAccessPoint, bind
from bacpypes3.errors import ServicesError
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.object import DeviceObject
from bacpypes3.pdu import Address

from .bacnet_foreign import ForeignLink
from .bacnet_notification import Notification, as_told
from .bacnet_read_multiple import RawRequest
from .bacnet_routes import Routes
from .bacnet_shortcut import Shortcut
from .bacnet_socket import Link

MAXIMUM_APDU = 1476
"""Octets of the longest answer that BACnet/IP carries in one piece."""
_APDU_TIMEOUT = 2500
"""Milliseconds; what a slow trunk takes, and half of what a reader waits."""
_APDU_RETRIES = 0
"""None: the stack would repeat a start too, whose answer was lost."""
_FOREIGN = IPMode.foreign

_DEVICE, _PORT = json.loads(
    Path(asyncApp.__file__).with_name("device.json").read_text(encoding="utf-8")
)["application"]


def _silence() -> None:
    """Let Home Assistant's log have the warnings and nobody the rest."""
    for name in logging.root.manager.loggerDict:
        if name.startswith("BAC0_Root"):
            logger = logging.getLogger(name)
            for handler in list(logger.handlers):
                logger.removeHandler(handler)
                handler.close()
            logger.propagate = True
            logger.setLevel(logging.WARNING)


class _Access(ApplicationServiceAccessPoint):  # type: ignore[misc]
    """Hands over as they came the answers to raw requests."""

    async def sap_response(self, apdu: Any) -> None:
        if isinstance(apdu, ComplexAckPDU) and self.serviceElement.asked_raw(apdu):
            await ServiceAccessPoint.sap_response(self, apdu)
        else:
            await super().sap_response(apdu)


class _Application(Application):  # type: ignore[misc]
    """What speaks; what devices tell unasked goes to whoever listens."""

    heard_cov: Callable[[Notification], bool]
    heard_i_am: Callable[[Any], None]
    lost: Callable[[], None]

    @classmethod
    def from_object_list(
        cls, objects: list[Any], router_info_cache: Any = None, **_: Any
    ) -> _Application:
        """Make one of its device and its port, with our own access point."""
        application = cls()
        device = next(each for each in objects if isinstance(each, DeviceObject))
        application.asap = _Access(device, application.device_info_cache)
        application.nsap = NetworkServiceAccessPoint(router_info_cache)
        application.nse = NetworkServiceElement()
        bind(application.nse, application.nsap)
        bind(application, application.asap, application.nsap)
        for each in objects:
            application.add_object(each)
        return application

    def add_object(self, each: Any) -> None:
        """Add an object; a port gets a link of our own."""
        if not isinstance(each, NetworkPortObject):
            super().add_object(each)
            return
        self.objectName[each.objectName] = each
        self.objectIdentifier[each.objectIdentifier] = each
        each._app = self  # noqa: SLF001, as the stack does
        kind = ForeignLink if each.bacnetIPMode == _FOREIGN else Link
        link = kind(each.address, self._lost, Shortcut(self._heard_cov, self._leads_to))
        self.link_layers[each.objectIdentifier] = link
        self.nsap.bind(link, address=each.address)

    def _lost(self) -> None:
        self.lost()

    def _heard_cov(self, notification: Notification) -> bool:
        return self.heard_cov(notification)

    def _leads_to(self, network: int, router: Address) -> bool:
        routes: Routes = self.nsap.router_info_cache
        return routes.leads_to(self.nsap.local_adapter.adapterNet, network, router)

    def asked_raw(self, answer: Any) -> bool:
        """Return whether an answer is one to a raw request."""
        return any(
            isinstance(request, RawRequest)
            and request.apduInvokeID == answer.apduInvokeID
            for request, _ in self._requests.get(answer.pduSource, ())
        )

    async def do_ConfirmedCOVNotificationRequest(self, apdu: Any) -> None:
        """Acknowledge a report that somebody waits for, and no other.

        A device that is told so ends a subscription that nobody remembers.
        """
        if not self.heard_cov(as_told(apdu)):
            raise ServicesError(errorCode="unknownSubscription")
        await self.response(SimpleAckPDU(context=apdu))

    async def do_UnconfirmedCOVNotificationRequest(self, apdu: Any) -> None:
        """Pass a report on."""
        self.heard_cov(as_told(apdu))

    async def do_IAmRequest(self, apdu: Any) -> None:
        """Pass on who announced itself."""
        if apdu.iAmDeviceIdentifier is not None:
            self.heard_i_am(apdu)


class _Started(asyncApp.BAC0Application):  # type: ignore[misc]
    """What BAC0 keeps beside an application; it would read a file for it."""

    def __init__(self, application: Application, address: Any) -> None:
        self.localIPAddr = address
        self.bdt: list[str] = []
        self.app = application


class Stack(BAC0.lite):  # type: ignore[misc]
    """One BACnet/IP stack; `this_application.app` is what speaks."""

    def __init__(
        self,
        heard_cov: Callable[[Notification], bool],
        heard_i_am: Callable[[Any], None],
        lost: Callable[[], None],
        routers: dict[int, Address],
        *,
        foreign: bool,
        **settings: Any,
    ) -> None:
        """Start it; see `start`."""
        self._heard = heard_cov, heard_i_am
        self._lost = lost
        self._routers = routers
        self._foreign = foreign
        super().__init__(**settings)

    def startApp(self) -> None:
        """Start the stack from the configuration that was read at import."""
        device = {
            **_DEVICE,
            "object-name": self.localObjName,
            "object-identifier": f"device,{self.Boid}",
            "object-list": [f"device,{self.Boid}", "network-port,1"],
            "model-name": self.modelName,
            "max-apdu-length-accepted": MAXIMUM_APDU,
            "apdu-timeout": _APDU_TIMEOUT,
            "number-of-apdu-retries": _APDU_RETRIES,
        }
        port = {
            **_PORT,
            # As BAC0 has it, number 1 would be ours, and nothing behind a
            # router on a network 1 could be reached.
            "network-number": 0,
            "ip-address": str(self.localIPAddr),
            "ip-subnet-mask": str(self.localIPAddr.netmask),
            "bacnet-ip-udp-port": self.localIPAddr.addrPort,
            "bacnet-ip-mode": "foreign" if self._foreign else "normal",
        }
        application = _Application.from_json(
            [device, port], router_info_cache=Routes(self._routers)
        )
        application.heard_cov, application.heard_i_am = self._heard
        application.lost = self._lost
        self.this_application = _Started(application, self.localIPAddr)
        Base._used_ips.add(self.localIPAddr)  # noqa: SLF001, what BAC0 looks at
        self._initialized = True
        self._started = True

    def keep_registered(self, bbmd: str, lifetime: int) -> None:
        """Register as a foreign device; see `ForeignLink`."""
        for link in self.this_application.app.link_layers.values():
            link.keep_registered(bbmd, lifetime)

    @property
    def dropped(self) -> int:
        """How many messages came and found no room."""
        links = self.this_application.app.link_layers.values()
        return sum(link.server.dropped for link in links)

    @property
    def trouble(self) -> str | None:
        """Why no broadcasts of a BBMD reach us, where they should."""
        links = self.this_application.app.link_layers.values()
        return next((link.trouble for link in links if self._foreign), None)

    def i_am(self) -> None:
        """Announce ourselves once; BAC0 waits for what never becomes true."""
        self.this_application.app.i_am()


def start(
    ip: str,
    prefix: int,
    port: int,
    instance: int,
    *,
    routers: dict[int, Address],
    foreign: bool,
    heard_cov: Callable[[Notification], bool],
    heard_i_am: Callable[[Any], None],
    lost: Callable[[], None],
) -> Stack:
    """Start a stack on a local address; call it in the event loop.

    It opens nothing but its sockets. `routers` are those that are known, by
    the network that they lead to; `foreign` is for who will register with a
    BBMD. `heard_cov` and `heard_i_am` are called
    with what devices report and announce unasked; the first returns whether
    anybody asked for the report. `lost` is called when something was sent to us
    that this machine had no room for.
    """
    return Stack(
        heard_cov,
        heard_i_am,
        lost,
        routers,
        foreign=foreign,
        ip=ip,
        mask=prefix,
        port=port,
        deviceId=instance,
        localObjName=f"Chiller plant {instance}",
        modelName="Chiller plant for Home Assistant",
        timezone="UTC",
        ping=False,
    )


# The time zones that BAC0 reads when it starts are kept once they were read.
TimeHandler(tz="UTC")
_silence()
