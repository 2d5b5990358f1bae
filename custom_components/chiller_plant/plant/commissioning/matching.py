"""How well an object fits a role, and why.

A wrong measurement is seen on the screen. A wrong command moves the wrong machine:
commands ask for a higher score, an object type that can be commanded, and a unit.
"""

from dataclasses import dataclass

from ..roles import ROLES, EquipmentType, Quantity, Role
from ..units import UNITS
from ..vocabulary import ROLE_NAMES
from .found import COMMANDABLE_TYPES, FoundObject
from .naming import KNOWN, is_number, words_of
from .rules import COMMAND_KILLERS, KILLERS, READ_KILLERS, RULES, Rule
from .states import is_inverted, states_of

READ_SCORE = 0.70
COMMAND_SCORE = 0.82
_UNIT_WORDS = {
    Quantity.TEMPERATURE: "temperature",
    Quantity.FLOW: "flow",
    Quantity.PRESSURE_DIFFERENCE: "dp",
    Quantity.POWER: "power",
    Quantity.ENERGY: "energy",
}
_OUTPUTS = ("analog-output", "binary-output", "multi-state-output")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One role that an object may be."""

    role: Role
    score: float
    reason: str
    doubt: str | None = None
    """Why it must not be taken although it fits, for a person."""

    @property
    def is_enough(self) -> bool:
        """Whether it may be proposed."""
        least = COMMAND_SCORE if self.role.commandable else READ_SCORE
        return self.score >= least and self.doubt is None


def candidates(
    kind: EquipmentType, found: FoundObject, words: tuple[str, ...]
) -> list[Candidate]:
    """Return the roles that these words about a machine may mean, best first."""
    best: dict[str, Candidate] = {}
    exact = _exact(kind, words)
    for rule in RULES[kind]:
        role = ROLES[kind][rule.role]
        if (candidate := _candidate(rule, role, found, words)) is not None:
            known = best.get(rule.role)
            if known is None or candidate.score > known.score:
                best[rule.role] = candidate
    if (
        exact is not None
        and _type_bonus(exact, found, natural=False) is not None
        and _unit_bonus(exact, found) is not None
    ):
        doubt, states = _doubts(exact, found)
        reason = f"'{found.name}' is a name of this role"
        reason += _circumstances(exact, found, states)
        sure = exact.quantity.is_boolean or found.unit is not None
        best[exact.name] = Candidate(exact, 0.99 if sure else 0.8, reason, doubt)
    return sorted(best.values(), key=lambda each: -each.score)


def _exact(kind: EquipmentType, words: tuple[str, ...]) -> Role | None:
    """Return the role whose own name, or Haystack or Brick name, this is."""
    for name, role in ROLES[kind].items():
        names = ROLE_NAMES[kind][name]
        if words and words in (
            words_of(name),
            words_of(names.haystack),
            words_of(names.brick),
        ):
            others = [
                other
                for other, its in ROLE_NAMES[kind].items()
                if other != name and words_of(its.brick) == words
            ]
            return None if others else role
    return None


def _candidate(
    rule: Rule, role: Role, found: FoundObject, words: tuple[str, ...]
) -> Candidate | None:
    said = set(words)
    unit_word = _unit_word(found)
    if "t?" in said:
        said.discard("t?")
        if found.unit is None or unit_word == "temperature":
            said.add("temperature")
    implied = unit_word is not None and unit_word not in said
    if implied and unit_word is not None:
        said.add(unit_word)
    if not all(need & said for need in rule.needs):
        return None
    used = frozenset().union(*rule.needs) | rule.may
    used |= {unit_word} if implied and unit_word is not None else set()
    killers = KILLERS | (COMMAND_KILLERS if role.commandable else READ_KILLERS)
    if (said - used) & killers:
        return None
    bonus = _type_bonus(role, found, natural=rule.natural)
    unit_bonus = _unit_bonus(role, found)
    if bonus is None or unit_bonus is None:
        return None
    extras = said - used
    # What a measurement is besides may be forgiven; a command or an alarm of
    # something else is another one.
    strict = role.commandable or role.quantity.is_boolean
    cost = sum(
        0.25 if strict else 0.05 if is_number(word) else 0.2 if word in KNOWN else 0.12
        for word in extras
    )
    score = rule.weight * 0.8 + bonus + unit_bonus - cost
    if not extras and rule.needs:
        score += 0.04
    if role.commandable and found.commandable:
        score += 0.06
    doubt, states = _doubts(role, found)
    needed = [next(word for word in words if word in need) for need in rule.needs
              if need & set(words)]  # fmt: skip
    reason = f"'{found.name}' says {' '.join(dict.fromkeys(needed)) or 'nothing else'}"
    reason += _circumstances(role, found, states)
    return Candidate(role, min(score, 0.98), reason, doubt)


def _circumstances(role: Role, found: FoundObject, states: str) -> str:
    """Return what a reason goes on with: unit, states."""
    text = ""
    if found.unit is not None:
        text = f"; in {found.unit}"
    elif not role.quantity.is_boolean:
        text = f"; its unit is not known, taken as {role.quantity.unit}"
    return f"{text}; {states}" if states else text


def _unit_word(found: FoundObject) -> str | None:
    for quantity, word in _UNIT_WORDS.items():
        if found.unit is not None and found.unit in UNITS[quantity]:
            return word
    return None


def _type_bonus(role: Role, found: FoundObject, *, natural: bool) -> float | None:
    """Return what the object type adds; None where it cannot be the role."""
    kind = found.object_type
    boolean = role.quantity.is_boolean
    if kind.startswith("analog") is boolean:
        return None
    if role.commandable:
        if kind not in COMMANDABLE_TYPES or found.commandable is False:
            return None
        is_natural = kind in _OUTPUTS or (
            kind.endswith("-value") and role.name.endswith(("setpoint", "limit"))
        )
        if natural and kind not in _OUTPUTS:
            return None
    else:
        # The output to a coil's valve is as good as its position.
        if kind in _OUTPUTS and role.name != "cooling_valve_position":
            return None
        is_natural = kind.endswith("-input")
        if natural and not is_natural:
            return None
    if boolean:
        return 0.10 if is_natural else 0.05
    return 0.05 if is_natural else 0.03


def _unit_bonus(role: Role, found: FoundObject) -> float | None:
    if role.quantity.is_boolean:
        return 0.0
    if found.unit is not None:
        return 0.10 if found.unit in UNITS[role.quantity] else None
    # A unit that is not ours (Hz, A) is another quantity.
    return None if found.wire_unit is not None else -0.05


def _doubts(role: Role, found: FoundObject) -> tuple[str | None, str]:
    """Return what forbids to take an object for a role, and what its states mean."""
    if not role.quantity.is_boolean:
        if role.commandable and found.unit is None:
            return "its unit is not known, and it would be commanded", ""
        return None, ""
    if found.object_type.startswith("multi-state"):
        states = states_of(role, found.states)
        if states is None:
            return "what its states mean must be said by a person", ""
        true = [found.states[number - 1] for number, value in states if value]
        return None, f"true is {' or '.join(true)}"
    if is_inverted(role, found.states):
        return f"its active state is '{found.states[1]}': it means the opposite", ""
    return None, ""
