"""Says what a utility asks for in the words of people."""

from collections.abc import Iterable, Mapping
from typing import Any

from .known_event import KnownEvent

_MOST = 6
_SAID = {
    "simple": "level {value:g}",
    "load_setpoint": "load {value:g} kW",
    "load_delta": "{value:+g} kW",
    "load_multiplier": "{percent:g} % of the load",
    "capacity": "{percent:g} % of the capacity",
    "level_offset": "level offset {value:+g}",
    "percent_offset": "{value:+g} % of the load",
    "price": "price {value:g}",
}


def asked(signals: Iterable[Mapping[str, Any]]) -> str:
    """Return what an event asks for: its most exact signal, step by step.

    `signals` are those of a `KnownEvent`; what cannot be read is left out.
    """
    for signal in signals:
        told = _SAID.get(str(signal.get("kind")))
        steps = signal.get("intervals")
        if told is None or not isinstance(steps, list):
            continue
        said: list[str] = []
        for step in steps:
            value = step.get("value") if isinstance(step, Mapping) else None
            if isinstance(value, bool) or not isinstance(value, int | float):
                text = "nothing"
            else:
                text = told.format(value=value, percent=100.0 * value)
            if not said or said[-1] != text:
                said.append(text)
        if said:
            more = ", …" if len(said) > _MOST else ""
            return ", then ".join(said[:_MOST]) + more
    return "nothing that is known here"


def title(event: KnownEvent, opt: str) -> str:
    """Return what an event is called in lists."""
    said = f"{event.source}: {asked(event.signals)}"
    if event.cancelled is not None:
        return f"Cancelled: {said}"
    if opt == "out":
        return f"Opted out: {said}"
    return f"Test: {said}" if event.test else said
