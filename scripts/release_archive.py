"""Packs what a release carries into one archive.

The marketplace unpacks it into the integration's folder, so the integration is
at its root. The blueprints and the control engine have their single source
elsewhere in the repository and are put beside it only here.
"""

from collections.abc import Iterator
import hashlib
import json
from pathlib import Path
import re
import sys
import tomllib
import zipfile

from custom_components.chiller_plant.shipped import (
    ENGINE,
    PLACES,
    RELEASED,
    read_shipped,
)

REPOSITORY = Path(__file__).resolve().parents[1]
_INTEGRATION = "custom_components/chiller_plant"
# The earliest moment that the format knows: when it was made is nobody's business.
_MADE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_UNIX = 3


class BuildError(Exception):
    """The sources do not make a release; the text says why."""


def version_of(repository: Path) -> str:
    """Return the version; raise BuildError where it is not the same everywhere."""
    manifest = json.loads((repository / _INTEGRATION / "manifest.json").read_bytes())
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    engine = re.search(
        r'^VERSION = "(.+)"$',
        (repository / ENGINE / "version.py").read_text(),
        re.MULTILINE,
    )
    found = {
        "manifest.json": manifest["version"],
        "pyproject.toml": project["version"],
        "version.py of the engine": engine and engine[1],
    }
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{where}: {version}" for where, version in found.items())
        raise BuildError(f"the version is not the same everywhere ({listed})")
    return str(manifest["version"])


def members(repository: Path) -> dict[str, Path]:
    """Return the source of each file in the archive, by its path there."""
    integration = repository / _INTEGRATION
    found = {
        path.relative_to(integration).as_posix(): path for path in _sources(integration)
    }
    found["LICENSE"] = repository / "LICENSE"
    for path, source in read_shipped(integration).files.items():
        name, place = next(
            (name, place) for name, place in PLACES.items() if path.startswith(place)
        )
        found[f"{RELEASED}/{name}{path.removeprefix(place)}"] = source
    return found


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(
            part.startswith(".") or part == "__pycache__" for part in inside
        ):
            yield path


def build(repository: Path, target: Path) -> str:
    """Write the archive and return its version; raises BuildError."""
    version = version_of(repository)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, source in sorted(members(repository).items()):
            entry = zipfile.ZipInfo(name, _MADE)
            entry.external_attr = _MODE << 16
            entry.create_system = _UNIX
            archive.writestr(
                entry, source.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9
            )
    return version


def main() -> None:
    """Build, and say what was built."""
    target = Path(sys.argv[1])
    try:
        version = build(REPOSITORY, target)
    except BuildError as error:
        sys.exit(f"build: {error}")
    content = target.read_bytes()
    with zipfile.ZipFile(target) as archive:
        count = len(archive.namelist())
    print(f"{target}: version {version}, {count} files, {len(content) / 1000:.0f} kB")
    print(f"sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
