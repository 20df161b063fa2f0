"""What predicts the time of a network on a device: exact counts, each alone and all together. No torch.

The claim that is tested is of Dollár, Singh and Girshick, Fast and Accurate Model Scaling, arXiv:2103.06877:
activations (outputs of convolutions) predict time better than multiply-adds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from effnet_edu.ground.checks import choice, quoted
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.names import ENGINES
from effnet_edu.profiling.repeats import NOISY_SPREAD

#: Counts that are tried alone, as they are called in sentences.
ALONE: Mapping[str, str] = {
    "macs": "MACs",
    "activations": "activations",
    "bytes": "bytes",
    "layers": "layers",
}
#: What is added up in the model, each times a coefficient of 0 or more; dense MACs are all but depthwise.
TOGETHER = ("dense_macs", "depthwise_macs", "activations", "bytes", "layers")
#: Everything that is held against the clock: the counts alone and together, and the roofline as it is and
#: with the factor and constant that fit best.
PREDICTORS: Mapping[str, str] = {
    "together": "counts together",
    **ALONE,
    "roofline": "roofline",
    "fitted_roofline": "roofline, fitted",
}
#: Parts that the networks are cut into; each is predicted from the others. Fewest networks for that.
FOLDS, FEWEST = 10, 20
_RESAMPLED = 2000


class Recorded(Protocol):
    """What is needed of a record of the experiment `random_networks`."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Under `rows`, a row a network."""


def counted(network: NetworkCost, batch_size: int = 1) -> dict[str, int]:
    """Return the counts of a network that may predict its time, by name."""
    convolutions = [layer for layer in network.layers if layer.kind == "convolution"]
    return {
        "macs": batch_size * network.macs,
        "depthwise_macs": batch_size * sum(row.macs for row in convolutions if row.role == "depthwise"),
        "activations": batch_size * sum(row.activations for row in convolutions),
        "bytes": network.bytes_moved(batch_size),
        "layers": len(network.layers),
    }


def _columns(row: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    """Return some counts of a row, and 1 for the constant."""
    held = {**row, "dense_macs": row["macs"] - row["depthwise_macs"]}
    return [*(float(held[name]) for name in names), 1.0]


def fitted(counts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the coefficients, none below 0, whose sums have the smallest squared relative errors.

    Every choice of columns is solved without a bound, and the best one without a negative coefficient is the
    solution with the bound: few columns need no cleverer way.

    Args:
        counts: A row a network, a column a count.
        times: Above 0.
    """
    scale = counts.max(axis=0)
    relative = counts / scale / times[:, None]  # (networks, counts)
    best, found = np.inf, np.zeros(len(scale))
    for size in range(1, len(scale) + 1):
        for some in map(list, combinations(range(len(scale)), size)):
            solved = np.linalg.lstsq(relative[:, some], np.ones(len(times)), rcond=None)[0]
            left = float(np.square(relative[:, some] @ solved - 1).sum())
            if solved.min() >= 0 and left < best:
                best, found = left, np.zeros(len(scale))
                found[some] = solved
    coefficients: np.ndarray = found / scale
    return coefficients


@dataclass(frozen=True)
class TimeModel:
    """What the counts of some networks say about their times, and how wrong that is.

    Attributes:
        engine: What ran the networks.
        batch_size: Images at once.
        threads: Threads of a CPU; 0 on an accelerator.
        coefficients: Milliseconds for one of each count, and the constant under `"constant"`.
        ranges: Of each count, the least and the most that was measured.
        measured_ms: Time of each network.
        predicted_ms: By predictor, the milliseconds of each network from a fit that had not seen it.
        repeat_error: By what share the slower one of two visits to a network was slower, in the median.
    """

    engine: str
    batch_size: int
    threads: int
    coefficients: Mapping[str, float]
    ranges: Mapping[str, tuple[int, int]]
    measured_ms: tuple[float, ...]
    predicted_ms: Mapping[str, tuple[float, ...]]
    repeat_error: float

    def errors(self, predictor: str) -> np.ndarray:
        """Return how far each prediction is off, as a share of the measured time."""
        predicted = self.predicted_ms[choice("predictor", predictor, tuple(self.predicted_ms))]
        off: np.ndarray = np.abs(np.divide(predicted, self.measured_ms) - 1)
        return off

    def error(self, predictor: str, share: float = 0.5) -> float:
        """Return the error that so large a share of the networks stays within: half of them by default."""
        return float(np.quantile(self.errors(predictor), share))

    def rank_correlation(self, predictor: str) -> float:
        """Return Spearman's correlation of predicted and measured times: 1 where the order is the same."""
        both = (self.predicted_ms[predictor], self.measured_ms)
        first, second = (np.argsort(np.argsort(values)) for values in both)
        return float(np.corrcoef(first, second)[0, 1])

    def lead(self, first: str, second: str) -> tuple[float, float, float]:
        """Return by how much the median error of `second` exceeds that of `first`, and its 95% interval.

        The interval is a bootstrap over networks, both predictors on the same ones.
        """
        one, other = self.errors(first), self.errors(second)
        drawn = np.random.default_rng(0).integers(len(one), size=(_RESAMPLED, len(one)))
        leads = np.median(other[drawn], axis=1) - np.median(one[drawn], axis=1)
        low, high = np.quantile(leads, (0.025, 0.975))
        return float(np.median(other) - np.median(one)), float(low), float(high)

    @property
    def claim(self) -> str:
        """Whether activations predict time better than MACs here, in a sentence."""
        lead, low, high = (100 * value for value in self.lead("activations", "macs"))
        errors = f"{self.error('activations'):.0%} against {self.error('macs'):.0%} in the median"
        if low <= 0 <= high:
            return (
                f"In {self.engine}, it is not decided whether activations or MACs predict time better: off "
                f"by {errors}, {-lead:+.0f} points ({-high:+.0f} to {-low:+.0f})."
            )
        verb, more, span = ("better", "less", (low, high)) if lead > 0 else ("worse", "more", (-high, -low))
        return (
            f"In {self.engine}, activations predict time {verb} than MACs: off by {errors}, "
            f"{abs(lead):.0f} points {more} ({span[0]:.0f} to {span[1]:.0f})."
        )

    @property
    def advice(self) -> str:
        """What to do where other programs disturbed the times; empty where they did not."""
        if self.repeat_error <= NOISY_SPREAD:
            return ""
        return " Other programs disturbed these times: close them, and measure again."

    @property
    def against_roofline(self) -> str:
        """How wrong all counts together are beside the roofline, in a sentence."""
        ours, theirs = self.error("together"), self.error("roofline")
        return (
            f"In {self.engine}, the counts together are off by {ours:.0%} in the median. The roofline is off "
            f"by {theirs:.0%}, or {self.error('fitted_roofline'):.0%} with the factor and constant that fit "
            "it best."
        )


@dataclass(frozen=True)
class TimePrediction:
    """What a network should take on the device of a record.

    Attributes:
        network: Its name.
        resolution: Side of the input in pixels.
        batch_size: Images at once.
        engine: What is to run it.
        threads: Threads of a CPU; 0 on an accelerator.
        milliseconds: Predicted time of a batch.
        error: Half of the networks that were held out were predicted within this share of their time.
        error_90: Nine tenths of them were.
        beyond: Counts of this network that lie outside of those measured, each as a phrase.
    """

    network: str
    resolution: int
    batch_size: int
    engine: str
    threads: int
    milliseconds: float
    error: float
    error_90: float
    beyond: tuple[str, ...]

    def __str__(self) -> str:
        where = f"{self.engine} with 1 thread" if self.threads else self.engine
        said = (
            f"{self.network}, {self.resolution} px, batch {self.batch_size}, in {where}: "
            f"{self.milliseconds:.3g} ms predicted. Of networks that it had not seen, half were predicted "
            f"within {self.error:.0%} of their time, nine tenths within {self.error_90:.0%}."
        )
        if self.beyond:
            said += f" Beyond what was measured, so perhaps less right: {', '.join(self.beyond)}."
        return said


def fit_times(record: Recorded, engine: str = "torch") -> TimeModel:
    """Fit the times of a record's networks to their counts, and say how wrong that is on unseen ones.

    Each of ten parts of the networks is predicted from the other nine.

    Args:
        record: Of the experiment `random_networks`, as `ee.studies.recorded_devices` returns it.
        engine: One of those that the record has times of.

    Raises:
        ValueError: It is no such record, or has times of fewer than 20 networks in this engine.
    """
    rows = _rows_of(record, engine)
    times = np.array([min(row[f"{engine}_ms"]) for row in rows])
    tables = {name: np.array([_columns(row, (name,)) for row in rows]) for name in ALONE}
    tables["together"] = np.array([_columns(row, TOGETHER) for row in rows])
    roofline = np.array([float(row["roofline_ms"]) for row in rows])
    tables["fitted_roofline"] = np.stack([roofline, np.ones(len(rows))], axis=1)
    predicted = {name: _held_out(table, times) for name, table in tables.items()}
    predicted["roofline"] = roofline
    visits = [row[f"{engine}_ms"] for row in rows]
    repeats = [max(found) / min(found) - 1 for found in visits if len(found) > 1]
    coefficients = fitted(tables["together"], times)
    return TimeModel(
        engine,
        rows[0]["batch_size"],
        rows[0]["threads"],
        dict(zip((*TOGETHER, "constant"), map(float, coefficients), strict=True)),
        {name: (min(row[name] for row in rows), max(row[name] for row in rows)) for name in ALONE},
        tuple(map(float, times)),
        {name: tuple(map(float, predicted[name])) for name in PREDICTORS},
        float(np.median(repeats)),
    )


def _held_out(counts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return what is predicted for each network from the parts that it is not in."""
    part, found = np.arange(len(times)) % FOLDS, np.empty(len(times))
    for fold in range(FOLDS):
        unseen = part == fold
        found[unseen] = counts[unseen] @ fitted(counts[~unseen], times[~unseen])
    return found


def timed_engines(record: Recorded) -> tuple[str, ...]:
    """Return the engines in which a record has times of networks enough for a fit.

    Args:
        record: Of the experiment `random_networks`.

    Raises:
        ValueError: It is no such record.
    """
    needed = {*ALONE, "depthwise_macs", "batch_size", "threads", "roofline_ms"}
    rows = getattr(record, "data", {}).get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and needed <= set(row) for row in rows):
        raise ValueError(
            f"record is {quoted(record)}; it must be one of random_networks, which `python -m effnet_edu "
            "measure device random_networks` makes."
        )
    return tuple(name for name in ENGINES if sum(f"{name}_ms" in row for row in rows) >= FEWEST)


def _rows_of(record: Recorded, engine: str) -> list[Mapping[str, Any]]:
    engines = timed_engines(record)
    if not engines:
        raise ValueError(f"The record has too few networks for a fit, which needs {FEWEST} in one engine.")
    choice("engine", engine, engines)
    return [row for row in record.data["rows"] if f"{engine}_ms" in row]


def predict_time(
    network: NetworkSpec | str, record: Recorded, resolution: int | None = None, *, engine: str = "torch"
) -> TimePrediction:
    """Predict what a network takes on a device from its exact counts; nothing is built or run.

    Time is a sum of multiply-adds (depthwise and other), activations, bytes and layers, each times what it
    cost in the networks of the record, and a constant.

    Args:
        network: A spec, or the name of a published network.
        record: Of the experiment `random_networks` on that device, such as
            `ee.studies.recorded_devices()["amd_epyc_with_avx512_2_threads"]["random_networks"]`.
        resolution: Side of the input in pixels; the network's own by default.
        engine: One of those that the record has times of: `"torch"`, `"onnxruntime"`, `"openvino"`.

    Raises:
        ValueError: The network is unknown, the resolution too small, or the record of another kind or
            without this engine.
    """
    model, about = fit_times(record, engine), cost(network, resolution)
    counts = counted(about, model.batch_size)
    row = dict(zip((*TOGETHER, "constant"), _columns(counts, TOGETHER), strict=True))
    beyond = (
        f"{counts[name]:,} {ALONE[name]} (measured: {low:,} to {high:,})"
        for name, (low, high) in model.ranges.items()
        if not low <= counts[name] <= high
    )
    return TimePrediction(
        about.spec.name,
        about.resolution,
        model.batch_size,
        engine,
        model.threads,
        sum(model.coefficients[name] * row[name] for name in row),
        model.error("together"),
        model.error("together", 0.9),
        tuple(beyond),
    )
