"""Where a network looks: which places of a picture its answer rests on."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.checkpoints.registry import preprocessing_of
from effnet_edu.ground.checks import choice, quoted
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images.classify import classify
from effnet_edu.images.preprocess import Picture, preprocess
from effnet_edu.model.modes import evaluation_mode
from effnet_edu.model.network import EfficientNet

Method = Literal["grad_cam", "occlusion"]
METHODS: tuple[str, ...] = ("grad_cam", "occlusion")

#: Side of the covered square as a part of the picture's; it moves by half of itself.
_SQUARE = 5
_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where a network looked in one picture.

    Attributes:
        picture: What the network saw after its preprocessing, uint8.  # (C, side, side)
        heat: How much each place counts for the class, from 0 to 1; 0 everywhere where nothing does.
            # (side, side)
        label: Name of the class.
        probability: How likely the network holds it, from 0 to 1.
        method: `"grad_cam"` or `"occlusion"`.
    """

    picture: Tensor
    heat: Tensor
    label: str
    probability: float
    method: str

    def __str__(self) -> str:
        return f"{self.label}: {self.probability:.1%}, by {self.method}"


def explain(
    net: EfficientNet,
    picture: Picture,
    index: int | None = None,
    method: Method = "grad_cam",
    preprocessing: Preprocessing | None = None,
) -> Explanation:
    """Return which places of a picture speak for a class.

    Grad-CAM weighs the channels of the last feature map by their gradient: one pass, as coarse as that map.
    Occlusion covers one square after the other with the picture's mean colour, and looks how much less likely
    the class becomes: about a hundred passes, and no assumption about the network. Where they disagree, trust
    neither.

    Both are a few lines on the network's own parts; the packages of the field (grad-cam, captum) do the same
    by hooks, for any network.

    Args:
        net: A network with trained weights; it is left as it was.
        picture: One photograph, as `classify` takes it; a tensor is (3, H, W).
        index: Which output to explain, as in `Prediction.index`; by default the most likely one.
        method: `"grad_cam"` or `"occlusion"`.
        preprocessing: The way into the network; by default as in `classify`.

    Raises:
        ValueError: Nothing says how photographs are prepared, there is no such output or method, or something
            is no photograph.

    Sources: Selvaraju et al., arXiv:1610.02391; Zeiler and Fergus, arXiv:1311.2901, section 4.2.
    """
    choice("method", method, METHODS)
    if isinstance(picture, list | tuple) or (isinstance(picture, Tensor) and picture.ndim != 3):
        raise ValueError("explain takes one photograph at a time.")
    (rows,) = classify(net, [picture], max(1, net.num_classes), preprocessing)
    found = {row.index: row for row in rows}
    best = next(iter(found)) if index is None else index
    if best not in found:
        raise ValueError(f"index is {quoted(index)}; the network has outputs from 0 to {len(found) - 1}.")
    how = preprocessing or preprocessing_of(net)
    assert how is not None  # noqa: S101 - classify has asked for it
    x = preprocess(picture, how, net.device, net.in_channels).to(net.dtype)
    with evaluation_mode(net), torch.no_grad():
        heat = (_grad_cam if method == "grad_cam" else _occlusion)(net, x, best).float().cpu()
    highest = float(heat.max())
    return Explanation(
        picture=_pixels(x, how),
        heat=heat / highest if highest > 0 else heat,
        label=found[best].label,
        probability=found[best].probability,
        method=method,
    )


def _grad_cam(net: EfficientNet, x: Tensor, index: int) -> Tensor:  # (1, C, H, W) -> (H, W)
    maps = net.head(net.stages(net.stem(x))).detach().requires_grad_()  # (1, channels, H / 32, W / 32)
    with torch.enable_grad():
        logits = net.classifier(net.dropout(net.pool(maps)))
        (gradient,) = torch.autograd.grad(logits[0, index], maps)
    heat = (gradient.mean((2, 3), keepdim=True) * maps.detach()).sum(1, keepdim=True).relu()
    return F.interpolate(heat, x.shape[2:], mode="bilinear", align_corners=False)[0, 0]


def _occlusion(net: EfficientNet, x: Tensor, index: int) -> Tensor:  # (1, C, H, W) -> (H, W)
    side = x.shape[-1]
    square = max(1, side // _SQUARE)
    starts = [*range(0, side - square, max(1, square // 2)), side - square]
    places = [(slice(top, top + square), slice(left, left + square)) for top in starts for left in starts]
    whole, colour = net(x).softmax(1)[0, index], x.mean((2, 3))[0, :, None, None]
    lost, covered = torch.zeros_like(x[0, 0]), torch.zeros_like(x[0, 0])
    for first in range(0, len(places), _AT_ONCE):
        part = places[first : first + _AT_ONCE]
        batch = x.repeat(len(part), 1, 1, 1)
        for image, (rows, columns) in zip(batch, part, strict=True):
            image[:, rows, columns] = colour
        for (rows, columns), share in zip(part, net(batch).softmax(1)[:, index], strict=True):
            lost[rows, columns] += whole - share
            covered[rows, columns] += 1
    return (lost / covered).relu()


def _pixels(x: Tensor, how: Preprocessing) -> Tensor:  # (1, C, H, W) -> (C, H, W)
    """Return what the network saw as pixels again."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (how.mean, how.std))
    if x.shape[1] == 1:
        mean, std = mean.mean(0, keepdim=True), std.mean(0, keepdim=True)
    pixels = (x[0].float().cpu() * std + mean) * (255 / how.value_range)
    return pixels.round().clamp(0, 255).to(torch.uint8)
