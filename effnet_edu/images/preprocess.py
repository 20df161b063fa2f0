"""From photographs to a network's input, exactly as the publishers of the weights did it.

Pictures that Pillow knows are resized by Pillow, since the published accuracies were measured that way.
Tensors are resized by torch with antialiasing, a whole batch at once and on their own device, as torchvision
does.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.checkpoints.preprocessing import Preprocessing

#: What holds one photograph and never several: a path, a Pillow image, an array (H, W, 3) of uint8.
OnePicture = str | os.PathLike | Image.Image | np.ndarray  # type: ignore[type-arg]
#: Those, or a tensor (3, H, W).
Picture = OnePicture | Tensor

#: What Pillow raises for files that are damaged, of another kind, or far too large.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def preprocess(
    pictures: Picture | list[Picture] | tuple[Picture, ...],
    preprocessing: Preprocessing,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return photographs as one normalised batch.

    Args:
        pictures: One photograph or several; tensors may be a batch. Tensors hold uint8 from 0 to 255, or
            floats from 0 to 1.  # (N, 3, H, W) or (3, H, W)
        preprocessing: The publisher's way.
        device: Where the result is; by default where a tensor is, and the CPU for all else.

    Returns:
        The batch in fp32.  # (N, 3, resolution, resolution)

    Raises:
        ValueError: Something is no photograph.
        FileNotFoundError: There is no file at a path.
    """
    if isinstance(pictures, Tensor):
        batch = pictures if pictures.ndim == 4 else pictures[None]
        return normalise(_fit_tensor(batch, preprocessing).to(device or batch.device), preprocessing)
    if isinstance(pictures, OnePicture) or not isinstance(pictures, Sequence):
        pictures = [pictures]
    if not pictures:
        raise ValueError("There is no photograph in the list; give one or more.")
    fitted = [
        _fit_tensor(picture[None], preprocessing)[0]
        if isinstance(picture, Tensor)
        else _fit_image(as_image(picture), preprocessing)
        for picture in pictures
    ]
    if len({picture.dtype for picture in fitted}) > 1:
        raise ValueError("Some photographs are uint8 and some are floats; give all in one kind.")
    return normalise(torch.stack(fitted).to(device or fitted[0].device), preprocessing)


def as_image(picture: Any) -> Image.Image:
    """Return a photograph in RGB, upright where the file says how the camera was held.

    Args:
        picture: A path, a Pillow image, or an array (H, W, 3) of uint8.

    Raises:
        ValueError: It is none of them.
        FileNotFoundError: There is no file at the path.
    """
    if isinstance(picture, Image.Image):
        return picture.convert("RGB")
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"The array is {picture.dtype} of shape {picture.shape}; "
                "a photograph is uint8 (height, width, 3)."
            )
        return Image.fromarray(picture)
    if not isinstance(picture, str | os.PathLike):
        raise ValueError(
            f"A photograph is a path, a Pillow image, an array or a tensor, not {type(picture).__name__}."
        )
    if not Path(picture).is_file():
        raise FileNotFoundError(f"There is no photograph at {picture}.")
    try:
        with Image.open(picture) as image:
            if image.format == "EPS":  # Pillow would run it with Ghostscript
                raise ValueError("PostScript is a program")
            return ImageOps.exif_transpose(image).convert("RGB")
    except _BROKEN as error:
        raise ValueError(f"{picture} is not a photograph that can be read ({error}).") from error


def normalise(batch: Tensor, preprocessing: Preprocessing) -> Tensor:  # (N, 3, H, W) -> (N, 3, H, W)
    """Return pixels as fp32 with mean and standard deviation taken out.

    Args:
        batch: uint8 from 0 to 255, or floats from 0 to 1.
        preprocessing: The publisher's way.
    """
    if not batch.is_floating_point():
        x = batch.float() if preprocessing.value_range == 255 else batch.float() / 255
    else:
        x = batch.float() * preprocessing.value_range
    mean, std = (
        torch.tensor(values, dtype=x.dtype, device=x.device)[:, None, None]
        for values in (preprocessing.mean, preprocessing.std)
    )
    return (x - mean) / std


def _fit_image(image: Image.Image, how: Preprocessing) -> Tensor:  # -> (3, resolution, resolution)
    height, width = _resized_size(image.height, image.width, how)
    image = image.resize((width, height), _FILTERS[how.interpolation])
    return _cut_centre(torch.from_numpy(np.array(image)).permute(2, 0, 1), how.resolution)


def _fit_tensor(
    batch: Tensor, how: Preprocessing
) -> Tensor:  # (N, 3, H, W) -> (N, 3, resolution, resolution)
    if (
        batch.ndim != 4
        or batch.shape[1] != 3
        or not (batch.dtype == torch.uint8 or batch.is_floating_point())
    ):
        raise ValueError(
            f"The tensor is {batch.dtype} of shape {tuple(batch.shape)}; photographs are uint8 from 0 to "
            "255 or floats from 0 to 1, of shape (3, height, width) or (batch, 3, height, width)."
        )
    size = _resized_size(batch.shape[2], batch.shape[3], how)
    if size != tuple(batch.shape[2:]):
        smooth = how.interpolation != "nearest"
        resized = F.interpolate(
            batch.float(),
            size,
            mode=how.interpolation,
            align_corners=False if smooth else None,
            antialias=smooth,
        )
        # Bicubic curves overshoot; eight-bit pixels are rounded, as an image file would hold them.
        batch = resized if batch.is_floating_point() else resized.clamp(0, 255).round().to(batch.dtype)
    return _cut_centre(batch, how.resolution)


def _resized_size(height: int, width: int, how: Preprocessing) -> tuple[int, int]:
    """Return the height and width that a photograph is resized to before the crop."""
    if how.fit == "squash":
        return how.resize, how.resize
    short = min(height, width)
    return int(how.resize * height / short), int(how.resize * width / short)


def _cut_centre(pixels: Tensor, side: int) -> Tensor:  # (..., H, W) -> (..., side, side)
    top, left = (round((length - side) / 2) for length in pixels.shape[-2:])
    return pixels[..., top : top + side, left : left + side]
