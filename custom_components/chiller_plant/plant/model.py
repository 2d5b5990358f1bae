"""The words of a plant: what is connected where, and what it is allowed to do.

A `Plant` is what a plant file says after it was checked. It never changes
while it is in use; a changed file makes a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from .roles import EquipmentType, PollTier, Role

type Value = bool | float
type PointKey = str
"""`<equipment>.<role>`, for example `chiller_1.run_command`."""


class Protocol(StrEnum):
    """How a connection speaks."""

    BACNET_IP = "bacnet_ip"
    MODBUS_TCP = "modbus_tcp"


@dataclass(frozen=True, slots=True)
class BacnetDevice:
    """A BACnet device: `host:port` (or `net:mac`) and its instance number."""

    key: str
    address: str
    instance: int
    watchdog_timeout: float | None = None
    """Seconds after which the device falls back to its own control unless what
    it is commanded is written again; None: it never does."""


class RegisterKind(StrEnum):
    """The four tables of a Modbus unit."""

    COIL = "coil"
    DISCRETE_INPUT = "discrete_input"
    HOLDING = "holding"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class RegisterRange:
    """Registers of one table that a unit has without a gap, both ends included."""

    kind: RegisterKind
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """A Modbus unit behind the connection's host and port."""

    key: str
    unit: int
    message_spacing: float = 0.0
    """Seconds that the unit needs between two requests."""
    watchdog_timeout: float | None = None
    """As of a `BacnetDevice`."""
    ranges: tuple[RegisterRange, ...] = ()
    """What may be read in one request, gaps included; none declared: small
    gaps are taken to be readable until the unit says otherwise."""


@dataclass(frozen=True, slots=True)
class BacnetConnection:
    """One BACnet/IP network, reached from one local address and port."""

    key: str
    local_address: str
    """`ip/prefix` of the interface to bind, for example `10.0.0.5/24`."""
    local_port: int
    instance: int
    """Our own device instance number on that network."""
    write_priority: int
    """The slot of the priority array that we write and relinquish, 1 to 16."""
    devices: Mapping[str, BacnetDevice]
    bbmd: str | None = None
    """`host:port` of the broadcast device of another subnet, where we are
    registered as a foreign device; None: we are on the devices' own subnet."""
    bbmd_lifetime: int = 300
    """Seconds that a registration lasts."""
    protocol: Literal[Protocol.BACNET_IP] = Protocol.BACNET_IP


@dataclass(frozen=True, slots=True)
class ModbusConnection:
    """One Modbus TCP server (a device, or a gateway with several units)."""

    key: str
    host: str
    port: int
    devices: Mapping[str, ModbusDevice]
    protocol: Literal[Protocol.MODBUS_TCP] = Protocol.MODBUS_TCP


type Connection = BacnetConnection | ModbusConnection


@dataclass(frozen=True, slots=True)
class BacnetAddress:
    """The present value of an object in a device."""

    connection: str
    device: str
    object_type: str
    """With hyphens, as in `analog-input`."""
    object_instance: int
    priority_array: bool = True
    """Whether a command takes a slot that NULL gives back. Without, releasing
    means writing the point's release value."""
    states: States = ()
    """See `States`; a multi-state object needs them (its first state is 1)."""


class RegisterType(StrEnum):
    """How a number lies in 16-bit registers."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def registers(self) -> int:
        """How many 16-bit registers one value takes."""
        return int(self[-2:]) // 16


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """A value in a unit's tables; `value = raw * scale + offset`.

    `address` is the zero-based address as it goes over the wire.
    """

    connection: str
    device: str
    kind: RegisterKind
    address: int
    type: RegisterType = RegisterType.UINT16
    word_order: Literal["big", "little"] = "big"
    scale: float = 1.0
    offset: float = 0.0
    bit: int | None = None
    """The bit of a register that carries a true/false value."""
    bits: tuple[int, int] | None = None
    """The first and the last bit of a field within a register that is only
    read, counted from the lowest, 0."""
    states: States = ()
    """See `States`."""
    write_function: Literal["single", "multiple"] = "single"
    """How one register or coil is written: functions 5 and 6, or 15 and 16."""


type Address = BacnetAddress | ModbusAddress

type States = tuple[tuple[int, bool], ...]
"""What the numbers of an enumeration mean to a point that is true or false. A
number that is not listed is out of range; the first of each is what is written.
None listed: zero is false."""


@dataclass(frozen=True, slots=True)
class Point:
    """One datapoint of one piece of equipment."""

    key: PointKey
    equipment: str
    role: Role
    address: Address | None
    """None for a setpoint that the integration itself holds."""
    wire_unit: str | None = None
    """The unit on the wire where it is not the role's own (see `units`)."""
    low: float | None = None
    high: float | None = None
    """Limits of a command, and the range in which a reading is believed."""
    writable: bool = False
    release: Value | None = None
    """What the point falls back to with no command left: the relinquish
    default of a BACnet object, the value written to a Modbus register, the
    value of a setpoint that the integration holds. None: not known (BACnet),
    left as it is (Modbus)."""
    ramp: float | None = None
    """Largest change of a command, in units a second."""
    tier: PollTier = PollTier.NORMAL
    """How often it is read."""
    frozen_after: float | None = None
    """Seconds without the least change after which a measurement is not
    believed; 0: never; None: judged by how it has been changing."""


@dataclass(frozen=True, slots=True)
class InterlockSettings:
    """What protects one piece of equipment; times in seconds."""

    minimum_run_time: float = 0.0
    minimum_off_time: float = 0.0
    maximum_starts_per_hour: int | None = None
    flow_proof_time: float = 0.0
    """Flow must have been proven this long before a chiller may start."""
    flow_loss_time: float = 0.0
    """A running chiller is stopped after its flow was lost this long."""
    flow_keep_time: float = 0.0
    """Pumps, valves and towers serve on for this long after a chiller is off."""
    change_time: float = 0.0
    """No other chiller starts or stops for this long after this one did."""
    start_proof_time: float = 0.0
    """A commanded start not proven after this long has failed."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """One machine (or the plant itself, under the key `plant`)."""

    key: str
    name: str
    type: EquipmentType
    points: Mapping[str, Point]
    """By role name."""
    manufacturer: str | None = None
    model: str | None = None
    ratings: Mapping[str, float] = field(default_factory=dict)
    served_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Which equipment must run for this one, by kind of service: for a
    chiller `chilled_water_pumps`, `condenser_water_pumps`, `cooling_towers`
    (shared: as many running as chillers they serve) and `valves` (its own:
    all of them open); for a zone the `chilled_water_pumps` of its own
    distribution, where a plant has several."""
    measures: tuple[str, ...] = ()
    """The equipment whose power a meter measures."""
    interlocks: InterlockSettings = InterlockSettings()


@dataclass(frozen=True, slots=True)
class Plant:
    """One chilled-water plant."""

    key: str
    name: str
    poll_interval: float
    """Seconds between two readings of the points of the fast tier."""
    command_lease: float
    """Seconds after which a command of the control engine is dropped unless
    it was refreshed."""
    connections: Mapping[str, Connection]
    equipment: Mapping[str, Equipment]
    points: Mapping[PointKey, Point]
    profiles: tuple[str, ...]
    """Names of the profiles that the plant starts with."""
    day_types: Mapping[str, str]
    """Profile of each day of the week, `monday` to `sunday`, and of `holiday` if
    holidays have one."""
    simulation: Mapping[str, object] = field(default_factory=dict)
    """What the simulator alone needs: zone loads, weather, loop volumes."""
    normal_poll_interval: float = 30.0
    slow_poll_interval: float = 300.0

    def interval(self, tier: PollTier) -> float:
        """Return the seconds between two readings of a point of this tier."""
        match tier:
            case PollTier.FAST:
                return self.poll_interval
            case PollTier.NORMAL:
                return self.normal_poll_interval
            case PollTier.SLOW:
                return self.slow_poll_interval

    def of_type(self, *types: EquipmentType) -> tuple[Equipment, ...]:
        """Return the equipment of these types, in the order of the file."""
        return tuple(item for item in self.equipment.values() if item.type in types)
