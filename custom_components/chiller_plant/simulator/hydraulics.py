"""Pumps against systems: who gets how much water."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

_SHUT_OFF = 1.25
"""Head at no flow, as a share of the rated head."""

_NO_FLOW_POWER = 0.45
"""Shaft power at no flow, as a share of the rated power."""

_CLOSED = 1e-6


@dataclass(frozen=True, slots=True)
class PumpCurve:
    """A centrifugal pump by its rated point: l/s at kPa, rated speed.

    Head at speed r is r²·H0 - H2·q² (affinity laws).
    """

    flow: float
    head: float

    @property
    def shut_off(self) -> float:
        """Head at no flow and rated speed, kPa."""
        return _SHUT_OFF * self.head

    def flow_at(self, head: float, speed: float) -> float:
        """Return l/s against `head` kPa; a check valve stops backflow."""
        spare = speed * speed * self.shut_off - head
        if spare <= 0.0:
            return 0.0
        return self.flow * sqrt(spare / ((_SHUT_OFF - 1.0) * self.head))

    def power_share(self, flow: float, speed: float) -> float:
        """Return electrical power as a share of that at the rated point.

        Shaft power rises with flow and with the cube of the speed; the
        frequency converter loses a little more at low speed.
        """
        if speed <= 0.0:
            return 0.0
        loading = min(flow / (speed * self.flow), 1.5)
        shaft = speed**3 * (_NO_FLOW_POWER + (1.0 - _NO_FLOW_POWER) * loading)
        converter = 0.90 + 0.07 * max(0.0, min(1.0, (speed - 0.3) / 0.7))
        return shaft * 0.97 / converter


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where pumps and system meet: kPa, and l/s of each pump."""

    head: float
    flows: tuple[float, ...]

    @property
    def flow(self) -> float:
        """Total flow, l/s."""
        return sum(self.flows)


def operating_point(
    pumps: Sequence[tuple[PumpCurve, float]], resistance: float, static: float = 0.0
) -> OperatingPoint:
    """Find where parallel pumps meet `static + resistance · flow²`.

    `pumps` are curves with their speeds (0 to 1), `resistance` is in
    kPa/(l/s)², infinite when everything is closed.
    """
    shut_offs = [speed * speed * curve.shut_off for curve, speed in pumps]
    highest = max(shut_offs, default=0.0)
    if resistance == inf or highest <= static:
        return OperatingPoint(highest, (0.0,) * len(pumps))
    helping = {pump for pump in pumps if pump[1] > 0.0}
    if len(helping) == 1:
        # All that turn are alike, as nearly always: no search.
        (curve, _) = next(iter(helping))
        count = sum(speed > 0.0 for _, speed in pumps)
        own = (_SHUT_OFF - 1.0) * curve.head / (curve.flow * count) ** 2
        flow = sqrt((highest - static) / (resistance + own))
        return OperatingPoint(
            static + resistance * flow * flow,
            tuple(flow / count if speed > 0.0 else 0.0 for _, speed in pumps),
        )
    low, high = static, highest
    for _ in range(28):
        head = 0.5 * (low + high)
        delivered = 0.0
        for curve, speed in pumps:
            delivered += curve.flow_at(head, speed)
        if delivered * delivered * resistance > head - static:
            low = head
        else:
            high = head
    head = 0.5 * (low + high)
    return OperatingPoint(
        head, tuple(curve.flow_at(head, speed) for curve, speed in pumps)
    )


def conductance(flow: float, drop: float, position: float = 1.0) -> float:
    """Return (l/s)/√kPa of a branch that passes `flow` at `drop` when open.

    `position` is that of its butterfly valve, 0 closed to 1 open.
    """
    if position <= _CLOSED:
        return 0.0
    return flow / sqrt(drop) * position * (2.0 - position)


def coil_conductance(
    flow: float,
    drop: float,
    position: float,
    authority: float = 0.5,
    rangeability: float = 50.0,
) -> float:
    """Return (l/s)/√kPa of a coil and its equal-percentage valve in series.

    They pass `flow` at `drop` with the valve open, of which the valve takes
    the share `authority`.
    """
    position = max(0.0, min(1.0, position))
    opening = rangeability ** (position - 1.0)
    if position < 0.05:
        opening *= position / 0.05
    if opening <= _CLOSED:
        return 0.0
    share = (1.0 - authority) + authority / opening**2
    return flow / sqrt(drop * share)


def parallel_resistance(conductances: Sequence[float], common: float = 0.0) -> float:
    """Return kPa/(l/s)² of parallel branches behind a common resistance."""
    total = sum(conductances)
    return inf if total <= _CLOSED else common + 1.0 / total**2
