"""What training asks of a set of images, wherever its pixels are."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from typing import Self

import torch
from torch import Tensor

from effnet_edu.ground.checks import quoted, real_number, whole_number
from effnet_edu.ground.watch import Watch

#: The pixels of one batch after the other, uint8.  # of (n, C, side, side)
Batches = Generator[Tensor, None, None]


class ImageSet(ABC):
    """Square images of one side and the class of each: `LabelledImages` in memory, `StreamedImages` on disk.

    Attributes:
        name: Which data set, which part of it.
        labels: Index of the class of each image, int64 on the CPU.  # (N,)
        class_names: One name a class, all different.
        source: Where the images are from, and their licence.
        files: Where each image was read from, below the source; empty where images come from no files.
    """

    name: str
    labels: Tensor
    class_names: tuple[str, ...]
    source: str
    files: tuple[str, ...]

    @property
    @abstractmethod
    def in_channels(self) -> int:
        """Channels of an image: 1 for grey, 3 for colour."""

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Tensor]:
        """What makes two sets the same, on the CPU: a training goes on with the set that it began with."""

    @property
    @abstractmethod
    def side(self) -> int:
        """Height and width of every image in pixels."""

    @abstractmethod
    def resized(self, side: int, watch: Watch = Watch()) -> "ImageSet":
        """Return the same images at another side, antialiased.

        Args:
            side: Height and width in pixels, 1 or more.
            watch: Asked often whether to stop.

        Raises:
            ValueError: `side` is not a whole number of 1 or more.
            Cancelled: `watch` said so.
        """

    @abstractmethod
    def batches(self, indices: Sequence[Tensor], device: torch.device | str = "cpu") -> Batches:
        """Yield the pixels of one batch after the other, uint8.

        Args:
            indices: Those of the images of each batch, int64 on the CPU.  # of (n,)
            device: Where the pixels shall be.
        """

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """Number of classes, those without an image included."""
        return len(self.class_names)

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

    def subset(self, count: int, seed: int = 0) -> Self:
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

    def split(self, share: float, seed: int = 0) -> tuple[Self, Self]:
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

    @abstractmethod
    def _chosen(self, indices: Tensor) -> Self:
        """Return the images with these indices."""

    def _check_classes(self) -> None:
        """Raise unless labels and names of classes fit together."""
        object.__setattr__(self, "class_names", tuple(self.class_names))
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError(f"The class names are {quoted(self.class_names)}; they must all be different.")
        lowest, highest = int(self.labels.min()), int(self.labels.max())
        if lowest < 0 or highest >= self.num_classes:
            raise ValueError(
                f"The labels go from {lowest} to {highest}; "
                f"{self.num_classes} classes have labels from 0 to {self.num_classes - 1}."
            )
