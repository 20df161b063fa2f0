"""Random changes of a batch on its own device: crop, flip, RandAugment, mixup and cutmix.

RandAugment and crops are kornia's, which needs nothing but torch and takes its random numbers from torch's
generator. It draws the two operations once a batch, and their signs for each image. Mixup and cutmix are
written here: kornia draws the share of the second image uniformly, the papers from Beta(alpha, alpha).
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.training.progressive import Stage
from effnet_edu.training.recipe import Recipe

OPERATIONS = 2  # of RandAugment, applied to each batch one after the other


def to_floats(images: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
    """Return pixels as a trained network expects them: 0 to 255 become -1 to 1.

    Args:
        images: Pixels, uint8.  # (N, C, H, W)
    """
    return images.float().div_(127.5).sub_(1)


def one_hot(labels: Tensor, num_classes: int) -> Tensor:  # (N,) -> (N, num_classes)
    """Return labels as probabilities, which mixup and cutmix can mix.

    Args:
        labels: Index of each class, int64.  # (N,)
        num_classes: How many classes there are.
    """
    return F.one_hot(labels, num_classes).float()


def augmented(images: Tensor, targets: Tensor, stage: Stage, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Return a batch after all random changes, in floats from -1 to 1, and its targets.

    Args:
        images: Pixels, uint8.  # (N, C, H, W)
        targets: Probabilities.  # (N, num_classes)
        stage: Strength of RandAugment, mixup and cutmix.
        recipe: Crop and flip.
    """
    x = to_floats(images)
    if recipe.min_crop_area < 1:
        x = _cropper(x.shape[-1], recipe.min_crop_area)(x)
    if recipe.flip > 0:
        mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < recipe.flip
        x = torch.where(mirrored, x.flip(-1), x)
    if stage.randaugment > 0:
        # kornia works on 0 to 1, and leaves that range by a rounding error at times.
        x = _randaugment(stage.randaugment, x.shape[1])(x.add(1).div_(2)).clamp(0, 1).mul_(2).sub_(1)
    if stage.mixup > 0 or stage.cutmix > 0:
        x, targets = _mixed(x, targets, stage)
    return x, targets


def mixup(images: Tensor, targets: Tensor, share: float, order: Tensor) -> tuple[Tensor, Tensor]:
    """Return each image blended with another one, and its target likewise.

    Args:
        images: A batch of floats.  # (N, C, H, W)
        targets: Probabilities.  # (N, num_classes)
        share: Of the image itself, 0 to 1.
        order: Index of each image's partner.  # (N,)

    Source: Zhang et al., arXiv:1710.09412.
    """
    return images.lerp(images[order], 1 - share), targets.lerp(targets[order], 1 - share)


def cutmix(
    images: Tensor, targets: Tensor, share: float, order: Tensor, centre: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Return each image with a square of another one in it; targets are mixed by area.

    Args:
        images: A batch of floats.  # (N, C, H, W)
        targets: Probabilities.  # (N, num_classes)
        share: Of the image's area that stays, before the square is cut at the border; 0 to 1.
        order: Index of each image's partner.  # (N,)
        centre: Of the square, as shares of height and width.

    Source: Yun et al., arXiv:1905.04899, appendix A.
    """
    height, width = images.shape[2:]
    cut = (1 - share) ** 0.5
    top, bottom = _span(centre[0], cut, height)
    left, right = _span(centre[1], cut, width)
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[order, :, top:bottom, left:right]
    kept = 1 - (bottom - top) * (right - left) / (height * width)
    return mixed, targets.lerp(targets[order], 1 - kept)


def _span(centre: float, cut: float, side: int) -> tuple[int, int]:
    middle, half = int(centre * side), int(cut * side) // 2
    return max(middle - half, 0), min(middle + half, side)


def _mixed(images: Tensor, targets: Tensor, stage: Stage) -> tuple[Tensor, Tensor]:
    cuts = stage.cutmix > 0 and (stage.mixup == 0 or bool(torch.rand(()) < 0.5))
    alpha = torch.tensor(stage.cutmix if cuts else stage.mixup, dtype=torch.float64)
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    order = torch.randperm(len(images)).to(images.device)
    if cuts:
        return cutmix(images, targets, share, order, (float(torch.rand(())), float(torch.rand(()))))
    return mixup(images, targets, share, order)


@cache
def _cropper(side: int, min_area: float) -> Any:
    from kornia.augmentation import RandomResizedCrop

    return RandomResizedCrop((side, side), scale=(min_area, 1.0), cropping_mode="resample")


@cache
def _randaugment(magnitude: float, channels: int) -> Any:
    from kornia.augmentation.auto import RandAugment
    from kornia.augmentation.auto.rand_augment.rand_augment import default_policy

    # A grey image has no saturation that could change.
    policy = [row for row in default_policy if channels == 3 or row[0][0] != "color"]
    return RandAugment(OPERATIONS, magnitude, policy)  # type: ignore[arg-type]  # it takes fractions
