"""What every test beside Home Assistant shares."""

import logging

import pytest
import pytest_socket

# Before the first `hass` fixture: otherwise the test plugin's own custom_components folder
# is imported first, and ours is not found.
import custom_components.chiller_plant  # noqa: F401

# The test plugin lets every statement of the recorder be told, past pytest's own capture.
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    """Let tests use real sockets on loopback, where drivers and simulators meet.

    The test plugin forbids them all; anything that is not loopback stays forbidden.
    """
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)
