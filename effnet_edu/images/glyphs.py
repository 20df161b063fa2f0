"""`glyphs`: characters that differ in detail, drawn on this machine at any side; nothing to download."""

import hashlib
import json
import random
from pathlib import Path
from typing import Literal

import numpy as np
import PIL
import torch
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import BrokenProcessPool
from numpy.typing import NDArray
from torch import Tensor

from effnet_edu.checkpoints.cache import cache_folder
from effnet_edu.images.glyph_scene import draw_scene
from effnet_edu.images.kept import keep_images, kept_images
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.images.outlines import fonts_hash, outlines
from effnet_edu.model.checks import choice, whole_number

#: Eight families of four; what tells the members of a family apart is an accent, a tail or a bar.
CLASSES = "OQØÖ" + "aäåã" + "CGÇČ" + "EFĘË" + "uüůų" + "nñńŋ" + "SŠŞ$" + "BR8P"

#: Raised whenever the same parameters draw other pictures than before.
_VERSION = 1
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
        raise ValueError(f"classes is {classes!r}; it must be two or more characters, all different.")
    outlines(classes)  # says which character a font lacks, before anything is drawn
    stream = f"{split} {seed}"
    path = _cache_file(stream, count, side, classes)
    images = kept_images(path, (count, 3, side, side))
    if images is None:
        images = _draw(stream, count, side, classes)
        keep_images(path, images)
    return LabelledImages(
        f"glyphs {split}", images, torch.arange(count) % len(classes), tuple(classes), _SOURCE
    )


def _cache_file(stream: str, count: int, side: int, classes: str) -> Path:
    """Return where these pictures are kept; whatever changes a pixel changes the name."""
    parameters = [_VERSION, stream, count, side, classes, fonts_hash(), PIL.__version__]
    key = hashlib.sha256(json.dumps(parameters).encode()).hexdigest()[:16]
    return cache_folder() / "glyphs" / f"{stream.replace(' ', '-')}-{count}-{side}-{key}.safetensors"


def _draw(stream: str, count: int, side: int, classes: str) -> Tensor:  # -> (count, 3, side, side)
    """Draw all pictures, in several processes where that is faster."""
    parts = [
        (stream, range(start, min(start + _DRAWN_AT_ONCE, count)), side, classes)
        for start in range(0, count, _DRAWN_AT_ONCE)
    ]
    processes = cpu_count() if count >= _WORTH_PROCESSES else 1
    try:
        drawn = Parallel(n_jobs=processes)(delayed(_draw_part)(*part) for part in parts)
    except (OSError, BrokenProcessPool):  # no processes to be had, or too little memory for them
        drawn = [_draw_part(*part) for part in parts]
    return torch.from_numpy(np.concatenate(drawn)).permute(0, 3, 1, 2).contiguous()


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
