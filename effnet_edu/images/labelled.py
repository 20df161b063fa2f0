"""A set of images with a class each, in memory: what every data set here returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psutil
import torch
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.ground.checks import whole_number
from effnet_edu.ground.watch import Watch
from effnet_edu.images.image_set import Batches, ImageSet

#: Images that are resized at once, or as many as have these pixels: enough to keep the cores busy, few enough
#: for a small machine's memory, and a stop is heard between two of them.
_RESIZED_AT_ONCE, _PIXELS_AT_ONCE = 512, 2**23


@dataclass(frozen=True, eq=False, repr=False)
class LabelledImages(ImageSet):
    """Square images of one side in memory, and the class of each.

    Attributes:
        name: Which data set, which part of it.
        images: Pixels from 0 to 255, uint8 on the CPU.  # (N, C, H, W)
        labels: Index of the class of each image, int64.  # (N,)
        class_names: One name a class, all different.
        source: Where the images are from, and their licence.
        files: Where each image was read from, below the source; empty where images come from no files.

    Raises:
        ValueError: A shape, a type or a label is not as described here.
    """

    name: str
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    source: str
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[2] != images.shape[3]:
            raise ValueError(
                f"The images are {images.dtype} of shape {tuple(images.shape)}; "
                "they must be torch.uint8 of shape (images, channels, side, side)."
            )
        if 0 in images.shape:
            raise ValueError(f"The images have the shape {tuple(images.shape)}; there must be one or more.")
        if labels.dtype != torch.int64 or tuple(labels.shape) != (len(images),):
            raise ValueError(
                f"The labels are {labels.dtype} of shape {tuple(labels.shape)}; "
                f"{len(images)} images need torch.int64 of shape ({len(images)},)."
            )
        if len(self.files) not in (0, len(images)):
            raise ValueError(
                f"There are {len(self.files)} files; {len(images)} images have one each, or none."
            )
        if images.device.type != "cpu" or labels.device.type != "cpu":
            raise ValueError(f"The images are on {images.device}; a data set stays on the CPU.")
        self._check_classes()

    @property
    def in_channels(self) -> int:
        """Channels of an image: 1 for grey, 3 for colour."""
        return self.images.shape[1]

    @property
    def side(self) -> int:
        """Height and width of every image in pixels."""
        return self.images.shape[2]

    @property
    def identity(self) -> Mapping[str, Tensor]:
        """Every pixel and every label."""
        return {"images": self.images, "labels": self.labels}

    def resized(self, side: int, watch: Watch = Watch()) -> "LabelledImages":
        """Return the same images at another side; see `ImageSet`."""
        if whole_number("side", side) == self.side:
            return self
        resized = empty_images(len(self), self.in_channels, side)
        at_once = max(1, min(_RESIZED_AT_ONCE, _PIXELS_AT_ONCE // max(side, self.side) ** 2))
        for start in range(0, len(self), at_once):
            watch.check()
            part = slice(start, start + at_once)
            resized[part] = resized_pixels(self.images[part], side)
        return replace(self, images=resized)

    def batches(self, indices: Sequence[Tensor], device: torch.device | str = "cpu") -> Batches:
        """Yield the pixels of one batch after the other, all of them being on the device; see `ImageSet`."""
        images = self.images.to(device)
        for batch in indices:
            yield images[batch.to(device)]

    def _chosen(self, indices: Tensor) -> "LabelledImages":
        files = tuple(self.files[index] for index in indices.tolist()) if self.files else ()
        return replace(self, images=self.images[indices], labels=self.labels[indices], files=files)


def resized_pixels(images: Tensor, side: int) -> Tensor:  # (N, C, H, W) -> (N, C, side, side)
    """Return images at another side, antialiased, uint8.

    Args:
        images: Pixels, uint8.  # (N, C, H, W)
        side: Height and width in pixels.
    """
    pixels = F.interpolate(images.float(), (side, side), mode="bilinear", align_corners=False, antialias=True)
    return pixels.clamp(0, 255).round().to(images.dtype)


def empty_images(count: int, channels: int, side: int) -> Tensor:  # -> (count, channels, side, side)
    """Return room for images, uint8.

    Args:
        count: How many images.
        channels: Of each.
        side: Height and width of each in pixels.

    Raises:
        MemoryError: They would not fit into the memory that is free.
    """
    needed, free = count * channels * side**2, psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"{count:,} images of {side} px take {needed / 2**20:,.0f} MiB, and {free / 2**20:,.0f} MiB are "
            "free; take fewer or smaller ones."
        )
    return torch.empty(count, channels, side, side, dtype=torch.uint8)
