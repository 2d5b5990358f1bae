"""What a release carries, and that it can be installed from."""

import json
from pathlib import Path
import shutil
import subprocess
import sys
import zipfile

import pytest

from custom_components.chiller_plant.shipped import BLUEPRINTS, ENGINE
from scripts.release_archive import REPOSITORY, BuildError, build, members, version_of

INTEGRATION = "custom_components/chiller_plant"

INSTALL = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("shipped", sys.argv[1])
shipped = sys.modules["shipped"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shipped)
outcome = shipped.install(shipped.read_shipped(), pathlib.Path(sys.argv[2]), {})
print(len(outcome.installed))
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a release."""
    target = tmp_path_factory.mktemp("build") / "chiller_plant.zip"
    build(REPOSITORY, target)
    return target


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy what a release is made of."""
    copied = tmp_path / "copy"
    for place in (INTEGRATION, BLUEPRINTS, ENGINE):
        shutil.copytree(
            REPOSITORY / place,
            copied / place,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for name in ("LICENSE", "hacs.json", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, copied / name)
    return copied


def content(place: str, kind: str) -> dict[str, bytes]:
    """Return the files of a kind in the repository, by their paths in their place."""
    folder = REPOSITORY / place
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob(kind)
        if path.is_file()
    }


def test_same_sources_give_the_same_bytes(archive: Path, copy: Path) -> None:
    # Elsewhere, later, and with other permissions.
    for path in copy.rglob("*.py"):
        path.chmod(0o600)
        path.touch()
    again = copy / "again.zip"
    build(copy, again)
    assert again.read_bytes() == archive.read_bytes()


def test_archive_is_what_the_marketplace_unpacks_as_the_integration(
    archive: Path,
) -> None:
    wanted = json.loads((REPOSITORY / "hacs.json").read_text())
    assert wanted["zip_release"] is True
    assert wanted["filename"] == archive.name
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        manifest = json.loads(opened.read("manifest.json"))
        names = opened.namelist()
        for name, source in members(REPOSITORY).items():
            assert opened.read(name) == source.read_bytes()
    assert manifest["domain"] == "chiller_plant"
    assert manifest["version"] == version_of(REPOSITORY)
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("/") or ".." in name]


def test_archive_is_complete(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", INTEGRATION],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert {path.removeprefix(f"{INTEGRATION}/") for path in tracked} <= names
    assert {f"shipped/blueprints/{name}" for name in content(BLUEPRINTS, "*")} <= names
    assert {f"shipped/engine/{name}" for name in content(ENGINE, "*.py")} <= names
    assert {"LICENSE", "shipped/engine/apps.yaml"} <= names


def test_nothing_that_only_developers_need_is_in_it(archive: Path, copy: Path) -> None:
    for name in ("__pycache__/x.pyc", ".mypy_cache/x.json", ".old/x.py", ".x.py"):
        for place in (INTEGRATION, ENGINE):
            path = copy / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("junk")
    (copy / ENGINE / "notes.txt").write_text("junk")
    build(copy, copy / "again.zip")
    assert (copy / "again.zip").read_bytes() == archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert not [name for name in names if "test" in Path(name).parts[0]]
    assert not [name for name in names if "__pycache__" in name or "/." in name]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (f"{INTEGRATION}/manifest.json", '"version": "', '"version": "9'),
        ("pyproject.toml", '\nversion = "', '\nversion = "9'),
        (f"{ENGINE}/version.py", 'VERSION = "', 'VERSION = "9'),
    ],
)
def test_versions_that_differ_make_no_release(
    copy: Path, file: str, old: str, new: str
) -> None:
    text = (copy / file).read_text()
    assert text.count(old) == 1
    (copy / file).write_text(text.replace(old, new))
    with pytest.raises(BuildError, match="not the same"):
        build(copy, copy / "none.zip")
    assert not (copy / "none.zip").exists()


def test_unpacked_release_installs_what_it_carries(
    archive: Path, tmp_path: Path
) -> None:
    # In a configuration with blueprints and apps of its own, as a site has them.
    config = tmp_path / "config"
    integration = config / INTEGRATION
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(integration)
    (config / BLUEPRINTS).mkdir(parents=True)
    (config / BLUEPRINTS / "mine.yaml").write_text("mine")
    told = subprocess.run(
        [sys.executable, "-I", "-c", INSTALL, integration / "shipped.py", config],
        check=True,
        capture_output=True,
        text=True,
    )
    forms, modules = content(BLUEPRINTS, "*.yaml"), content(ENGINE, "*.py")
    assert int(told.stdout) == len(forms) + len(modules) + 1
    for place, files in ((BLUEPRINTS, forms), (ENGINE, modules)):
        for name, written in files.items():
            assert (config / place / name).read_bytes() == written
    assert (config / ENGINE / "apps.yaml").is_file()
    assert (config / BLUEPRINTS / "mine.yaml").read_text() == "mine"
