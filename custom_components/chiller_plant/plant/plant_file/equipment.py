"""Equipment of a plant file: templates filled in, references followed."""

from collections.abc import Mapping
import dataclasses
import re
from typing import Any

from ..model import Equipment, InterlockSettings, Point
from ..roles import ROLES, SEQUENCE_POSITION, EquipmentType
from .interlock_defaults import DEFAULTS
from .points import DeviceReference, PointSource, build_point, merge_point
from .problems import KeyPath, Problems, describe
from .schema import EQUIPMENT, INTERLOCKS, TEMPLATE
from .sections import list_of_keys
from .shipped import ShippedTemplate, shipped_templates

PLANT_KEY = "plant"
"""The key of the equipment that is the plant itself."""

SERVICES: dict[EquipmentType, dict[str, tuple[EquipmentType, ...]]] = {
    EquipmentType.CHILLER: {
        "chilled_water_pumps": (
            EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
            EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
        ),
        "condenser_water_pumps": (EquipmentType.CONDENSER_WATER_PUMP,),
        "cooling_towers": (EquipmentType.COOLING_TOWER,),
        "valves": (EquipmentType.VALVE,),
    },
    EquipmentType.ZONE: {
        "chilled_water_pumps": (EquipmentType.SECONDARY_CHILLED_WATER_PUMP,),
    },
}
"""Who may serve whom, by kind of service."""

MAXIMUM_FILLED = 200_000
"""Keys and values of all templates, once for each that uses them."""

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}", re.ASCII)


class EquipmentBuilder:
    """Builds the equipment of one file and notes what is wrong with it."""

    def __init__(
        self,
        templates: Mapping[str, object],
        equipment: Mapping[str, object],
        devices: Mapping[str, DeviceReference] | None,
        problems: Problems,
    ) -> None:
        """Take the sections as they stand in the file.

        `devices` is None where the connections cannot be read.
        """
        self._devices = devices
        self._problems = problems
        self._templates: dict[str, dict[str, Any]] = {}
        for key, data in templates.items():
            path: KeyPath = ("templates", key)
            section = TEMPLATE.check(data, path, problems)
            self._templates[key] = self._with_interlocks(section, path)
        self._sections: dict[str, dict[str, Any]] = {}
        for key, data in equipment.items():
            path = ("equipment", key)
            section = EQUIPMENT.check(data, path, problems)
            self._sections[key] = self._with_interlocks(section, path)
        self._shipped: dict[str, ShippedTemplate] = {}
        for section in self._sections.values():
            self._fetch(section.get("template"))

    def _fetch(self, key: str | None) -> None:
        """Take a template that the file uses and does not have from those shipped."""
        if key is None or key in self._templates:
            return
        if (shipped := shipped_templates().get(key)) is not None:
            path: KeyPath = (f"shipped template {key}",)
            section = TEMPLATE.check(shipped.template, path, self._problems)
            self._templates[key] = self._with_interlocks(section, path)
            self._shipped[key] = shipped

    def build(self) -> dict[str, Equipment]:
        """Return all equipment; to be used only if no problem was noted."""
        sizes = {key: _size(section) for key, section in self._templates.items()}
        users = [s.get("template") or "" for s in self._sections.values()]
        if sum(sizes.get(user, 0) for user in users) > MAXIMUM_FILLED:
            self._problems.add(
                ("templates",),
                "filled in for all that use them they are too long",
                f"at most {MAXIMUM_FILLED} keys and values",
            )
            return {}
        return {
            key: self._equipment(key, section)
            for key, section in self._sections.items()
        }

    def _with_interlocks(
        self, section: dict[str, Any], path: KeyPath
    ) -> dict[str, Any]:
        given = section.get("interlocks", {})
        checked = INTERLOCKS.check(given, (*path, "interlocks"), self._problems)
        return {**section, "interlocks": checked}

    def _equipment(self, key: str, section: Mapping[str, Any]) -> Equipment:
        path: KeyPath = ("equipment", key)
        # Without a type little can be said; the plant's own has no defaults.
        kind: EquipmentType | None = section.get("type")
        if kind is not None and (kind is EquipmentType.PLANT) is not (key == PLANT_KEY):
            self._problems.add(
                path,
                f"the key '{key}' for the type '{kind}'",
                f"'{PLANT_KEY}' is the key of the type '{EquipmentType.PLANT}' and "
                "of nothing else",
            )
        template_key, template = self._template(section, path)
        interlocks = DEFAULTS.get(kind) if kind else None
        return Equipment(
            key=key,
            name=section.get("name", key),
            type=kind or EquipmentType.PLANT,
            points=self._points(key, kind, section, template_key) if kind else {},
            manufacturer=section.get("manufacturer", template.get("manufacturer")),
            model=section.get("model", template.get("model")),
            ratings={**template.get("ratings", {}), **section.get("ratings", {})},
            served_by=self._served_by(kind, section, path),
            measures=self._measures(key, kind, section, path),
            interlocks=dataclasses.replace(
                interlocks or InterlockSettings(),
                **{**template.get("interlocks", {}), **section["interlocks"]},
            ),
        )

    def _template(
        self, section: Mapping[str, Any], path: KeyPath
    ) -> tuple[str | None, Mapping[str, Any]]:
        key: str | None = section.get("template")
        if key is None:
            if section.get("variables"):
                self._problems.add(
                    (*path, "variables"), "variables without a template", "a template"
                )
            return None, {}
        if key not in self._templates:
            self._problems.add(
                (*path, "template"),
                f"template {describe(key)} is not defined",
                word=key,
                names=(*self._templates, *shipped_templates()),
            )
            return None, {}
        shipped = self._shipped.get(key)
        kind = section.get("type")
        if shipped is not None and kind is not None and kind not in shipped.types:
            self._problems.add(
                (*path, "template"),
                f"the shipped template '{key}' for a {kind}",
                f"only for a {' or '.join(shipped.types)}",
            )
            return None, {}
        return key, self._templates[key]

    def _points(
        self,
        key: str,
        kind: EquipmentType,
        section: Mapping[str, Any],
        template_key: str | None,
    ) -> dict[str, Point]:
        path: KeyPath = ("equipment", key)
        template_path: KeyPath = ("templates", template_key or "")
        if template_key in self._shipped:
            # Its lines are not in this file: the equipment's are the nearest.
            template_path = (*path, f"shipped template {template_key}")
        template = self._templates.get(template_key or "", {})
        variables = section.get("variables", {})
        noted = self._problems.count
        filled: dict[str, object] = self._fill(
            template.get("points", {}), variables, path
        )
        own: Mapping[str, object] = section.get("points", {})
        device = section.get("device")
        device_path = (*path, "device")
        if device is None:
            device = self._fill(template.get("device"), variables, path)
            device_path = (*template_path, "device")
        if self._problems.count > noted:
            return {}  # Half-filled points would only bring problems that are none.
        if device is not None and self._devices is not None:
            if device not in self._devices:
                self._problems.add(
                    device_path,
                    f"device {describe(device)} is not defined",
                    word=device,
                    names=self._devices,
                )
        points = {}
        for name in {**filled, **own}:
            from_template = filled.get(name)
            given = own.get(name, from_template)

            def origin(at: KeyPath, given: object = own.get(name)) -> KeyPath:
                """Point at the template for what only the template says."""
                inner = at[4:5]
                if inner and isinstance(given, dict) and inner[0] in given:
                    return at
                if not inner and given is not None:
                    return at
                return (*template_path, *at[2:]) if template_key else at

            at = (*path, "points", name)
            role = ROLES[kind].get(name)
            if role is None:
                self._problems.add(
                    at if name in own else (*template_path, "points", name),
                    f"a {kind} has no point '{name}'",
                    word=name,
                    names=ROLES[kind],
                )
                continue
            source = PointSource(
                merge_point(from_template, given), at, origin, key, role, device
            )
            if point := build_point(source, self._devices, self._problems):
                points[name] = point
        run = points.get("run_command")
        if kind is EquipmentType.CHILLER and run is not None and run.writable:
            points.setdefault(SEQUENCE_POSITION, _sequence_position(key))
        return points

    def _fill(self, value: Any, variables: Mapping[str, Any], path: KeyPath) -> Any:
        """Return a template's value with the variables of its user filled in."""
        if isinstance(value, dict):
            return {k: self._fill(v, variables, path) for k, v in value.items()}
        if isinstance(value, list):
            return [self._fill(item, variables, path) for item in value]
        if not isinstance(value, str):
            return value
        missing = [name for name in _VARIABLE.findall(value) if name not in variables]
        if missing:
            for name in missing:
                self._problems.add(
                    (*path, "variables") if variables else path,
                    f"the variable '{name}' of its template is missing",
                    f"variables: {{{name}: …}}",
                )
            return value
        # A number alone stays a number: `address: "{register}"`.
        if (alone := _VARIABLE.fullmatch(value)) is not None:
            return variables[alone[1]]
        return _VARIABLE.sub(lambda match: str(variables[match[1]]), value)

    def _served_by(
        self, kind: EquipmentType | None, section: Mapping[str, Any], path: KeyPath
    ) -> dict[str, tuple[str, ...]]:
        given: Mapping[str, object] = section.get("served_by", {})
        if not given or kind is None:
            return {}
        path = (*path, "served_by")
        services = SERVICES.get(kind)
        if services is None:
            allowed = ", ".join(str(kind) for kind in SERVICES)
            self._problems.add(path, f"'served_by' of a {kind}", f"only of: {allowed}")
            return {}
        served_by = {}
        for service, keys in given.items():
            at = (*path, service)
            if (types := services.get(service)) is None:
                self._problems.add(at, "unknown service", word=service, names=services)
            else:
                served_by[service] = self._references(keys, types, at)
        return served_by

    def _references(
        self, keys: object, types: tuple[EquipmentType, ...], path: KeyPath
    ) -> tuple[str, ...]:
        found = list_of_keys(keys, path, self._problems)
        for index, key in enumerate(found):
            at = (*path, index)
            if key not in self._sections:
                self._unknown_equipment(key, at)
                continue
            kind = self._sections[key].get("type")
            if kind is not None and kind not in types:
                self._problems.add(
                    at,
                    f"'{key}' is a {kind}",
                    f"expected a {' or '.join(types)}",
                )
        return found

    def _unknown_equipment(self, key: str, path: KeyPath) -> None:
        self._problems.add(
            path,
            f"equipment {describe(key)} is not defined",
            word=key,
            names=self._sections,
        )

    def _measures(
        self,
        key: str,
        kind: EquipmentType | None,
        section: Mapping[str, Any],
        path: KeyPath,
    ) -> tuple[str, ...]:
        measured: tuple[str, ...] = section.get("measures", ())
        path = (*path, "measures")
        if measured and kind not in (None, EquipmentType.METER):
            self._problems.add(path, f"'measures' of a {kind}", "only of a meter")
        for index, other in enumerate(measured):
            if other == key:
                self._problems.add((*path, index), "a meter that measures itself")
            elif other not in self._sections:
                self._unknown_equipment(other, (*path, index))
        return measured


def _sequence_position(chiller: str) -> Point:
    """Return a chiller's place in an order, of which no file needs to speak."""
    role = ROLES[EquipmentType.CHILLER][SEQUENCE_POSITION]
    return Point(
        key=f"{chiller}.{SEQUENCE_POSITION}",
        equipment=chiller,
        role=role,
        address=None,
        low=0.0,
        high=99.0,
        writable=True,
        release=0.0,
        tier=role.tier,
    )


def _size(value: object) -> int:
    """Return how many keys and values there are."""
    if isinstance(value, dict):
        return 1 + sum(1 + _size(item) for item in value.values())
    if isinstance(value, list):
        return 1 + sum(_size(item) for item in value)
    return 1
