"""The result of a study, ready to be asked: its runs, where they came from, and what follows from them."""

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from effnet_edu.ground.checks import choice, quoted
from effnet_edu.studies.provenance import Provenance
from effnet_edu.studies.record import RESULTS, Record, RecordError
from effnet_edu.studies.record import read as read_record
from effnet_edu.studies.registry import findings, list_studies

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

    def by_seed(self, quantity: str, **labels: str | float) -> list[float]:
        """Return the mean over all runs of a seed with these labels, by rising seed: one factor of several.

        The paired difference of two of its values is the main effect of a factor, as one number a seed.

        Args:
            quantity: What to average, such as `"accuracy"`.
            **labels: Label to value.
        """
        of_seed: dict[int, list[float]] = {}
        for run in self.where(**labels):
            of_seed.setdefault(run["seed"], []).append(run[quantity])
        return [sum(values) / len(values) for values in of_seed.values()]

    def label_values(self, name: str) -> list[Any]:
        """Return the different values of a label, in the order in which they come.

        Args:
            name: Name of the label.
        """
        return list(dict.fromkeys(run["labels"][name] for run in self.runs))

    def arms(self) -> list[dict[str, Any]]:
        """Return the labels of every arm: what its runs have in common, whatever the seed."""
        found: list[dict[str, Any]] = []
        for run in self.runs:
            labels = {name: value for name, value in run["labels"].items() if name != "seed"}
            if labels not in found:
                found.append(labels)
        return found

    @cached_property
    def summary(self) -> tuple[str, ...]:
        """What follows from the numbers, in sentences, with how sure it is and what the study cannot show."""
        first = (f"{SHORT_VERSION[0].upper()}{SHORT_VERSION[1:]}.",) if self.quick else ()
        return (*first, *findings(self.name)(self), _on_intervals(len(self.provenance.seeds)))

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(line)}</li>" for line in self.summary)
        return f"<p>{html.escape(self.question)} ({html.escape(self.label)})</p><ul>{said}</ul>"

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.question}", f"({self.label})", *(f"- {line}" for line in self.summary)]
        return "\n".join(textwrap.fill(line, LINE, subsequent_indent="  ") for line in lines)


def _on_intervals(seeds: int) -> str:
    """Return how the intervals were made, or that there are none."""
    if seeds == 1:
        return "There is one seed: no interval, and differences of a few points may be chance."
    return (
        f"Intervals are 95% intervals of Student's t distribution over {seeds} seeds (weights, order and "
        "choice of training images); differences are taken seed by seed. No correction for the number of "
        "comparisons: of twenty intervals, one misses on average."
    )


#: What every study keeps of a run, whatever else it keeps.
_OF_A_RUN: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("name", "network"), str),
    **dict.fromkeys(("labels", "curve"), dict),
    **dict.fromkeys(("seed", "recipe", "images", "macs"), int),
    "accuracy": (int, float),
}


def as_result(found: Record) -> StudyResult:
    """Return the result of a study that a record holds; RecordError where it is none, or not whole."""
    runs = found.data.get("runs")
    if found.kind not in ("study", "quick_study") or not isinstance(runs, list) or not runs:
        raise RecordError(f"{found.name} is not the result of a study.")
    for index, run in enumerate(runs):
        for key, kind in _OF_A_RUN.items():
            if not isinstance(run, dict) or not isinstance(run.get(key), kind):
                raise RecordError(f"{found.name}: runs[{index}] has no {quoted(key)} of the right kind.")
        if set(run["labels"]) != set(runs[0]["labels"]):
            raise RecordError(f"{found.name}: runs[{index}] has other labels than the first run.")
    return StudyResult(found)


def read(name: str, folder: Path = RESULTS) -> StudyResult:
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
    return as_result(read_record(name, folder))
