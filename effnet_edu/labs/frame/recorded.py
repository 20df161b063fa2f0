"""What stands in for a device where there is none."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from effnet_edu.studies.devices.records import recorded_devices


@cache
def recorded_run(experiment: str) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """Return the name and day of a recorded device, and the rows of an experiment on it.

    Raises:
        ValueError: No device was recorded.
    """
    for records in recorded_devices().values():
        if (record := records.get(experiment)) is not None:
            about = record.provenance
            return f"{about.device}, {about.started[:10]}", record.data["rows"]
    again = f"python -m effnet_edu measure device {experiment}"
    raise ValueError(f"No device has recorded {experiment}: `{again}`.")
