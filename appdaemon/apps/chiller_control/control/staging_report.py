"""How a staging automation shows its chillers to people."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from .decision import Inputs
from .staging_plant import Chiller
from .staging_sequence import StagingSequence

Change = dict[str, object]


def change(chillers: Sequence[Chiller], before: object, after: object) -> Change:
    """Return what an event tells of chillers: which, from what, to what."""
    keys = [item.key for item in chillers]
    told: Change = {"from": before, "to": after}
    # Where it is about none of them, it is about all that the automation has.
    return told | ({"equipment": keys[0] if len(keys) == 1 else keys} if keys else {})


def who_cannot(chillers: Iterable[Chiller], excluded: Mapping[str, str]) -> str:
    """Return who is excluded and why, in a sentence."""
    return "; ".join(
        f"{item.name}: {excluded[item.key]}"
        for item in chillers
        if item.key in excluded
    )


def chiller_state(
    chiller: Chiller,
    sequence: StagingSequence,
    wanted: Collection[Chiller],
    excluded: Mapping[str, str],
    why_not: str | None,
) -> dict[str, str | None]:
    """Return what a chiller is doing, and why it is not in the order."""
    key, reason = chiller.key, excluded.get(chiller.key) or why_not
    if sequence.may_run(key) and not sequence.reports(key):
        last = "ran when it was last heard" if sequence.runs(key) else "was told to run"
        silent = f"silent; it {last}"
        return {
            "state": "unknown",
            "reason": f"{reason}; {silent}" if reason else silent,
        }
    if sequence.runs(key):
        state = "running" if chiller in wanted else "stopping"
    elif chiller in wanted:
        state = "starting"
    else:
        state = "excluded" if key in excluded else "standby"
    return {"state": state, "reason": reason}


def what_is_missing(
    points: Iterable[str | None], inputs: Inputs, chillers: Iterable[Chiller]
) -> list[str]:
    """Return without what no stage change can be decided."""
    missing = [point for point in points if point and inputs.values.get(point) is None]
    missing.extend(
        f"the cooling_capacity of {item.name}"
        for item in chillers
        if item.capacity <= 0
    )
    return missing
