"""Opens JupyterLab on a lesson, bound to this machine alone."""

import os
import subprocess
import sys
import webbrowser
from pathlib import Path


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


def lab_command(lesson: Path, browser: bool) -> list[str]:
    """Return the command that serves a lesson's folder and opens the lesson.

    Args:
        lesson: The notebook.
        browser: Whether JupyterLab should open a browser; otherwise it prints its address.
    """
    root = lesson.resolve().parent
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ip=127.0.0.1",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{lesson.name}",
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def open_lab(lesson: str | Path) -> int:
    """Serve a lesson until JupyterLab ends, and return its exit status.

    Args:
        lesson: Path of the notebook.

    Raises:
        FileNotFoundError: There is no such notebook.
    """
    path = Path(lesson)
    if not path.is_file():
        raise FileNotFoundError(f"There is no lesson at {str(lesson)!r}; start from the course's own folder.")
    try:
        return subprocess.run(lab_command(path, has_display()), check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 0
