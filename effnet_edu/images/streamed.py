"""Images that stay on disk and are read when a batch asks for them."""

import os
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from joblib import cpu_count
from torch import Tensor

from effnet_edu.ground.checks import whole_number
from effnet_edu.ground.watch import Watch
from effnet_edu.images.folders import broken_pictures, first_of, list_pictures
from effnet_edu.images.image_set import Batches, ImageSet
from effnet_edu.images.labelled import empty_images, resized_pixels
from effnet_edu.images.reader import check_bytes, read_square

#: Batches that are read while one is used.
_AHEAD = 2


@dataclass(frozen=True, eq=False, repr=False)
class StreamedImages(ImageSet):
    """Square images on disk, and the class of each; what `stream_folder` and `stream_shards` return.

    A picture is a run of bytes in a file, read and decoded anew each time that a batch asks for it: any image
    at any time, so that order, resuming and several processes are those of images in memory.

    Attributes:
        name: Which data set, which part of it.
        labels: Index of the class of each image, int64.  # (N,)
        class_names: One name a class, all different.
        source: The folder with the files.
        files: What messages call each picture, below the source.
        holders: The file that holds each picture, below the source.
        offsets: Where in that file it begins, in bytes, int64.  # (N,)
        sizes: Its length in bytes, int64.  # (N,)
        read_side: Height and width that a picture is cropped and resized to when it is read.
        resized_side: Height and width that the result is resized to, as images in memory are; None for none.
    """

    name: str
    labels: Tensor
    class_names: tuple[str, ...]
    source: str
    files: tuple[str, ...]
    holders: tuple[str, ...]
    offsets: Tensor
    sizes: Tensor
    read_side: int
    resized_side: int | None = None

    def __post_init__(self) -> None:
        if not self.files:
            raise ValueError(f"{self.source} holds no picture that can be read.")
        self._check_classes()

    @property
    def in_channels(self) -> int:
        """3: pictures are read in colour."""
        return 3

    @property
    def side(self) -> int:
        """Height and width of every image in pixels."""
        return self.resized_side or self.read_side

    @property
    def identity(self) -> Mapping[str, Tensor]:
        """Name, place, size and label of each picture; all of their contents would take an epoch to read."""
        names = "\0".join(self.files).encode("utf-8", "surrogateescape")
        return {
            "labels": self.labels,
            "names": torch.frombuffer(bytearray(names), dtype=torch.uint8),
            "offsets": self.offsets,
            "sizes": self.sizes,
            "side": torch.tensor([self.read_side]),
        }

    def read(self, index: int) -> Tensor:  # -> (3, read_side, read_side)
        """Return one picture, uint8.

        Args:
            index: From 0 to below the number of images.

        Raises:
            ValueError: It cannot be read, or is no longer as it was.
            OSError: Its file is gone, say.
        """
        name, size = Path(self.source, self.files[index]), int(self.sizes[index])
        check_bytes(size, str(name))
        with Path(self.source, self.holders[index]).open("rb") as file:
            file.seek(int(self.offsets[index]))
            content = file.read(size)
        if len(content) < size:
            raise ValueError(f"{name} is shorter than before; a set of images must stay as it is.")
        return read_square(content, self.read_side, name=str(name))

    def resized(self, side: int, watch: Watch = Watch()) -> "StreamedImages":  # noqa: ARG002 - nothing waits
        """Return the same images at another side, made when they are read; see `ImageSet`."""
        return replace(self, resized_side=whole_number("side", side))

    def batches(self, indices: Sequence[Tensor], device: torch.device | str = "cpu") -> Batches:
        """Yield the pixels of one batch after the other, and read the next ones meanwhile; see `ImageSet`.

        Raises:
            ValueError: A picture cannot be read.
        """
        waiting: deque[tuple[Tensor, Iterator[None]]] = deque()
        threads = ThreadPoolExecutor(_threads())  # Pillow lets go of Python's lock while it decodes
        try:
            for batch in indices:
                waiting.append(self._begun(batch, threads))
                if len(waiting) > _AHEAD:
                    yield self._finished(*waiting.popleft()).to(device)
            while waiting:
                yield self._finished(*waiting.popleft()).to(device)
        finally:
            threads.shutdown(cancel_futures=True)

    def _begun(self, batch: Tensor, threads: ThreadPoolExecutor) -> tuple[Tensor, Iterator[None]]:
        """Return room for a batch, and what waits until it is filled."""
        pixels = empty_images(len(batch), self.in_channels, self.read_side)
        rows = pixels.numpy()

        def read(place: int, index: int) -> None:
            rows[place] = self.read(index).numpy()

        return pixels, threads.map(read, range(len(batch)), batch.tolist())

    def _finished(self, pixels: Tensor, reading: Iterator[None]) -> Tensor:
        try:
            for _ in reading:
                pass
        except ValueError as error:
            raise ValueError(
                f"{error} With skip_broken such pictures are found, and left out, before training begins."
            ) from error
        return pixels if self.side == self.read_side else resized_pixels(pixels, self.side)

    def _chosen(self, indices: Tensor) -> "StreamedImages":
        def some(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(names[index] for index in indices.tolist())

        return replace(
            self,
            labels=self.labels[indices],
            files=some(self.files),
            holders=some(self.holders),
            offsets=self.offsets[indices],
            sizes=self.sizes[indices],
        )


def stream_folder(
    path: str | os.PathLike[str], side: int, *, skip_broken: bool = False, watch: Watch = Watch()
) -> StreamedImages:
    """Return the pictures in a folder's subfolders, as `image_folder` does, and leave them on disk.

    Training on them gives the same network, bit for bit, and its memory does not grow with their number but
    for their names, some 200 bytes each. Every epoch decodes every picture anew, which needs cores beside
    those that compute.

    Args:
        path: The folder: `path/cat/1.jpg`, `path/dog/1.jpg` and so on.
        side: Height and width in pixels, 1 or more.
        skip_broken: Read every picture once now, leave out what cannot be read, and warn of each; otherwise
            the first one stops the training when its turn comes.
        watch: With `skip_broken`, told the share done; asked before each picture whether to stop.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: There is no class, or a class or the layout is broken; the first is named.
        Cancelled: `watch` said so.
    """
    whole_number("side", side)
    root, class_names, files, labels, problems = list_pictures(path)
    if problems and not skip_broken:
        raise first_of(problems)
    images = StreamedImages(
        name=root.name,
        labels=torch.tensor(labels, dtype=torch.int64),
        class_names=class_names,
        source=str(root),
        files=tuple(files),
        holders=tuple(files),
        offsets=torch.zeros(len(files), dtype=torch.int64),
        sizes=torch.tensor([(root / file).stat().st_size for file in files], dtype=torch.int64),
        read_side=side,
    )
    return without_broken(images, problems, watch) if skip_broken else images


def without_broken(images: StreamedImages, problems: list[str], watch: Watch) -> StreamedImages:
    """Read every picture once, and return those that can be read, with a warning for each of the others.

    Args:
        images: All that were found.
        problems: A sentence for each thing that was found and is no image.
        watch: Told the share done; asked before each picture whether to stop.

    Raises:
        ValueError: No picture is left.
        Cancelled: `watch` said so.
    """
    broken = broken_pictures(images.read, len(images), watch)
    for sentence in [*problems, *filter(None, broken)]:
        warnings.warn(sentence, stacklevel=3)
    return images._chosen(torch.tensor([sentence is None for sentence in broken]).nonzero().flatten())


def _threads() -> int:
    """Return how many pictures one process reads at once: the cores, shared with those beside it."""
    return max(1, int(cpu_count()) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
