"""What must never be seen of a plant, whatever happens to it.

Looks at the machines and at what reaches them, and shares nothing with the
interlocks but the times of the plant file.
"""

from dataclasses import dataclass, field

from custom_components.chiller_plant.plant.model import Plant, Point, PointKey, Value
from custom_components.chiller_plant.plant.roles import EquipmentType

SLACK = 15.0
"""Seconds: a loss is seen at the next poll, and a compressor takes its time to stop."""
_FLOWS = ("chilled_water_flow_status", "condenser_water_flow_status")


@dataclass
class Machine:
    """What was seen of a chiller."""

    runs: bool | None = None
    since: float | None = None
    dry_since: float | None = None
    wet_since: float | None = None
    starts: list[float] = field(default_factory=list)
    commanded: bool | None = None


class Rules:
    """Raises where a chiller is treated as it must never be."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._chillers = {
            item.key: Machine() for item in plant.of_type(EquipmentType.CHILLER)
        }
        self._last: dict[PointKey, Value] = {}
        self._changed: tuple[float, str] | None = None
        self.looks = 0

    def complete(self) -> None:
        """See that there was something to judge at all."""
        assert self.looks > 100
        assert any(item.starts or item.runs for item in self._chillers.values())

    # --- what reaches the machines

    def ordered(self, now: float, point: Point, value: Value, *, forced: bool) -> None:
        """Judge a command on its way to a machine."""
        if not isinstance(value, bool):
            assert point.low is None or value >= point.low, f"{point.key} {value}"
            assert point.high is None or value <= point.high, f"{point.key} {value}"
        if point.role.name == "run_command" and point.equipment in self._chillers:
            self._switch(now, point.equipment, bool(value), forced=forced)
        elif value is False:
            self._without(now, point)

    def _switch(self, now: float, key: str, on: bool, *, forced: bool) -> None:
        machine = self._chillers[key]
        settings = self._plant.equipment[key].interlocks
        before, machine.commanded = machine.commanded, on
        if before is on or machine.runs is on or machine.runs is None:
            return
        if on:
            assert machine.wet_since is not None, f"{key} started without flow"
            proven = now - machine.wet_since
            assert proven >= settings.flow_proof_time, f"{key}: {proven} s of flow"
            if machine.since is not None:
                off = now - machine.since
                assert off >= settings.minimum_off_time, f"{key} off for {off} s"
            recent = [at for at in machine.starts if now - at < 3600]
            limit = settings.maximum_starts_per_hour
            assert limit is None or len(recent) < limit, f"{key}: {len(recent)} starts"
            machine.starts.append(now)
        elif not forced and machine.since is not None:
            run = now - machine.since
            assert run >= settings.minimum_run_time, f"{key} ran for {run} s"
        if forced:
            return
        if self._changed is not None and self._changed[1] != key:
            apart = now - self._changed[0]
            assert apart >= settings.change_time, f"{key} {apart} s after another"
        self._changed = (now, key)

    def _without(self, now: float, point: Point) -> None:
        """See that no pump, valve or tower is taken from a chiller that runs."""
        proof = "open_status" if "open" in point.role.name else "run_status"
        serves = self._last.get(f"{point.equipment}.{proof}")
        if self._last.get(point.key) is not True or serves is not True:
            return  # what has tripped gives nothing that could be taken
        needing = []
        for key, machine in self._chillers.items():
            keep = self._plant.equipment[key].interlocks.flow_keep_time
            recently = (
                machine.runs is False
                and machine.since is not None
                and now - machine.since < keep - SLACK
            )
            if machine.runs or recently:
                needing.append(key)
        served_by = {key: self._plant.equipment[key].served_by for key in needing}
        for key, kinds in served_by.items():
            assert point.equipment not in kinds.get("valves", ()), (
                f"{point.key} closed under {key}"
            )
            for kind, servers in kinds.items():
                if kind == "valves" or point.equipment not in servers:
                    continue
                left = [
                    item
                    for item in servers
                    if item != point.equipment
                    and self._last.get(f"{item}.run_command")
                    and self._last.get(f"{item}.run_status")
                ]
                assert len(left) >= len(needing), f"{point.key} taken from {needing}"

    # --- what the machines do

    def check(self, now: float, values: dict[PointKey, Value]) -> None:
        """Look at the machines."""
        self.looks += 1
        self._last = values
        for key, machine in self._chillers.items():
            settings = self._plant.equipment[key].interlocks
            runs = bool(values[f"{key}.run_status"])
            if machine.runs is not None and runs != machine.runs:
                machine.since = now
            machine.runs = runs
            wet = all(values[f"{key}.{role}"] for role in _FLOWS)
            machine.wet_since = (machine.wet_since or now) if wet else None
            machine.dry_since = (machine.dry_since or now) if runs and not wet else None
            if machine.dry_since is not None:
                dry = now - machine.dry_since
                assert dry <= settings.flow_loss_time + SLACK, f"{key} dry for {dry} s"
