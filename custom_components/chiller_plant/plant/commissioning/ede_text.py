"""From the bytes of a point list to its rows, whatever wrote it.

Real files come from spreadsheets, controllers and scripts: any separator, any
code page, quotes or none. Nothing here raises for content.
"""

from collections import Counter
from collections.abc import Iterator
import csv
from dataclasses import dataclass
import re

MAXIMUM_BYTES = 20_000_000
"""Of one file; a site of 40 000 points takes about 5 MB."""
MAXIMUM_ROWS = 200_000
_SEPARATORS = ";,\t|"
_MAXIMUM_JOINED = 20
"""Lines that one quoted field may span; a stray quote ends nothing more."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file."""

    line: int
    """Where it begins, counted from 1."""
    fields: tuple[str, ...]
    """Without spaces around them, and without empty ones at the end."""

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment; the line of column names often is one."""
        return self.fields[0].startswith("#")


def decode(data: bytes) -> str:
    """Return the text of bytes in any of the usual encodings."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").lstrip("\ufeff")
    head = data[:400]
    if head.count(0) > len(head) // 4:
        # UTF-16 without a mark: Latin letters have their zero byte in one place.
        little = head[1::2].count(0) >= head[::2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # 1252 has holes; Latin-1 has none and agrees with it in letters.
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            return data.decode("latin-1")


def rows(data: bytes) -> list[Row]:
    """Return the rows that are not empty, at most `MAXIMUM_ROWS`."""
    text = decode(data[:MAXIMUM_BYTES])
    # Not `splitlines`: it also splits at characters that stand within a text.
    lines = re.split(r"\r\n|\r|\n", text)
    separator = _separator(lines)
    found = []
    for number, line in _whole_lines(lines):
        fields = [field.strip() for field in _fields(line, separator)]
        while fields and not fields[-1]:
            fields.pop()
        if not fields or (number == 1 and line.casefold().startswith("sep=")):
            continue
        found.append(Row(number, tuple(fields)))
        if len(found) >= MAXIMUM_ROWS:
            break
    return found


def _separator(lines: list[str]) -> str:
    first = lines[0].strip().casefold()
    if first.startswith("sep=") and len(lines[0].strip("\r\n")) >= 5:
        return lines[0][4]
    votes: Counter[str] = Counter()
    for line in lines[:400]:
        # The line of column names says it best.
        weight = (
            50 if re.search(r"object.?inst|obj\.?.?inst", line, re.IGNORECASE) else 1
        )
        for separator in _SEPARATORS:
            # A decimal comma or one in a description is a comma now and then.
            if (count := line.count(separator)) >= 3 or (separator == ";" and count):
                votes[separator] += weight * min(count, 20)
    return max(_SEPARATORS, key=lambda each: votes[each]) if votes else ";"


def _whole_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield each row with its line number; a quoted field may hold line breaks."""
    index = 0
    while index < len(lines):
        line, taken = lines[index], 1
        if line.count('"') % 2:
            joined = line
            for more in range(1, min(_MAXIMUM_JOINED, len(lines) - index)):
                joined += "\n" + lines[index + more]
                if joined.count('"') % 2 == 0:
                    line, taken = joined, more + 1
                    break
        yield index + 1, line
        index += taken


def _fields(line: str, separator: str) -> list[str]:
    if '"' not in line or line.count('"') % 2:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)
