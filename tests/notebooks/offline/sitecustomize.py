"""Switches the network off in every Python that starts with this folder in PYTHONPATH."""

import socket
import sys

_HERE = {"", "127.0.0.1", "::1", "localhost", "0.0.0.0", socket.gethostname()}  # noqa: S104 - compared, not bound
_ADDRESS_AT = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _ADDRESS_AT:
        address = arguments[_ADDRESS_AT[event]]
        host = address[0] if isinstance(address, tuple) else address
        is_file = event in ("socket.connect", "socket.sendto") and isinstance(address, str | bytes)
        if host is not None and not is_file and host not in _HERE:
            raise ConnectionError(f"The network is switched off: {event} to {host!r}.")


sys.addaudithook(_refuse)
