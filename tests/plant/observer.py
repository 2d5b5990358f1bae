"""Somebody who stands in the plant room and knows the rules by heart.

He sees the readings and the orders, never the desk, and says what was wrong.
The rules are written here a second time, for one header of pumps and towers,
so that an error in one formulation does not hide in the other.
"""

from collections import defaultdict

from custom_components.chiller_plant.plant.command_desk import Order
from custom_components.chiller_plant.plant.reading import Readings

from .bench import Bench

HEADERS = ("pchp", "cdp", "ct")
FLOWS = ("chilled_water_flow_status", "condenser_water_flow_status")
NEVER = -1e12


class Observer:
    """The rules, in the words of the plant room."""

    def __init__(self, bench: Bench, rules: object) -> None:
        self.bench = bench
        self.rules = rules
        self.credit = 0.0
        """Seconds that a clock set forward may count for."""
        self.readings: Readings = {}
        self.chillers = [key for key in bench.machines if key.startswith("chiller")]
        self.ran: dict[str, bool] = {}
        self.on_until: dict[str, float] = defaultdict(lambda: NEVER)
        self.needed_until: dict[str, float] = defaultdict(lambda: NEVER)
        self.run_since: dict[str, float] = defaultdict(lambda: NEVER)
        self.started_at: dict[str, float] = defaultdict(lambda: NEVER)
        self.awaited: dict[str, bool] = defaultdict(bool)
        self.starts: dict[str, list[float]] = defaultdict(list)
        self.changed_at: dict[str, float] = defaultdict(lambda: NEVER)
        self.flow_since: dict[str, float | None] = defaultdict(lambda: None)
        self.dry_since: dict[str, float | None] = defaultdict(lambda: None)
        self.ran_dry: dict[str, bool] = defaultdict(bool)
        """Its water was lost for too long since it was last off."""
        self.seen_dry: dict[str, float] = defaultdict(float)
        self.seen_off: dict[str, float] = defaultdict(float)
        """How long a chiller that was started has been seen standing."""
        self.last_look = 0.0
        self.blind = False
        """The clock was set, or nobody looked: no time was seen to pass."""
        self.failed_at = NEVER

    @property
    def now(self) -> float:
        return self.bench.now + self.credit

    def good(self, point: str) -> object:
        reading = self.readings.get(point)
        return None if reading is None else reading.good

    # --- looking

    def look(self, readings: Readings) -> None:
        self.readings = readings
        seen = 0.0 if self.blind else self.now - self.last_look
        self.last_look = self.now
        self.blind = False
        for chiller in self.chillers:
            status = self.good(f"{chiller}.run_status")
            before = self.ran.get(chiller)
            if status is True and before is not True:
                self.run_since[chiller] = self.now
                if before is not None and not self.awaited[chiller]:
                    self.starts[chiller].append(self.now)
            if status is True:
                self.awaited[chiller] = False
            self.seen_off[chiller] += seen
            if status is not False:
                self.seen_off[chiller] = 0.0
            if status is not None:
                if before is None or status or before:
                    self.on_until[chiller] = self.now
                self.ran[chiller] = bool(status)
            if self.runs_or_will(chiller):
                self.needed_until[chiller] = self.now
            wet = all(self.good(f"{chiller}.{flow}") is True for flow in FLOWS)
            if not wet:
                self.flow_since[chiller] = None
            elif self.flow_since[chiller] is None:
                self.flow_since[chiller] = self.now
            dry = any(self.good(f"{chiller}.{flow}") is False for flow in FLOWS)
            if not dry:
                self.dry_since[chiller] = None
            elif self.dry_since[chiller] is None:
                self.dry_since[chiller] = self.now
                self.seen_dry[chiller] = 0.0
            else:
                self.seen_dry[chiller] += seen
            if status is False and not self.bench.commanded(chiller):
                self.ran_dry[chiller] = False
            dry_since = self.dry_since[chiller]
            if dry_since is not None and self.runs_or_will(chiller):
                dry_time = self.now - dry_since
                self.ran_dry[chiller] |= dry_time >= self.rules.flow_loss_time

    def runs_or_will(self, chiller: str) -> bool:
        return self.ran.get(chiller, True) or self.bench.commanded(chiller)

    def needs_flow(self, chiller: str) -> bool:
        since = self.now - self.needed_until[chiller]
        return self.runs_or_will(chiller) or since < self.rules.flow_keep_time

    def proven(self, header: str) -> int:
        return sum(
            self.good(f"{key}.run_status") is True and self.bench.commanded(key)
            for key in self.bench.machines
            if key.startswith(f"{header}_")
        )

    def looked(self) -> None:
        """Check what must have been done by now.

        A running chiller without water was told to stop, and a start that was
        not proven was taken back.
        """
        if self.bench.wire != "takes":
            self.failed_at = self.now
        for chiller in self.chillers:
            dry = self.dry_since[chiller]
            if (
                dry is not None
                and self.seen_dry[chiller] >= self.rules.flow_loss_time + 130
                and self.now - self.run_since[chiller] >= 130
                and self.now - self.failed_at > 400
                and self.good(f"{chiller}.run_status") is True
            ):
                assert not self.bench.commanded(chiller), f"{chiller} runs dry"
            if self.awaited[chiller] and self.now - self.failed_at > 400:
                assert self.seen_off[chiller] < self.rules.start_proof_time + 70, (
                    f"{chiller}: its start is not taken back"
                )

    # --- orders

    def order(self, order: Order) -> None:
        key = order.point.equipment
        role = order.point.role.name
        before = self.bench.commanded(key)
        slots = dict(self.bench.slots)
        if order.value is None:
            self.bench.slots.pop(order.point.key, None)
        else:
            self.bench.slots[order.point.key] = order.value
        after = self.bench.commanded(key)
        if key in self.chillers and role == "run_command":
            self.bench.slots = slots
            self.chiller_order(order, key, before, after)
            return
        if before and not after:
            self.leaves(key)
        self.bench.slots = slots

    def chiller_order(self, order: Order, key: str, before: bool, after: bool) -> None:
        arrives = self.bench.wire != "refuses"
        running = self.good(f"{key}.run_status") is True
        if after and not before and not running:
            self.starts_legally(key)
            if arrives:
                self.starts[key].append(self.now)
                self.run_since[key] = self.started_at[key] = self.now
                self.awaited[key] = True
                self.seen_off[key] = 0.0
        elif before and not after:
            self.stops_legally(order, key, running)
            if arrives:
                if self.ran.get(key, True) or self.awaited[key]:
                    self.on_until[key] = self.now
                self.awaited[key] = False
        if before != after and self.bench.wire == "takes":
            self.changed_at[key] = self.now

    def starts_legally(self, key: str) -> None:
        rules = self.rules
        assert self.good(f"{key}.alarm") is False, f"{key}: alarm"
        assert self.good(f"{key}.run_status") is False, f"{key}: status unknown"
        flow = self.flow_since[key]
        assert flow is not None, f"{key}: no flow"
        assert self.now - flow >= rules.flow_proof_time, f"{key}: flow not long enough"
        valve = key.replace("chiller", "valve")
        assert self.good(f"{valve}.open_status") is True, f"{key}: valve"
        assert self.bench.commanded(valve), f"{key}: valve closes"
        others = sum(self.needs_flow(c) for c in self.chillers if c != key)
        for header in HEADERS:
            assert self.proven(header) > others, f"{key}: too few {header}"
        off = self.now - self.on_until[key]
        assert off >= rules.minimum_off_time, f"{key}: off for {off} s only"
        recent = [start for start in self.starts[key] if self.now - start < 3600]
        assert len(recent) < rules.maximum_starts_per_hour, f"{key}: too many starts"
        self.has_its_turn(key)

    def has_its_turn(self, key: str) -> None:
        for other in self.chillers:
            if other != key:
                since = self.now - self.changed_at[other]
                assert since >= self.rules.change_time, f"{key}: not its turn"

    def stops_legally(self, order: Order, key: str, running: bool) -> None:
        if order.source == "safety":
            return
        if self.ran_dry[key]:
            return
        assert order.source != "interlock" or order.value is None or not running, (
            f"{key}: stopped for no reason"
        )
        if running:
            run = self.now - self.run_since[key]
            assert run >= self.rules.minimum_run_time, f"{key}: ran {run} s only"
            self.has_its_turn(key)
        elif self.awaited[key] and self.good(f"{key}.alarm") is not True:
            waited = self.now - self.started_at[key]
            least = min(self.rules.start_proof_time, self.rules.minimum_run_time)
            assert waited >= least or self.bench.wire != "takes" or self.doubted, (
                f"{key}: start taken back after {waited} s"
            )

    @property
    def doubted(self) -> bool:
        """Whether an answer was lost lately: then a start may be taken back."""
        return self.now - self.failed_at < 1000

    def leaves(self, key: str) -> None:
        """Check that a pump, valve or tower can go; `slots` are as after it."""
        kind, _, number = key.rpartition("_")
        if kind == "valve":
            assert not self.needs_flow(f"chiller_{number}"), f"{key}: still needed"
        elif kind in HEADERS:
            needing = [c for c in self.chillers if self.needs_flow(c)]
            assert self.proven(kind) >= len(needing), f"{key}: {needing} need it"
