"""Whether a local address and port can be had, before the stack tries.

The stack would try for ever, or share a port that is not its own and lose the
answers that the other gets.
"""

import errno
from ipaddress import IPv4Interface
import socket


def check_port(interface: IPv4Interface, port: int) -> None:
    """Raise `OSError` if the stack could not have this address for itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind((str(interface.ip), port))
    broadcast = interface.network.broadcast_address
    if broadcast != interface.ip:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind((str(broadcast), port))


def why_not(error: OSError, interface: IPv4Interface, port: int) -> str:
    """Say in words why an address cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"another program uses UDP port {port} on {interface.ip}; stop it or "
            "choose another local_port"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"this machine has no address {interface}; set local_address to one of "
            "its own, with the prefix of that network"
        )
    return f"{interface.ip}:{port} cannot be opened: {error.strerror}"
