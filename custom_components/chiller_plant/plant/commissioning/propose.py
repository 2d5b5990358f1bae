"""From found objects to proposed equipment, for a person to correct.

Each object gets at most one role and each role at most one object. Where two fit
alike, or something speaks against it, nothing is taken and a note says why.
"""

from collections.abc import Sequence
import dataclasses
from dataclasses import dataclass, field

from ..roles import ROLES, EquipmentType
from .found import FoundDevice, FoundObject, Match, Proposal, ProposedEquipment
from .machines import Machine, Reading, machine, read_name
from .matching import Candidate, candidates
from .naming import words_of

_MAXIMUM_NOTES = 200
_WEATHER = machine(EquipmentType.WEATHER_STATION, None)
_PLANT = machine(EquipmentType.PLANT, None)
_ORDER = list(EquipmentType)
_CHILLER_WORDS = frozenset(("chiller", "evaporator", "compressor"))
_ZONE_WORDS = frozenset(("zone", "occupied"))
_MODELS = {
    "30xv": EquipmentType.CHILLER, "30rap": EquipmentType.CHILLER,
    "30xw": EquipmentType.CHILLER, "19xr": EquipmentType.CHILLER,
    "aquaforce": EquipmentType.CHILLER, "aquasnap": EquipmentType.CHILLER,
    "ylaa": EquipmentType.CHILLER, "yvaa": EquipmentType.CHILLER,
}  # fmt: skip
"""Models that are one machine, whatever the device is called."""


@dataclass(slots=True)
class _Group:
    machine: Machine
    objects: list[tuple[FoundObject, list[Candidate]]] = field(default_factory=list)


def propose(devices: Sequence[FoundDevice]) -> Proposal:
    """Return what the objects of these devices are taken to be.

    Deterministic, and quick enough for 10 000 objects; still for an executor.
    """
    groups: dict[str, _Group] = {}
    notes: list[str] = []
    for device in devices:
        own = _machine_of_device(device)
        for found in device.objects:
            where, words, why_not = _place(device, own, found)
            if why_not is not None:
                notes.append(f"{device.name}: '{found.name}' is left out: {why_not}")
            if where is None:
                continue
            group = groups.setdefault(where.key, _Group(where))
            options = candidates(where.type, found, words)
            if where.guessed and not group.machine.guessed:
                group.machine = where
            group.objects.append((found, _with_description(where, found, options)))
    proposed = [item for group in groups.values() if (item := _equipment(group))]
    proposed.sort(key=lambda item: _ORDER.index(item.type))
    taken = {
        (match.object.device, match.object.identifier)
        for item in proposed
        for match in item.roles.values()
    }
    return Proposal(
        tuple(proposed),
        tuple(
            found
            for device in devices
            for found in device.objects
            if (found.device, found.identifier) not in taken
        ),
        tuple(notes[:_MAXIMUM_NOTES]),
    )


def _machine_of_device(device: FoundDevice) -> Machine | None:
    """Return the machine that a device is, where it is one."""
    words = words_of(device.name)
    reading = read_name(words)
    if reading.machine is not None:
        return reading.machine
    if "plant" in words:
        return _PLANT
    numbered = any(read_name(words_of(each.name)).machine for each in device.objects)
    model = f"{device.model or ''} {device.name}".casefold()
    kind = next((kind for part, kind in _MODELS.items() if part in model), None)
    if numbered:
        return None
    said = [word for each in device.objects for word in words_of(each.name)]
    if kind is None and sum(word in _CHILLER_WORDS for word in said) >= 2:
        kind = EquipmentType.CHILLER
    if kind is None and "chiller" in words:
        kind = EquipmentType.CHILLER
    if kind is None and any(word in _ZONE_WORDS for word in said):
        kind = EquipmentType.ZONE
    if kind is None:
        return None
    return Machine(kind, device.key, device.name)


def _place(
    device: FoundDevice, own: Machine | None, found: FoundObject
) -> tuple[Machine | None, tuple[str, ...], str | None]:
    """Return the machine of an object, the words about it, and why it has none."""
    reading = read_name(words_of(found.name))
    if reading.machine is None and reading.foreign is None and found.description:
        described = read_name(words_of(found.description))
        if described.machine is not None:
            # What is said is taken from the name where it says anything.
            reading = Reading(described.machine, reading.rest)
    if reading.foreign is not None:
        return None, (), f"it belongs to {reading.foreign}"
    if reading.machine is not None:
        return reading.machine, reading.rest, None
    words = reading.rest
    if own is not None and own.type is not EquipmentType.PLANT:
        # The words of the machine itself add nothing.
        return own, tuple(w for w in words if w != _word_of(own)), None
    if "outdoor" in words or "wetbulb" in words:
        return _WEATHER, words, None
    return _PLANT, words, None


def _word_of(own: Machine) -> str:
    return {EquipmentType.CHILLER: "chiller", EquipmentType.COOLING_TOWER: "tower"}.get(
        own.type, own.key.partition("_")[0]
    )


def _with_description(
    where: Machine, found: FoundObject, options: list[Candidate]
) -> list[Candidate]:
    """Return the candidates with what the description says.

    It speaks for a match, against it, or alone where the name says nothing.
    """
    if not found.description:
        return options
    described = read_name(words_of(found.description))
    if described.foreign or (
        described.machine is not None and described.machine.key != where.key
    ):
        return options
    words = tuple(word for word in described.rest if word != _word_of(where))
    others = [each for each in candidates(where.type, found, words) if each.is_enough]
    if not options:
        return [
            dataclasses.replace(
                each,
                score=each.score * 0.97,
                reason=f"described as '{found.description}'",
            )
            for each in others[:1]
            if not set(words_of(found.name)) & {"alarm", "reset", "stop", "disable"}
        ]
    if not others:
        return options
    agreed = others[0].role
    return [
        dataclasses.replace(
            each,
            score=min(each.score + 0.02, 0.99)
            if each.role is agreed
            else each.score - 0.15,
        )
        for each in options
    ]


def _equipment(group: _Group) -> ProposedEquipment | None:
    """Return the machine with the roles that are clear."""
    where = group.machine
    offers: dict[str, list[tuple[FoundObject, Candidate]]] = {}
    notes: list[str] = [where.guessed] if where.guessed else []
    for found, options in group.objects:
        good = [each for each in options if each.is_enough]
        if (
            options
            and not good
            and options[0].doubt is not None
            and options[0].score > 0.8
        ):
            notes.append(
                f"'{found.name}' is not taken as {options[0].role.name}: {options[0].doubt}"
            )
        if len(good) > 1 and good[0].score - good[1].score < 0.02:
            names = f"{good[0].role.name} and {good[1].role.name}"
            notes.append(f"'{found.name}' could be {names}: none was taken")
        elif good:
            offers.setdefault(good[0].role.name, []).append((found, good[0]))
    roles: dict[str, Match] = {}
    for name in ROLES[where.type]:
        ranked = sorted(offers.get(name, ()), key=lambda each: -each[1].score)
        if not ranked:
            continue
        if len(ranked) > 1 and ranked[0][1].score - ranked[1][1].score < 0.02:
            both = f"'{ranked[0][0].name}' and '{ranked[1][0].name}'"
            notes.append(f"{both} could both be {name}: none was taken")
            continue
        found, candidate = ranked[0]
        roles[name] = Match(found, round(candidate.score, 2), candidate.reason)
    if not roles and not notes:
        return None
    return ProposedEquipment(where.key, where.name, where.type, roles, tuple(notes))
