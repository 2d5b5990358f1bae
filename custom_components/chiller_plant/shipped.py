"""Puts the blueprints and the control engine where they are read, file by file.

A person may change any of these files, and finds them unchanged afterwards:
only what is exactly as we left it is replaced. Every function here blocks and
is for the executor.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
import errno
import hashlib
import json
import os
from pathlib import Path
import tempfile

_HERE = Path(__file__).resolve().parent
BLUEPRINTS = "blueprints/automation/chiller_plant"
ENGINE = "appdaemon/apps/chiller_control"
"""Where they belong, seen from the configuration folder."""
RELEASED = "shipped"
PLACES = {"blueprints": BLUEPRINTS, "engine": ENGINE}
"""Folders of a release inside the integration, and where their files belong."""
_KINDS = {BLUEPRINTS: (".yaml",), ENGINE: (".py", ".yaml")}
_MODE = 0o644
"""AppDaemon may run as somebody else, and only has to read."""
_REFUSED = {
    errno.EROFS: "read_only",
    errno.EACCES: "not_allowed",
    errno.EPERM: "not_allowed",
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
}

type Known = Mapping[str, Collection[str]]
"""What we wrote: for each path in the configuration folder, the digests that a
file of ours may have there."""


class InstallationError(Exception):
    """Something could not be installed; `key` names the text for people."""

    def __init__(self, key: str, problem: str = "") -> None:
        """`problem` says which file, and what the system says of it."""
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Shipped:
    """What this version of the integration carries."""

    version: str
    files: Mapping[str, Path]
    """The source of each file, by its path in the configuration folder."""
    digests: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Changes whenever something in it does."""
        text = "\n".join(f"{path} {self.digests[path]}" for path in sorted(self.files))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class State(Enum):
    """How a file in the configuration folder stands to the shipped one."""

    MISSING = "missing"
    CURRENT = "current"
    OUTDATED = "outdated"
    """As we left it; there is a newer one."""
    EDITED = "edited"
    """Not as we left it: a person's."""


@dataclass(slots=True)
class Outcome:
    """What became of the files, as paths in the configuration folder."""

    installed: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Edited by a person, so left alone."""
    removed: list[str] = field(default_factory=list)
    """Of an engine before this one, and not needed any more."""

    @property
    def changed(self) -> list[str]:
        """What is different on the disk now."""
        return [*self.installed, *self.updated, *self.removed]


def read_shipped(integration: Path = _HERE) -> Shipped:
    """Return what there is to install.

    A release carries it inside the integration, a checkout has it beside.
    Raises InstallationError if there is nothing.
    """
    release, checkout = integration / RELEASED, integration.parents[1]
    if release.is_dir():
        sources = {place: release / name for name, place in PLACES.items()}
    elif (checkout / "hacs.json").is_file():
        sources = {place: checkout / place for place in PLACES.values()}
    else:
        raise InstallationError("nothing_shipped", str(release))
    files = {
        f"{place}/{path.relative_to(source).as_posix()}": path
        for place, source in sources.items()
        for path in _files(source, _KINDS[place])
    }
    if not files:
        raise InstallationError("nothing_shipped", str(release))
    with _told():
        manifest = json.loads((integration / "manifest.json").read_bytes())
        digests = {path: _digest(source) for path, source in files.items()}
    return Shipped(manifest["version"], files, digests)


def survey(shipped: Shipped, config: Path, known: Known) -> dict[str, State]:
    """Return how each file stands.

    Raises InstallationError if one is led out of the configuration folder, or
    cannot be read.
    """
    with _told():
        return {
            path: _state(_destination(config, path), shipped.digests[path], known, path)
            for path in shipped.files
        }


def known_after(shipped: Shipped, known: Known, states: Mapping[str, State]) -> Known:
    """Return what may be called ours once these states are brought up to date.

    Kept on the disk before the first file is written: whenever the work is cut
    short, no file that we wrote is taken for a person's.
    """
    after = {path: set(digests) for path, digests in known.items()}
    for path, state in states.items():
        if state is not State.EDITED:
            after.setdefault(path, set()).add(shipped.digests[path])
    return after


def install(shipped: Shipped, config: Path, known: Known) -> Outcome:
    """Bring every file up to date that nobody edited.

    Raises InstallationError; what was done until then is whole and stays.
    """
    # Looked at all at once first: what is led astray stops it before it begins.
    survey(shipped, config, known)
    outcome = Outcome()
    with _told():
        for path in sorted(shipped.files, key=_order):
            target = _destination(config, path)
            state = _state(target, shipped.digests[path], known, path)
            if state in (State.MISSING, State.OUTDATED):
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(shipped.files[path].read_bytes(), target)
            {
                State.MISSING: outcome.installed,
                State.OUTDATED: outcome.updated,
                State.CURRENT: outcome.current,
                State.EDITED: outcome.kept,
            }[state].append(path)
        for path in obsolete(shipped, known):
            target = _destination(config, path)
            if _is_ours(target, known[path]):
                target.unlink()
                outcome.removed.append(path)
    return outcome


def obsolete(shipped: Shipped, known: Known) -> list[str]:
    """Return what an engine before this one had, and this one has not.

    Python would go on finding it. A blueprint stays: an automation may use it.
    """
    return [
        path
        for path in known
        if path.startswith(f"{ENGINE}/") and path not in shipped.files
    ]


def _files(folder: Path, kinds: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if (
            path.is_file()
            and path.suffix in kinds
            and not any(part.startswith(".") for part in inside)
        ):
            yield path


def _order(path: str) -> tuple[bool, int, str]:
    # AppDaemon loads what it sees change: what is imported comes before what
    # imports it, and the list of apps is last.
    return path.endswith("/apps.yaml"), -path.count("/"), path


def _destination(config: Path, path: str) -> Path:
    """Return where a file belongs; refuse where a link leads out of the folder."""
    root = Path(os.path.realpath(config))
    target = root / path
    for leads_to in (target.parent, target):
        real = Path(os.path.realpath(leads_to))
        if not real.is_relative_to(root):
            raise InstallationError("leads_outside", f"{path} → {real}")
    return target


def _state(target: Path, digest: str, known: Known, path: str) -> State:
    if not target.exists(follow_symlinks=False):
        return State.MISSING
    if target.is_symlink() or not target.is_file():
        return State.EDITED
    found = _digest(target)
    if found == digest:
        return State.CURRENT
    return State.OUTDATED if found in known.get(path, ()) else State.EDITED


def _is_ours(target: Path, digests: Collection[str]) -> bool:
    return target.is_file() and not target.is_symlink() and _digest(target) in digests


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(content: bytes, target: Path) -> None:
    """Write a file that is there as a whole or not at all."""
    descriptor, name = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".tmp", dir=target.parent
    )
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_MODE)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        # The system does not say of which file, if it was open already.
        raise OSError(error.errno, error.strerror, str(target)) from error


@contextmanager
def _told() -> Iterator[None]:
    """Raise InstallationError for what the operating system refuses."""
    try:
        yield
    except OSError as error:
        key = _REFUSED.get(error.errno or 0, "cannot_write")
        place = error.filename2 or error.filename or ""
        raise InstallationError(key, f"{place}: {error.strerror or error}") from error
