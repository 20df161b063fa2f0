"""What keeps a served course shut to strangers, and whole when a page sends nonsense.

Everything here looks at the effect, after all configuration was read: a configuration file of the user or of
the current folder may ask for an empty token.
"""

import os
import secrets
import struct
from collections.abc import Callable
from typing import Any

import psutil
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.ioloop import PeriodicCallback

from effnet_edu.course.serve import TOKEN_VARIABLE

#: The newer way of writing a kernel's message into a frame: counts and offsets of 8 bytes, little end first.
V1 = "v1.kernel.websocket.jupyter.org"
#: More parts has no message of a widget: each costs memory, though it be empty.
MOST_PARTS = 1000
#: WebSocket's status for a message that cannot be read.
UNREADABLE = 1007
OPEN = "effnet_edu: this server would let in everybody without a token, so it was not started."


def is_framed(message: bytes, v1: bool) -> bool:
    """Return whether the parts of a binary message lie inside it, one after another.

    jupyter_server takes the number of parts from the message and makes room for as many: eight bytes that say
    2**40 would fill the memory.
    """
    size, order = (8, "<Q") if v1 else (4, ">I")
    if len(message) < size:
        return False
    (count,) = struct.unpack_from(order, message)
    if not 1 <= count <= MOST_PARTS or count >= len(message) // size:
        return False
    offsets = [offset for (offset,) in struct.iter_unpack(order, message[size : size * (count + 1)])]
    inside = size * (count + 1) <= offsets[0] and offsets[-1] <= len(message)
    return inside and offsets == sorted(offsets)


class CheckedConnection(ZMQChannelsWebsocketConnection):
    """A kernel's connection to a page that closes at a message which cannot be read."""

    def handle_incoming_message(self, incoming_msg: str | bytes) -> None:
        """Pass a message on to the kernel."""
        v1 = self.subprotocol == V1
        unreadable = not is_framed(incoming_msg, v1) if isinstance(incoming_msg, bytes) else v1
        if unreadable:
            self.log.warning("A page sent a message that cannot be read; its connection was closed.")
            self.websocket_handler.close(UNREADABLE, "The message cannot be read.")
            return
        super().handle_incoming_message(incoming_msg)  # type: ignore[arg-type]


def keep_shut(identity_provider: Any, settings: dict[str, Any]) -> None:
    """Ask everybody for a token, and forget the cookies of earlier starts.

    Args:
        identity_provider: Of a server that has read its configuration and does not listen yet.
        settings: Of its web application.

    Raises:
        SystemExit: It lets in everybody all the same.
    """
    token = os.environ.get(TOKEN_VARIABLE, "")
    if token:
        identity_provider.token = token
    elif not identity_provider.token:
        identity_provider.token = secrets.token_hex(24)
        identity_provider.token_generated = True  # so it is shown with the address
    settings["cookie_secret"] = secrets.token_bytes(32)
    if not identity_provider.auth_enabled:
        raise SystemExit(OPEN)


def end_with_parent(stop: Callable[[], object]) -> PeriodicCallback:
    """Call `stop` when the process that started this one is gone, even if it was killed."""
    parent = psutil.Process().parent()

    def look() -> None:
        if parent is None or not parent.is_running():
            watching.stop()
            stop()

    watching = PeriodicCallback(look, 1000)
    watching.start()
    return watching
