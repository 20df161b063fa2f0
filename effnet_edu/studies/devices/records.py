"""Measurements of a device on disk: one record an experiment, so that whatever is interrupted goes on."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from effnet_edu.ground.checks import choice
from effnet_edu.profiling.names import ENGINES
from effnet_edu.studies.provenance import begin
from effnet_edu.studies.record import RESULTS, Record, read, write
from effnet_edu.studies.registry import DEVICE_EXPERIMENTS, DEVICE_METHODS

if TYPE_CHECKING:
    from effnet_edu.studies.devices.experiments import Extent

#: Experiments that run whole networks, in the engine that is asked for.
IN_ENGINES = ("networks", "batch_sizes")
#: Where this project keeps the devices that it has measured.
DEVICES = RESULTS / "devices"


def folder_name(name: str) -> str:
    """Return a device's name as a folder is called: lower-case words joined by underscores."""
    return "_".join(re.findall(r"[a-z0-9]+", name.lower())) or "device"


def is_current(experiment: str, folder: Path, engine: str = "torch") -> bool:
    """Return whether the folder holds this experiment, made by the method of today and in this engine."""
    try:
        record = read(experiment, folder)
        if experiment in IN_ENGINES and engine_of(record) != engine:
            return False
    except (FileNotFoundError, ValueError):
        return False
    return record.provenance.method == DEVICE_METHODS[experiment]


def engine_of(record: Record) -> str:
    """Return what ran the networks of a record.

    Raises:
        ValueError: The record names no engine that there is.
    """
    extent = record.data.get("extent")
    return choice("engine", extent.get("engine", "torch"), tuple(ENGINES)) if extent else "torch"


def measure_device(
    how: "Extent",
    folder: Path,
    experiments: Sequence[str] = DEVICE_EXPERIMENTS,
    say: Callable[[str], None] = lambda _line: None,
) -> None:
    """Measure what the folder does not hold yet, each experiment written as soon as it is done.

    Raises:
        ValueError: There is no such experiment.
    """
    for experiment in experiments:
        choice("experiment", experiment, DEVICE_EXPERIMENTS)
    # Records are read where there is no torch; only measuring needs it.
    from effnet_edu.studies.devices.experiments import perform

    for experiment in experiments:
        if is_current(experiment, folder, how.engine):
            say(f"{experiment}: measured before")
            continue
        begun = time.monotonic()
        is_other = experiment in IN_ENGINES and how.engine != "torch"
        option = f" --engine {how.engine}" if is_other else ""
        # Named as in this module's command, whoever calls: it is what makes the numbers again.
        where = begin(
            DEVICE_METHODS[experiment],
            how.device,
            seeds=(0,),
            command=f"python -m effnet_edu measure device {experiment}{option}",
        )
        rows = perform(experiment, how)
        seconds = time.monotonic() - begun
        setting = {key: str(value) if key == "device" else value for key, value in asdict(how).items()}
        data = {"extent": setting, "rows": rows}
        write(Record("measurement", experiment, where.finished(round(seconds, 1), None), data), folder)
        say(f"{experiment}: {len(rows)} rows after {seconds:.0f} s")


def read_device(folder: Path) -> dict[str, Record]:
    """Return the records of one device by experiment; those that are not there are left out.

    Raises:
        ValueError: A record is damaged.
    """
    there = (name for name in DEVICE_EXPERIMENTS if (folder / f"{name}.json").is_file())
    return {name: read(name, folder) for name in there}


def recorded_devices(parent: Path = DEVICES) -> dict[str, dict[str, Record]]:
    """Return the devices that this project has measured, by the name of their folder: records by experiment.

    Args:
        parent: The folder of all devices.
    """
    folders = sorted(folder for folder in parent.glob("*") if folder.is_dir())
    return {folder.name: read_device(folder) for folder in folders}
