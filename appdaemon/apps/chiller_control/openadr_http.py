"""What both protocols need of HTTP, and must not leave to the library.

A redirection is followed by sending again what only the utility may see to somebody
whom the utility did not name, or by asking for what was to be told; and a packed answer
of a kilobyte may be a gigabyte when it is unpacked.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
import re
import zlib

import aiohttp

LONGEST_ANSWER = 4_000_000
"""Bytes: a thousand events with a thousand intervals are less."""
LONGEST_WAIT = 3600.0
"""Seconds for which a server is not asked, however long it says."""
_SHOWN = 200


class TooMuch(Exception):
    """An answer that is too long, or packed in a way that is not known here."""


async def content_of(answer: aiohttp.ClientResponse) -> bytes:
    """Return what was answered. Raises TooMuch.

    The session must leave it packed (`auto_decompress=False`).
    """
    content = bytearray()
    async for part in answer.content.iter_chunked(65536):
        content += part
        if len(content) > LONGEST_ANSWER:
            raise TooMuch(f"longer than {LONGEST_ANSWER // 10**6} MB")
    packed = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packed in ("", "identity"):
        return bytes(content)
    if packed not in ("gzip", "x-gzip", "deflate"):
        raise TooMuch(f"packed with {packed[:_SHOWN]}, which nobody asked for")
    return _unpacked(bytes(content))


def _unpacked(content: bytes) -> bytes:
    try:
        # gzip, or what HTTP calls deflate.
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        found = unpacking.decompress(content, LONGEST_ANSWER)
    except zlib.error as error:
        raise TooMuch(f"packed, and cannot be unpacked ({error})") from error
    if unpacking.unconsumed_tail:
        raise TooMuch(f"longer than {LONGEST_ANSWER // 10**6} MB when it is unpacked")
    return found


def beginning(content: bytes) -> str:
    """Return what people are shown of an answer."""
    return " ".join(content[:_SHOWN].decode("utf-8", "replace").split())


def moved(status: int, headers: Mapping[str, str]) -> str:
    """Return what to say of a server that says that it is elsewhere; else nothing."""
    if not 300 <= status < 400:
        return ""
    place = re.sub(r"[^ -~]", "?", headers.get("Location", "another place"))
    return (
        f"the server says that it moved to {place[:_SHOWN]}; if the utility confirms"
        " that, change the address"
    )


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Return for how many seconds a server wants not to be asked, 0 if it says none."""
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", said):
        return min(float(said), LONGEST_WAIT)
    at = moment_of(said)
    return 0.0 if at is None else min(max(at - now, 0.0), LONGEST_WAIT)


def moment_of(date: str) -> float | None:
    """Return a date of an HTTP header as epoch seconds, None if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
