"""Opens JupyterLab on a lesson, bound to this machine alone unless somebody asks for more."""

import os
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from effnet_edu.ground.checks import quoted

#: Only programs of this machine can reach a server that is bound here.
LOCALHOST = "127.0.0.1"
#: Jupyter takes the token from here, and then writes it into no log.
TOKEN_VARIABLE = "JUPYTER_TOKEN"  # noqa: S105 - the name of a variable
#: Bytes of the largest message that a server reads from a page.
LARGEST_MESSAGE = 2**26
#: A shorter secret can be guessed.
SHORTEST_TOKEN = 16


def has_display() -> bool:
    """Return whether a browser could show a window here."""
    if sys.platform in ("darwin", "win32"):
        return True
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def check_address(ip: str) -> str:
    """Return an address to listen at, after making sure that a stranger cannot come in there.

    Args:
        ip: `127.0.0.1` for this machine alone, `0.0.0.0` for every network that it is in.

    Raises:
        ValueError: Other machines could reach the address, and no token was chosen.
    """
    if ip != LOCALHOST and len(os.environ.get(TOKEN_VARIABLE, "")) < SHORTEST_TOKEN:
        raise ValueError(
            f"ip is {quoted(ip)}, which opens this server to other machines, and who gets in can run any "
            f"program. Set the environment variable {TOKEN_VARIABLE} to a secret of {SHORTEST_TOKEN} or more "
            "characters first."
        )
    return ip


def message_limit(program: str) -> str:
    """Return the option by which a server reads larger messages from a page than the usual 10 MiB.

    It drops a larger one without a word, and so a picture too large could not be refused in a sentence.

    Args:
        program: `"ServerApp"` or `"Voila"`.
    """
    return f'--{program}.tornado_settings={{"websocket_max_message_size": {LARGEST_MESSAGE}}}'


def lab_command(lesson: Path, browser: bool, ip: str = LOCALHOST, port: int | None = None) -> list[str]:
    """Return the command that serves a lesson's folder and opens the lesson.

    Args:
        lesson: The notebook.
        browser: Whether JupyterLab should open a browser; otherwise it prints its address.
        ip: Where it listens.
        port: Where it listens; the first free one from 8888 on by default.
    """
    root = lesson.resolve().parent
    command = [
        sys.executable,
        "-m",
        "effnet_edu.course.lab_server",
        f"--ip={ip}",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{quote(lesson.name)}",
        message_limit("ServerApp"),
    ]
    if port is not None:
        command += [f"--port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def open_lab(lesson: str | Path, ip: str = LOCALHOST, port: int | None = None) -> int:
    """Serve a lesson until JupyterLab ends, and return its exit status.

    Args:
        lesson: Path of the notebook.
        ip: Where it listens: this machine alone by default.
        port: Where it listens; the first free one from 8888 on by default.

    Raises:
        FileNotFoundError: There is no such notebook.
        ValueError: Other machines could reach it, and no token was chosen.
    """
    path = Path(lesson)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no lesson at {quoted(str(lesson))}. `python -m effnet_edu start FOLDER` puts all "
            "lessons into a folder."
        )
    browser = has_display() and ip == LOCALHOST
    return serve_until_stopped(lab_command(path, browser, check_address(ip), port))


def serve_until_stopped(command: list[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a server until it ends, and return its exit status; Ctrl-C and SIGTERM end it in good order.

    Args:
        command: Its words.
        environment: Variables that it and its kernels have beside those of this program.
    """
    server = subprocess.Popen(command, env={**os.environ, **(environment or {})})  # noqa: S603
    # As the first process of a container this one would otherwise not hear it.
    before = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        return server.wait()
    except KeyboardInterrupt:
        server.terminate()
        server.wait()
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)
