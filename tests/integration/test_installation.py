"""Installing the blueprints and the control engine: asked, whole, and never over a person."""

from collections.abc import Callable
from dataclasses import replace
import json
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant import installation
from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.installation import OFFER
from custom_components.chiller_plant.shipped import (
    BLUEPRINTS,
    ENGINE,
    InstallationError,
    Shipped,
    install,
    read_shipped,
)
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint import Blueprint
from homeassistant.components.repairs.const import DOMAIN as REPAIRS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.integration.forms import open_options
from tests.integration.planning import REPOSITORY, UNCONNECTED, from_blueprint
from tests.integration.served_plant import set_up

WORDS = json.loads(
    (REPOSITORY / "custom_components" / DOMAIN / "translations" / "en.json").read_text()
)
PID = f"{BLUEPRINTS}/pid_control.yaml"
APPS = f"{ENGINE}/apps.yaml"
LOOP = f"{ENGINE}/control/pid.py"


@pytest.fixture(autouse=True)
def config(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Give Home Assistant a configuration folder of its own."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "configuration.yaml").touch()
    hass.config.config_dir = str(folder)
    return folder


type Ship = Callable[[str, str], None]


@pytest.fixture
def ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ship:
    """Let the integration carry another version of a file from now on."""
    shipped = read_shipped()

    def another(path: str, content: str) -> None:
        nonlocal shipped
        source = tmp_path / "release" / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(content)
        shipped = with_file(shipped, path, source)

    monkeypatch.setattr(installation, "read_shipped", lambda: shipped)
    return another


def with_file(shipped: Shipped, path: str, source: Path) -> Shipped:
    digest = subprocess.run(
        ["sha256sum", source], check=True, capture_output=True, text=True
    ).stdout.split()[0]
    return replace(
        shipped,
        files={**shipped.files, path: source},
        digests={**shipped.digests, path: digest},
    )


def offers(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the offers that a person sees."""
    return [
        issue
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
        and issue_id.startswith(OFFER)
        and issue.active
        and issue.dismissed_version is None
    ]


def written(config: Path) -> dict[str, bytes]:
    """Return all that is in the folders of the blueprints and of the engine."""
    return {
        path.relative_to(config).as_posix(): path.read_bytes()
        for place in (BLUEPRINTS, ENGINE)
        for path in (config / place).rglob("*")
        if path.is_file()
    }


class Repair:
    """The form of a repair issue, as the browser walks through it."""

    def __init__(self, hass: HomeAssistant, shown: Any, words: Any) -> None:
        self._manager = hass.data[REPAIRS]["flow_manager"]
        self._words = words["fix_flow"]
        self.shown = shown
        self._read()

    @classmethod
    async def open(cls, hass: HomeAssistant, issue: ir.IssueEntry) -> Repair:
        assert await async_setup_component(hass, REPAIRS, {})
        await hass.async_block_till_done()
        shown = await hass.data[REPAIRS]["flow_manager"].async_init(
            DOMAIN, context={"issue_id": issue.issue_id}
        )
        return cls(hass, shown, WORDS["issues"][issue.translation_key])

    def _read(self) -> None:
        """See that everything that is shown has its words."""
        kind = self.shown["type"]
        if kind is FlowResultType.ABORT:
            assert self.shown["reason"] in self._words["abort"]
        if kind not in (FlowResultType.FORM, FlowResultType.MENU):
            return
        step = self._words["step"][self.shown["step_id"]]
        step["description"].format(**(self.shown.get("description_placeholders") or {}))
        assert set(self.shown.get("menu_options") or ()) <= (
            step.get("menu_options", {}).keys()
        )
        assert set((self.shown.get("errors") or {}).values()) <= (
            self._words["error"].keys()
        )

    async def answer(self, **given: Any) -> None:
        self.shown = await self._manager.async_configure(self.shown["flow_id"], given)
        self._read()

    @property
    def told(self) -> dict[str, str]:
        return dict(self.shown["description_placeholders"])


async def test_nothing_is_written_unasked(hass: HomeAssistant, config: Path) -> None:
    await set_up(hass, UNCONNECTED)
    assert not written(config)
    (offer,) = offers(hass)
    assert offer.is_fixable


async def test_offer_installs_all_of_it_when_accepted(
    hass: HomeAssistant, config: Path
) -> None:
    await set_up(hass, UNCONNECTED)
    repair = await Repair.open(hass, offers(hass)[0])
    await repair.answer(next_step_id="install")
    assert not written(config)
    shipped = read_shipped()
    assert repair.told["missing"] == str(len(shipped.files))
    await repair.answer()

    assert repair.shown["step_id"] == "installed"
    assert repair.told["app_dir"] == "/homeassistant/appdaemon/apps"
    assert written(config) == {
        path: source.read_bytes() for path, source in shipped.files.items()
    }
    assert written(config)[PID] == (REPOSITORY / PID).read_bytes()
    assert written(config)[APPS] == (REPOSITORY / APPS).read_bytes()
    assert (config / APPS).stat().st_mode & 0o777 == 0o644
    await repair.answer()
    assert repair.shown["type"] is FlowResultType.CREATE_ENTRY
    assert not offers(hass)


async def test_declined_offer_comes_back_with_the_next_version_only(
    hass: HomeAssistant, config: Path, ship: Ship
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    repair = await Repair.open(hass, offers(hass)[0])
    await repair.answer(next_step_id="decline")
    assert repair.shown["reason"] == "declined"
    assert not offers(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert not offers(hass)
    assert not written(config)

    ship(LOOP, "# better\n")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert len(offers(hass)) == 1

    # Who declined finds it in the options all the same.
    await open_and_install(hass, entry)
    assert written(config)[LOOP] == b"# better\n"
    assert not offers(hass)


async def open_and_install(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    walk = await open_options(hass, entry.entry_id, "install")
    await walk.submit()
    assert walk.shown["type"] is FlowResultType.ABORT, walk.errors
    assert walk.shown["reason"] == "installed"
    told = walk.shown["description_placeholders"]
    WORDS["options"]["abort"]["installed"].format(**told)
    return told


async def test_update_replaces_what_nobody_edited_and_names_the_rest(
    hass: HomeAssistant, config: Path, ship: Ship
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    await open_and_install(hass, entry)
    (config / APPS).write_text("# mine\n")
    (config / ENGINE / "notes.txt").write_text("mine too")
    ship(LOOP, "# better\n")
    ship(APPS, "# the next list\n")
    ship(PID, "# the next form\n")

    walk = await open_options(hass, entry.entry_id, "install")
    assert (walk.told["missing"], walk.told["outdated"]) == ("0", "2")
    assert walk.told["kept"] == f"- {APPS}"
    walk.close()
    told = await open_and_install(hass, entry)

    assert told["kept"] == f"- {APPS}"
    assert (told["installed"], told["updated"]) == ("0", "2")
    now = written(config)
    assert now[APPS] == b"# mine\n"
    assert now[f"{ENGINE}/notes.txt"] == b"mine too"
    assert now[LOOP] == b"# better\n"
    assert now[PID] == b"# the next form\n"
    # It stays a person's, whatever comes.
    ship(APPS, "# the list after that\n")
    assert (await open_and_install(hass, entry))["kept"] == f"- {APPS}"
    assert written(config)[APPS] == b"# mine\n"


async def test_file_that_was_there_before_us_is_a_persons(
    hass: HomeAssistant, config: Path
) -> None:
    shipped = read_shipped()
    (config / BLUEPRINTS).mkdir(parents=True)
    (config / PID).write_text("# copied long ago\n")
    same = f"{BLUEPRINTS}/chiller_plant_schedule.yaml"
    shutil.copy(shipped.files[same], config / same)
    entry = await set_up(hass, UNCONNECTED)
    told = await open_and_install(hass, entry)
    assert told["kept"] == f"- {PID}"
    assert told["current"] == "1"
    assert written(config)[PID] == b"# copied long ago\n"


async def test_module_that_the_new_engine_lacks_goes_unless_it_was_edited(
    hass: HomeAssistant, config: Path, ship: Ship
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    old = [f"{ENGINE}/control/{name}.py" for name in ("left", "edited")]
    form = f"{BLUEPRINTS}/old.yaml"
    for path in (*old, form):
        ship(path, "# old\n")
    await open_and_install(hass, entry)
    (config / old[1]).write_text("# mine\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installation, "read_shipped", read_shipped)
        told = await open_and_install(hass, entry)
        assert told["removed"] == "1"
        assert not (config / old[0]).exists()
        assert (config / old[1]).read_text() == "# mine\n"
        # An automation may have been made from it.
        assert (config / form).exists()
        assert (await open_and_install(hass, entry))["removed"] == "0"


async def test_installed_blueprint_is_known_without_a_restart(
    hass: HomeAssistant, config: Path, ship: Ship
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    hours = from_blueprint(
        "chiller_plant_schedule", plant=entry.entry_id, operation="all_day"
    )
    (config / "configuration.yaml").write_text(
        "automation:\n- " + json.dumps(hours) + "\n"
    )
    # The automation was made before the blueprint was there.
    assert await async_setup_component(hass, "automation", {"automation": [hours]})
    await hass.async_block_till_done()
    automation = "automation.chiller_plant_schedule"
    assert hass.states.is_state(automation, "unavailable")

    await open_and_install(hass, entry)
    await hass.async_block_till_done()
    assert hass.states.is_state(automation, "on")
    found = await async_get_blueprints(hass).async_get_blueprints()
    assert isinstance(found["chiller_plant/pid_control.yaml"], Blueprint)

    text = (config / PID).read_text()
    ship(
        PID, re.sub(r"^  name: .*$", "  name: Newer", text, count=1, flags=re.MULTILINE)
    )
    await open_and_install(hass, entry)
    await hass.async_block_till_done()
    found = await async_get_blueprints(hass).async_get_blueprints()
    newer = found["chiller_plant/pid_control.yaml"]
    assert isinstance(newer, Blueprint)
    assert newer.name == "Newer"


@pytest.mark.parametrize("place", ["appdaemon", ENGINE, BLUEPRINTS, LOOP])
async def test_link_out_of_the_configuration_is_not_followed(
    hass: HomeAssistant, config: Path, tmp_path: Path, place: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (config / place).parent.mkdir(parents=True, exist_ok=True)
    (config / place).symlink_to(elsewhere)
    entry = await set_up(hass, UNCONNECTED)
    walk = await open_options(hass, entry.entry_id, "install")
    await walk.submit()
    assert walk.errors == {"base": "leads_outside"}
    assert str(elsewhere) in walk.told["problem"]
    assert not list(elsewhere.iterdir())
    assert not [path for path in config.rglob("*.py") if path.is_file()]


async def test_link_inside_of_the_configuration_is_a_persons(
    hass: HomeAssistant, config: Path
) -> None:
    (config / "my_pid.py").write_text("# mine\n")
    (config / LOOP).parent.mkdir(parents=True)
    (config / LOOP).symlink_to(config / "my_pid.py")
    entry = await set_up(hass, UNCONNECTED)
    assert (await open_and_install(hass, entry))["kept"] == f"- {LOOP}"
    assert (config / LOOP).is_symlink()
    assert (config / "my_pid.py").read_text() == "# mine\n"


async def test_file_in_the_place_of_a_folder_is_told(
    hass: HomeAssistant, config: Path
) -> None:
    (config / "appdaemon").write_text("not a folder")
    entry = await set_up(hass, UNCONNECTED)
    walk = await open_options(hass, entry.entry_id, "install")
    await walk.submit()
    assert walk.errors == {"base": "cannot_write"}
    assert "appdaemon" in walk.told["problem"]
    assert (config / "appdaemon").read_text() == "not a folder"


async def test_work_that_was_cut_short_is_finished_the_next_time(
    hass: HomeAssistant, config: Path, ship: Ship
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    ship(f"{BLUEPRINTS}/zz.yaml", "# first\n")
    (config / "appdaemon").mkdir()
    (config / "appdaemon" / "apps").write_text("in the way")
    walk = await open_options(hass, entry.entry_id, "install")
    await walk.submit()
    assert walk.errors == {"base": "cannot_write"}
    walk.close()
    # Whatever was written by then, another version of it may replace.
    (config / PID).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / PID, config / PID)
    ship(PID, "# the next form\n")
    (config / "appdaemon" / "apps").unlink()
    told = await open_and_install(hass, entry)
    assert told["kept"] == "none"
    assert written(config)[PID] == b"# the next form\n"
    assert not offers(hass)


async def test_integration_that_was_replaced_under_us_waits_for_the_restart(
    hass: HomeAssistant, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    newer = replace(read_shipped(), version="99.0.0")
    monkeypatch.setattr(installation, "read_shipped", lambda: newer)
    walk = await open_options(hass, entry.entry_id, "install")
    await walk.submit()
    assert walk.errors == {"base": "restart_first"}
    assert not written(config)


async def test_plant_runs_although_nothing_can_be_offered(
    hass: HomeAssistant, hass_storage: dict[str, Any], config: Path
) -> None:
    # As a newer version of us leaves it, that somebody went back from.
    hass_storage["chiller_plant.installed"] = {"version": 99, "data": {"files": {}}}
    entry = await set_up(hass, UNCONNECTED)
    assert entry.state is ConfigEntryState.LOADED
    assert not offers(hass)
    walk = await open_options(hass, entry.entry_id, "install")
    await walk.submit()
    assert walk.errors == {"base": "cannot_write"}
    assert "99" in walk.told["problem"]
    assert not written(config)


async def test_offer_goes_with_the_last_plant(hass: HomeAssistant) -> None:
    entry = await set_up(hass, UNCONNECTED)
    assert offers(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not offers(hass)


def test_copy_without_anything_to_install_says_so(tmp_path: Path) -> None:
    # As if only the integration's folder had been copied into a configuration
    # that has blueprints and apps of its own.
    integration = tmp_path / "custom_components" / DOMAIN
    integration.mkdir(parents=True)
    (tmp_path / BLUEPRINTS).mkdir(parents=True)
    (tmp_path / PID).write_text("# mine\n")
    with pytest.raises(InstallationError) as refused:
        read_shipped(integration)
    assert refused.value.key == "nothing_shipped"


# By itself: Home Assistant need not be imported to copy files.
ON_A_SMALL_DISK = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("shipped", sys.argv[1])
shipped = sys.modules["shipped"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shipped)
try:
    shipped.install(shipped.read_shipped(), pathlib.Path(sys.argv[2]), {})
except shipped.InstallationError as error:
    print(error.key)
    print(error.problem)
"""
IN_IT = """
mount -t tmpfs -o "$1" none "$2"
"$3" -I -c "$4" "$5" "$2"
cd "$2" && find . -type f -exec sha256sum {} +
"""


@pytest.mark.parametrize(
    ("options", "key"), [("size=64k", "disk_full"), ("ro", "read_only")]
)
def test_disk_that_takes_no_more_leaves_no_half_file(
    tmp_path: Path, options: str, key: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = subprocess.run(
        [
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-euc",
            IN_IT,
            "sh",
            options,
            str(disk),
            sys.executable,
            ON_A_SMALL_DISK,
            str(REPOSITORY / "custom_components" / DOMAIN / "shipped.py"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if "unshare" in inside.stderr or "mount:" in inside.stderr:
        pytest.skip(f"no disk of our own can be made here: {inside.stderr}")
    assert inside.returncode == 0, inside.stderr
    told, problem, *files = inside.stdout.splitlines()
    assert told == key
    assert str(disk) in problem
    shipped = read_shipped()
    for line in files:
        digest, path = line.split()
        assert shipped.digests[path.removeprefix("./")] == digest
    assert len(files) < len(shipped.files)
    assert bool(files) == (key == "disk_full")


def test_installing_twice_changes_nothing(tmp_path: Path) -> None:
    shipped = read_shipped()
    assert len(install(shipped, tmp_path, {}).installed) == len(shipped.files)
    again = install(shipped, tmp_path, {})
    assert not again.changed
    assert len(again.current) == len(shipped.files)
