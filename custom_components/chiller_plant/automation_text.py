"""Puts another form into an automation of `automations.yaml`, and touches nothing else.

People write comments into that file, and other automations are none of our
business: so only the lines of the form are replaced. Whether the file is then what
it should be is for the caller to see: it may be written in other ways than this.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from homeassistant.const import CONF_ID
from homeassistant.util.yaml import dump

_FORM = "use_blueprint"


def with_forms(text: str, forms: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a list of automations with other forms for some (by id)."""
    if not forms:
        return text
    lines = text.splitlines(keepends=True)
    # From the last to the first, so that the places of the others stay right.
    for automation, first, last, column in sorted(_places(text), key=_line)[::-1]:
        if automation not in forms:
            continue
        while last > first + 1 and _is_remark(lines[last - 1]):
            last -= 1
        begin, indent = lines[first][:column], " " * column
        new = dump({_FORM: dict(forms[automation])}).splitlines(keepends=True)
        lines[first:last] = [begin + new[0], *(indent + line for line in new[1:])]
    return "".join(lines)


_Place = tuple[str, int, int, int]


def _line(place: _Place) -> int:
    return place[1]


def _places(text: str) -> Iterator[_Place]:
    """Yield id, first line, line after the last one and column of each form."""
    root = yaml.compose(text, yaml.SafeLoader)
    items = root.value if isinstance(root, yaml.SequenceNode) else ()
    for item in items:
        if not isinstance(item, yaml.MappingNode):
            continue
        pairs = {key.value: (key, value) for key, value in item.value}
        if CONF_ID not in pairs or _FORM not in pairs:
            continue
        key, value = pairs[_FORM]
        last = value.end_mark.line + (
            1 if value.end_mark.column > column_of(key) else 0
        )
        yield (
            str(pairs[CONF_ID][1].value),
            key.start_mark.line,
            last,
            column_of(key),
        )


def column_of(node: yaml.Node) -> int:
    """Return where on its line something begins."""
    return int(node.start_mark.column)


def _is_remark(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
