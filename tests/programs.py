"""Servers that we did not write, as `scripts/setup test` found or unpacked them."""

from dataclasses import dataclass
import os
from pathlib import Path

_LINKS = Path(__file__).parents[1] / ".venv" / "programs"


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and what has to be in its environment."""

    path: Path
    env: dict[str, str]
    root: Path | None
    """Where it was unpacked; None for one of the system's own."""


def program(name: str) -> Program:
    """Return a program. Raises FileNotFoundError, saying what to do."""
    link = _LINKS / name
    if not link.exists():
        raise FileNotFoundError(f"{name} is not there; run: scripts/setup test")
    path = link.resolve()
    root = next(
        (parent for parent in path.parents if (parent / ".complete").exists()), None
    )
    return Program(path, with_libraries(root), root)


def with_libraries(root: Path | None) -> dict[str, str]:
    """Return our environment, in which a program finds what was unpacked with it."""
    env = dict(os.environ)
    if root is not None:
        found = [*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")]
        env["LD_LIBRARY_PATH"] = ":".join(
            [*map(str, found), *filter(None, [env.get("LD_LIBRARY_PATH")])]
        )
    return env
