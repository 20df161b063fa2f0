"""A set of images with a class each: what every data set here returns and what training reads."""

from dataclasses import dataclass, replace

import psutil
import torch
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.ground.checks import quoted, real_number, whole_number
from effnet_edu.ground.watch import Watch

#: Images that are resized at once, or as many as have these pixels: enough to keep the cores busy, few enough
#: for a small machine's memory, and a stop is heard between two of them.
_RESIZED_AT_ONCE, _PIXELS_AT_ONCE = 512, 2**23


@dataclass(frozen=True, eq=False, repr=False)
class LabelledImages:
    """Square images of one side, and the class of each.

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
        object.__setattr__(self, "class_names", tuple(self.class_names))
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError(f"The class names are {self.class_names}; they must all be different.")
        lowest, highest = int(labels.min()), int(labels.max())
        if lowest < 0 or highest >= self.num_classes:
            raise ValueError(
                f"The labels go from {lowest} to {highest}; "
                f"{self.num_classes} classes have labels from 0 to {self.num_classes - 1}."
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def num_classes(self) -> int:
        """Number of classes, those without an image included."""
        return len(self.class_names)

    @property
    def in_channels(self) -> int:
        """Channels of an image: 1 for grey, 3 for colour."""
        return self.images.shape[1]

    @property
    def side(self) -> int:
        """Height and width of every image in pixels."""
        return self.images.shape[2]

    @property
    def class_weights(self) -> Tensor:  # (classes,)
        """What makes all classes weigh the same: above 1 for those with few images, 1 on average."""
        counts = self.labels.bincount(minlength=self.num_classes)
        return torch.where(counts > 0, len(self) / (counts.clamp(min=1) * (counts > 0).sum()), 0.0)

    def __repr__(self) -> str:
        return (
            f"{self.name}: {len(self):,} image{'' if len(self) == 1 else 's'} of {self.num_classes} "
            f"class{'' if self.num_classes == 1 else 'es'}, "
            f"{self.in_channels} x {self.side} x {self.side}; {self.source}"
        )

    def resized(self, side: int, watch: Watch = Watch()) -> "LabelledImages":
        """Return the same images at another side, antialiased.

        Args:
            side: Height and width in pixels, 1 or more.
            watch: Asked often whether to stop.

        Raises:
            ValueError: `side` is not a whole number of 1 or more.
            Cancelled: `watch` said so.
        """
        if whole_number("side", side) == self.side:
            return self
        resized = empty_images(len(self), self.in_channels, side)
        at_once = max(1, min(_RESIZED_AT_ONCE, _PIXELS_AT_ONCE // max(side, self.side) ** 2))
        for start in range(0, len(self), at_once):
            watch.check()
            part = slice(start, start + at_once)
            pixels = F.interpolate(
                self.images[part].float(), (side, side), mode="bilinear", align_corners=False, antialias=True
            )
            resized[part] = pixels.clamp(0, 255).round()
        return replace(self, images=resized)

    def subset(self, count: int, seed: int = 0) -> "LabelledImages":
        """Return some of the images, of each class as many as of the others as far as there are.

        Args:
            count: How many, from 1 to all of them.
            seed: Of the choice; the same seed gives the same images.

        Raises:
            ValueError: There are fewer images than that, or a number is not a whole one.
        """
        if whole_number("count", count) > len(self):
            raise ValueError(f"count is {count}; {self.name} has {len(self):,} images.")
        generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
        shuffled = torch.randperm(len(self), generator=generator)
        # The first of each class come before every second, so that any beginning of the list is balanced.
        by_class = shuffled[self.labels[shuffled].argsort(stable=True)]
        sizes = torch.bincount(self.labels, minlength=self.num_classes)
        starts = sizes.cumsum(0) - sizes
        turn = torch.empty_like(by_class)
        turn[by_class] = torch.arange(len(self)) - starts[self.labels[by_class]]
        return self._chosen(shuffled[turn[shuffled].argsort(stable=True)][:count].sort().values)

    def split(self, share: float, seed: int = 0) -> tuple["LabelledImages", "LabelledImages"]:
        """Return the images in two parts, of each class the same share, and one image or more in both.

        Args:
            share: How much goes into the second part, above 0 to below 1.
            seed: Of the choice; the same seed gives the same images.

        Raises:
            ValueError: A class has one image or none, or a number is outside its range.
        """
        real_number("share", share, 1e-6, 1 - 1e-6)
        generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
        first, second = [], []
        for label, name in enumerate(self.class_names):
            own = (self.labels == label).nonzero().flatten()
            if len(own) < 2:
                raise ValueError(
                    f"The class {quoted(name)} of {self.name} has {len(own)} "
                    f"image{'' if len(own) == 1 else 's'}; two or more are needed, to train and to test."
                )
            own = own[torch.randperm(len(own), generator=generator)]
            count = min(max(1, round(share * len(own))), len(own) - 1)
            first.append(own[count:])
            second.append(own[:count])
        train, test = (self._chosen(torch.cat(part).sort().values) for part in (first, second))
        return train, test

    def _chosen(self, indices: Tensor) -> "LabelledImages":
        files = tuple(self.files[index] for index in indices.tolist()) if self.files else ()
        return replace(self, images=self.images[indices], labels=self.labels[indices], files=files)


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
