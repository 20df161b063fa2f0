"""`imagenette`: ten easy classes of ImageNet, real photographs; fetched once.

Source: Howard, "Imagenette", https://github.com/fastai/imagenette: lists and archives under the Apache
License 2.0. The photographs are ImageNet's: they belong to their photographers, and ImageNet gives them for
research and teaching that is not commercial.
"""

from dataclasses import replace
from typing import Literal

from effnet_edu.ground.archives import extract
from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.checks import choice
from effnet_edu.ground.fetch import PublishedFile, fetch_file
from effnet_edu.images.folders import image_folder
from effnet_edu.images.labelled import LabelledImages

#: The archive whose photographs have a shorter side of 160 px, 94 MiB. The hash is torchvision's.
ARCHIVE = PublishedFile(
    "Imagenette",
    "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
    "imagenette2-160.tgz",
    ("md5:e793b78cc4c9e9a4ccc0c1155377a412",),
    max_bytes=2**27,
)
#: ImageNet's number of each class and its name.
CLASSES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}
_SOURCE = (
    "Imagenette, https://github.com/fastai/imagenette, lists under Apache-2.0; the photographs are "
    "ImageNet's, for research and teaching that is not commercial"
)
_FOLDERS = {"train": "train", "test": "val"}
# Twice and more of what the real archive holds: 13,394 photographs and 24 folders and lists.
_MAX_FILES, _MAX_BYTES = 30_000, 2**28


def imagenette(
    split: Literal["train", "test"], side: int = 160, *, skip_broken: bool = False
) -> LabelledImages:
    """Return photographs of ten easy classes of ImageNet; the first call fetches 94 MiB.

    Args:
        split: `"train"`, or `"test"` for what the authors call val.
        side: Height and width in pixels, 1 or more; the photographs' shorter side is 160.
        skip_broken: Leave out what cannot be read and warn of each.

    Raises:
        ValueError: There is no such part, or the archive is not the published one.
        OSError: It could not be fetched or unpacked.
    """
    folder = _FOLDERS[choice("split", split, tuple(_FOLDERS))]
    kept = cache_folder() / "imagenette"
    unpacked = kept / "imagenette2-160"
    if not unpacked.exists():
        extract(fetch_file(ARCHIVE, kept), unpacked, _MAX_FILES, _MAX_BYTES)
    # The archive holds one folder of its own name.
    loaded = image_folder(unpacked / "imagenette2-160" / folder, side, skip_broken=skip_broken)
    names = tuple(CLASSES.get(name, name) for name in loaded.class_names)
    return replace(loaded, name=f"imagenette {split}", class_names=names, source=_SOURCE)
