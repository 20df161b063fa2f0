"""The result of a study, ready to be asked: its runs, where they came from, and what follows from them."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from effnet_edu.model.checks import choice
from effnet_edu.studies import record
from effnet_edu.studies.record import Provenance, Record
from effnet_edu.studies.registry import list_studies

#: Letters that a page of JupyterLab shows in a line beside its list of files.
LINE = 92
SHORT_VERSION = "short version: fewer images, seeds and epochs, to show the way and not to decide anything"


@dataclass(frozen=True)
class StudyResult:
    """What a study found. Print it to read its summary.

    Attributes:
        record: The file: data and provenance.
    """

    record: Record

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.record.name

    @property
    def quick(self) -> bool:
        """Whether it is the short version, which decides nothing."""
        return self.record.kind == "quick_study"

    @property
    def provenance(self) -> Provenance:
        """Where it came from."""
        return self.record.provenance

    @property
    def question(self) -> str:
        """What the study asks."""
        return str(self.record.data["question"])

    @property
    def runs(self) -> tuple[Mapping[str, Any], ...]:
        """Every run: labels, seed, counts, accuracy, times, and the curve by epoch."""
        return tuple(self.record.data["runs"])

    @property
    def label(self) -> str:
        """What every figure of it must say: recorded where and when, or that it is the short version."""
        seeds = len(self.provenance.seeds)
        many = "1 seed" if seeds == 1 else f"{seeds} seeds"
        where = f"{self.provenance.device}, {self.provenance.started[:10]}, {many}"
        return f"{SHORT_VERSION}; {where}" if self.quick else f"recorded: {where}"

    def where(self, **labels: str | float) -> tuple[Mapping[str, Any], ...]:
        """Return the runs with these labels, by rising seed.

        Args:
            **labels: Label to value.
        """
        found = [
            run for run in self.runs if all(run["labels"][name] == value for name, value in labels.items())
        ]
        return tuple(sorted(found, key=lambda run: run["seed"]))

    def values(self, quantity: str, **labels: str | float) -> list[float]:
        """Return one number of each run with these labels, by rising seed.

        Args:
            quantity: What to return, such as `"accuracy"`.
            **labels: Label to value.
        """
        return [run[quantity] for run in self.where(**labels)]

    def label_values(self, name: str) -> list[Any]:
        """Return the different values of a label, in the order in which they come.

        Args:
            name: Name of the label.
        """
        return list(dict.fromkeys(run["labels"][name] for run in self.runs))

    @cached_property
    def summary(self) -> tuple[str, ...]:
        """What follows from the numbers, in sentences, with what the study cannot show."""
        from effnet_edu.studies.findings import summarise

        return summarise(self)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.question}", f"({self.label})", *(f"- {line}" for line in self.summary)]
        return "\n".join(textwrap.fill(line, LINE, subsequent_indent="  ") for line in lines)


def read(name: str, folder: Path = record.RESULTS) -> StudyResult:
    """Return the recorded result of a study.

    Args:
        name: One of `list_studies()`.
        folder: Where results are kept; those that came with the course by default.

    Raises:
        ValueError: There is no such study.
        FileNotFoundError: It was not recorded.
        RecordError: The file is damaged.
    """
    choice("study", name, list_studies())
    found = record.read(name, folder)
    if found.kind == "measurement":
        raise record.RecordError(f"{name} is a measurement, not the result of a study.")
    return StudyResult(found)
