"""The limit on visitors of the demo: Voila gives each page a kernel, and this gives no more than so many."""

from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Int

FULL = "All places of this demo are taken. Close another of its pages, or come back in a minute."


class LimitedKernelManager(AsyncMappingKernelManager):
    """Starts kernels until there are as many as allowed, and then answers with one sentence.

    A page that is closed gives its kernel back at once. One that vanished, with its browser or its network,
    gives it back when nobody has been connected for a while; a page that is open keeps its kernel.
    """

    most = Int(8, min=1, config=True, help="Kernels at a time.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._starting = 0

    async def start_kernel(self, **options: Any) -> str:
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
