# Home Assistant puts probatio in voluptuous' place before anything imports it;
# this tells mypy the same.
from probatio import *  # noqa: F403
