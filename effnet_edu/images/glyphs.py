"""`glyphs`: characters that differ in detail, drawn on this machine at any side; nothing to download."""

import hashlib
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import PIL
import torch
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import BrokenProcessPool
from numpy.typing import NDArray
from torch import Tensor

from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.checks import choice, quoted, whole_number
from effnet_edu.images.glyph_scene import draw_scene
from effnet_edu.images.kept import keep_images, kept_images
from effnet_edu.images.labelled import LabelledImages, empty_images
from effnet_edu.images.outlines import fonts_hash, outlines

#: Eight families of four; what tells the members of a family apart is an accent, a tail or a bar.
CLASSES = "OQØÖ" + "aäåã" + "CGÇČ" + "EFĘË" + "uüůų" + "nñńŋ" + "SŠŞ$" + "BR8P"

#: Raised whenever the same parameters draw other pictures than before.
METHOD = 2
_LARGEST_SIDE = 512
_DRAWN_AT_ONCE = 512
#: Below this number, starting processes takes longer than drawing.
_WORTH_PROCESSES = 6000
_SOURCE = (
    "drawn on this machine from the fonts DejaVu and STIX that matplotlib ships "
    "(free to use: LICENSE_DEJAVU and LICENSE_STIX beside them)"
)


def glyphs(
    split: Literal["train", "test"], count: int, side: int = 32, classes: str = CLASSES, seed: int = 0
) -> LabelledImages:
    """Return random pictures of characters, as many of each class as of the others.

    Font, colours, place, size, slant, bend, clutter and grain are random. Picture number i depends on the
    arguments other than `count`, and at another side it is the same scene, drawn coarser or finer: some
    details that tell classes apart are gone at a small side. Pictures are kept in the cache.

    Args:
        split: `"train"` or `"test"`; the two never share a scene.
        count: How many pictures, 1 or more.
        side: Height and width in pixels, from 4 to 512.
        classes: The characters, 2 or more, all different, each one a class.
        seed: Another seed gives other scenes.

    Raises:
        ValueError: An argument is outside its range, or a font lacks a character.
        FileNotFoundError: matplotlib, which ships the fonts, is not installed.
    """
    choice("split", split, ("train", "test"))
    whole_number("count", count)
    whole_number("seed", seed, 0)
    if whole_number("side", side, 4) > _LARGEST_SIDE:
        raise ValueError(f"side is {side}; it must be a whole number from 4 to {_LARGEST_SIDE}.")
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValueError(f"classes is {quoted(classes)}; it must be two or more characters, all different.")
    outlines(classes)  # says which character a font lacks, before anything is drawn
    stream = f"{split} {seed}"
    path = _cache_file(stream, side, classes)
    images = kept_images(path, 3, side)
    if len(images) < count:
        images = torch.cat((images, _draw(stream, range(len(images), count), side, classes)))
        keep_images(path, images)
    images = images[:count]
    return LabelledImages(
        f"glyphs {split}", images, torch.arange(count) % len(classes), tuple(classes), _SOURCE
    )


def _cache_file(stream: str, side: int, classes: str) -> Path:
    """Return where the first pictures of a stream are kept; whatever changes a pixel changes the name."""
    parameters = [METHOD, stream, side, classes, fonts_hash(), PIL.__version__]
    key = hashlib.sha256(json.dumps(parameters).encode()).hexdigest()[:16]
    return cache_folder() / "glyphs" / f"{stream.replace(' ', '-')}-{side}-{key}.safetensors"


def _draw(stream: str, indices: range, side: int, classes: str) -> Tensor:  # -> (len(indices), 3, side, side)
    """Draw pictures, in several processes where that is faster."""
    images = empty_images(len(indices), 3, side)
    starts = range(0, len(indices), _DRAWN_AT_ONCE)
    parts = [
        delayed(_draw_part)(stream, indices[start : start + _DRAWN_AT_ONCE], side, classes)
        for start in starts
    ]
    processes = cpu_count() if len(indices) >= _WORTH_PROCESSES else 1
    try:
        _fill(images, Parallel(n_jobs=processes, return_as="generator")(parts))
    except (OSError, BrokenProcessPool):  # no processes to be had, or no memory for them
        _fill(images, (draw(*arguments) for draw, arguments, _ in parts))
    return images


def _fill(images: Tensor, parts: Iterable[NDArray[np.uint8]]) -> None:
    """Write pictures as they are drawn into their places."""
    start = 0
    for part in parts:
        images[start : start + len(part)] = torch.from_numpy(part).permute(0, 3, 1, 2)
        start += len(part)


def _draw_part(
    stream: str, indices: range, side: int, classes: str
) -> NDArray[np.uint8]:  # -> (len(indices), side, side, 3)
    fonts = outlines(classes)
    return np.stack(
        [
            draw_scene(
                fonts,
                classes[index % len(classes)],
                classes,
                random.Random(f"glyphs {stream} {index}"),  # noqa: S311 - pictures, not secrets
                side,
            )
            for index in indices
        ]
    )
