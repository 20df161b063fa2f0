"""The folders of fetched weights and of what a class measured. No torch."""

import os
from pathlib import Path

from effnet_edu.ground.home import kept_in

#: Names the folder in which the kernels of a class share what they measured.
MEASURED = "EFFNET_EDU_MEASURED"


def cache_folder() -> Path:
    """Return where fetched files are kept.

    The first of these environment variables that is set decides: EFFNET_EDU_CACHE names the folder itself,
    TORCH_HOME and XDG_CACHE_HOME a folder for it; without them it is ~/.cache/effnet_edu, and where that
    cannot be made, a folder among the temporary files.
    """
    own = os.environ.get("EFFNET_EDU_CACHE")
    if own:
        return Path(own).expanduser()
    shared = os.environ.get("TORCH_HOME") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return kept_in(shared, "what is fetched", "EFFNET_EDU_CACHE")


def measured_folder() -> Path | None:
    """Return the folder that EFFNET_EDU_MEASURED names, or None where it names none that is there."""
    named = os.environ.get(MEASURED, "")
    return Path(named) if named and os.path.isdir(named) else None  # noqa: PTH112 - it takes any text
