"""Where a result came from: method, commit, device, versions, seeds and command."""

import dataclasses
import importlib.metadata
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_PACKAGE = Path(__file__).parents[1]
_VERSIONS_OF = ("torch", "numpy", "matplotlib", "kornia")


@dataclass(frozen=True)
class Provenance:
    """Where a result came from.

    Attributes:
        started: Date and time of the start, ISO 8601 in UTC.
        command: What to type to make it again.
        method: Number of the way in which it was computed or measured, 1 or more; raised by hand.
        commit: Commit of the repository at the start, or None outside of one.
        dirty: Whether code in the package differed from the commit, or None outside of a repository.
        device: Name of the device.
        driver: Version of its driver, or None where there is none.
        system: Operating system and processor architecture.
        versions: Versions of Python, effnet_edu, torch and the packages that make or change images.
        seeds: Every seed used.
        wall_seconds: How long it took, waiting included; of a study, the sum over its runs.
        peak_memory_bytes: Highest memory of one process, or None where it was not measured.
        note: What else a reader must know, such as how many ran at once.
    """

    started: str
    command: str
    method: int
    commit: str | None
    dirty: bool | None
    device: str
    driver: str | None
    system: str
    versions: Mapping[str, str]
    seeds: tuple[int, ...]
    wall_seconds: float
    peak_memory_bytes: int | None
    note: str = ""

    def finished(self, wall_seconds: float, peak_memory_bytes: int | None) -> "Provenance":
        """Return it with what is only known at the end."""
        return dataclasses.replace(self, wall_seconds=wall_seconds, peak_memory_bytes=peak_memory_bytes)

    def __str__(self) -> str:
        return f"{self.device}, {self.started[:10]}, torch {self.versions.get('torch', 'unknown')}"


def begin(
    method: int, device: "torch.device", seeds: Sequence[int] = (), command: str | None = None, note: str = ""
) -> Provenance:
    """Return where a result that starts now will have come from; without a command, this process's own."""
    # Results are read where there is no torch; only where they are made does a device have a name.
    from effnet_edu.profiling.device import device_name, driver_version

    commit, dirty = _repository()
    return Provenance(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or _own_command(),
        method=method,
        commit=commit,
        dirty=dirty,
        device=device_name(device),
        driver=driver_version(device),
        system=f"{platform.system()} {platform.machine()}",
        versions=_versions(),
        seeds=tuple(seeds),
        wall_seconds=0.0,
        peak_memory_bytes=None,
        note=note,
    )


def _own_command() -> str:
    """Return this process's command, without the folders of this machine."""
    program, *words = sys.orig_argv
    kept = [Path(word).name if Path(word).is_absolute() else word for word in words]
    return shlex.join([Path(program).name, *kept])


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("effnet-edu", *_VERSIONS_OF):
        try:
            versions[package.replace("-", "_")] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(_PACKAGE), *words],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _repository() -> tuple[str | None, bool | None]:
    """Return the commit, and whether the package's code differs from it; results themselves do not count."""
    commit = _git("rev-parse", "HEAD")
    # An installed package can lie inside of somebody's own repository.
    if commit is None or not _git("ls-files", "--", "__init__.py"):
        return None, None
    changes = _git("status", "--porcelain", "--", ".", ":(exclude)studies/results")
    return commit, bool(changes)
