"""The options' way to install the blueprints and the control engine.

Always there: also for whoever declined the offer, or wants the files again.
"""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from ..installation import async_attempt, done


class InstallFlow(OptionsFlow):
    """Says what would be done, does it, says what was done."""

    async def async_step_install(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask before anything is written."""
        attempt = await async_attempt(self.hass, do=user_input is not None)
        if attempt.outcome is not None:
            return self.async_abort(
                reason="installed", description_placeholders=done(attempt.outcome)
            )
        return self.async_show_form(
            step_id="install",
            errors=attempt.errors,
            description_placeholders=attempt.told,
        )
