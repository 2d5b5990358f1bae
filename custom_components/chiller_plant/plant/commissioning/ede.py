"""Reads point lists in the EDE format of the BACnet Interest Group Europe.

Engineering Data Exchange, layouts 2.0 to 2.3: `<project>_EDE.csv` with one object a
row, and beside it `_StateTexts.csv`, `_Units.csv` and `_ObjTypes.csv`. The order of
the columns, where a file has no line that names them, is that which exporters write
(YABE, and the public parsers of the format agree on it): keyname, device instance,
object name, type and instance, then the optional ones.

The content of a file never raises. What is not taken is listed with its line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import re

from .bacnet_units import unit_of
from .ede_fields import (
    DEVICE,
    NO,
    OTHER_TYPES,
    TYPE_WORDS,
    TYPES,
    YES,
    instance_of,
    short,
    value_of,
    whole,
)
from .ede_text import MAXIMUM_BYTES, MAXIMUM_ROWS, Row, rows
from .found import COMMANDABLE_TYPES, FoundDevice, FoundObject
from .keys import make_key

MAXIMUM_SKIPPED = 2000
"""Listed; what is beyond is counted in a note."""
_MAXIMUM_STATES = 100

_COLUMNS = {
    "keyname": ("key",),
    "device": (
        "deviceobjinstance",
        "deviceobjectinstance",
        "deviceobjectidentifier",
        "deviceinstance",
        "deviceinst",
        "deviceid",
    ),
    "name": ("objectname", "objname"),
    "type": ("objecttype", "objtype", "objecttypecode"),
    "instance": ("objectinstance", "objinstance", "objectinst", "objinst"),
    "description": ("desc", "objectdescription"),
    "value": ("presentvaluedefault", "presentvalue", "defaultpresentvalue"),
    "minimum": ("minpresentvalue",),
    "maximum": ("maxpresentvalue",),
    "settable": ("commandable", "writable", "writeable"),
    "cov": ("supportscov",),
    "high": ("hilimit", "highlimit"),
    "low": ("lowlimit",),
    "states": ("statetextreference", "statetextref", "statetext", "statetextrange"),
    "unit": ("unitcode", "units", "engineeringunits", "unitscode"),
    "address": ("vendorspecificaddress", "vendorspecificaddres"),
    "notification": ("notificationclass",),
}
_COLUMN_OF = {
    alias: column for column, more in _COLUMNS.items() for alias in (column, *more)
}
_NEEDED = ("device", "type", "instance")
_STANDARD_ORDER = tuple(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that was not taken."""

    line: int
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class EdeResult:
    """What the files say."""

    devices: tuple[FoundDevice, ...]
    """Without addresses: the format has none."""
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    project: str | None = None

    @property
    def object_count(self) -> int:
        """How many objects were taken."""
        return sum(len(device.objects) for device in self.devices)


@dataclass(slots=True)
class _Side:
    """What the files beside the list say, by project prefix."""

    states: dict[str, dict[int, tuple[str, ...]]] = field(default_factory=dict)
    units: dict[int, str] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)

    def state_texts(self, prefix: str, reference: int) -> tuple[str, ...]:
        """Return the texts of a reference; a single file serves all lists."""
        texts = self.states.get(prefix)
        if texts is None and len(self.states) == 1:
            texts = next(iter(self.states.values()))
        return (texts or {}).get(reference, ())


def read_ede(files: Mapping[str, bytes]) -> EdeResult:
    """Return the devices and objects of one or more point lists.

    `files` are the contents by file name; a lone file is the list itself.
    """
    reader = _Reader()
    kinds = {name: _kind(name, data) for name, data in files.items()}
    if len(files) == 1:
        kinds = dict.fromkeys(files, "ede")
    side = reader.side
    for name, data in files.items():
        prefix = _prefix(name)
        match kinds[name]:
            case "states":
                side.states[prefix] = reader.references(name, data)
            case "units":
                side.units |= {
                    n: t[0] for n, t in reader.references(name, data).items()
                }
            case "types":
                side.types |= {
                    n: t[0] for n, t in reader.references(name, data).items()
                }
    for name, data in files.items():
        if kinds[name] == "ede":
            reader.read(name, data)
        elif kinds[name] is None:
            reader.notes.append(f"{name} is none of the files of a point list (EDE)")
    return reader.result()


_SUFFIXES = re.compile(
    r"[-_ ]?(ede|state[-_ ]?texts?|states|unit[-_ ]?texts?|units?"
    r"|obj(?:ect)?[-_ ]?types?|object)$"
)


def _prefix(name: str) -> str:
    """Return what the files of one project have in common."""
    return _SUFFIXES.sub("", name.casefold().rpartition(".")[0] or name.casefold())


def _kind(name: str, data: bytes) -> str | None:
    stem = re.sub(r"[^a-z]", "", name.casefold().rpartition(".")[0] or name.casefold())
    for ends, kind in (
        (("statetexts", "statetext", "states"), "states"),
        (("units", "unittexts", "unit"), "units"),
        (("objtypes", "objecttypes", "objecttype", "object"), "types"),
        (("ede",), "ede"),
    ):
        if stem.endswith(ends):
            return kind
    return "ede" if any(_header(row) for row in rows(data[:20_000])) else None


def _header(row: Row) -> dict[str, int] | None:
    """Return where each column is, if the row names columns."""
    found: dict[str, int] = {}
    for index, name in enumerate(row.fields):
        column = _COLUMN_OF.get(re.sub(r"[^a-z]", "", name.casefold()))
        if column is not None:
            found.setdefault(column, index)
    return found if all(column in found for column in _NEEDED) else None


@dataclass(slots=True)
class _Device:
    name: str | None = None
    objects: dict[tuple[str, int], tuple[FoundObject, str]] = field(
        default_factory=dict
    )


class _Reader:
    def __init__(self) -> None:
        self.side = _Side()
        self.notes: list[str] = []
        self._skipped: list[Skipped] = []
        self._more_skipped = 0
        self._devices: dict[int, _Device] = {}
        self._project: str | None = None

    def result(self) -> EdeResult:
        if self._more_skipped:
            self.notes.append(f"{self._more_skipped} more lines were skipped")
        devices: list[FoundDevice] = []
        keys: set[str] = set()
        for instance, device in self._devices.items():
            if not device.objects:
                self.notes.append(f"device {instance} has no object that can be used")
                continue
            key = make_key(device.name or f"device {instance}", keys)
            keys.add(key)
            objects = tuple(
                # The key of its device is known only now.
                _on(key, each)
                for each, _ in device.objects.values()
            )
            name = device.name or f"Device {instance}"
            devices.append(FoundDevice(key, "", instance, name, objects=objects))
        return EdeResult(
            tuple(devices), tuple(self._skipped), tuple(self.notes), self._project
        )

    def skip(self, file: str, line: int, reason: str) -> None:
        if len(self._skipped) < MAXIMUM_SKIPPED:
            self._skipped.append(Skipped(line, file, reason))
        else:
            self._more_skipped += 1

    def references(self, file: str, data: bytes) -> dict[int, tuple[str, ...]]:
        """Return the texts of a file of numbered rows, by number."""
        found: dict[int, tuple[str, ...]] = {}
        for row in self._rows(file, data):
            if row.is_comment:
                continue
            number = whole(row.fields[0])
            if number is None or len(row.fields) < 2:
                self.skip(file, row.line, "no number with a text")
            else:
                texts = row.fields[1 : _MAXIMUM_STATES + 1]
                found.setdefault(number, tuple(short(text) for text in texts))
        return found

    def _rows(self, file: str, data: bytes) -> Sequence[Row]:
        found = rows(data)
        if len(data) > MAXIMUM_BYTES or len(found) >= MAXIMUM_ROWS:
            self.notes.append(f"{file} is longer than what is read of a file")
        return found

    def read(self, file: str, data: bytes) -> None:
        """Take the objects of a list."""
        found = self._rows(file, data)
        columns: dict[str, int] | None = None
        width = 0
        torn = False
        for row in found:
            if header := _header(row):
                columns, width = header, len(row.fields)
                torn = _is_rare(found, width)
            elif row.is_comment or self._is_heading(row):
                continue
            else:
                if columns is None and _looks_standard(row):
                    self.notes.append(
                        f"{file} does not name its columns: the usual order is assumed"
                    )
                    columns = {name: at for at, name in enumerate(_STANDARD_ORDER)}
                    width = len(_STANDARD_ORDER)
                    torn = _is_rare(found, width)
                if columns is None:
                    reason = "before the line that names the columns"
                    self.skip(file, row.line, reason)
                    continue
                self._take(file, row, columns, torn and len(row.fields) > width)
        if columns is None:
            self.notes.append(
                f"{file} has no line that names its columns (device obj.-instance, "
                "object-type, object-instance)"
            )

    def _is_heading(self, row: Row) -> bool:
        word = re.sub(r"[^a-z]", "", row.fields[0].casefold())
        if word == "projectname":
            if len(row.fields) > 1 and self._project is None:
                self._project = short(row.fields[1]) or None
            return True
        return word.startswith(
            ("versionof", "timestampof", "authorof", "limitedresources", "mandatory")
        )

    def _take(self, file: str, row: Row, at: Mapping[str, int], torn: bool) -> None:
        def text(column: str) -> str:
            index = at.get(column)
            if index is None or index >= len(row.fields):
                return ""
            # A separator in a description moved what is behind it.
            if torn and index > at.get("description", -1) >= 0:
                return ""
            return short(row.fields[index])

        device = instance_of(text("device"))
        if device is None:
            reason = f"'{text('device')}' is no device instance"
            self.skip(file, row.line, reason)
            return
        type_number = self._type(text("type"))
        if type_number is None:
            self.skip(file, row.line, f"'{text('type')}' is no object type")
            return
        object_type = TYPES.get(type_number)
        known = self._devices.setdefault(device, _Device())
        if type_number == DEVICE:
            known.name = known.name or text("name") or text("description") or None
            return
        if object_type is None:
            name = OTHER_TYPES.get(type_number) or self.side.types.get(type_number)
            reason = f"a {name or f'type {type_number}'} object is no point"
            self.skip(file, row.line, reason)
            return
        instance = instance_of(text("instance"))
        if instance is None:
            reason = f"'{text('instance')}' is no object instance"
            self.skip(file, row.line, reason)
            return
        place = f"line {row.line} of {file}"
        if (first := known.objects.get((object_type, instance))) is not None:
            reason = (
                f"{object_type},{instance} of device {device} again, see {first[1]}"
            )
            self.skip(file, row.line, reason)
            return
        unit, wire_unit = self._unit(text("unit"))
        if not object_type.startswith("analog"):
            unit = wire_unit = None
        reference = whole(text("states"))
        states: tuple[str, ...] = ()
        if reference is not None and not object_type.startswith("analog"):
            states = self.side.state_texts(_prefix(file), reference)
        commandable: bool | None = False
        if object_type in COMMANDABLE_TYPES:
            said = text("settable").casefold()
            commandable = True if said in YES else False if said in NO else None
        known.objects[object_type, instance] = (
            FoundObject(
                device="",
                object_type=object_type,
                instance=instance,
                name=text("name") or text("keyname") or f"{object_type},{instance}",
                description=text("description") or None,
                unit=unit,
                wire_unit=wire_unit,
                commandable=commandable,
                states=states,
                present_value=value_of(text("value"), object_type),
            ),
            place,
        )

    def _type(self, text: str) -> int | None:
        number = whole(text)
        if number is not None:
            return number if 0 <= number <= 1023 else None
        word = re.sub(r"[^a-z]", "", text.casefold()).removeprefix("object")
        if word in TYPE_WORDS:
            return TYPE_WORDS[word]
        for number, name in self.side.types.items():
            if name.casefold() == text.casefold() and text:
                return number
        return None

    def _unit(self, text: str) -> tuple[str | None, str | None]:
        number = whole(text)
        if number is None:
            return unit_of(text)
        unit, name = unit_of(number)
        if unit is None and number in self.side.units:
            # The list's own table names what the standard does not.
            own_unit, own_name = unit_of(self.side.units[number])
            return (own_unit if number > 255 else None), own_name or name
        return unit, name


def _on(device: str, found: FoundObject) -> FoundObject:
    return FoundObject(
        device,
        found.object_type,
        found.instance,
        found.name,
        found.description,
        found.unit,
        found.wire_unit,
        found.commandable,
        found.states,
        found.present_value,
    )


def _looks_standard(row: Row) -> bool:
    return len(row.fields) >= 5 and all(
        whole(row.fields[index]) is not None for index in (1, 3, 4)
    )


def _is_rare(found: Sequence[Row], width: int) -> bool:
    """Whether rows with more fields than columns are the exception.

    Then a separator within a text tore them; where most are longer, somebody
    added columns without names.
    """
    longer = sum(len(row.fields) > width for row in found[:1000])
    return longer <= len(found[:1000]) / 2
