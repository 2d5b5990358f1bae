"""The chillers of a sequence: what is read of each, and what their form must allow."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from .decision import ControlRefused, duration
from .plan import Plan, PlanEquipment


@dataclass(frozen=True, slots=True)
class Member:
    """A chiller of the sequence and its points."""

    key: str
    name: str
    position: str
    amount: str | None
    """What its turn is decided by, where that is counted."""
    run_command: str | None
    status: str | None
    alarm: str | None
    remote_mode: str | None


def member_of(plan: Plan, key: str, counted: str | None) -> Member:
    """Find the points of a chiller; raises ControlRefused."""
    chiller: PlanEquipment | None = plan.equipment.get(key)
    if chiller is None or chiller.type != "chiller":
        raise ControlRefused(f"chillers: the plant has no chiller {key}", "chillers")
    position = chiller.command("sequence_position")
    if position is None:
        raise ControlRefused(
            f"{chiller.name} has no sequence_position to set: it cannot be started",
            "chillers",
        )
    amount = chiller.point(counted) if counted else None
    if counted and amount is None:
        raise ControlRefused(
            f"{chiller.name} has no run_status, so that its "
            f"{counted.replace('_', ' ')} are not counted; choose another method",
            "method",
        )
    return Member(
        key=key,
        name=chiller.name,
        position=position,
        amount=amount,
        run_command=chiller.point("run_command"),
        status=chiller.point("run_status"),
        alarm=chiller.point("alarm"),
        remote_mode=chiller.point("remote_mode"),
    )


def fails_before_staging_gives_up(
    plan: Plan, chillers: Collection[str], failure_time: float
) -> None:
    """Raise ControlRefused where a failed start would never be seen here.

    It is seen while the start command is there, and staging takes that back.
    """
    for other in plan.automations:
        if other.control_type != "chiller_add_subtract":
            continue
        staged = other.names("chillers")
        if staged and not set(staged) & set(chillers):
            continue
        with suppress(ControlRefused):
            proof = other.number("proof_timeout", 300.0)
            break
    else:
        return
    if failure_time >= proof:
        raise ControlRefused(
            f"failed after {duration(failure_time)} is not shorter than the wait for "
            f"proof of {other.name}, {duration(proof)}: a chiller that does not start "
            "would never be moved to the end",
            "failure_time",
        )
