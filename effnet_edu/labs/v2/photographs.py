"""Real photographs as each stage of a training sees them, small and kept, so that a slider can move."""

import base64
import io
import random
from functools import cache, lru_cache

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.photographs import photograph
from effnet_edu.images.reader import read_square
from effnet_edu.labs.v2.stages_screen import Photograph
from effnet_edu.model.draws import DrawsFrom
from effnet_edu.training.augmentation import augmented, cutmix, mixup, one_hot
from effnet_edu.training.progressive import Stage
from effnet_edu.training.recipe import Recipe

#: The photographs, and what stands in where scikit-image is not installed.
NAMES, GLYPHS = ("chelsea", "coffee"), "OE"
#: What each shows in a word.
WORDS = ("cat", "cup")
#: Side of the pictures in pixels, the same for all stages: they are drawn no larger than this.
SIDE = 96
#: Chooses the operations of RandAugment, the same at every magnitude, and the share that is mixed in.
SEED = 8
_PLAIN = Recipe()


@cache
def _originals() -> tuple[Tensor, tuple[str, ...]]:  # -> (2, 3, SIDE, SIDE) of uint8, and their names
    try:
        pictures = [read_square(photograph(name), SIDE) for name in NAMES]
    except ModuleNotFoundError:
        return glyphs("train", len(GLYPHS), SIDE, GLYPHS).images.expand(-1, 3, -1, -1), tuple(GLYPHS)
    return torch.stack(pictures), WORDS


@lru_cache(maxsize=64)
def _randaugmented(magnitude: int) -> Tensor:  # -> (2, 3, SIDE, SIDE) of floats from -1 to 1
    images, _ = _originals()
    with DrawsFrom(torch.Generator().manual_seed(SEED)):
        return augmented(images, one_hot(torch.arange(2), 2), Stage(SIDE, magnitude), _PLAIN)[0]


@lru_cache(maxsize=256)
def _examples(magnitude: int, mixup_alpha: float, cutmix_alpha: float, side: int) -> tuple[Photograph, ...]:
    names = _originals()[1]
    images, targets, order = _randaugmented(magnitude), one_hot(torch.arange(2), 2), torch.tensor([1, 0])
    if mixup_alpha > 0:
        images, targets = mixup(images, targets, _share(mixup_alpha), order)
    if cutmix_alpha > 0:  # a batch gets one of the two; here the first image shows mixup, the second cutmix
        plain, labels = _randaugmented(magnitude), one_hot(torch.arange(2), 2)
        cut, cut_targets = cutmix(plain, labels, _share(cutmix_alpha), order, (0.4, 0.6))
        images, targets = torch.stack((images[0], cut[1])), torch.stack((targets[0], cut_targets[1]))
    if side < SIDE:
        images = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
    return tuple(
        Photograph(_as_url(image), _in_words(target, names))
        for image, target in zip(images, targets, strict=True)
    )


def examples(stage: Stage) -> tuple[Photograph, ...]:
    """Return two photographs after RandAugment, mixup and cutmix of a stage; always the same draw.

    RandAugment's magnitude is taken as a whole number, so that few pictures have to be made and kept.

    Args:
        stage: Strength and side. Above 96 pixels the side changes nothing that could be seen in a picture
            that is drawn no larger than that.
    """
    magnitude = round(stage.randaugment)
    if magnitude == stage.mixup == stage.cutmix == 0:
        return _examples(0, 0.0, 0.0, min(stage.side, SIDE))
    return _examples(magnitude, stage.mixup, stage.cutmix, min(stage.side, SIDE))


def _share(alpha: float) -> float:
    """Return the larger share of a draw from Beta(alpha, alpha): which of two is called the first is free."""
    share = random.Random(SEED).betavariate(alpha, alpha)  # noqa: S311 - a picture, not a secret
    return max(share, 1 - share)


def _in_words(target: Tensor, names: tuple[str, ...]) -> str:
    parts = [(float(share), name) for share, name in zip(target, names, strict=True) if share > 0]
    return ", ".join(f"{share:.0%} {name}" for share, name in sorted(parts, reverse=True))


def _as_url(image: Tensor) -> str:  # (3, H, W) of floats from -1 to 1
    pixels = image.add(1).mul(127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
