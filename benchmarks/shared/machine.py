"""What a benchmark ran on, for those who read its figures."""

from datetime import UTC, datetime
import os
import platform

from homeassistant.const import __version__ as home_assistant_version


def machine() -> str:
    """Say when and on what this runs, with Home Assistant in it."""
    return (
        f"{datetime.now(UTC):%d %b %Y}, {os.process_cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}, Home Assistant "
        f"{home_assistant_version}"
    )
