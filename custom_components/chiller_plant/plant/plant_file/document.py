"""The text of a plant file as plain data, with the line of every key.

The parser's events are read one by one instead of loading the document: every
key keeps its line, a key given twice is seen, and depth and size are bounded
before anything is built, so that a hostile file costs little.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
import re

import yaml

from .problems import (
    KeyPath,
    PlantFileError,
    PlantFileProblem,
    Problems,
    key_text,
    shorten,
)

MAXIMUM_SIZE = 1_000_000
"""Characters. A plant of a thousand points takes a tenth of it."""
_MAXIMUM_NODES = 100_000
_MAXIMUM_DEPTH = 12
_MAXIMUM_TEXT = 1000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# The scalars of YAML 1.2, and the yes/no/on/off that people know from 1.1.
# Not: sexagesimal numbers, dates, octal numbers; they are surprises here.
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE = frozenset(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"))
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,15}", re.ASCII)
_DECIMAL = re.compile(
    r"[-+]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][-+]?[0-9]{1,3})?",
    re.ASCII,
)


@dataclass(slots=True)
class Document:
    """What a file says: mappings with text keys, lists and scalars."""

    data: object
    problems: Problems


@dataclass(slots=True)
class _Open:
    """A mapping or a list whose end has not come yet."""

    container: dict[str, object] | list[object]
    path: KeyPath
    key: str | None = None
    ignored: bool = False
    """Its key was given before: it is read, but leads nowhere."""


@dataclass(slots=True)
class _Builder:
    file: str
    lines: dict[KeyPath, int] = field(default_factory=dict)
    open: list[_Open] = field(default_factory=list)
    nodes: int = 0
    root: object = None
    documents: int = 0
    problems: Problems = field(init=False)

    def __post_init__(self) -> None:
        self.problems = Problems(self.file, self.lines)

    def take(self, event: yaml.Event) -> None:
        """Add what an event says."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self._stop(line, "a second document starts", "one document")
            case yaml.AliasEvent():
                self._stop(
                    line,
                    f"'*{shorten(str(event.anchor))}' is an alias",
                    "aliases are not supported: use a template, or write it out",
                )
            case yaml.ScalarEvent():
                self._check_tag(event.tag, line)
                self._scalar(event, line)
            case yaml.MappingStartEvent():
                self._check_tag(event.tag, line)
                self._start({}, line)
            case yaml.SequenceStartEvent():
                self._check_tag(event.tag, line)
                self._start([], line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.open.pop()

    def _check_tag(self, tag: str | None, line: int) -> None:
        if tag not in (None, "!"):
            self._stop(line, f"the tag '{shorten(str(tag))}'", "tags are not supported")

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if len(event.value) > _MAXIMUM_TEXT:
            found = f"a text of {len(event.value)} characters"
            self._stop(line, found, f"at most {_MAXIMUM_TEXT}")
        parent = self.open[-1] if self.open else None
        if parent and isinstance(parent.container, dict) and parent.key is None:
            self._count(line)
            parent.key = event.value
            path = (*parent.path, event.value)
            if event.value in parent.container:
                self.problems.add(
                    path,
                    f"given twice, first on line {self.lines.get(path, line)}",
                    "once",
                    line=line,
                )
            elif not parent.ignored:
                self.lines[path] = line
            return
        value = event.value if event.style else _scalar_value(event.value)
        self._put(value, line)

    def _start(self, container: dict[str, object] | list[object], line: int) -> None:
        if len(self.open) >= _MAXIMUM_DEPTH:
            self._stop(line, "nested too deep", f"at most {_MAXIMUM_DEPTH} levels")
        if self.open and isinstance(self.open[-1].container, dict):
            if self.open[-1].key is None:
                self._stop(line, "a key that is a mapping or a list", "a text as key")
        path, ignored = self._put(container, line)
        self.open.append(_Open(container, path, ignored=ignored))

    def _put(self, value: object, line: int) -> tuple[KeyPath, bool]:
        """Place a value; return its path and whether it leads nowhere."""
        self._count(line)
        if not self.open:
            self.root = value
            self.lines[()] = line
            return (), False
        parent = self.open[-1]
        if isinstance(parent.container, list):
            path = (*parent.path, len(parent.container))
            parent.container.append(value)
            if not parent.ignored:
                self.lines[path] = line
            return path, parent.ignored
        key, parent.key = parent.key, None
        assert key is not None
        path = (*parent.path, key)
        if key in parent.container:
            return path, True
        parent.container[key] = value
        return path, parent.ignored

    def _count(self, line: int) -> None:
        self.nodes += 1
        if self.nodes > _MAXIMUM_NODES:
            self._stop(line, "too many keys and values", f"at most {_MAXIMUM_NODES}")

    def _stop(self, line: int, found: str, allowed: str) -> None:
        key = key_text(self.open[-1].path) if self.open else ""
        raise PlantFileError([PlantFileProblem(self.file, line, key, found, allowed)])


def read_document(text: str, file: str) -> Document:
    """Return what the text says.

    Raises `PlantFileError` where it is no YAML, empty, or out of bounds; keys
    that are given twice are noted in the document's problems.
    """
    if len(text) > MAXIMUM_SIZE:
        raise _failure(
            file,
            1,
            f"the file has {len(text)} characters",
            f"at most {MAXIMUM_SIZE}",
        )
    builder = _Builder(file)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ": ".join(part for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark else 1
        raise _failure(file, line, f"this is not YAML: {shorten(reason)}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise _failure(file, 1, f"this is not YAML: {shorten(str(error))}") from None
    if builder.root is None:
        raise _failure(file, 1, "the file is empty", "a mapping with the key 'plant'")
    return Document(builder.root, builder.problems)


def _events(text: str) -> Iterator[yaml.Event]:
    return yaml.parse(text, Loader=_LOADER)


def _failure(file: str, line: int, found: str, allowed: str = "") -> PlantFileError:
    return PlantFileError([PlantFileProblem(file, line, "", found, allowed)])


def _scalar_value(text: str) -> object:
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text
