"""What the study `quantisation` found."""

import itertools
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate
from effnet_edu.studies.words import points

#: Decided before the first run: a change whose whole interval is nearer to 0 is none that matters.
BOUND = 0.005
#: What EfficientNet has, and what stands in its place in Lite or in a better quantiser.
FACTORS: dict[str, tuple[Any, Any]] = {
    "gate": (True, False),
    "activation": ("silu", "relu6"),
    "steps": ("tensor", "channel"),
}
ACTIVATIONS = {"silu": "SiLU", "relu6": "ReLU6"}
WORDS = {
    "gate": "SE gates",
    "activation": "SiLU in place of ReLU6",
    "steps": "one step for all channels of a weight",
}


@dataclass(frozen=True)
class Arm:
    """A network of the study in int8, one way.

    Attributes:
        gate: Whether it has squeeze-and-excitation.
        activation: `"silu"` or `"relu6"`.
        steps: Whether a weight has one step for the whole `"tensor"`, or one for each `"channel"`.
        changes: Bits to the accuracy in so many bits minus that in floats, network by network.
    """

    gate: bool
    activation: str
    steps: str
    changes: Mapping[int, Estimate]

    @property
    def name(self) -> str:
        """What it is called in sentences and figures."""
        gate = "SE" if self.gate else "no SE"
        return f"{gate}, {ACTIVATIONS[self.activation]}, by {self.steps}"


def bits(result: StudyResult) -> list[int]:
    """Return the numbers of bits that were tried, int8 first."""
    names = [name for name in result.runs[0] if name.startswith("accuracy_int")]
    return sorted({int(name.split("_")[1].removeprefix("int")) for name in names}, reverse=True)


def arms(result: StudyResult) -> list[Arm]:
    """Return every network in int8, each both ways."""
    found = []
    for gate, activation, steps in itertools.product(*FACTORS.values()):
        runs = result.where(gate=gate, activation=activation)
        changes = {
            width: estimate([run[f"accuracy_int{width}_{steps}"] - run["accuracy"] for run in runs])
            for width in bits(result)
        }
        found.append(Arm(gate, activation, steps, changes))
    return found


def differences(
    result: StudyResult, factor: str, quantity: Callable[[Mapping[str, Any], str], float]
) -> list[float]:
    """Return what one factor does to a quantity, one number a seed.

    Gates and activations are compared with a step for each channel, as one step for all channels hits a
    network here and there, whatever the other two are. That factor is the mean over all four networks.

    Args:
        result: The study.
        factor: `"gate"`, `"activation"` or `"steps"`.
        quantity: Of a run, and of `"tensor"` or `"channel"`.
    """

    def by_seed(level: Any) -> list[float]:
        of_seed: dict[int, list[float]] = {}
        for run, steps in itertools.product(result.runs, FACTORS["steps"]):
            is_compared = factor == "steps" or steps == "channel"
            if is_compared and {**run["labels"], "steps": steps}[factor] == level:
                of_seed.setdefault(run["seed"], []).append(quantity(run, steps))
        return [statistics.fmean(of_seed[seed]) for seed in sorted(of_seed)]

    ours, others = FACTORS[factor]
    return [one - other for one, other in zip(by_seed(ours), by_seed(others), strict=True)]


def change_effects(result: StudyResult, width: int) -> dict[str, Estimate]:
    """Return what each factor does to the change of accuracy in so many bits; below 0 it costs."""

    def change(run: Mapping[str, Any], steps: str) -> float:
        return float(run[f"accuracy_int{width}_{steps}"] - run["accuracy"])

    return {factor: estimate(differences(result, factor, change)) for factor in FACTORS}


def noise_by_seed(result: StudyResult) -> dict[str, list[float]]:
    """Return what each factor adds to the noise of the logits in int8, in decibels, one number a seed."""

    def noise(run: Mapping[str, Any], steps: str) -> float:
        return -float(run[f"snr_int8_{steps}"])

    return {factor: differences(result, factor, noise) for factor in FACTORS}


def noise_effects(result: StudyResult) -> dict[str, Estimate]:
    """Return what each factor adds to the noise of the logits in int8, in decibels."""
    return {factor: estimate(found) for factor, found in noise_by_seed(result).items()}


def hit_by_one_step(result: StudyResult) -> list[Mapping[str, Any]]:
    """Return the runs whose weights have ten times the noise with one step for all channels."""
    return [run for run in result.runs if run["snr_weights_channel"] - run["snr_weights_tensor"] >= 10]


def last_epochs(result: StudyResult) -> tuple[Estimate, Estimate, Estimate]:
    """Return the training accuracy at the end, and how much it and that of test images rose in two epochs."""
    curves = [run["curve"] for run in result.runs]

    def rise(name: str) -> Estimate:
        return estimate([curve[name][-1] - curve[name][-3:][0] for curve in curves])

    return (
        estimate([curve["train_accuracy"][-1] for curve in curves]),
        rise("train_accuracy"),
        rise("test_accuracy"),
    )


def _verdict(effect: Estimate) -> str:
    """Return what a factor does to accuracy, against the bound."""
    if effect.lies_within(BOUND):
        return f"no difference that matters ({points(effect)})"
    if effect.decides_sign:
        return f"{'less' if effect.mean < 0 else 'more'} accurate ({points(effect)})"
    return f"not decided ({points(effect)})"


def _noise(effect: Estimate) -> str:
    """Return what a factor does to the noise, and whether that is sure."""
    told = f"{effect.mean:+z.1f} dB, {effect.low:+z.1f} to {effect.high:+z.1f}"
    return f"({told})" if effect.decides_sign else f"(not decided: {told})"


def sentences(result: StudyResult) -> list[str]:
    """Return what int8 costs, which factor it comes from, and what cannot be shown."""
    reached, learned, better = last_epochs(result)
    int8, *_ = bits(result)
    every = arms(result)
    worst = min(every, key=lambda arm: arm.changes[int8].mean)
    within = [arm for arm in every if arm.changes[int8].lies_within(BOUND)]
    noise = noise_effects(result)
    loudest = max(noise, key=lambda factor: noise[factor].mean)
    found = [
        f"Int8 changes accuracy by less than {100 * BOUND:g} points, the bound decided beforehand, in "
        f"{len(within)} of {len(every)} cases; the worst on average is {worst.name} "
        f"({points(worst.changes[int8])}).",
        f"What int8 feels most is {WORDS[loudest]}: the noise in the logits is "
        f"{10 ** (noise[loudest].mean / 10):.1f} times as strong {_noise(noise[loudest])}. Beside it, "
        + " and ".join(f"{WORDS[name]} {_noise(one)}" for name, one in noise.items() if name != loudest)
        + ".",
        "Left over the noise, where maps alone are rounded: "
        + " and ".join(
            f"{signal.mean:.0f} dB with {name}" for name, signal in _signals(result, "activation").items()
        )
        + "; where weights alone are: "
        + " and ".join(
            f"{signal.mean:.0f} dB by {name}" for name, signal in _signals(result, "steps").items()
        )
        + ".",
    ]
    hit, fewest = hit_by_one_step(result), bits(result)[-1]
    if hit:
        lost = max(run["accuracy"] - run[f"accuracy_int{fewest}_tensor"] for run in hit)
        found.append(
            f"One step for all channels is a risk rather than a price: in {len(hit)} of {len(result.runs)} "
            "networks it makes the noise of the weights more than ten times as strong, because one channel "
            f"is far wider than the others. The worst of them loses {100 * lost:.1f} points in {fewest} bits."
        )
    for width in bits(result):
        told = "; ".join(
            f"{WORDS[factor]}: {_verdict(effect)}" for factor, effect in change_effects(result, width).items()
        )
        found.append(f"Accuracy in {width} bits. {told[0].upper()}{told[1:]}.")
    found += [
        f"Trained until accuracy on test images is flat: it rose by {points(better)} in the last two epochs; "
        f"on training images, of which {reached.mean:.1%} are classified correctly, by {points(learned)}.",
        "Gates and activations are compared with a step for each channel. That was chosen after five seeds, "
        "when one network that the other way ruins hid what both do; the bound stood before.",
        "What it cannot show: rounding is simulated in floats, with the least and largest value of "
        "calibration images, and an engine may do worse, such as one whose sums overflow. Channels of small "
        "networks trained for minutes differ less in their weights than those of networks trained for days "
        "on ImageNet, where one step for all channels may cost far more. Lite dropped gates because some "
        "accelerators lack them, which accuracy does not tell.",
    ]
    return found


def _signals(result: StudyResult, factor: str) -> dict[str, Estimate]:
    """Return the logits over the noise where maps or weights alone are rounded, in decibels."""
    if factor == "steps":
        return {steps: estimate(result.by_seed(f"snr_weights_{steps}")) for steps in FACTORS["steps"]}
    return {
        ACTIVATIONS[name]: estimate(result.by_seed("snr_maps", activation=name))
        for name in FACTORS["activation"]
    }
