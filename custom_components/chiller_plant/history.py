"""Brings what a BACnet device has recorded into Home Assistant's statistics.

What was recorded before Home Assistant was there, or while it was away, is
read from the device's trend log and added hour by hour. Hours that are there
already are left as they are; so an import that was interrupted is simply done
again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import voluptuous as vol

from homeassistant.components import persistent_notification
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import StatisticData
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .drivers.bacnet_device import Device
from .drivers.bacnet_trend import TrendLog, TrendRecord, open_log, pages
from .drivers.driver import DriverError
from .history_target import Target, async_target, holder
from .plant.hourly import (
    HOUR,
    CountedHour,
    MeasuredHour,
    MeasuredHours,
    counted_hours,
    hour_of,
)
from .plant.model import BacnetAddress

SERVICE_IMPORT_TREND_LOG = "import_trend_log"

ATTR_DEVICE = "device"
ATTR_END = "end"
ATTR_START = "start"
ATTR_TREND_LOG = "trend_log"

_RUNNING: HassKey[set[str]] = HassKey(f"{DOMAIN}_trend_log_imports")
_HOURS_AT_ONCE = 168
"""Hours that are added together, so that little is lost where it is interrupted."""
_RECORDER_TIME = 900
"""Seconds after an hour until the recorder has surely written it itself."""
_WRITE_TIMEOUT = 60.0
_MOST_REASONS = 10
_EXISTING_SINCE = datetime(1980, 1, 1, tzinfo=UTC)

_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_ENTITY_ID): cv.entity_id,
        vol.Required(ATTR_TREND_LOG): vol.All(
            vol.Coerce(int), vol.Range(min=0, max=4_194_302)
        ),
        vol.Optional(ATTR_DEVICE): cv.string,
        vol.Optional(ATTR_START): cv.datetime,
        vol.Optional(ATTR_END): cv.datetime,
    }
)


@callback
def async_setup_history(hass: HomeAssistant) -> None:
    """Register the action; it is for administrators, as all statistics are."""
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_IMPORT_TREND_LOG,
        _async_import_trend_log,
        schema=_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_import_trend_log(call: ServiceCall) -> ServiceResponse:
    """Read a trend log and add the hours that are missing."""
    hass = call.hass
    entity_id = call.data[ATTR_ENTITY_ID]
    target = await async_target(hass, entity_id)
    device = holder(target, call.data.get(ATTR_DEVICE))
    running = hass.data.setdefault(_RUNNING, set())
    if entity_id in running:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="trend_log_import_runs",
            translation_placeholders={"entity_id": entity_id},
        )
    running.add(entity_id)
    try:
        return await _Import(hass, target, device, call.data).async_run()
    except DriverError as error:
        raise HomeAssistantError(
            str(error),
            translation_domain=DOMAIN,
            translation_key="trend_log_failed",
            translation_placeholders={"entity_id": entity_id, "reason": str(error)},
        ) from error
    finally:
        running.discard(entity_id)


class _Import:
    """One import; what it did is in its response."""

    def __init__(
        self,
        hass: HomeAssistant,
        target: Target,
        device: Device,
        asked: dict[str, Any],
    ) -> None:
        """Nothing is read yet."""
        self._hass = hass
        self._target = target
        self._device = device
        self._log_instance: int = asked[ATTR_TREND_LOG]
        self._since = _timestamp(asked.get(ATTR_START))
        now = dt_util.utcnow().timestamp()
        # The hour that is not over, and the one that the recorder is about to
        # write, are the recorder's.
        latest = hour_of(now - _RECORDER_TIME)
        end = _timestamp(asked.get(ATTR_END))
        self._until = latest if end is None else min(latest, hour_of(end))
        self._records = 0
        self._added = 0
        self._existed = 0
        self._newest = 0.0
        self._skipped: Counter[str] = Counter()
        self._known: dict[int, CountedHour] = {}
        """Hours that are there already; of a measurement only that they are."""

    async def async_run(self) -> dict[str, Any]:
        """Do it and return what was done. Raise `DriverError`."""
        point = self._target.point
        address = cast(BacnetAddress, point.address)
        connection = self._target.coordinator.plant.connections[address.connection]
        of = connection.devices[address.device]
        log = await open_log(
            self._device,
            self._log_instance,
            point,
            of.instance,  # type: ignore[union-attr]
            dt_util.get_default_time_zone(),
            dt_util.utcnow(),
        )
        await _async_written(self._hass)
        self._known = await self._async_known()
        note = f"{DOMAIN}_{SERVICE_IMPORT_TREND_LOG}_{self._target.entity_id}"
        try:
            if self._target.counts:
                await self._async_count(log, note)
            else:
                await self._async_measure(log, note)
            await _async_written(self._hass)
        finally:
            persistent_notification.async_dismiss(self._hass, note)
        response = {
            ATTR_ENTITY_ID: self._target.entity_id,
            ATTR_TREND_LOG: str(log),
            "time_zone": str(log.zone),
            "records_read": self._records,
            "records_skipped": dict(self._skipped),
            "hours_added": self._added,
            "hours_existing": self._existed,
        }
        LOGGER.info("Trend log imported: %s", response)
        return response

    # --- measurements

    async def _async_measure(self, log: TrendLog, note: str) -> None:
        hours = MeasuredHours()
        ready: dict[int, MeasuredHour] = {}
        try:
            async for page in self._pages(log):
                for record in self._usable(page):
                    found = hours.take(record.at, record.value)
                    ready |= {hour.start: hour for hour in found}
                if len(ready) >= _HOURS_AT_ONCE:
                    self._add_measured(ready.values())
                    ready.clear()
                self._show(log, note)
            found = hours.finish(dt_util.utcnow().timestamp())
            ready |= {hour.start: hour for hour in found}
        finally:
            # What was read before something went wrong is not read again.
            self._add_measured(ready.values())

    def _add_measured(self, hours: Iterable[MeasuredHour]) -> None:
        convert = self._target.convert
        self._add(
            [
                StatisticData(
                    start=datetime.fromtimestamp(hour.start, UTC),
                    mean=convert(hour.mean),
                    min=convert(hour.low),
                    max=convert(hour.high),
                )
                for hour in hours
                if self._is_missing(hour.start)
            ]
        )

    # --- counters

    async def _async_count(self, log: TrendLog, note: str) -> None:
        """Read all before anything is added: sums are counted back from the end."""
        states: dict[int, float] = {}
        async for page in self._pages(log):
            for record in self._usable(page):
                if record.value is not None:
                    states[hour_of(record.at)] = self._target.convert(record.value)
            self._show(log, note)
        missing = {
            start: state for start, state in states.items() if self._is_missing(start)
        }
        newest = await self._async_newest()
        if newest is None and missing:
            newest = (missing[max(missing)], 0.0)
        if newest is not None:
            self._add(
                [
                    StatisticData(
                        start=datetime.fromtimestamp(hour.start, UTC),
                        state=hour.state,
                        sum=hour.sum,
                    )
                    for hour in counted_hours(missing, self._known.values(), newest)
                ]
            )

    async def _async_newest(self) -> tuple[float, float] | None:
        """Return what the counter shows now, and the recorder's sum at that."""
        rows = await self._async_rows(
            dt_util.utcnow() - timedelta(days=10), "5minute", {"state", "sum"}
        )
        for row in reversed(rows):
            state, total = row.get("state"), row.get("sum")
            if state is not None and total is not None:
                return state, total
        # The recorder will begin with what it shows now.
        reading = self._target.coordinator.reading(self._target.point.key)
        if not reading.good or reading.value is None:
            return None
        return self._target.convert(float(reading.value)), 0.0

    # --- both

    async def _pages(self, log: TrendLog) -> AsyncIterator[list[TrendRecord]]:
        """Return what is in a log, from the first hour that is missing."""
        begin = self._since
        if begin is None and self._known:
            first_page: list[TrendRecord] = await anext(pages(log), [])
            oldest = next((one.at for one in first_page if one.at is not None), None)
            if oldest is not None:
                hour = hour_of(oldest)
                while hour in self._known:
                    hour += HOUR
                    self._existed += 1
                begin = hour if hour > oldest else None
        async for page in pages(log, begin):
            yield page

    def _usable(self, page: Iterable[TrendRecord]) -> Iterable[_Dated]:
        """Count records; return what they say, None where a value ends."""
        for record in page:
            self._records += 1
            if record.at is None:
                self._skip(record.skipped)
            elif record.at < self._newest:
                self._skip("older than the record before it")
            else:
                self._newest = record.at
                if record.skipped is not None:
                    self._skip(record.skipped)
                value = record.value
                yield _Dated(record.at, None if value is None else float(value))

    def _skip(self, reason: str | None) -> None:
        if reason not in self._skipped and len(self._skipped) >= _MOST_REASONS:
            reason = "other reasons"
        self._skipped[str(reason)] += 1

    def _is_missing(self, start: int) -> bool:
        """Return whether an hour is to be added, and count one that is there."""
        if start + HOUR > self._until or (
            self._since is not None and start < self._since
        ):
            return False
        if start in self._known:
            self._existed += 1
            return False
        return True

    def _add(self, rows: list[StatisticData]) -> None:
        if not rows:
            return
        async_import_statistics(self._hass, self._target.metadata, rows)
        self._added += len(rows)

    def _show(self, log: TrendLog, note: str) -> None:
        total = log.last - log.first + 1
        persistent_notification.async_create(
            self._hass,
            f"{self._records} of {total} records of {log} were read.",
            f"Importing the history of {self._target.entity_id}",
            note,
        )

    async def _async_known(self) -> dict[int, CountedHour]:
        rows = await self._async_rows(
            _EXISTING_SINCE,
            "hour",
            {"state", "sum"} if self._target.counts else {"mean"},
        )
        return {
            int(row["start"]): CountedHour(
                int(row["start"]), row.get("state") or 0.0, row.get("sum") or 0.0
            )
            for row in rows
        }

    async def _async_rows(
        self, since: datetime, period: Any, kinds: set[Any]
    ) -> list[Any]:
        metadata = self._target.metadata
        unit_class, unit = metadata["unit_class"], metadata["unit_of_measurement"]
        found = await get_instance(self._hass).async_add_executor_job(
            statistics_during_period,
            self._hass,
            since,
            None,
            {self._target.entity_id},
            period,
            # As they are stored, not as they are shown.
            None if unit_class is None or unit is None else {unit_class: unit},
            kinds,
        )
        return found.get(self._target.entity_id, [])


@dataclass(frozen=True, slots=True)
class _Dated:
    """A value with its time; None: what was before ends."""

    at: float
    value: float | None


async def _async_written(hass: HomeAssistant) -> None:
    """Wait until the recorder has written what it was given."""
    written: asyncio.Future[None] = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(written))
    # It may be stopping, and then nobody hears of it.
    with suppress(TimeoutError):
        async with asyncio.timeout(_WRITE_TIMEOUT):
            await written


def _timestamp(moment: datetime | None) -> float | None:
    return None if moment is None else dt_util.as_utc(moment).timestamp()
