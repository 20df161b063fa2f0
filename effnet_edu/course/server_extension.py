"""A JupyterLab server extension: send each answer of a kernel at once.

A slider's answer is several small messages. By default the system holds the second one back until the browser
has acknowledged the first, about 40 ms later, which a learner sees as a lab that lags behind the slider.
Installing the package enables this for the JupyterLab beside it.
"""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "effnet_edu.course.server_extension"}]


def _load_jupyter_server_extension(_app: Any) -> None:
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

    open_connection = KernelWebsocketHandler.open

    async def open_without_delay(self: Any, *arguments: Any, **options: Any) -> Any:
        self.set_nodelay(True)
        return await open_connection(self, *arguments, **options)  # type: ignore[no-untyped-call]

    KernelWebsocketHandler.open = open_without_delay  # type: ignore[method-assign]
