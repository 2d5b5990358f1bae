"""Tells two states of something apart, without anybody having to keep both."""

import hashlib
from typing import Any

import orjson


def revision_of(data: dict[str, Any]) -> str:
    """Return what changes whenever anything in it does."""
    text = orjson.dumps(data, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]
