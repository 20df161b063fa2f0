"""All labs as one page without code, for a stand, an open day or a projector; served by Voila."""

import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from effnet_edu.course.serve import LOCALHOST, has_display, message_limit, serve_until_stopped
from effnet_edu.ground.cache import MEASURED

#: Seconds after which the kernel of a page that is gone is taken back.
GONE_SECONDS = 60
#: What Notebook 7 brings where it is installed: it asks for parts of JupyterLab that a page of Voila has not.
NOT_FOR_VOILA = "@jupyter-notebook/lab-extension"


def page() -> dict[str, Any]:
    """Return the page as a notebook: the first lab, and buttons for the others."""
    cells = [
        _words(
            "top",
            "# EfficientNet, to try\n\nLabs on the real networks. Exact numbers follow at once; what is "
            "measured is measured on the machine that serves this page, one visitor at a time. A lab that "
            "waits for its turn says so.",
        ),
        _code("labs", "from effnet_edu.labs.shelf import Shelf\n\nShelf()"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "title": "EfficientNet, to try"}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _words(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _code(name: str, text: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"metadata": {}, "execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": name, "source": text, **empty}


def demo_command(notebook: Path, visitors: int, port: int | None = None, browser: bool = False) -> list[str]:
    """Return the command that serves the page on this machine alone.

    Args:
        notebook: The page.
        visitors: Kernels at a time, 1 or more; each takes some hundred MiB.
        port: Where it listens; the first free one from 8866 on by default.
        browser: Whether to open a browser; otherwise the address is printed.
    """
    command = [
        sys.executable,
        "-m",
        "effnet_edu.course.demo_server",
        str(notebook),
        f"--Voila.ip={LOCALHOST}",
        message_limit("Voila"),
        f"--VoilaConfiguration.extension_denylist={NOT_FOR_VOILA}",
        f"--LimitedKernelManager.most={visitors}",
        f"--LimitedKernelManager.cull_idle_timeout={GONE_SECONDS}",
        f"--LimitedKernelManager.cull_interval={GONE_SECONDS // 2}",
        # JUPYTER_TOKEN, or one that is made up; without it Voila lets in every user of this machine.
        "--token",
    ]
    if port is not None:
        command += [f"--port={port}", "--Voila.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    return command


def open_demo(visitors: int, port: int | None = None) -> int:
    """Serve the page until Voila ends, and return its exit status.

    Args:
        visitors: Kernels at a time, 1 or more.
        port: Where it listens; the first free one from 8866 on by default.

    Raises:
        ModuleNotFoundError: Voila is not installed.
    """
    if importlib.util.find_spec("voila") is None:
        raise ModuleNotFoundError('Voila is not installed: `python -m pip install "effnet-edu[demo]"`.')
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "labs.ipynb"
        notebook.write_text(json.dumps(page()), encoding="utf-8")
        measured = Path(folder) / "measured"
        measured.mkdir()
        shared = {
            MEASURED: os.environ.get(MEASURED) or str(measured)
        }  # visitors need not queue for one number
        return serve_until_stopped(demo_command(notebook, visitors, port, has_display()), shared)
