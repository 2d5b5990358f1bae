"""What is known of every point of a plant, and how its devices behave.

The readings lie in one dictionary that is changed in place: five thousand of
them are not copied because one valve moved. Who reads them reads at once and
keeps none of it.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp

from .drivers.driver import ReadReport
from .plant.model import Plant, Point, PointKey
from .plant.quality import QualityJudge
from .plant.reading import MISSING, Quality, Reading, Readings
from .plant.roles import PollTier

_RATE_WINDOW = 60.0
"""Seconds over which points a second are smoothed."""
_HEARD_NO_MORE = (Quality.STALE, Quality.MISSING)


@dataclass(slots=True)
class _Device:
    points: list[PointKey] = field(default_factory=list)
    last_good: float | None = None
    rate: float = 0.0
    rate_at: float = 0.0

    def heard(self, now: float, values: int) -> None:
        self.last_good = now
        self.rate = self.rate_now(now) + values / _RATE_WINDOW
        self.rate_at = now

    def rate_now(self, now: float) -> float:
        return self.rate * exp(-max(now - self.rate_at, 0.0) / _RATE_WINDOW)


class Observations:
    """The readings of one plant."""

    def __init__(self, plant: Plant) -> None:
        """Nothing was heard yet."""
        self._plant = plant
        self.judge = QualityJudge(plant)
        self._readings: dict[PointKey, Reading] = dict.fromkeys(plant.points, MISSING)
        self._looks: dict[PollTier, OrderedDict[PointKey, float]] = {
            tier: OrderedDict() for tier in PollTier
        }
        """When to look again at a point of which nothing new is heard."""
        self._devices: dict[str, _Device] = {
            key: _Device()
            for connection in plant.connections.values()
            for key in connection.devices
        }
        for point in plant.points.values():
            if point.address is not None:
                self._devices[point.address.device].points.append(point.key)

    @property
    def readings(self) -> Readings:
        """The last reading of every point."""
        return self._readings

    def take(
        self, now: float, points: Iterable[Point], report: ReadReport
    ) -> list[PointKey]:
        """Judge what was heard of these points, or was not; return what changed."""
        changed = []
        counts: dict[str, int] = {}
        for point in points:
            key = point.key
            previous = self._readings[key]
            if (value := report.values.get(key)) is None:
                reading = self.judge.missed(now, point, previous)
            else:
                reading = self.judge.heard(
                    now,
                    point,
                    value,
                    overridden=report.overridden.get(key),
                    previous=previous,
                )
                if point.address is not None:
                    device = point.address.device
                    counts[device] = counts.get(device, 0) + 1
                looks = self._looks[point.tier]
                looks[key] = now + self._plant.interval(point.tier)
                looks.move_to_end(key)
            if self._put(key, previous, reading):
                changed.append(key)
        for device, values in counts.items():
            self._devices[device].heard(now, values)
        return changed

    def age(self, now: float) -> list[PointKey]:
        """Look at what was not heard of for long; return what changed."""
        changed = []
        for tier, looks in self._looks.items():
            interval = self._plant.interval(tier)
            while looks:
                key = next(iter(looks))
                # A clock that was set back puts nothing off for ever.
                if now < looks[key] <= now + interval:
                    break
                previous = self._readings[key]
                reading = self.judge.aged(now, self._plant.points[key], previous)
                if self._put(key, previous, reading):
                    changed.append(key)
                del looks[key]
                if reading.quality not in _HEARD_NO_MORE:
                    looks[key] = now + interval
        return changed

    def hold(self, values: Mapping[PointKey, Reading]) -> list[PointKey]:
        """Put readings of what the integration itself holds; return what changed."""
        return [
            key
            for key, reading in values.items()
            if self._put(key, self._readings[key], reading)
        ]

    def _put(self, key: PointKey, previous: Reading, reading: Reading) -> bool:
        if reading is previous:
            return False
        self._readings[key] = reading
        return (
            reading.value != previous.value
            or reading.quality is not previous.quality
            or reading.detail != previous.detail
        )

    def outranked(
        self, now: float, asked: Iterable[Point], found: Mapping[PointKey, str]
    ) -> list[PointKey]:
        """Take which commands are without effect, and why; return what changed."""
        points = list(asked)
        self.judge.outranked([point.key for point in points], found)
        changed = []
        for point in points:
            previous = self._readings[point.key]
            if self._put(point.key, previous, self.judge.aged(now, point, previous)):
                changed.append(point.key)
        return changed

    def points_of(self, device: str) -> list[PointKey]:
        """Return the points of a device."""
        return self._devices[device].points

    def qualities(self, device: str) -> Mapping[Quality, int]:
        """Return how many points of a device are of each quality."""
        return Counter(
            self._readings[key].quality for key in self._devices[device].points
        )

    def last_good(self, device: str) -> float | None:
        """Return when a device last sent a value, in epoch seconds."""
        return self._devices[device].last_good

    def points_per_second(self, now: float, device: str) -> float:
        """Return how many values a device sends, smoothed over a minute."""
        return self._devices[device].rate_now(now)
