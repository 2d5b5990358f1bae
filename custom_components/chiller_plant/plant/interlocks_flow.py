"""Water for the chillers: who gives it, who needs it, and is it proven.

Pumps and towers on a header serve all chillers of that header: each chiller
that runs needs one of them to itself, whichever it is. Valves are a chiller's
own, and all of them are needed.
"""

from collections.abc import Collection, Iterable, Set as AbstractSet

from .interlocks_view import FLOW_STATUSES, VALVE_SHUT, View
from .model import Equipment, Plant
from .roles import EquipmentType

VALVES = "valves"
_SIDES = tuple(
    zip(
        ("chilled-water", "condenser-water"),
        FLOW_STATUSES,
        ("chilled_water_pumps", "condenser_water_pumps"),
        strict=True,
    )
)


def served(users: Iterable[Equipment], kind: str, servers: AbstractSet[str]) -> int:
    """Return how many users can have a server of this kind to themselves.

    The largest matching, by augmenting paths: dedicated and shared machines
    are the same rule.
    """
    users = list(users)
    if not users:
        return 0
    shared = users[0].served_by.get(kind, ())
    if all(user.served_by.get(kind, ()) == shared for user in users):
        return min(len(users), len(servers & set(shared)))  # one header
    taken: dict[str, Equipment] = {}

    def place(user: Equipment, tried: set[str]) -> bool:
        for server in user.served_by.get(kind, ()):
            if server in servers and server not in tried:
                tried.add(server)
                if server not in taken or place(taken[server], tried):
                    taken[server] = user
                    return True
        return False

    return sum(place(user, set()) for user in users)


def kinds(user: Equipment) -> tuple[str, ...]:
    """Return the kinds of machines it shares with others."""
    return tuple([kind for kind in user.served_by if kind != VALVES])


def name_of(plant: Plant, key: str) -> str:
    """Return the name of equipment for people."""
    return plant.equipment[key].name if key in plant.equipment else key


def point_name(plant: Plant, key: str) -> str:
    """Return the name of a point for people."""
    equipment, _, role = key.partition(".")
    return f"{name_of(plant, equipment)} {role.replace('_', ' ')}"


def flow_problem(
    user: Equipment, others: Collection[Equipment], view: View
) -> str | None:
    """Return why flow for this machine is not proven; None: it is.

    `others` are the machines that need flow besides. Only readings that are
    good prove anything.
    """
    return (
        _valve_problem(user, view)
        or _shared_problem(user, others, view)
        or _status_problem(user, view)
    )


def _unreliable(view: View, key: str) -> str:
    return (
        f"the reading of {point_name(view.plant, key)} is not good "
        f"({view.quality(key)})"
    )


def _valve_problem(user: Equipment, view: View) -> str | None:
    for key in user.served_by.get(VALVES, ()):
        valve = view.plant.equipment[key]
        if view.serves(valve):
            continue
        point = view.status_point(valve)
        if point is not None and view.proof(point) is None:
            return _unreliable(view, point)
        return f"{valve.name} is not proven open"
    return None


def _shared_problem(
    user: Equipment, others: Collection[Equipment], view: View
) -> str | None:
    for kind in kinds(user):
        keys = user.served_by[kind]
        proven = view.proven(keys)
        # One header: each needs one, whichever it is.
        if len(proven) > len(others) and all(
            other.served_by.get(kind, ()) == keys for other in others
        ):
            continue
        running = serving(others, kind, view) | proven
        if served([*others, user], kind, running) > served(others, kind, running):
            continue
        machines = [view.plant.equipment[key] for key in keys]
        for machine in machines:
            point = view.status_point(machine)
            if point is not None and view.proof(point) is None:
                return _unreliable(view, point)
        count = sum(machine.key in running for machine in machines)
        names = ", ".join(machine.name for machine in machines) or "none"
        return (
            f"not enough {kind.replace('_', ' ')} are proven running for it and "
            f"the chillers that run ({count} of {names})"
        )
    return None


def _status_problem(user: Equipment, view: View) -> str | None:
    for water, role, kind in _SIDES:
        if role in user.points:
            point = user.points[role].key
            value = view.proof(point)
            if value is None:
                return _unreliable(view, point)
            if not value:
                return f"{water} flow is not proven"
        elif (
            user.type is EquipmentType.CHILLER
            and kind == "chilled_water_pumps"
            and not user.served_by.get(kind)
        ):
            return (
                f"nothing proves its {water} flow; give it {role} or {kind} in "
                "the plant file"
            )
    return None


def serving(users: Iterable[Equipment], kind: str, view: View) -> set[str]:
    """Return the machines of a kind that provably serve these users."""
    keys = {key for user in users for key in user.served_by.get(kind, ())}
    return {key for key in keys if view.serves(view.plant.equipment[key])}


def lost_flow(user: Equipment, view: View) -> str | None:
    """Return which water has surely stopped; a lost reading says nothing.

    Without a flow status, it is lost when each of its pumps is proven to stand
    or one of its valves is proven shut.
    """
    blind = False
    for water, role, kind in _SIDES:
        if role in user.points:
            if view.proof(user.points[role].key) is False:
                return water
            continue
        blind = True
        pumps = [view.plant.equipment[key] for key in user.served_by.get(kind, ())]
        if pumps and all(view.status(pump) is False for pump in pumps):
            return water
    if blind:
        for key in user.served_by.get(VALVES, ()):
            if _shut(view.plant.equipment[key], view):
                return f"{name_of(view.plant, key)}: water"
    return None


def _shut(valve: Equipment, view: View) -> bool:
    if "open_status" in valve.points:
        return view.status(valve) is False
    position = view.proof(f"{valve.key}.position")
    return position is not None and position < VALVE_SHUT


def needed_for(
    machine: Equipment,
    users: Collection[Equipment],
    stopping: Collection[str],
    view: View,
) -> tuple[Equipment, ...]:
    """Return the users that would lack this machine if it stopped now.

    `stopping` are machines that are being stopped already. A machine that is
    commanded on but not proven counts as if it served: its status may lie.
    """
    for user in users:
        if machine.key in user.served_by.get(VALVES, ()):
            return (user,)
    for kind in dict.fromkeys(kind for user in users for kind in kinds(user)):
        concerned = [
            user for user in users if machine.key in user.served_by.get(kind, ())
        ]
        if not concerned:
            continue
        rest = serving(users, kind, view) - set(stopping) - {machine.key}
        if served(users, kind, rest) < served(users, kind, rest | {machine.key}):
            return tuple(concerned)
    return ()
