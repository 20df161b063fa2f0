"""The typeface of pages and slides, beside them."""

import shutil
from pathlib import Path

HERE = Path(__file__).parent
_MODULES = HERE / "node_modules"
_SANS, _MONO = _MODULES / "@fontsource-variable/ibm-plex-sans", _MODULES / "@fontsource/ibm-plex-mono"
#: What static/fonts.css calls them; Latin alone, 130 kB in all.
_FILES = {
    "sans.woff2": _SANS / "files/ibm-plex-sans-latin-wght-normal.woff2",
    "sans-italic.woff2": _SANS / "files/ibm-plex-sans-latin-wght-italic.woff2",
    "mono.woff2": _MONO / "files/ibm-plex-mono-latin-400-normal.woff2",
    "mono-bold.woff2": _MONO / "files/ibm-plex-mono-latin-700-normal.woff2",
    "LICENSE": _SANS / "LICENSE",
}


def add_files(folder: Path) -> None:
    """Put the fonts and their style sheet into a folder.

    Args:
        folder: Where the style sheet belongs.

    Raises:
        FileNotFoundError: They were not installed.
    """
    if not _SANS.is_dir():
        raise FileNotFoundError(f"{_SANS} is missing; `npm ci --prefix website` installs it.")
    (folder / "fonts").mkdir(parents=True)
    for name, source in _FILES.items():
        shutil.copyfile(source, folder / "fonts" / name)
    shutil.copyfile(HERE / "static" / "fonts.css", folder / "fonts.css")
