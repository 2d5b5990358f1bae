"""A week of a building with adaptive times: what it did becomes when it starts.

All of it is what runs at a site: sensors on a wire, Home Assistant with its recorder,
the engine's own schedule, the command desk and a coil on the wire. Only the clock is
the test's, and AppDaemon is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory, real_monotonic
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
import pytest_socket

from appdaemon.apps.chiller_control.control.chiller_plant_schedule import (
    ChillerPlantSchedule,
)
from appdaemon.apps.chiller_control.control.plan import parse_plan
from appdaemon.apps.chiller_control.engine import Engine
from appdaemon.apps.chiller_control.house import CallFailed
from custom_components.chiller_plant.const import DOMAIN
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import Board
from tests.integration.planning import (
    automate,
    entity,
    get_plan,
    in_all_profiles,
    plain,
    point,
    registered,
)
from tests.integration.served_plant import entry_for
from tests.waiting import eventually

OFFICE = """
plant: {{key: two_chillers, name: Two chillers, poll_interval: 5, command_lease: 900}}
connections:
  drives:
    protocol: modbus_tcp
    host: 127.0.0.43
    port: {port}
    devices: {{board: {{unit: 1}}}}
equipment:
  plant:
    type: plant
    name: Plant
    device: board
    points:
      enable_command: {{register: coil, address: 1, release: false}}
  chiller_1:
    type: chiller
    name: Chiller 1
    device: board
    points:
      demand_limit: {{register: holding, address: 2, limits: [40, 100], release: 100}}
  zone_1:
    type: zone
    name: Offices
    device: board
    points:
      temperature: {{register: input, address: 3, scale: 0.01, limits: [0, 50]}}
  roof:
    type: weather_station
    name: Roof
    device: board
    points:
      outdoor_temperature: {{register: input, address: 4, scale: 0.01, limits: [0, 50]}}
profiles: [Weekday, Weekend, Holiday]
day_types: {{weekdays: Weekday, weekends: Weekend}}
"""

KOLKATA = ZoneInfo("Asia/Kolkata")
"""Half an hour beside full hours, as statistics are not."""
MONDAY = datetime(2027, 2, 1, tzinfo=KOLKATA)
STEP = timedelta(minutes=3)
CONFIG = {
    "operation": "between_times",
    "start_time": "08:00:00",
    "stop_time": "18:00:00",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "adaptive_start": True,
    "adaptive_stop": True,
    "comfort_temperature": 24,
    "comfort_band": 1,
    "earliest_start": 180,
    "earliest_stop": 60,
}


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


@pytest.fixture
async def clock(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FrozenDateTimeFactory]:
    """Let a test say what time it is, while waiting takes the time it takes."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", real_monotonic)
    with freeze_time(MONDAY) as frozen:
        yield frozen


class Site:
    """An office, its Home Assistant and its engine."""

    def __init__(
        self, hass: HomeAssistant, clock: FrozenDateTimeFactory, board: Board
    ) -> None:
        """Begin on Monday, warm from the weekend."""
        self.hass = hass
        self.board = board
        self.entry: MockConfigEntry = entry_for(board.text)
        self._clock = clock
        self._zone = 27.0
        self._cooled = timedelta()
        self.log: list[str] = []
        self.turned: list[tuple[datetime, bool]] = []
        self.said: list[str] = []
        """Why things happened, as the engine told it."""
        self.restart_engine()

    # The engine's house.

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        state = self.hass.states.get(entity_id)
        return state and {"state": state.state, "attributes": dict(state.attributes)}

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        self.said += [item["reason"] for item in data.get("events", ())]
        calling = self.hass.services.async_call(
            DOMAIN, action, dict(data), blocking=True
        )
        try:
            asyncio.run_coroutine_threadsafe(calling, self.hass.loop).result(30.0)
        except HomeAssistantError as error:
            raise CallFailed(str(error)) from error

    def tell(self, message: str) -> None:
        self.log.append(message)

    def restart_engine(self) -> None:
        """Start AppDaemon anew: nothing is known but what is told."""
        kind = "chiller_plant_schedule"
        self._engine = Engine(kind, ChillerPlantSchedule, self, KOLKATA)

    # The building.

    @property
    def now(self) -> datetime:
        return dt_util.utcnow().astimezone(KOLKATA)

    @property
    def runs(self) -> bool:
        """Whether the plant is enabled, by its coil on the wire."""
        return bool(self.board.server.commands()["plant.enable_command"])

    async def until(self, moment: datetime, step: timedelta = STEP) -> None:
        """Let the building be cooled, or not, and the engine decide."""
        while self.now < moment:
            self._clock.tick(step)
            minutes = step.total_seconds() / 60.0
            self._cooled = self._cooled + step if self.runs else timedelta()
            # The loop has to be pulled down before the rooms feel anything.
            if self._cooled > timedelta(minutes=12):
                self._zone = max(23.9, self._zone - minutes / 20.0)
            elif not self.runs:
                self._zone = min(27.0, self._zone + minutes / 45.0)
            await self._cycle()

    async def overnight(self, moment: datetime) -> None:
        """Let hours pass in which nothing happens but that the building warms up."""
        self._zone = 27.0
        self._clock.move_to(moment)
        await self._cycle()

    async def _cycle(self) -> None:
        await self._read()
        plan = parse_plan(await get_plan(self.hass, self.entry))
        self._engine.take_plan(plan)
        at = dt_util.utcnow().timestamp()
        before = self.runs
        await self.hass.async_add_executor_job(self._engine.cycle, at)
        await self.hass.async_block_till_done()
        if self.runs is not before:
            self.turned.append((self.now, self.runs))

    async def _read(self) -> None:
        shown = {
            "zone_1.temperature": round(self._zone, 2),
            "roof.outdoor_temperature": round(29.0 + self.now.minute / 100.0, 2),
        }
        self.board.show(shown)
        coordinator = self.entry.runtime_data.coordinator
        coordinator.poller.again(list(coordinator.plant.points.values()))
        await coordinator.async_refresh()
        await eventually(
            lambda: all(
                coordinator.reading(key).good == pytest.approx(value, abs=0.006)
                for key, value in shown.items()
            )
        )

    # What is seen of it.

    def started(self, day: int) -> float:
        """Return how many minutes before the hours of a day the plant was started."""
        begin = MONDAY + timedelta(days=day, hours=8)
        (at,) = (at for at, on in self.turned if on and at.date() == begin.date())
        return (begin - at).total_seconds() / 60.0

    def stopped(self, day: int) -> float:
        """Return how many minutes before their end it was stopped."""
        end = MONDAY + timedelta(days=day, hours=18)
        (at,) = (at for at, on in self.turned if not on and at.date() == end.date())
        return (end - at).total_seconds() / 60.0

    def shown(self, key: str) -> float:
        state = self.hass.states.get(entity(self.hass, "sensor", key))
        assert state is not None
        return float(state.state)

    async def statistic(self, *fields: str) -> list[list[float]]:
        """Return rows of what is kept of starts."""
        ids = {f"{DOMAIN}:two_chillers_start_{field}": field for field in fields}
        found = await get_instance(self.hass).async_add_executor_job(
            statistics_during_period,
            self.hass,
            MONDAY,
            None,
            set(ids),
            "hour",
            None,
            {"mean"},
        )
        return [[row["mean"] for row in found[key]] for key in ids]


async def day(site: Site, number: int) -> None:
    """Let a day pass from before its earliest start until an hour after its hours."""
    midnight = MONDAY + timedelta(days=number)
    await site.overnight(midnight + timedelta(hours=4, minutes=51))
    await site.until(midnight + timedelta(hours=8, minutes=30))
    await site.until(midnight + timedelta(hours=16, minutes=54), 3 * STEP)
    await site.until(midnight + timedelta(hours=19, minutes=30))


async def test_a_week_of_starts_is_learnt_from_shown_and_kept(
    hass: HomeAssistant, clock: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Asia/Kolkata")
    board = Board(OFFICE)
    await board.server.start()
    site = Site(hass, clock, board)
    try:
        site.entry.add_to_hass(hass)
        await hass.config_entries.async_setup(site.entry.entry_id)
        await hass.async_block_till_done()
        await automate(
            hass,
            plain(
                "hours",
                site.entry,
                control_type="chiller_plant_schedule",
                config=CONFIG,
            ),
        )
        await registered(hass, site.entry, "hours")
        await in_all_profiles(hass, site.entry, hours=5)

        for number in range(3):
            await day(site, number)
            assert site.started(number) == 180.0, "as early as allowed"
            assert site.stopped(number) == 0.0
        assert site.shown("start_minutes") == pytest.approx(66.0, abs=6.0)
        # Home Assistant and the engine know nothing after this but what was kept.
        await async_wait_recording_done(hass)
        assert await hass.config_entries.async_reload(site.entry.entry_id)
        await registered(hass, site.entry, "hours")
        site.restart_engine()
        await hass.async_block_till_done()

        await day(site, 3)
        assert 66.0 <= site.started(3) <= 100.0
        assert 5.0 <= site.stopped(3) <= 60.0
        assert site.shown("start_minutes_expected") == pytest.approx(66.0, abs=6.0)
        assert abs(site.shown("start_minutes_error")) <= 9.0
        assert -40.0 <= site.shown("start_minutes_late") <= 3.0
        assert site.shown("start_zone_temperature") == pytest.approx(27.0, abs=0.1)
        assert site.shown("start_outdoor_temperature") == pytest.approx(29.3, abs=0.4)
        assert site.shown("stop_minutes") > 5.0
        (told,) = (
            item["reported"]["attributes"]
            for item in (await get_plan(hass, site.entry))["automations"]
        )
        assert told["recoveries"] == 4
        assert "4 recoveries" in str(told["sureness"])

        # An event of demand response while it is cooled is no usual morning.
        await site.overnight(MONDAY + timedelta(days=4, hours=4, minutes=51))
        await site.until(MONDAY + timedelta(days=4, hours=7, minutes=15))
        shed = {
            "entity_id": [point(hass, site.entry, "chiller_1.demand_limit")],
            "value": 60,
            "priority": 50,
            "source": "demand_response",
            "reason": "an event",
            "lease": 3600,
        }
        await hass.services.async_call(DOMAIN, "command", shed, blocking=True)
        await site.until(MONDAY + timedelta(days=4, hours=8, minutes=30))

        assert "Not learnt from: demand response commanded chiller_1.demand_limit" in (
            site.said
        )

        await async_wait_recording_done(hass)
        took, expected, late, zone, outdoor = await site.statistic(
            "minutes", "predicted", "late_minutes", "zone", "outdoor"
        )
        assert took == pytest.approx([66.0] * 4, abs=6.0), "not the fifth day"
        assert expected == pytest.approx([66.0], abs=6.0), "since anything is known"
        assert late[:3] == pytest.approx([-114.0] * 3, abs=6.0)
        assert zone == pytest.approx([27.0] * 4, abs=0.1)
        assert len(outdoor) == 4
        assert not [line for line in site.log if "failed" in line]

        # And the entities have statistics of their own.
        now = dt_util.utcnow()
        do_adhoc_statistics(
            hass, start=now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
        )
        await async_wait_recording_done(hass)
        ids = await get_instance(hass).async_add_executor_job(
            list_statistic_ids, hass, None, "mean"
        )
        known = {item["statistic_id"] for item in ids}
        assert {
            entity(hass, "sensor", f"start_{key}")
            for key in ("minutes", "minutes_expected", "minutes_error", "minutes_late")
        } <= known
    finally:
        await hass.config_entries.async_unload(site.entry.entry_id)
        await board.server.stop()
