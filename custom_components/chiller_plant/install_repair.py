"""Repairs what is missing or old of the blueprints and the control engine."""

from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .installation import async_attempt, done


class UpdateEngineFlow(RepairsFlow):
    """Installs what this version carries."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Go straight to the question."""
        return await self.async_step_install()

    async def async_step_install(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask before anything is written."""
        attempt = await async_attempt(self.hass, do=user_input is not None)
        if attempt.outcome is not None:
            return self.async_show_form(
                step_id="installed", description_placeholders=done(attempt.outcome)
            )
        return self.async_show_form(
            step_id="install",
            errors=attempt.errors,
            description_placeholders=attempt.told,
        )

    async def async_step_installed(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """End when it was read what was done."""
        return self.async_create_entry(data={})


class InstallOfferFlow(UpdateEngineFlow):
    """The same, for who was not asked before and may say no."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Let the person choose."""
        return self.async_show_menu(step_id="init", menu_options=["install", "decline"])

    async def async_step_decline(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Never offer this version again."""
        ir.async_ignore_issue(self.hass, DOMAIN, self.issue_id, ignore=True)
        return self.async_abort(reason="declined")
