"""Which engine this is, so that Home Assistant can tell an old one."""

VERSION = "0.1.0"
"""That of the release it comes with."""
