"""Offers to install the blueprints and the control engine, and does it when told to.

Home Assistant's marketplace installs an integration and nothing else, so ours
carries the rest. Nothing is put into a person's folders unasked: an offer is
made once for each version, and the options of a plant always have it.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.storage import Store
from homeassistant.loader import async_get_integration

from .const import DOMAIN, LOGGER
from .shipped import (
    BLUEPRINTS,
    ENGINE,
    InstallationError,
    Known,
    Outcome,
    Shipped,
    State,
    install,
    known_after,
    obsolete,
    read_shipped,
    survey,
)

_VERSION = 1
OFFER = "install_offer_"
APP_DIR = "/homeassistant/appdaemon/apps"
"""Our configuration folder's `appdaemon/apps`, as the AppDaemon app sees it."""


class _Stored(TypedDict):
    """What is kept."""

    files: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an installation would do now."""

    shipped: Shipped
    known: Known
    states: dict[str, State]

    def paths(self, state: State) -> list[str]:
        """Return the files in a state."""
        return [path for path, found in self.states.items() if found is state]

    @property
    def is_needed(self) -> bool:
        """Whether there is something to do."""
        return bool(self.paths(State.MISSING) or self.paths(State.OUTDATED))


class Installer:
    """What is installed in this Home Assistant, for all of its plants."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing is read yet."""
        self._hass = hass
        self._config = Path(hass.config.config_dir)
        self._store = Store[_Stored](hass, _VERSION, f"{DOMAIN}.installed")
        self._lock = asyncio.Lock()

    async def async_propose(self) -> Proposal:
        """Return what there is to do; raises InstallationError."""
        try:
            stored = await self._store.async_load()
        except HomeAssistantError as error:
            raise InstallationError("cannot_write", str(error)) from error
        known = {} if stored is None else stored["files"]

        def look() -> Proposal:
            shipped = read_shipped()
            return Proposal(shipped, known, survey(shipped, self._config, known))

        return await self._hass.async_add_executor_job(look)

    async def async_install(self) -> Outcome:
        """Do it; raises InstallationError."""
        async with self._lock:
            proposal = await self.async_propose()
            shipped, known = proposal.shipped, proposal.known
            running = await async_get_integration(self._hass, DOMAIN)
            if shipped.version != str(running.version):
                raise InstallationError(
                    "restart_first", f"{running.version} → {shipped.version}"
                )
            await self._async_keep(known_after(shipped, known, proposal.states))
            outcome = await self._hass.async_add_executor_job(
                install, shipped, self._config, known
            )
            ours = {*outcome.installed, *outcome.updated, *outcome.current}
            gone = set(obsolete(shipped, known))
            await self._async_keep(
                {path: digests for path, digests in known.items() if path not in gone}
                | {path: [shipped.digests[path]] for path in ours}
            )
        if any(path.startswith(f"{BLUEPRINTS}/") for path in outcome.changed):
            await self._async_reload_blueprints()
        await self.async_offer()
        return outcome

    async def _async_keep(self, known: Known) -> None:
        await self._store.async_save(
            {"files": {path: sorted(digests) for path, digests in known.items()}}
        )

    async def _async_reload_blueprints(self) -> None:
        # Home Assistant remembers blueprints that it read, and those that it did
        # not find. This forgets both, and touches only automations that change.
        if self._hass.services.has_service("automation", "reload"):
            # What a person's configuration may have against it is not ours to tell.
            await self._hass.services.async_call("automation", "reload")

    async def async_offer(self) -> None:
        """Make the offer if there is something to install, and take back any other.

        Home Assistant remembers which issues a person ignored; an issue's name
        tells what is shipped, so that only something newer is a new offer.
        """
        try:
            proposal = await self.async_propose()
        except InstallationError as error:
            if error.key != "nothing_shipped":
                LOGGER.warning("Nothing can be offered to be installed: %s", error)
            self.async_withdraw()
            return
        if not proposal.is_needed:
            self.async_withdraw()
            return
        offer = f"{OFFER}{proposal.shipped.fingerprint}"
        self.async_withdraw(but=offer)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            offer,
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="install_offer",
            translation_placeholders={"version": proposal.shipped.version},
        )

    @callback
    def async_withdraw(self, but: str | None = None) -> None:
        """Take the offer back."""
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            if domain == DOMAIN and issue_id.startswith(OFFER) and issue_id != but:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)


@singleton(f"{DOMAIN}_installer")
@callback
def async_get_installer(hass: HomeAssistant) -> Installer:
    """Return the one that all plants share."""
    return Installer(hass)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a form about the installation shows."""

    outcome: Outcome | None
    """None until it is done."""
    errors: dict[str, str]
    told: dict[str, str]


async def async_attempt(hass: HomeAssistant, *, do: bool) -> Attempt:
    """Install, or only say what that would do."""
    installer = async_get_installer(hass)
    errors: dict[str, str] = {}
    problem = ""
    if do:
        try:
            return Attempt(await installer.async_install(), {}, {})
        except InstallationError as error:
            errors, problem = {"base": error.key}, error.problem
    proposal = None
    try:
        proposal = await installer.async_propose()
    except InstallationError as error:
        errors, problem = {"base": error.key}, error.problem
    return Attempt(None, errors, _proposed(proposal) | {"problem": problem})


def _proposed(proposal: Proposal | None) -> dict[str, str]:
    def count(state: State) -> str:
        return "?" if proposal is None else str(len(proposal.paths(state)))

    return {
        "missing": count(State.MISSING),
        "outdated": count(State.OUTDATED),
        "current": count(State.CURRENT),
        "kept": _listed([] if proposal is None else proposal.paths(State.EDITED)),
        "blueprints": BLUEPRINTS,
        "engine": ENGINE,
    }


def done(outcome: Outcome) -> dict[str, str]:
    """Fill the text that tells what was done."""
    return {
        "installed": str(len(outcome.installed)),
        "updated": str(len(outcome.updated)),
        "current": str(len(outcome.current)),
        "removed": str(len(outcome.removed)),
        "kept": _listed(outcome.kept),
        "app_dir": APP_DIR,
    }


def _listed(paths: list[str]) -> str:
    return "\n".join(f"- {path}" for path in paths) or "none"
