"""Settings of the lab of your own network, what is counted at each, and what a measurement found."""

from dataclasses import dataclass
from functools import cache, lru_cache

from effnet_edu.labs.frame.numbers import Number, Section
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.profiling.repeats import Timing
from effnet_edu.studies.pretrained.findings import Arm, arms
from effnet_edu.studies.quantisation import findings as quantisation
from effnet_edu.studies.result import read
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference
from effnet_edu.training.share import wilson_interval

#: The two parts, and what the classifier is fitted on.
PICTURES, PRECISION = "labelled pictures", "precision"
LITE0, PIXELS = "Lite0", "pixels"
#: Each precision, with the bits of a weight.
BITS = {"fp32": 32, "int8": 8}
NETWORK, SIDE, CLASSES = "efficientnet_lite0", 96, "8uCE"
#: Labelled pictures of each class: so many can be chosen, out of so many; and fresh ones of all classes.
MOST, POOL, FRESH = 50, 60, 160
#: Side of a picture in pixels where its plain pixels are the features.
PIXEL_SIDE = 16
#: Times that other pictures are chosen.
DRAWS = 5


@dataclass(frozen=True)
class YourNetworkSetting:
    """What the learner can choose."""

    part: str
    pictures: int
    features: str
    precision: str
    device: str


@dataclass(frozen=True)
class LabelsFound:
    """What a number of labelled pictures brought.

    Attributes:
        accuracies: Share of fresh pictures that are named correctly, for each choice of labelled ones.
        fit: Seconds that fitting the classifier took, for each choice.
    """

    accuracies: tuple[float, ...]
    fit: Timing

    @property
    def accuracy(self) -> Estimate:
        """Over the choices; no choice can be better than all or worse than none."""
        found = estimate(self.accuracies)
        return Estimate(found.mean, max(found.low, 0.0), min(found.high, 1.0), found.count)


@dataclass(frozen=True)
class PrecisionFound:
    """What a precision costs and answers.

    Attributes:
        file_bytes: Size of the ONNX file.
        picture: Seconds of one picture at a time in onnxruntime.
        right: Whether each of the fresh pictures is named correctly.
    """

    file_bytes: int
    picture: Timing
    right: tuple[bool, ...]

    @property
    def correct(self) -> int:
        """How many of the fresh pictures are named correctly."""
        return sum(self.right)

    @property
    def accuracy(self) -> Estimate:
        """Share that is named correctly, with Wilson's interval."""
        count = len(self.right)
        return Estimate(self.correct / count, *wilson_interval(self.correct, count), count)

    def change(self, other: "PrecisionFound") -> Estimate:
        """Return how much more accurate it is than another precision, on the same pictures."""
        return paired_difference(self.right, other.right)


YourNetworkFound = LabelsFound | PrecisionFound


def label(setting: YourNetworkSetting) -> str:
    """Return `10 pictures a class`, also `pixels of` these, or the precision."""
    if setting.part == PRECISION:
        return f"Lite0 in {setting.precision}"
    of = "" if setting.features == LITE0 else "pixels of "
    return f"{of}{setting.pictures} picture{'s' * (setting.pictures > 1)} a class"


@cache
def counted() -> NetworkCost:
    """Return what the network costs for one picture."""
    return cost(NETWORK, SIDE, num_classes=len(CLASSES))


@cache
def feature_count(features: str) -> int:
    """Return how many numbers of a picture the classifier is given."""
    if features == PIXELS:
        return 3 * PIXEL_SIDE**2
    return next(layer.channels_in for layer in counted().layers if layer.role == "classifier")


def learned(features: str) -> int:
    """Return how many parameters the classifier has."""
    return (feature_count(features) + 1) * len(CLASSES)


@lru_cache
def weight_bytes(precision: str) -> int:
    """Return the bytes of all weights, batch norms folded.

    In 8 bits a weight takes one byte, and each output channel a bias of 32 bits and its step in fp32.
    """
    weights = channels = 0
    for layer in counted().layers:
        if layer.kind == "convolution":
            weights += layer.parameters
            channels += layer.channels_out
        elif layer.kind == "linear":
            weights, channels = (
                weights + layer.channels_in * layer.channels_out,
                channels + layer.channels_out,
            )
    return 4 * (weights + channels) if precision == "fp32" else weights + 8 * channels


@cache
def recorded() -> tuple[str, tuple[Arm, ...]]:
    """Return where and when the study `pretrained` was recorded, and its arms."""
    result = read("pretrained")
    about = result.provenance
    return f"{about.device}, {about.started[:10]}", tuple(arms(result))


@cache
def recorded_int8() -> Estimate:
    """Return what int8 did to the accuracy of small networks without gates and with ReLU6, as Lite0 is."""
    every = quantisation.arms(read("quantisation"))
    (like_lite0,) = (
        arm for arm in every if (arm.gate, arm.activation, arm.steps) == (False, "relu6", "channel")
    )
    return like_lite0.changes[8]


def _recorded_numbers(setting: YourNetworkSetting) -> Section | None:
    """Return what was recorded of the same number of pictures, or of int8."""
    if setting.part == PRECISION:
        if setting.precision == "fp32":
            return None
        change = recorded_int8().scaled(100)
        number = Number(
            "change of accuracy in int8", change.mean, "points", 2, (change.low, change.high), is_detail=True
        )
        return Section("recorded", (number,), "recorded: study quantisation, small networks like Lite0")
    where, every = recorded()
    found = tuple(
        Number(
            f"recorded, {arm.way}",
            100 * arm.accuracy.mean,
            "%",
            1,
            (100 * arm.accuracy.low, 100 * arm.accuracy.high),
            is_detail=True,
        )
        for arm in every
        if arm.pictures == setting.pictures
    )
    return Section("recorded", found, f"recorded: Fashion-MNIST, {where}") if found else None


def numbers(setting: YourNetworkSetting) -> tuple[Section, ...]:
    """Return what is counted exactly, and what was recorded of the same."""
    macs = counted().macs
    if setting.part == PRECISION:
        mebibytes = weight_bytes(setting.precision) / 2**20
        found = [
            Number("weights", mebibytes, "MiB"),
            Number("MACs", macs / 1e6, "million"),
            Number("bits of a weight", BITS[setting.precision], decimals=0, is_detail=True),
            Number("times smaller", weight_bytes("fp32") / weight_bytes(setting.precision), "×", decimals=2),
        ]
    else:
        pictures, trained = len(CLASSES) * setting.pictures, learned(setting.features)
        found = [
            Number("labelled pictures", pictures, decimals=0),
            Number("parameters that learn", trained, decimals=0),
            Number("MACs of all features", pictures * macs * (setting.features == LITE0) / 1e9, "billion"),
            Number("features of a picture", feature_count(setting.features), decimals=0, is_detail=True),
        ]
    computed = Section("computed", tuple(found), f"computed: Lite0 at {SIDE} px, {len(CLASSES)} classes")
    more = _recorded_numbers(setting)
    return (computed,) if more is None else (computed, more)


def measured(found: YourNetworkFound) -> tuple[Number, ...]:
    """Return the numbers of a measurement."""
    if isinstance(found, LabelsFound):
        accuracy = found.accuracy.scaled(100)
        interval = (accuracy.low, accuracy.high) if accuracy.count > 1 else None
        return (
            Number("accuracy", accuracy.mean, "%", 1, interval),
            _milliseconds("time to fit", found.fit),
        )
    accuracy = found.accuracy.scaled(100)
    return (
        Number("accuracy", accuracy.mean, "%", 1, (accuracy.low, accuracy.high)),
        Number("file", found.file_bytes / 2**20, "MiB"),
        _milliseconds("time a picture", found.picture),
    )


def _milliseconds(name: str, timing: Timing) -> Number:
    low, high = (1000 * end for end in timing.interval)
    return Number(name, 1000 * timing.median, "ms", interval=(low, high))
