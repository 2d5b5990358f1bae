"""One section of a plant file: what is right in it, and notes of what is wrong."""

from collections.abc import Callable, Mapping
from typing import Any

import voluptuous as vol

from .problems import KeyPath, Problems, describe
from .values import NotOneOf, Validator, list_of, slug

type Row = vol.Required | vol.Optional
type Origin = Callable[[KeyPath], KeyPath]
"""Where in the file a key of a merged section was written."""


class Section:
    """The keys of one kind of section."""

    def __init__(self, rows: Mapping[Row, Validator]) -> None:
        """Take a table of voluptuous markers and validators."""
        self.keys = tuple(str(marker) for marker in rows)
        self._strict = vol.Schema(dict(rows))
        # Where something is wrong, the rest is still looked at.
        self._lenient = vol.Schema(
            {
                vol.Optional(str(marker), default=marker.default): validator
                for marker, validator in rows.items()
            }
        )

    def check(
        self,
        data: object,
        path: KeyPath,
        problems: Problems,
        origin: Origin = lambda path: path,
    ) -> dict[str, Any]:
        """Return what is right in a section; note what is wrong in it."""
        if not isinstance(data, dict):
            found = f"found {describe(data)}"
            problems.add(origin(path), found, "expected a mapping")
            return {}
        known = {}
        for key, value in data.items():
            if key in self.keys:
                known[key] = value
            else:
                problems.add(
                    origin((*path, key)), "unknown key", word=key, names=self.keys
                )
        try:
            return dict(self._strict(known))
        except vol.MultipleInvalid as error:
            for each in error.errors:
                _note(each, known, path, problems, origin)
                if each.path:
                    known.pop(str(each.path[0]), None)
        return dict(self._lenient(known))


def _note(
    error: vol.Invalid,
    data: object,
    base: KeyPath,
    problems: Problems,
    origin: Origin,
) -> None:
    path: KeyPath = tuple(
        part if isinstance(part, int) else str(part) for part in error.path
    )
    if isinstance(error, vol.RequiredFieldInvalid):
        problems.add(origin(base), f"the key '{path[-1]}' is missing")
        return
    found = data
    for part in path:
        try:
            found = found[part]  # type: ignore[index]
        except KeyError, IndexError, TypeError:
            break
    where = origin((*base, *path))
    if isinstance(error, NotOneOf):
        problems.add(
            where, f"found {describe(error.word)}", word=error.word, names=error.names
        )
    else:
        problems.add(where, f"found {describe(found)}", error.msg)


def list_of_keys(data: object, path: KeyPath, problems: Problems) -> tuple[str, ...]:
    """Return a list of keys that stand alone, empty where it is none."""
    try:
        return _KEYS(data)  # type: ignore[return-value]
    except vol.Invalid as error:
        errors = error.errors if isinstance(error, vol.MultipleInvalid) else [error]
        for each in errors:
            _note(each, data, path, problems, lambda path: path)
        return ()


_KEYS = list_of(slug)
