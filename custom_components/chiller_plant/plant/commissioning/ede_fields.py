"""What one field of a point list says: a number, a type, a value.

Numbers come as `12`, `12.0`, `12,0` or `0x0C`, types as numbers of BACnet or as names.
"""

import math
import re

_MAXIMUM_TEXT = 200
_MAXIMUM_INSTANCE = 4_194_302

TYPES = {
    0: "analog-input",
    1: "analog-output",
    2: "analog-value",
    3: "binary-input",
    4: "binary-output",
    5: "binary-value",
    13: "multi-state-input",
    14: "multi-state-output",
    19: "multi-state-value",
}
DEVICE = 8
OTHER_TYPES = {
    6: "calendar",
    DEVICE: "device",
    9: "event enrollment",
    10: "file",
    12: "loop",
    15: "notification class",
    16: "program",
    17: "schedule",
    20: "trend log",
    23: "accumulator",
    24: "pulse converter",
    29: "structured view",
    56: "network port",
}
TYPE_WORDS = {
    "ai": 0, "ao": 1, "av": 2, "bi": 3, "bo": 4, "bv": 5, "di": 3, "do": 4, "dv": 5,
    "mi": 13, "mo": 14, "mv": 19, "msi": 13, "mso": 14, "msv": 19, "mvi": 13,
    "mvo": 14, "mvv": 19, "dev": DEVICE,
    **{
        name.replace("-", "").replace(" ", ""): number
        for number, name in (TYPES | OTHER_TYPES).items()
    },
}  # fmt: skip
YES = frozenset(("y", "yes", "j", "ja", "true", "1", "x", "oui", "si", "ja/yes"))
NO = frozenset(("n", "no", "nein", "false", "0", "non", "-"))


def short(text: str) -> str:
    """Return a text that fits on a line."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_MAXIMUM_TEXT]


def whole(text: str) -> int | None:
    """Return a whole number: `12`, `12.0`, `12,0`, `0x0C`."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text):
        return int(text, 16)
    if found := re.fullmatch(r"(-?[0-9]{1,10})(?:[.,]0{1,6})?", text, re.ASCII):
        return int(found[1])
    return None


def instance_of(text: str) -> int | None:
    """Return an instance number, also of `device,1001` or `DEV1001`."""
    number = whole(text)
    if number is None:
        found = re.fullmatch(r"[A-Za-z-]{1,20}[ ,:_]?([0-9]{1,7})", text, re.ASCII)
        number = int(found[1]) if found else None
    if number is None or not 0 <= number <= _MAXIMUM_INSTANCE:
        return None
    return number


def value_of(text: str, object_type: str) -> float | bool | None:
    """Return a default value; with a decimal comma too."""
    if not text:
        return None
    if object_type.startswith("binary"):
        word = text.casefold()
        if word in YES or word in ("active", "on"):
            return True
        return False if word in NO or word in ("inactive", "off") else None
    try:
        number = float(text.replace(",", ".") if "." not in text else text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
