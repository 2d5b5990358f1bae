"""Lets a person try one point: read it, and command it for a moment.

A test is a command like any other: it goes by the desk and its interlocks, and
its lease takes it back when the dialog is closed before it was released.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..coordinator import PlantCoordinator
from ..issues import where_is
from ..lookup import loaded_entry
from ..plant.arbiter import Band, CommandRefused, Request, commandable
from ..plant.model import Plant, Point, Value

CONF_POINT = "point"
CONF_VALUE = "value"
CONF_CONFIRM = "confirm"

SOURCE = "point_test"
LEASE = 60.0
"""Seconds after which a test that nobody released is over."""
_SETTLE = 10.0
"""Seconds for a device to show what was written."""
_LOOK = 1.0
_LEAST_CHANGE = 0.01


class PointTestFlow(OptionsFlow):
    """Choose a point, read, write, release."""

    _point: Point
    _result = ""
    """What came of the last action, for the person."""
    _task: asyncio.Task[str] | None = None

    def _coordinator(self) -> PlantCoordinator | None:
        entry = loaded_entry(self.hass, self.config_entry.entry_id)
        return None if entry is None else entry.runtime_data.coordinator

    async def async_step_test_point(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which point."""
        if (coordinator := self._coordinator()) is None:
            return self.async_abort(reason="plant_not_loaded")
        points = _by_name(coordinator.plant)
        errors: dict[str, str] = {}
        if user_input is not None:
            wanted = user_input[CONF_POINT].strip()
            found = points.get(wanted) or coordinator.plant.points.get(wanted)
            if found is not None:
                self._point, self._result = found, ""
                return await self.async_step_point()
            errors[CONF_POINT] = "unknown_point"
        return self.async_show_form(
            step_id="test_point",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_POINT): SelectSelector(
                        SelectSelectorConfig(
                            options=list(points),
                            # Without it there would be no search among thousands.
                            custom_value=True,
                            mode=SelectSelectorMode.DROPDOWN,
                        )
                    )
                }
            ),
            errors=errors,
        )

    async def async_step_point(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the point and what can be done with it."""
        if (coordinator := self._coordinator()) is None:
            return self.async_abort(reason="plant_not_loaded")
        point = self._point
        reading = coordinator.reading(point.key)
        status = coordinator.desk.status(point.key)
        options = ["read"]
        if commandable(point):
            options.append("write")
        if status.owner == SOURCE:
            options.append("release")
        options += ["test_point", "finish"]
        return self.async_show_menu(
            step_id="point",
            menu_options=options,
            description_placeholders={
                "point": _name(coordinator.plant, point),
                "where": where_is(coordinator.plant, point),
                "value": shown(point, reading.value),
                "quality": reading.quality.value.replace("_", " "),
                "detail": reading.detail or "",
                "owner": (
                    "this test" if status.owner == SOURCE else status.owner or "nobody"
                ),
                "hold": coordinator.hold(point) or "no",
                "result": self._result,
            },
        )

    async def async_step_read(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read the point on the wire."""
        return self._show_progress("read", self._async_read)

    async def _async_read(self) -> str:
        coordinator = self._running()
        value, failure = await self._async_ask(coordinator)
        if failure is not None:
            return f"It could not be read: {failure}"
        return f"Read now: {shown(self._point, value)}."

    async def async_step_write(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a value, and whether the equipment may move."""
        if (coordinator := self._coordinator()) is None:
            return self.async_abort(reason="plant_not_loaded")
        point = self._point
        errors: dict[str, str] = {}
        problems = ""
        if user_input is not None:
            value = user_input[CONF_VALUE]
            if not user_input[CONF_CONFIRM]:
                errors[CONF_CONFIRM] = "not_confirmed"
            else:
                try:
                    await coordinator.async_request(
                        [
                            Request(
                                point.key,
                                value,
                                Band.OPERATOR,
                                SOURCE,
                                "tested by hand",
                                LEASE,
                            )
                        ]
                    )
                except CommandRefused as refused:
                    errors[CONF_VALUE], problems = "refused", str(refused)
                else:
                    return await self.async_step_writing()
        schema = vol.Schema(
            {
                vol.Required(CONF_VALUE): _value_field(point),
                vol.Required(CONF_CONFIRM, default=False): BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id="write",
            data_schema=self.add_suggested_values_to_schema(
                schema,
                user_input or {CONF_VALUE: coordinator.reading(point.key).value},
            ),
            errors=errors,
            description_placeholders={
                "point": _name(coordinator.plant, point),
                "where": where_is(coordinator.plant, point),
                "seconds": f"{LEASE:g}",
                "problems": problems,
            },
        )

    async def async_step_writing(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """See whether the device follows."""
        return self._show_progress("writing", self._async_see)

    async def _async_see(self) -> str:
        """Return what became of the command, after some seconds at most."""
        point = self._point
        deadline = self.hass.loop.time() + _SETTLE
        while True:
            coordinator = self._running()
            status = coordinator.desk.status(point.key)
            if (hold := coordinator.hold(point)) is not None:
                return (
                    f"Asked for {shown(point, status.value)}, held back: {hold}. "
                    f"It stays asked for {LEASE:g} seconds unless you release it."
                )
            if status.owner != SOURCE:
                return f"Somebody else commands it: {status.owner or 'nobody'}."
            value, failure = await self._async_ask(coordinator)
            if value is not None and _same(value, status.value):
                return f"Written. The device reads back {shown(point, value)}."
            if self.hass.loop.time() >= deadline:
                if failure is not None:
                    return f"Written, but it could not be read back: {failure}"
                return (
                    f"Asked for {shown(point, status.value)}, but the device "
                    f"still shows {shown(point, value)}."
                )
            await asyncio.sleep(_LOOK)

    async def async_step_release(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the command back."""
        return self._show_progress("release", self._async_release)

    async def _async_release(self) -> str:
        point = self._point
        await self._running().async_release(source=SOURCE, points=[point.key])
        deadline = self.hass.loop.time() + _SETTLE
        while True:
            coordinator = self._running()
            status = coordinator.desk.status(point.key)
            hold = coordinator.hold(point)
            if status.owner is not None or not status.owned or hold is not None:
                break
            if self.hass.loop.time() >= deadline:
                break
            await asyncio.sleep(_LOOK)
        value, failure = await self._async_ask(coordinator)
        found = failure or shown(point, value)
        if status.owner is not None:
            return f"The test is over; {status.owner} commands it. It reads {found}."
        if status.owned:
            return f"The release is held back: {hold or 'not carried out yet'}."
        return f"Released. It reads {found}."

    async def async_step_finish(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """End the test; leave nothing of it commanded."""
        if (coordinator := self._coordinator()) is not None:
            await coordinator.async_release(source=SOURCE)
        return self.async_abort(reason="test_over")

    # --- what takes its time

    def _show_progress(
        self, step: str, work: Callable[[], Coroutine[Any, Any, str]]
    ) -> ConfigFlowResult:
        if self._task is None:
            # Not at once: what is over before it was shown would be answered
            # with the same answer again, for ever.
            self._task = self.hass.async_create_task(
                work(), f"point test {step}", eager_start=False
            )
        if not self._task.done():
            return self.async_show_progress(
                step_id=step, progress_action=step, progress_task=self._task
            )
        task, self._task = self._task, None
        try:
            self._result = task.result()
        except _NotRunning:
            # The next step tells it.
            self._result = ""
        return self.async_show_progress_done(next_step_id="point")

    def _running(self) -> PlantCoordinator:
        if (coordinator := self._coordinator()) is None:
            raise _NotRunning
        return coordinator

    async def _async_ask(
        self, coordinator: PlantCoordinator
    ) -> tuple[Value | None, str | None]:
        """Return what the device says now, or why it says nothing."""
        point = self._point
        if point.address is None:
            return coordinator.reading(point.key).value, None
        report = await coordinator.links.async_read_device(
            point.address.device, [point]
        )
        return report.values.get(point.key), report.failures.get(point.key)


class _NotRunning(Exception):
    """The plant was unloaded while a person tested it."""


def shown(point: Point, value: Value | None) -> str:
    """Return a value with its unit, as a person reads it."""
    if value is None:
        return "nothing"
    if point.role.quantity.is_boolean:
        return "on" if value else "off"
    return f"{value:.6g} {point.role.quantity.unit or ''}".rstrip()


def _name(plant: Plant, point: Point) -> str:
    equipment = plant.equipment[point.equipment].name
    return f"{equipment}: {point.role.name.replace('_', ' ')}"


def _by_name(plant: Plant) -> dict[str, Point]:
    """Return the points by what people call them, with the key where two are alike."""
    points: dict[str, Point] = {}
    for point in plant.points.values():
        name = _name(plant, point)
        points[f"{name} ({point.key})" if name in points else name] = point
    return points


def _same(found: Value, wanted: Value | None) -> bool:
    return wanted is not None and abs(float(found) - float(wanted)) < _LEAST_CHANGE


def _value_field(point: Point) -> Selector[Any]:
    quantity = point.role.quantity
    if quantity.is_boolean:
        return BooleanSelector()
    settings = NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX)
    if quantity.unit is not None:
        settings["unit_of_measurement"] = quantity.unit
    # The desk says which limit a value breaks, better than a field does.
    return NumberSelector(settings)
