"""What the lab of your own network measures: a classifier on frozen features, and its network in few bits."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.checkpoints.create import create
from effnet_edu.checkpoints.registry import preprocessing_of
from effnet_edu.ground.watch import Watch
from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.images.preprocess import normalise
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.your_network.exact import YourNetworkLogic
from effnet_edu.labs.your_network.numbers import (
    CLASSES,
    DRAWS,
    FRESH,
    LITE0,
    NETWORK,
    PIXEL_SIDE,
    POOL,
    PRECISION,
    SIDE,
    LabelsFound,
    PrecisionFound,
    YourNetworkFound,
    YourNetworkSetting,
)
from effnet_edu.labs.your_network.screen import screen
from effnet_edu.model.export import export_onnx
from effnet_edu.model.network import EfficientNet
from effnet_edu.pictures.pixels import image_address
from effnet_edu.profiling.device import exclusive
from effnet_edu.profiling.engines import check_engine, onnxruntime_runner
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.timing import time_repeats
from effnet_edu.training.classifier import frozen_features, logistic_regression, with_classifier
from effnet_edu.training.plan import squared

_WEIGHTS = "efficientnet_lite_pytorch/imagenet"
#: Pictures that the ranges of maps in int8 are found with, and seconds for which a picture is timed.
_CALIBRATION, _SECONDS = 40, 0.4
_CPU = torch.device("cpu")
#: Side of the small picture of each class.
_THUMBNAIL = 24


class Known(NamedTuple):
    """Pictures with the features of each.

    Attributes:
        images: The pictures.
        features: What the classifier is given.  # (N, D)
    """

    images: LabelledImages
    features: Tensor


@cache
def _network() -> EfficientNet:
    return create(NETWORK, weights=_WEIGHTS, device="cpu").eval()


@cache
def _pictures() -> tuple[LabelledImages, LabelledImages]:
    """Return labelled pictures to choose from, and fresh ones."""
    pool = glyphs("train", POOL * len(CLASSES), SIDE, CLASSES)
    return pool, glyphs("test", FRESH, SIDE, CLASSES)


@cache
def _examples() -> tuple[str, ...]:
    """Return an address of a small picture of each class."""
    small = glyphs("train", len(CLASSES), _THUMBNAIL, CLASSES)
    by_class = small.images[small.labels.argsort()].permute(0, 2, 3, 1).contiguous()
    return tuple(image_address(bytes(one.numpy().tobytes()), _THUMBNAIL, _THUMBNAIL) for one in by_class)


class MeasuredYourNetwork(Measuring[YourNetworkSetting, YourNetworkFound], YourNetworkLogic):
    """The lab with a device: features are computed once, and a classifier is fitted when a slider rests."""

    INVITATION = "Move the slider: a classifier is fitted when it rests; the features are computed once."
    RESULT = YourNetworkFound

    def __init__(self, device: str | None = None, **settings: object) -> None:
        self._known: dict[tuple[str, str], tuple[Known, Known]] = {}
        super().__init__(device, **settings)

    def screen(self) -> LiveScreen:
        """Return what the chosen part shows, with a picture of each class."""
        return screen(self, _examples())

    def measure(self, setting: YourNetworkSetting, watch: Watch) -> Iterator[YourNetworkFound]:
        """Fit the classifier on several choices of labelled pictures, or write the network and run it."""
        known, fresh = self._features(setting, watch.part(0, 0.5))
        if setting.part == PRECISION:
            yield _in_precision(setting.precision, known, fresh, watch.part(0.5, 0.5))
            return
        accuracies, seconds = [], []
        with exclusive(_CPU, watch):
            for seed in range(DRAWS):
                watch.progress(0.5 + 0.5 * seed / DRAWS)
                chosen = _chosen(known.images.labels, setting.pictures, seed)
                begun = time.perf_counter()
                weight, bias = _fitted(known, chosen, watch)
                seconds.append(time.perf_counter() - begun)
                answers = F.linear(fresh.features, weight, bias).argmax(1)
                accuracies.append(float((answers == fresh.images.labels).double().mean()))
        yield LabelsFound(tuple(accuracies), Timing(tuple(seconds)))

    def remark(self, record: Record[YourNetworkSetting, YourNetworkFound]) -> str:
        """Say how far the choices lie apart, or whether the time is to be trusted."""
        found = record.measurement
        if isinstance(found, LabelsFound):
            low, high = (100 * end for end in (min(found.accuracies), max(found.accuracies)))
            return f"{DRAWS} choices of pictures: {digits(low)} to {digits(high)} % right."
        return (
            "Noisy: press Measure once more."
            if found.picture.noisy
            else f"{len(found.picture.seconds)} runs."
        )

    def row(self, record: Record[YourNetworkSetting, YourNetworkFound]) -> dict[str, object]:
        """Return all settings and numbers, with the same columns for both parts."""
        names = ("accuracy, %", "time to fit, ms", "file, MiB", "time a picture, ms")
        return asdict(record.setting) | dict.fromkeys(names, "") | super().row(record)

    def _features(self, setting: YourNetworkSetting, watch: Watch) -> tuple[Known, Known]:
        """Return the labelled and the fresh pictures with their features, which are computed once."""
        kind = LITE0 if setting.part == PRECISION else setting.features
        key = kind, setting.device
        if key not in self._known:
            pool, fresh = _pictures()
            share = len(pool) / (len(pool) + len(fresh))
            if kind == LITE0:
                found = [
                    frozen_features(_network(), one, resolution=SIDE, device=setting.device, watch=part)
                    for one, part in (
                        (pool, watch.part(0, share)),
                        (fresh, watch.part(share, 1 - share)),
                    )
                ]
            else:
                found = [one.resized(PIXEL_SIDE).images.flatten(1).float() for one in (pool, fresh)]
            self._known[key] = Known(pool, found[0]), Known(fresh, found[1])
        return self._known[key]


def _chosen(labels: Tensor, pictures: int, seed: int) -> Tensor:
    """Return the indices of so many pictures of each class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return torch.cat([order[labels[order] == label][:pictures] for label in range(len(CLASSES))])


def _fitted(known: Known, chosen: Tensor, watch: Watch) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the classifier that fits some of the pictures."""
    weights = torch.ones(len(CLASSES))
    return logistic_regression(known.features[chosen], known.images.labels[chosen], weights, watch)


def _in_precision(precision: str, known: Known, fresh: Known, watch: Watch) -> PrecisionFound:
    """Write the network with a classifier for all labelled pictures, and run the file."""
    check_engine("onnxruntime", _network(), "fp32", _CPU)
    weight, bias = _fitted(known, torch.arange(len(known.images)), watch)
    network = with_classifier(_network(), len(CLASSES))
    network.classifier.load_state_dict({"weight": weight, "bias": bias})
    how = squared(preprocessing_of(_network()), SIDE)
    calibration = normalise(known.images.subset(_CALIBRATION).images, how)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        export_onnx(
            network, file, side=SIDE, batch_size=None, int8=calibration if precision == "int8" else None
        )
        graph = file.read_bytes()
    run = onnxruntime_runner(graph)
    answers = []
    for batch in torch.split(fresh.images.images, 16):
        watch.check()
        answers.append(run(normalise(batch, how)).argmax(1))
    one = normalise(fresh.images.images[:1], how)
    with exclusive(_CPU, watch):
        picture = time_repeats(lambda: run(one), _SECONDS, _CPU, watch)
    right = torch.cat(answers) == fresh.images.labels
    return PrecisionFound(len(graph), picture, tuple(right.tolist()))
