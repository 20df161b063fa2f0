"""JupyterLab as the course serves it: `python -m effnet_edu.course.lab_server` takes its usual arguments."""

import sys
from typing import Any

from jupyterlab.labapp import LabApp
from tornado.httpclient import AsyncHTTPClient

from effnet_edu.course.guard import OPEN, CheckedConnection, end_with_parent, keep_shut


async def _try_the_door(server: Any) -> None:
    """Stop a server that opens JupyterLab to whoever asks; others are sent to its login."""
    address = f"{server.connection_url.rstrip('/')}/lab"
    answer = await AsyncHTTPClient().fetch(
        address, raise_error=False, follow_redirects=False, validate_cert=False
    )
    if answer.code == 200:
        server.log.critical(OPEN)
        server.stop()


def _say_where(server: Any) -> None:
    """Say last of all, and in one line, where the course is: the log above it is long."""
    does = "Your browser opens" if server.open_browser else "Open this in a browser:"
    sys.stdout.write(f"{does} {server.local_url}\nCtrl-C here ends the course.\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until stopped."""
    server = LabApp.initialize_server(argv=sys.argv[1:], kernel_websocket_connection_class=CheckedConnection)
    keep_shut(server.identity_provider, server.web_app.settings)
    server.io_loop.add_callback(_say_where, server)
    server.io_loop.add_callback(_try_the_door, server)
    server.io_loop.add_callback(end_with_parent, server.stop)
    server.start()


if __name__ == "__main__":
    main()
