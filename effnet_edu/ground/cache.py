"""The folder that fetched weights are kept in. No torch."""

import os
from pathlib import Path

from effnet_edu.ground.home import kept_in


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
