"""YAML as a person would have written it, read back as exactly what was meant.

Only what the reader of plant files knows: no anchors, no tags. Whatever could be
read as something else (`yes`, `1e5`, `12:30`) stands in quotes.
"""

from collections.abc import Iterable, Mapping
import re

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_()-]*(?:[ /][A-Za-z0-9_()-]+)*", re.ASCII)
_NOT_TEXT = frozenset(("null", "true", "false", "yes", "no", "on", "off"))
_WIDTH = 96


def scalar(value: object) -> str:
    """Return a text, a number, true, false or null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.casefold() not in _NOT_TEXT:
        return text
    return f'"{"".join(map(_quoted, text))}"'


def _quoted(char: str) -> str:
    """Return a character as it stands in quotes.

    YAML takes some that are not printable for the end of a line, others for none.
    """
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    if ord(char) < 0x100:
        return f"\\x{ord(char):02x}"
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def flow(value: object) -> str:
    """Return any value on one line."""
    if isinstance(value, Mapping):
        items = (f"{scalar(key)}: {flow(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(item) for item in value)}]"
    return scalar(value)


def block(value: Mapping[str, object], indent: int) -> list[str]:
    """Return the lines of a mapping; what is short stands on one line."""
    lines: list[str] = []
    for key, item in value.items():
        lines.extend(entry(key, item, indent))
    return lines


def entry(key: str, value: object, indent: int) -> list[str]:
    """Return the lines of one key; a list or an empty mapping is one line."""
    space = " " * indent
    line = f"{space}{scalar(key)}: {flow(value)}"
    if isinstance(value, Mapping) and value:
        short = not any(isinstance(item, Mapping) for item in value.values())
        if not short or len(line) > _WIDTH:
            return [f"{space}{scalar(key)}:", *block(value, indent + 2)]
    return [line]


def comment(texts: Iterable[str], indent: int = 0) -> list[str]:
    """Return lines that say something to whoever reads the file."""
    return [
        f"{' ' * indent}# {''.join(c if c.isprintable() else ' ' for c in text)}"
        for text in texts
    ]
