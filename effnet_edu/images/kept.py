"""Images that took long to make, kept on this machine: whole or not at all."""

import hashlib
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from effnet_edu.ground.atomic import write_atomically


def keep_images(path: Path, images: Tensor) -> None:
    """Write images to a file; where that fails, say so and go on.

    Args:
        path: The file; its folder is made.
        images: uint8, contiguous.  # (N, C, H, W)
    """
    try:
        write_atomically(path, save({"images": images}, {"sha256": _sha256(images)}))
    except OSError as error:
        warnings.warn(
            f"{path} could not be written ({error}); the images are made anew next time.", stacklevel=3
        )


def kept_images(path: Path, channels: int, side: int) -> Tensor:
    """Return the images in a file; none where there is no file, or one that is damaged.

    Args:
        path: A file that `keep_images` wrote.
        channels: Those that every image must have.
        side: Height and width that every image must have, in pixels.
    """
    none = torch.empty(0, channels, side, side, dtype=torch.uint8)
    try:
        with safe_open(path, framework="pt") as file:
            images: Tensor = file.get_tensor("images")
            expected = file.metadata()["sha256"]
    except (OSError, SafetensorError, KeyError, TypeError):
        return none
    fits = images.dtype == none.dtype and images.shape[1:] == none.shape[1:]
    return images if fits and _sha256(images) == expected else none


def _sha256(images: Tensor) -> str:
    return hashlib.sha256(images.numpy().data).hexdigest()
