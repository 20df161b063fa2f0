"""What a photograph goes through before a network that was trained that way. Data; images/ does it."""

from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

Fit = Literal["crop", "squash"]
Interpolation = Literal["nearest", "bilinear", "bicubic"]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """The publisher's way from a photograph to the network's input.

    Attributes:
        resolution: Side of the square input in pixels.
        resize: Side in pixels that the photograph is resized to before the crop.
        fit: `crop`: the shorter side becomes `resize`, then the centre is cropped. `squash`: both sides do.
        interpolation: How pixels are interpolated; Pillow's filters, which smooth when they shrink.
        mean: Subtracted from red, green and blue.
        std: What the differences are divided by.
        value_range: Largest value of a channel before mean and std apply: 1 or 255.
    """

    resolution: int
    resize: int
    fit: Fit
    interpolation: Interpolation
    mean: Triple
    std: Triple
    value_range: int

    @property
    def in_grey(self) -> "Preprocessing":
        """The same for a network of one channel: each mean and deviation is the mean of the three."""
        mean, std = fmean(self.mean), fmean(self.std)
        return replace(self, mean=(mean, mean, mean), std=(std, std, std))


@dataclass(frozen=True)
class TrainedOn:
    """What a network learned from: the names of its outputs, and what its pictures went through."""

    class_names: tuple[str, ...]
    preprocessing: Preprocessing
