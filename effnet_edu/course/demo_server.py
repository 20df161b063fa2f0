"""Voila as the demo runs it: so many visitors and no more, places given back, and no token in the log.

`python -m effnet_edu.course.demo_server` takes Voila's own arguments; `demo.py` knows which.
"""

import logging
import re
from pathlib import Path
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from traitlets import Int, List, Type, Unicode
from traitlets.config import Config
from voila.app import Voila

from effnet_edu.course.guard import CheckedConnection, end_with_parent, keep_shut

FULL = "All places of this demo are taken. Close another of its pages, or come back in a minute."
_TOKEN = re.compile(r"(\btoken=)[^&\s\"']+")


class LimitedKernelManager(AsyncMappingKernelManager):
    """Starts kernels until there are as many as allowed, and then answers with one sentence.

    A page that is closed gives its kernel back at once. One that vanished, with its browser or its network,
    gives it back when nobody has been connected for a while; a page that is open keeps its kernel.

    Args:
        options: Those of jupyter_server.
    """

    most = Int(8, min=1, config=True, help="Kernels at a time.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._starting = 0

    async def start_kernel(self, **options: Any) -> str:  # type: ignore[override]
        """Start a kernel if there is a place for one.

        Args:
            options: Those of jupyter_server.

        Raises:
            HTTPError: All places are taken.
        """
        # A kernel is in the list only when it runs; two visitors at once must not take one place.
        if len(self) + self._starting >= self.most:
            raise HTTPError(503, FULL, reason=FULL)
        self._starting += 1
        try:
            return str(await super().start_kernel(**options))
        finally:
            self._starting -= 1


def let_the_page_say_goodbye(handler: Any, **_given: Any) -> None:
    """Give a page the cookie without which the server does not hear that it was closed.

    Args:
        handler: The request.
        _given: The notebook and its folder.
    """
    _ = handler.xsrf_token  # reading it sets the cookie


def without_token(record: logging.LogRecord) -> bool:
    """Take the token out of a line of the log, and let the line pass.

    Args:
        record: The line.
    """
    record.msg, record.args = _TOKEN.sub(r"\1...", record.getMessage()), ()
    return True


class CourseVoila(Voila):
    """Voila that reads no configuration of the current folder, and is guarded like the lab."""

    config_file_paths = List(Unicode(), [])
    kernel_websocket_connection_class = Type(CheckedConnection)

    def setup_template_dirs(self) -> None:
        """Put the course's own page before Voila's, which asks another host for icons."""
        super().setup_template_dirs()
        self.template_paths.insert(0, str(Path(__file__).with_name("voila")))

    def init_settings(self) -> dict[str, Any]:
        """Return what the web application is made with."""
        settings: dict[str, Any] = super().init_settings()
        keep_shut(self.identity_provider, settings)
        self.watching = end_with_parent(lambda: IOLoop.current().stop())
        return settings


def main() -> None:
    """Serve until stopped."""
    for name in ("tornado.access", "tornado.application", "tornado.general"):
        logging.getLogger(name).addFilter(without_token)
    hooks = {"prelaunch_hook": let_the_page_say_goodbye, "multi_kernel_manager_class": LimitedKernelManager}
    CourseVoila.launch_instance(config=Config({"VoilaConfiguration": hooks}))


if __name__ == "__main__":
    main()
