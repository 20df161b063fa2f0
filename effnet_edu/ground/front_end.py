"""Whether somebody sits in front of a notebook whose widgets can answer. No torch."""

import os
import sys
from typing import Any

_VIEW = "application/vnd.jupyter.widget-view+json"


def without_a_dead_view(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return what a widget sends, without its live view where a program runs the notebook.

    `nbconvert --execute` and papermill would prefer a view whose kernel is gone to the still picture.

    Args:
        bundle: What a widget sends by type, its still picture among it.
    """
    return bundle if _is_answered() else {kind: data for kind, data in bundle.items() if kind != _VIEW}


def _is_answered() -> bool:
    """Return whether the request that is being answered came from a front end: a program allows no input."""
    if any(name.startswith("VOILA_") for name in os.environ):  # runs the notebook first, and shows it live
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kernel = getattr(shell, "kernel", None)
    request = kernel.get_parent("shell") if kernel is not None else {}
    return bool(request.get("content", {}).get("allow_stdin", True))
