"""What is wrong with a plant file, said to the person who wrote it.

A file is judged as a whole: everything that is wrong with it is collected and
told at once, in the order of the file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import difflib
from itertools import islice

type KeyPath = tuple[str | int, ...]

MAXIMUM_PROBLEMS = 100
"""More than this nobody reads; the rest is counted."""

# Likeness is costly: bounded, so that a hostile file cannot make it hang.
_MAXIMUM_CANDIDATES = 500
_MAXIMUM_NAMES_SHOWN = 20
_MAXIMUM_TEXT = 60


@dataclass(frozen=True, slots=True)
class PlantFileProblem:
    """One thing to put right."""

    file: str
    line: int
    """Counted from 1."""
    key: str
    """Path of the key, as in `equipment.chiller_1.points.run_command`; empty
    for the file as a whole."""
    found: str
    """What is there, for a person."""
    allowed: str
    """What may be there; empty where `found` says it all."""

    def __str__(self) -> str:
        """Return the problem on one line."""
        key = f" {self.key}:" if self.key else ""
        allowed = f" ({self.allowed})" if self.allowed else ""
        return f"{self.file}:{self.line}:{key} {self.found}{allowed}"


class PlantFileError(ValueError):
    """A plant file cannot be used; `problems` says why, in file order."""

    def __init__(self, problems: Iterable[PlantFileProblem]) -> None:
        """Keep the problems."""
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Return one problem a line."""
        return "\n".join(str(problem) for problem in self.problems)


@dataclass(frozen=True, slots=True)
class _Note:
    line: int
    key: str
    found: str
    allowed: str
    word: object
    names: Iterable[object] | None


class Problems:
    """Collects what is wrong while a file is read."""

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        """Collect for this file, whose keys stand on these lines."""
        self._file = file
        self._lines = lines
        self._notes: dict[tuple[str, str], _Note] = {}

    def add(
        self,
        path: KeyPath,
        found: str,
        allowed: str = "",
        *,
        word: object = None,
        names: Iterable[object] | None = None,
        line: int | None = None,
    ) -> None:
        """Note a problem at a key, on the line of that key unless another is given.

        With `names`, what is allowed is one of them; the one most like `word`
        is suggested. The same problem of the same key, met again through
        another user of a template, is told once.
        """
        key = key_text(path)
        line = self._line(path) if line is None else line
        note = _Note(line, key, found, allowed, word, names)
        self._notes.setdefault((key, found), note)

    @property
    def count(self) -> int:
        """How many there are so far."""
        return len(self._notes)

    def raise_if_any(self) -> None:
        """Raise `PlantFileError` with all of them, in file order."""
        if not self._notes:
            return
        notes = sorted(self._notes.values(), key=lambda note: note.line)
        problems = [
            PlantFileProblem(
                self._file, note.line, note.key, note.found, _allowed(note)
            )
            for note in notes[:MAXIMUM_PROBLEMS]
        ]
        if more := len(notes) - MAXIMUM_PROBLEMS:
            if more > 0:
                line = notes[MAXIMUM_PROBLEMS].line
                problems.append(
                    PlantFileProblem(
                        self._file, line, "", f"{more} more problems follow", ""
                    )
                )
        raise PlantFileError(problems)

    def _line(self, path: KeyPath) -> int:
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def key_text(path: KeyPath) -> str:
    """Return a path as people write it: `served_by.valves[1]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shorten(part)}" if text else shorten(part)
    return text


def shorten(text: str) -> str:
    """Return a text that fits on a line and has no line break."""
    text = "".join(char if char.isprintable() else " " for char in text[:200])
    return text if len(text) <= _MAXIMUM_TEXT else f"{text[:_MAXIMUM_TEXT]}…"


def describe(value: object) -> str:
    """Return what was found, for a person."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{shorten(value)}'"
        case float() if value.is_integer():
            return shorten(f"{value:.0f}")
        case int() | float():
            return shorten(f"{value}")
        case list() if len(value) <= 4 and not any(
            isinstance(item, list | dict) for item in value
        ):
            return shorten(f"[{', '.join(describe(item) for item in value)}]")
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return shorten(str(value))


def _allowed(note: _Note) -> str:
    if note.names is None:
        return note.allowed
    names = [str(name) for name in islice(note.names, _MAXIMUM_CANDIDATES)]
    if not names:
        return note.allowed or "none is defined"
    word = str(note.word)
    if len(word) <= _MAXIMUM_TEXT:
        for name in names:
            if name.casefold() == word.casefold():
                return f"did you mean '{shorten(name)}'?"
        if alike := difflib.get_close_matches(word, names, 1):
            return f"did you mean '{shorten(alike[0])}'?"
    shown = ", ".join(shorten(name) for name in names[:_MAXIMUM_NAMES_SHOWN])
    return f"allowed: {shown}{', …' if len(names) > _MAXIMUM_NAMES_SHOWN else ''}"
