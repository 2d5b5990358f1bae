"""Events of OpenADR 2.0b in our own words.

The library hands an event over as a dictionary of what the message says, with names
that differ from those of its own servers; times are aware datetimes, durations
timedeltas.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .grid_event import EventRefused, GridEvent, Interval, Signal, SignalKind, shown

NO_PRIORITY = 1_000_000
"""The rank of an event without a priority: 0 means none here, 1 is the highest."""

_KINDS: Mapping[tuple[str, str], SignalKind] = {
    ("SIMPLE", "level"): "simple",
    ("LOAD_DISPATCH", "setpoint"): "load_setpoint",
    ("LOAD_DISPATCH", "delta"): "load_delta",
    ("LOAD_DISPATCH", "multiplier"): "load_multiplier",
    ("LOAD_CONTROL", "x-loadControlSetpoint"): "load_setpoint",
    ("LOAD_CONTROL", "x-loadControlCapacity"): "capacity",
    ("LOAD_CONTROL", "x-loadControlLevelOffset"): "level_offset",
    ("LOAD_CONTROL", "x-loadControlPercentOffset"): "percent_offset",
    ("ELECTRICITY_PRICE", "price"): "price",
    ("ENERGY_PRICE", "price"): "price",
}
_OVER = ("cancelled", "completed")


def is_cancelled(event: Mapping[str, Any]) -> bool:
    """Whether the utility says that the event is no longer to be kept."""
    return str(event["event_descriptor"].get("event_status")).lower() in _OVER


def meant_for(event: Mapping[str, Any]) -> list[str]:
    """Return the VENs that alone an event is for; none if it is not said so."""
    targets = event.get("targets") or ()
    vens = [str(item["ven_id"]) for item in targets if "ven_id" in item]
    return vens if len(vens) == len(targets) else []


def grid_event(event: Mapping[str, Any], source: str) -> GridEvent:
    """Return an event in our words. Raises `EventRefused` naming what is wrong."""
    try:
        return _read(event, source)
    except EventRefused:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise EventRefused(f"it cannot be read ({error!r})") from error


def _read(event: Mapping[str, Any], source: str) -> GridEvent:
    descriptor, period = event["event_descriptor"], event["active_period"]
    tolerate = (period.get("tolerance") or {}).get("tolerate") or {}
    return GridEvent(
        id=str(descriptor["event_id"]),
        source=source,
        modification=int(descriptor["modification_number"]),
        rank=int(descriptor.get("priority") or 0) or NO_PRIORITY,
        start=_moment(period["dtstart"]),
        duration=_seconds(period["duration"]),
        signals=_signals(event["event_signals"]),
        created=_moment(descriptor["created_date_time"]),
        randomise=_seconds(tolerate.get("startafter")),
        ramp=abs(_seconds(period.get("ramp_up"))),
        recovery=abs(_seconds(period.get("recovery"))),
        test=str(descriptor.get("test_event") or "false").lower() != "false",
        comment=shown(str(descriptor.get("vtn_comment") or "")),
    )


def _signals(signals: Sequence[Mapping[str, Any]]) -> tuple[Signal, ...]:
    found: dict[SignalKind, Signal] = {}
    for signal in signals:
        name = str(signal["signal_name"]).upper()
        kind = _KINDS.get((name, str(signal["signal_type"])))
        if kind is None or kind in found:
            continue
        found[kind] = Signal(
            kind,
            tuple(
                Interval(
                    _seconds(interval["duration"]), float(interval["signal_payload"])
                )
                for interval in signal["intervals"]
            ),
        )
    return tuple(found.values())


def _moment(value: datetime) -> float:
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.timestamp()


def _seconds(value: timedelta | None) -> float:
    return 0.0 if value is None else value.total_seconds()
