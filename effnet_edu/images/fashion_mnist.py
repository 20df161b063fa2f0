"""`fashion_mnist`: grey photographs of clothes, 28 pixels wide; found on this machine or fetched.

Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747; https://github.com/zalandoresearch/fashion-mnist, MIT licence.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.checks import choice
from effnet_edu.ground.fetch import PublishedFile, fetch_file
from effnet_edu.images.idx import parse_idx, unpack
from effnet_edu.images.labelled import LabelledImages

#: Where Debian's package dataset-fashion-mnist puts the files, packed anew with the same content.
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
CLASS_NAMES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_ADDRESS = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
_SOURCE = "Fashion-MNIST, Zalando SE, MIT licence, https://github.com/zalandoresearch/fashion-mnist"


@dataclass(frozen=True)
class IdxFile:
    """One of the four files.

    Attributes:
        name: As it is published.
        md5: Of the packed file, as its publisher states it.
        sha256: Of what it holds.
        shape: Of what it holds.
    """

    name: str
    md5: str
    sha256: str
    shape: tuple[int, ...]


#: Images and labels of each part. The md5 sums are in the publisher's README; the sha256 sums are computed
#: from Debian's copies, whose content has the md5 sums that are known of the published files' content.
FILES = {
    "train": (
        IdxFile(
            "train-images-idx3-ubyte.gz",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            (60000, 28, 28),
        ),
        IdxFile(
            "train-labels-idx1-ubyte.gz",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            (60000,),
        ),
    ),
    "test": (
        IdxFile(
            "t10k-images-idx3-ubyte.gz",
            "bef4ecab320f06d8554ea6380940ec79",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            (10000, 28, 28),
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte.gz",
            "bb300cfdad3c16e7a12a480ee83cd310",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            (10000,),
        ),
    ),
}


def fashion_mnist(split: Literal["train", "test"]) -> LabelledImages:
    """Return 60,000 grey photographs of clothes to train with, or 10,000 to test with, in ten classes.

    They are looked for in the cache, then where Debian's package dataset-fashion-mnist puts them, and
    fetched (29 MiB) where they are in neither.

    Args:
        split: `"train"` or `"test"`.

    Returns:
        Images of shape (N, 1, 28, 28).

    Raises:
        ValueError: There is no such part, or a file is not the published one.
        OSError: They could not be fetched.
    """
    images, labels = (_read(file) for file in FILES[choice("split", split, tuple(FILES))])
    return LabelledImages(f"fashion_mnist {split}", images[:, None], labels.long(), CLASS_NAMES, _SOURCE)


def _read(file: IdxFile) -> Tensor:
    """Return what a file holds, from the first place that has it whole."""
    folder = cache_folder() / "fashion_mnist"
    debian = DEBIAN_FOLDER / file.name
    if debian.is_file() and not (folder / file.name).exists():
        try:
            return _checked(debian, file)
        except (ValueError, OSError):
            pass  # the system's copy is damaged or another edition; the published one will do
    published = PublishedFile("Fashion-MNIST", _ADDRESS + file.name, file.name, (f"md5:{file.md5}",), 2**25)
    return _checked(fetch_file(published, folder), file)


def _checked(path: Path, file: IdxFile) -> Tensor:
    header_bytes = 4 + 4 * len(file.shape)
    content = unpack(path, header_bytes + torch.Size(file.shape).numel())
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ValueError(f"{path} holds something with the sha256 {found}, where {file.sha256} is expected.")
    return parse_idx(content, str(path))
