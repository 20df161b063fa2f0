"""Photographs into names with probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import overload

import torch
from torch import Tensor

from effnet_edu.checkpoints.registry import preprocessing_of, published_weights
from effnet_edu.ground.checks import whole_number
from effnet_edu.ground.preprocessing import Preprocessing, TrainedOn
from effnet_edu.images.preprocess import Picture, preprocess
from effnet_edu.images.reader import OnePicture
from effnet_edu.model.modes import evaluation_mode
from effnet_edu.model.network import EfficientNet


@dataclass(frozen=True)
class Prediction:
    """One class and how likely the network holds it.

    Attributes:
        label: Name of the class.
        probability: Softmax of its logit, from 0 to 1.
        index: Which output of the network it is.
    """

    label: str
    probability: float
    index: int

    def __str__(self) -> str:
        return f"{self.label}: {self.probability:.1%}"


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the names of the 1000 ImageNet classes in the order of the outputs.

    Source: torchvision; see imagenet_classes.md for the licence.
    """
    text = files("effnet_edu.images").joinpath("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


@overload
def classify(
    net: EfficientNet, pictures: OnePicture, top: int = 5, preprocessing: Preprocessing | None = None
) -> list[Prediction]: ...
@overload
def classify(
    net: EfficientNet,
    pictures: list[Picture] | tuple[Picture, ...],
    top: int = 5,
    preprocessing: Preprocessing | None = None,
) -> list[list[Prediction]]: ...
@overload
def classify(
    net: EfficientNet, pictures: Tensor, top: int = 5, preprocessing: Preprocessing | None = None
) -> list[Prediction] | list[list[Prediction]]: ...
def classify(
    net: EfficientNet,
    pictures: Picture | list[Picture] | tuple[Picture, ...],
    top: int = 5,
    preprocessing: Preprocessing | None = None,
) -> list[Prediction] | list[list[Prediction]]:
    """Return the most likely classes of a photograph, most likely first; for several, a list each.

    Args:
        net: A network with trained weights; each of its modules stays in the mode and on the device that
            it has. One of one input channel sees photographs in grey.
        pictures: One photograph or several: paths, bytes of files, Pillow images, arrays of uint8 (H, W, 3)
            or (H, W), tensors (3, H, W) or a batch, of uint8 or of floats from 0 to 1.
        top: How many classes, 1 or more.
        preprocessing: The way into the network; by default the one that came with its published weights,
            or that `train` trained it with.

    Raises:
        ValueError: Nothing says how photographs are prepared for the network, or something is no photograph.
    """
    if not hasattr(net, "spec"):
        raise ValueError(f"The network is of type {type(net).__name__}; classify takes an ee.EfficientNet.")
    row = published_weights(net)
    how = preprocessing or preprocessing_of(net)
    if how is None:
        raise ValueError(
            f"This {net.spec.name} has no published weights, so nothing says how its photographs "
            "were prepared; use ee.create(name, weights=...), or give preprocessing=."
        )
    if not net.num_classes:
        raise ValueError(
            f"The classifier of this {net.spec.name} is of type {type(net.classifier).__name__}, which does "
            "not tell a number of classes; classify needs one that ends in a linear layer."
        )
    whole_number("top", top)
    batch = preprocess(pictures, how, net.device, net.in_channels).to(net.dtype)
    with torch.no_grad(), evaluation_mode(net):
        logits = net(batch)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise ValueError(
            f"The network answers with a {type(logits).__name__}; classify needs logits (N, classes)."
        )
    probabilities = logits.float().softmax(1)  # (N, classes)
    classes = probabilities.shape[1]
    known = net.trained_on.class_names if isinstance(net.trained_on, TrainedOn) else ()
    labels = known if len(known) == classes else labels_of(classes, row.classes if row else "")
    rows = [
        [Prediction(labels[index], float(share), int(index)) for share, index in zip(*line, strict=True)]
        for line in zip(*(values.tolist() for values in probabilities.topk(min(top, classes))), strict=True)
    ]
    single = pictures.ndim == 3 if isinstance(pictures, Tensor) else isinstance(pictures, OnePicture)
    return rows[0] if single else rows


def labels_of(num_classes: int, classes: str) -> Sequence[str]:
    """Return a name for each output: ImageNet's where they are known, numbers where they are not."""
    if classes == "imagenet-1k" and num_classes == len(imagenet_classes()):
        return imagenet_classes()
    return [f"class {index}" for index in range(num_classes)]
