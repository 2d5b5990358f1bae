"""Keeps two demonstrations out of one folder, whose database both would write."""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
from pathlib import Path

from .process import ProcessError


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """Have a folder alone; raises `ProcessError` if somebody else has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProcessError(
                f"another demonstration runs in {folder}; stop it, or wait for its end"
            ) from None
        yield folder
