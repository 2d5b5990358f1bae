"""From the text of a plant file to a `Plant` that can be trusted.

The plant file is the single source of what a plant is made of. It is written
by hand, so everything that is wrong with it is told at once, each with its
line, its key, what was found and what is allowed.

Limits, release values and ratings are in the units of the product (`roles`);
`unit` of a point names only what is on the wire.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model import (
    BacnetConnection,
    BacnetDevice,
    Connection,
    Equipment,
    ModbusConnection,
    ModbusDevice,
    Plant,
    Protocol,
)
from ..roles import PollTier
from .addresses import check_addresses
from .days import DEFAULT_PROFILES, resolve_day_types
from .document import MAXIMUM_SIZE, read_document
from .equipment import EquipmentBuilder
from .points import DeviceReference
from .problems import KeyPath, PlantFileError, PlantFileProblem, Problems, describe
from .schema import CONNECTIONS, DEVICES, PLANT, TOP


def load_plant(path: Path) -> Plant:
    """Return the plant of a file (UTF-8).

    Blocks on the file. Raises `PlantFileError`, also where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            # No character takes more than four bytes: what is cut off here is
            # too long for `parse_plant` too.
            text = file.read(4 * MAXIMUM_SIZE + 4).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise _unreadable(path, 1, f"the file cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, line, "found bytes that are not UTF-8") from error
    return parse_plant(text, path.name)


def parse_plant(text: str, file_name: str) -> Plant:
    """Return the plant that a text describes.

    Takes at most a second or two for the longest text allowed, so Home
    Assistant calls it in an executor. Raises `PlantFileError` with everything
    that is wrong; `file_name` is what the problems are reported under.
    """
    document = read_document(text, file_name)
    problems = document.problems
    top = TOP.check(document.data, (), problems)
    head = PLANT.check(top["plant"], ("plant",), problems) if "plant" in top else {}
    builder = _ConnectionBuilder(problems)
    connections = builder.build(top.get("connections", {}))
    equipment = EquipmentBuilder(
        top.get("templates", {}),
        top.get("equipment", {}),
        builder.devices if "connections" in top else None,
        problems,
    ).build()
    check_addresses(equipment, problems)
    profiles = top.get("profiles", DEFAULT_PROFILES)
    day_types = resolve_day_types(profiles, top.get("day_types"), problems)
    if head and head["command_lease"] < 2 * head["poll_interval"]:
        problems.add(
            ("plant", "command_lease"),
            f"{head['command_lease']:g} s is less than two polls",
            f"at least {2 * head['poll_interval']:g}",
        )
    fast, normal, slow = _intervals(head, problems)
    if head:
        _check_frozen_after(equipment, (fast, normal, slow), problems)
    problems.raise_if_any()
    return Plant(
        key=head["key"],
        name=head["name"],
        poll_interval=fast,
        normal_poll_interval=normal,
        slow_poll_interval=slow,
        command_lease=head["command_lease"],
        connections=connections,
        equipment=equipment,
        points={
            point.key: point
            for item in equipment.values()
            for point in item.points.values()
        },
        profiles=profiles,
        day_types=day_types,
        simulation=top["simulation"],
    )


def _unreadable(path: Path, line: int, found: str) -> PlantFileError:
    return PlantFileError([PlantFileProblem(path.name, line, "", found, "")])


def _intervals(
    head: Mapping[str, Any], problems: Problems
) -> tuple[float, float, float]:
    """Return the seconds of the three tiers; what is not said fits the rest."""
    fast: float = head.get("poll_interval", 1.0)
    slow: float | None = head.get("slow_poll_interval")
    normal: float | None = head.get("normal_poll_interval")
    if normal is None:
        usual = max(_NORMAL_POLL_INTERVAL, fast)
        normal = usual if slow is None else max(fast, min(usual, slow))
    if slow is None:
        slow = max(_SLOW_POLL_INTERVAL, normal)
    for key, shorter, given in (
        ("normal_poll_interval", fast, normal),
        ("slow_poll_interval", normal, slow),
    ):
        if given < shorter:
            problems.add(
                ("plant", key),
                f"{given:g} s is shorter than the interval of what is read more often",
                f"at least {shorter:g}",
            )
    return fast, normal, slow


def _check_frozen_after(
    equipment: Mapping[str, Equipment],
    intervals: tuple[float, float, float],
    problems: Problems,
) -> None:
    """Note points that two equal readings would make worthless."""
    least = {
        tier: 2 * seconds for tier, seconds in zip(PollTier, intervals, strict=True)
    }
    for item in equipment.values():
        for name, point in item.points.items():
            if point.frozen_after and point.frozen_after < least[point.tier]:
                problems.add(
                    ("equipment", item.key, "points", name, "frozen_after"),
                    f"{point.frozen_after:g} s is less than two readings",
                    f"0 for never, or at least {least[point.tier]:g}",
                )


_NORMAL_POLL_INTERVAL = 30.0
_SLOW_POLL_INTERVAL = 300.0


@dataclass(slots=True)
class _Place:
    """Something that only one may have, and who has it."""

    owners: dict[object, str]
    problems: Problems

    def take(self, what: object, owner: str, path: KeyPath, found: str) -> None:
        first = self.owners.setdefault(what, owner)
        if first != owner:
            self.problems.add(path, f"{found} is that of '{first}' too", "each its own")


class _ConnectionBuilder:
    """Builds connections and devices; `devices` is complete even with problems."""

    def __init__(self, problems: Problems) -> None:
        self.devices: dict[str, DeviceReference] = {}
        self._problems = problems
        self._places = _Place({}, problems)

    def build(self, connections: Mapping[str, object]) -> dict[str, Connection]:
        built: dict[str, Connection] = {}
        for key, data in connections.items():
            connection = self._connection(key, data)
            if connection is not None:
                built[key] = connection
        return built

    def _connection(self, key: str, data: object) -> Connection | None:
        path: KeyPath = ("connections", key)
        if not isinstance(data, dict):
            self._problems.add(path, f"found {describe(data)}", "expected a mapping")
            return None
        protocol = self._protocol(data, path)
        if protocol is None:
            for device in _keys(data.get("devices")):
                self._claim_device(device, key, None)
            return None
        section = CONNECTIONS[protocol].check(data, path, self._problems)
        devices = {}
        for name in _keys(data.get("devices")):
            self._claim_device(name, key, protocol)
        for name, device_data in section.get("devices", {}).items():
            device_path = (*path, "devices", name)
            devices[name] = DEVICES[protocol].check(
                device_data, device_path, self._problems
            )
        if protocol is Protocol.BACNET_IP:
            return self._bacnet(key, data, section, devices)
        return self._modbus(key, section, devices)

    def _protocol(self, data: Mapping[str, object], path: KeyPath) -> Protocol | None:
        given = data.get("protocol")
        if "protocol" not in data:
            self._problems.add(path, "the key 'protocol' is missing", names=Protocol)
        elif isinstance(given, str) and given in list(Protocol):
            return Protocol(given)
        else:
            self._problems.add(
                (*path, "protocol"),
                f"found {describe(given)}",
                word=given,
                names=Protocol,
            )
        return None

    def _claim_device(
        self, name: str, connection: str, protocol: Protocol | None
    ) -> None:
        reference = DeviceReference(connection, protocol)
        first = self.devices.setdefault(name, reference)
        if first is not reference:
            self._problems.add(
                ("connections", connection, "devices", name),
                f"'{name}' is a device of '{first.connection}' too",
                "device keys that are unique in the file",
            )

    @staticmethod
    def _is_ours(address: str, host: str | None, port: int | None) -> bool:
        target, _, target_port = address.partition(":")
        if host is None or target_port != str(port):
            return False
        # The BACnet stack takes a loopback address on its own port for itself.
        loopback = host.startswith("127.") and target.startswith("127.")
        return target == host or loopback

    def _bacnet(
        self,
        key: str,
        data: Mapping[str, object],
        section: Mapping[str, Any],
        devices: Mapping[str, Any],
    ) -> Connection | None:
        path: KeyPath = ("connections", key)
        port = section.get("local_port")
        local: str | None = section.get("local_address")
        host = local.partition("/")[0] if local else None
        if host and port:
            self._places.take(
                ("bacnet", host, port),
                key,
                (*path, "local_port"),
                f"the local address {host}:{port}",
            )
        for name, device in devices.items():
            at = (*path, "devices", name)
            instance = device.get("instance")
            if instance is not None:
                # An instance number names one device in a whole network.
                if instance == section.get("instance"):
                    found = f"the instance {instance} is our own"
                    self._problems.add((*at, "instance"), found, "another one")
                self._places.take(
                    (key, instance), name, (*at, "instance"), f"the instance {instance}"
                )
            address: str = device.get("address", "")
            if self._is_ours(address, host, port):
                self._problems.add(
                    (*at, "address"),
                    f"{address} is our own local port",
                    "another 'local_port' than the device's",
                )
        if "bbmd" not in data and "bbmd_lifetime" in data:
            self._problems.add(
                (*path, "bbmd_lifetime"), "'bbmd_lifetime' without 'bbmd'", "remove it"
            )
        if (bbmd := section.get("bbmd")) is not None and self._is_ours(
            bbmd, host, port
        ):
            self._problems.add(
                (*path, "bbmd"), f"{bbmd} is our own address", "that of the BBMD"
            )
        try:
            return BacnetConnection(
                key=key,
                local_address=section["local_address"],
                local_port=section["local_port"],
                instance=section["instance"],
                write_priority=section["write_priority"],
                bbmd=section.get("bbmd"),
                bbmd_lifetime=section["bbmd_lifetime"],
                devices={
                    name: BacnetDevice(
                        name,
                        device["address"],
                        device["instance"],
                        device.get("watchdog_timeout"),
                    )
                    for name, device in devices.items()
                },
            )
        except KeyError:
            return None  # What is missing was noted as a problem.

    def _modbus(
        self, key: str, section: Mapping[str, Any], devices: Mapping[str, Any]
    ) -> Connection | None:
        path: KeyPath = ("connections", key)
        host, port = section.get("host"), section.get("port")
        if host and port:
            self._places.take(
                ("modbus", host, port), key, (*path, "host"), f"{host}:{port}"
            )
        for name, device in devices.items():
            if (unit := device.get("unit")) is not None:
                at = (*path, "devices", name, "unit")
                self._places.take((key, unit), name, at, f"the unit {unit}")
        try:
            return ModbusConnection(
                key=key,
                host=section["host"],
                port=section["port"],
                devices={
                    name: ModbusDevice(
                        name,
                        device["unit"],
                        message_spacing=device["message_spacing"],
                        watchdog_timeout=device.get("watchdog_timeout"),
                        ranges=device["ranges"],
                    )
                    for name, device in devices.items()
                },
            )
        except KeyError:
            return None  # What is missing was noted as a problem.


def _keys(devices: object) -> list[str]:
    return list(devices) if isinstance(devices, dict) else []
