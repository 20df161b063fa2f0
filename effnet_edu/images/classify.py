"""Photographs into names with probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import overload

import torch
from torch import Tensor

from effnet_edu.checkpoints.preprocessing import Preprocessing
from effnet_edu.checkpoints.registry import published_weights
from effnet_edu.images.preprocess import OnePicture, Picture, preprocess
from effnet_edu.model.checks import whole_number
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
        net: A network with trained weights; it stays in the mode and on the device that it has.
        pictures: One photograph or several: paths, Pillow images, arrays (H, W, 3), tensors
            (3, H, W) or a batch.
        top: How many classes, 1 or more.
        preprocessing: The way into the network; by default the one that came with its published weights.

    Raises:
        ValueError: The network has no published weights and no preprocessing is given, or something is no
            photograph.
    """
    row = published_weights(net)
    how = preprocessing or (row.preprocessing if row else None)
    if how is None:
        raise ValueError(
            f"This {net.spec.name} has no published weights, so nothing says how its photographs "
            "were prepared; use ee.create(name, weights=...), or give preprocessing=."
        )
    count = min(whole_number("top", top), net.num_classes)
    batch = preprocess(pictures, how, next(net.parameters()).device)
    was_training = net.training
    try:
        with torch.no_grad():
            probabilities = net.eval()(batch).float().softmax(1)
    finally:
        net.train(was_training)
    labels = labels_of(net.num_classes, row.classes if row else "")
    rows = [
        [Prediction(labels[index], float(share), int(index)) for share, index in zip(*line, strict=True)]
        for line in zip(*(values.tolist() for values in probabilities.topk(count)), strict=True)
    ]
    single = pictures.ndim == 3 if isinstance(pictures, Tensor) else isinstance(pictures, OnePicture)
    return rows[0] if single else rows


def labels_of(num_classes: int, classes: str) -> Sequence[str]:
    """Return a name for each output: ImageNet's where they are known, numbers where they are not.

    Args:
        num_classes: How many outputs.
        classes: What they stand for, as in the registry.
    """
    if classes == "imagenet-1k" and num_classes == len(imagenet_classes()):
        return imagenet_classes()
    return [f"class {index}" for index in range(num_classes)]
