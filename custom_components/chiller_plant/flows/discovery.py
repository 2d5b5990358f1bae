"""Finds BACnet devices for a person, and reads what objects they have."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

from ..drivers.bacnet_discovery import (
    HIGHEST_INSTANCE,
    LOWEST_INSTANCE,
    MOST_ADDRESSES,
    DeviceHeard,
    discover,
)
from ..drivers.bacnet_inventory import Inventory, objects_of
from ..drivers.bacnet_network import parse_address
from ..drivers.driver import DeviceSilent, DriverError
from ..plant.commissioning.keys import make_key
from .lists import bullets
from .mapping import MappingFlow
from .network import async_network_fields, open_network, settings_of, whole_number
from .plant_file import Refused

CONF_LOW = "lowest_instance"
CONF_HIGH = "highest_instance"
CONF_ADDRESSES = "addresses"
CONF_DEVICES = "devices"

LISTEN = 5.0
"""Seconds in which devices behind slow routers answer too."""
_LONGEST_READING = 1800.0
"""Seconds; a trunk of MS/TP takes some minutes for a thousand objects."""
_FEW = 20
"""Devices of which all are taken unless a person says otherwise."""


class DiscoveryFlow(MappingFlow):
    """From the question who is there to objects that can be mapped."""

    _answers: dict[str, Any] | None = None
    _range: tuple[int, int]
    _asked: tuple[str, ...] = ()
    _heard: tuple[DeviceHeard, ...] = ()
    _chosen: tuple[DeviceHeard, ...] = ()
    _task: asyncio.Task[None] | None = None
    _refused: Refused | None = None
    """Why the last task brought nothing."""

    async def async_step_discover(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where to look."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._answers, self._refused = user_input, None
            settings = settings_of(user_input, errors)
            low, high = int(user_input[CONF_LOW]), int(user_input[CONF_HIGH])
            if low > high:
                errors[CONF_HIGH] = "bad_range"
            asked = stripped(user_input.get(CONF_ADDRESSES, ()))
            if not are_addresses(asked):
                errors[CONF_ADDRESSES] = "bad_address"
            if settings is not None and not errors:
                self._settings = settings
                self._range, self._asked = (low, high), asked
                return await self.async_step_looking()
        refused = self._refusal(errors)
        schema = vol.Schema(
            {
                **await async_network_fields(self.hass),
                vol.Required(CONF_LOW, default=LOWEST_INSTANCE): whole_number(
                    LOWEST_INSTANCE, HIGHEST_INSTANCE
                ),
                vol.Required(CONF_HIGH, default=HIGHEST_INSTANCE): whole_number(
                    LOWEST_INSTANCE, HIGHEST_INSTANCE
                ),
                vol.Optional(CONF_ADDRESSES): TextSelector(
                    TextSelectorConfig(multiple=True)
                ),
            }
        )
        return self.async_show_form(
            step_id="discover",
            data_schema=self.add_suggested_values_to_schema(schema, self._answers),
            errors=errors,
            description_placeholders={"problems": refused.problems},
        )

    async def async_step_looking(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Listen who answers."""
        return self._show_progress("looking", self._async_look, "discover", "devices")

    async def _async_look(self) -> None:
        async with open_network(self.hass, self._settings) as network:
            self._heard = tuple(
                await discover(
                    network,
                    *self._range,
                    addresses=self._asked,
                    seconds=LISTEN,
                    progress=self._show_share,
                )
            )
        if not self._heard:
            raise Refused("nobody_answered")

    async def async_step_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the person choose among the devices that answered."""
        errors: dict[str, str] = {}
        by_key = {_id(device): device for device in self._heard}
        if user_input is not None:
            self._refused = None
            self._chosen = tuple(by_key[key] for key in user_input[CONF_DEVICES])
            if self._chosen:
                return await self.async_step_reading()
            errors["base"] = "no_device"
        refused = self._refusal(errors)
        chosen = [_id(device) for device in self._chosen]
        if not chosen and len(by_key) <= _FEW:
            chosen = [
                key
                for key, device in by_key.items()
                if not device.twin and device.trouble is None
            ]
        return self.async_show_form(
            step_id="devices",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_DEVICES, default=chosen): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                SelectOptionDict(value=key, label=_label(device))
                                for key, device in by_key.items()
                            ],
                            multiple=True,
                            mode=SelectSelectorMode.LIST,
                        )
                    )
                }
            ),
            errors=errors,
            description_placeholders={
                "problems": refused.problems,
                "number": str(len(by_key)),
            },
        )

    async def async_step_reading(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read the objects of the chosen devices."""
        return self._show_progress(
            "reading", self._async_read_objects, "devices", "proposal"
        )

    async def _async_read_objects(self) -> None:
        shares = dict.fromkeys(self._chosen, (0, 1))
        keys: list[str] = []
        for device in self._chosen:
            name = device.name or f"device {device.instance}"
            keys.append(make_key(name, keys))

        async def read(device: DeviceHeard, key: str) -> Inventory | str:
            def report(done: int, total: int) -> None:
                shares[device] = (done, total or 1)
                self.async_update_progress(
                    sum(done / total for done, total in shares.values()) / len(shares)
                )

            try:
                return await objects_of(network, device, key, report)
            except DeviceSilent as error:
                return str(error)

        try:
            async with (
                open_network(self.hass, self._settings) as network,
                asyncio.timeout(_LONGEST_READING),
            ):
                brought = await asyncio.gather(
                    *(
                        read(device, key)
                        for device, key in zip(self._chosen, keys, strict=True)
                    )
                )
        except TimeoutError:
            raise Refused("too_slow") from None
        found = [item for item in brought if isinstance(item, Inventory)]
        silent = [item for item in brought if isinstance(item, str)]
        if not any(item.device.objects for item in found):
            notes = [note for item in found for note in item.notes]
            raise Refused("no_objects", bullets([*silent, *notes]))
        self._devices = tuple(item.device for item in found)
        self._notes = (*silent, *(note for item in found for note in item.notes))

    async def async_step_proposal(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with what the objects are taken to be."""
        return await self._async_propose()

    # --- what takes its time

    def _show_progress(
        self,
        step: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        back: str,
        then: str,
    ) -> ConfigFlowResult:
        """Show how far some work is; go `back` where it failed, else on."""
        if self._task is None:
            # Not at once: what is over before it was shown would be answered
            # with the same answer again, for ever.
            self._task = self.hass.async_create_task(
                work(), f"chiller plant {step}", eager_start=False
            )
        if not self._task.done():
            return self.async_show_progress(
                step_id=step,
                progress_action=step,
                progress_task=self._task,
                description_placeholders={"address": self._settings.local_address},
            )
        task, self._task = self._task, None
        try:
            task.result()
        except Refused as refused:
            self._refused = refused
        except DriverError as error:
            self._refused = Refused("cannot_open_network", str(error))
        return self.async_show_progress_done(
            next_step_id=then if self._refused is None else back
        )

    def _show_share(self, done: int, total: int) -> None:
        self.async_update_progress(done / total)

    def _refusal(self, errors: dict[str, str]) -> Refused:
        """Return why the work failed, if it did, as an error of this form.

        It is kept until the person answers: a form may be asked for again.
        """
        if self._refused is None:
            return Refused("")
        errors["base"] = self._refused.error
        return self._refused


def stripped(texts: Iterable[str]) -> tuple[str, ...]:
    """Return texts without what is around them, and without empty ones."""
    return tuple(text.strip() for text in texts if text.strip())


def are_addresses(texts: Sequence[str]) -> bool:
    """Return whether all of them can be asked, and are not too many."""
    return len(texts) <= MOST_ADDRESSES and all(map(is_address, texts))


def is_address(text: str) -> bool:
    """Return whether text is where a BACnet device can be."""
    try:
        parse_address(text)
    except ValueError:
        return False
    return True


def _id(device: DeviceHeard) -> str:
    return f"{device.instance}@{device.address}"


def _label(device: DeviceHeard) -> str:
    parts = [f"{device.name or 'device'}: {device.address}, instance {device.instance}"]
    made = " ".join(text for text in (device.vendor, device.model) if text)
    if made:
        parts.append(made)
    if device.objects is not None:
        parts.append(f"{device.objects} objects")
    if device.trouble is not None:
        parts.append(f"says no more: {device.trouble}")
    if device.twin:
        parts.append("another device claims the same instance")
    return " · ".join(parts)
