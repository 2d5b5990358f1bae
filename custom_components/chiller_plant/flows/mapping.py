"""Lets a person correct what the objects are taken to be, before anything is made.

Every flow that finds objects (discovery, an EDE file) comes here, and from here
goes the way of every plant file.
"""

from dataclasses import replace
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..const import SOURCE_FILE
from ..plant.commissioning.found import (
    BacnetSettings,
    FoundDevice,
    FoundObject,
    Proposal,
    ProposedEquipment,
)
from ..plant.commissioning.keys import make_key
from ..plant.commissioning.plant_file_text import plant_file_text
from ..plant.commissioning.propose import propose
from ..plant.plant_file.equipment import PLANT_KEY
from ..plant.roles import EquipmentType
from .lists import NOTHING, some
from .machine_form import (
    CONF_DEVICES,
    CONF_KEEP,
    CONF_NAME,
    CONF_TYPE,
    Catalogue,
    corrected,
    devices_of,
    reasons,
    shown,
    summary_of,
    type_field,
    unsure_points,
)
from .plant_file import PlantFlow, Refused
from .serving import chosen_services, services, serving_fields, without

CONF_CHECK = "check"

_FEW = 20
"""Machines of which a person is asked to look at every one."""


class MappingFlow(PlantFlow):
    """From objects to a plant file."""

    _settings: BacnetSettings
    _devices: tuple[FoundDevice, ...]
    _notes: tuple[str, ...]
    _catalogue: Catalogue
    _machines: dict[str, ProposedEquipment]
    """What is kept so far, by key."""
    _offered: dict[str, list[str]]
    """The devices whose objects are offered for a machine, by its key."""
    _to_check: list[str]
    _to_serve: list[str]
    _problems = ""
    _plant_name = ""

    async def _async_propose(self) -> ConfigFlowResult:
        proposal: Proposal = await self.hass.async_add_executor_job(
            propose, self._devices
        )
        self._notes = (*self._notes, *proposal.notes)
        self._catalogue = Catalogue(self._devices)
        self._machines = {item.key: item for item in proposal.equipment}
        self._offered = {
            item.key: devices_of(item) or list(self._catalogue.devices)
            for item in proposal.equipment
        }
        if not self._machines:
            return await self.async_step_more()
        return await self.async_step_machines()

    async def async_step_machines(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show all machines; the person says which are to be looked at."""
        keys = list(self._machines)
        if user_input is not None:
            kept, checked = user_input[CONF_KEEP], user_input[CONF_CHECK]
            self._machines = {key: self._machines[key] for key in keys if key in kept}
            self._to_check = [key for key in self._machines if key in checked]
            return await self._async_next_machine()
        field = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=key, label=summary_of(machine))
                    for key, machine in self._machines.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
        check = keys
        if len(keys) > _FEW:
            check = [key for key in keys if unsure_points(self._machines[key])]
        return self.async_show_form(
            step_id="machines",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_KEEP, default=keys): field,
                    vol.Required(CONF_CHECK, default=check): field,
                }
            ),
            description_placeholders={
                "number": str(len(keys)),
                "left_out": str(len(self._left_out())),
                "notes": some(self._notes),
            },
        )

    async def _async_next_machine(self, done: str | None = None) -> ConfigFlowResult:
        self._to_check = [key for key in self._to_check if key != done]
        if self._to_check:
            return await self.async_step_machine()
        return await self.async_step_more()

    async def async_step_machine(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the person correct one machine."""
        key = self._to_check[0]
        machine = self._machines[key]
        errors: dict[str, str] = {}
        if user_input is not None:
            if not user_input[CONF_KEEP]:
                del self._machines[key]
                return await self._async_next_machine(done=key)
            before = machine.type, self._offered[key]
            machine = corrected(machine, user_input, self._catalogue, errors)
            self._offered[key] = user_input[CONF_DEVICES]
            if (
                machine.type is EquipmentType.PLANT
                and key != PLANT_KEY
                and PLANT_KEY in self._machines
            ):
                errors[CONF_TYPE] = "one_plant"
            self._machines[key] = machine
            if not errors and before == (machine.type, self._offered[key]):
                return await self._async_next_machine(done=key)
        schema = vol.Schema(self._catalogue.fields(machine, self._offered[key]))
        if errors:
            schema = self.add_suggested_values_to_schema(schema, user_input)
        return self.async_show_form(
            step_id="machine",
            data_schema=schema,
            errors=errors,
            description_placeholders={
                "machine": machine.name,
                "reasons": reasons(machine),
                "left": str(len(self._to_check) - 1),
            },
        )

    async def async_step_more(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the person add a machine, look again, or go on."""
        options = ["serving", "add_machine"]
        if self._machines:
            options.append("machines")
        else:
            options.remove("serving")
        return self.async_show_menu(
            step_id="more",
            menu_options=options,
            description_placeholders={
                "machines": some(list(map(summary_of, self._machines.values()))),
                "problems": self._problems,
                "left_out": str(len(self._left_out())),
            },
        )

    async def async_step_add_machine(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what was not recognised."""
        if user_input is not None:
            kind = EquipmentType(user_input[CONF_TYPE])
            name = user_input[CONF_NAME].strip()
            key = make_key(name, self._machines, "machine")
            if kind is EquipmentType.PLANT and PLANT_KEY not in self._machines:
                key = PLANT_KEY
            self._machines[key] = ProposedEquipment(key, name or key, kind)
            self._offered[key] = user_input[CONF_DEVICES]
            self._to_check = [key]
            return await self.async_step_machine()
        return self.async_show_form(
            step_id="add_machine",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_NAME): TextSelector(),
                    vol.Required(
                        CONF_TYPE, default=EquipmentType.CHILLER.value
                    ): type_field(),
                    vol.Required(CONF_DEVICES): self._catalogue.device_field(),
                }
            ),
        )

    async def async_step_serving(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask, for each chiller, what has to run for it."""
        if user_input is None:
            self._to_serve = [
                key
                for key, machine in self._machines.items()
                if machine.type is EquipmentType.CHILLER
            ]
        else:
            key = self._to_serve.pop(0)
            self._machines[key] = replace(
                self._machines[key], served_by=chosen_services(user_input)
            )
        if not self._to_serve or not any(services(self._machines).values()):
            return await self.async_step_summary()
        chiller = self._machines[self._to_serve[0]]
        return self.async_show_form(
            step_id="serving",
            data_schema=vol.Schema(serving_fields(chiller, self._machines)),
            description_placeholders={"chiller": chiller.name},
        )

    async def async_step_summary(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what becomes the plant and what does not; make it if confirmed."""
        errors: dict[str, str] = {}
        problems = ""
        if user_input is not None:
            self._plant_name = user_input[CONF_NAME].strip()
            try:
                await self._async_write()
                return await self._async_try()
            except Refused as refused:
                if refused.error == "invalid_plant_file":
                    # Only the machines can have caused it.
                    self._problems = refused.problems
                    return await self.async_step_more()
                errors["base"], problems = refused.error, refused.problems
        left_out = [f"{item.device}: {shown(item)}" for item in self._left_out()]
        return self.async_show_form(
            step_id="summary",
            data_schema=vol.Schema(
                {vol.Required(CONF_NAME, default=self._plant_name): TextSelector()}
            ),
            errors=errors,
            description_placeholders={
                "machines": some(list(map(summary_of, self._machines.values()))),
                "left_out": some(left_out) or NOTHING,
                "notes": some(self._notes),
                "problems": problems,
            },
        )

    async def _async_write(self) -> None:
        """Make the plant file and take it. Raise `Refused` for its problems."""
        if not self._plant_name:
            raise Refused("no_name")
        key = make_key(self._plant_name, (), "plant")
        machines = [
            replace(
                machine,
                key=PLANT_KEY if machine.type is EquipmentType.PLANT else machine.key,
                served_by=without(machine.served_by, self._machines),
            )
            for machine in self._machines.values()
        ]
        text = plant_file_text(
            key=key,
            name=self._plant_name,
            connection=self._settings,
            devices=self._devices,
            proposal=Proposal(tuple(machines), tuple(self._left_out())),
        )
        self._problems = ""
        await self._async_load(SOURCE_FILE, text, f"{key}.yaml")

    def _left_out(self) -> list[FoundObject]:
        used = {
            match.object
            for machine in self._machines.values()
            for match in machine.roles.values()
        }
        return [
            item
            for device in self._devices
            for item in device.objects
            if item not in used
        ]
