"""Names for the plant file, made of whatever the field calls things."""

from collections.abc import Container
import re
import unicodedata

_LONGEST = 56
"""Leaves room for a number within the 64 characters of a key."""


def make_key(text: str, taken: Container[str] = (), fallback: str = "device") -> str:
    """Return lower-case letters, digits and `_` that nothing else has."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    if not key:
        key = fallback
    elif not key[0].isalpha():
        key = f"{fallback}_{key}"
    key = key[:_LONGEST].rstrip("_")
    number, unique = 2, key
    while unique in taken:
        unique = f"{key}_{number}"
        number += 1
    return unique
