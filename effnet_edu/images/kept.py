"""Images that took long to make, kept on this machine: whole or not at all."""

import hashlib
import warnings
from pathlib import Path
from tempfile import NamedTemporaryFile

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor


def keep_images(path: Path, images: Tensor) -> None:
    """Write images to a file; where that fails, say so and go on.

    Args:
        path: The file; its folder is made.
        images: uint8 of any shape.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
            try:
                file.write(save({"images": images.contiguous()}, {"sha256": _sha256(images)}))
            except OSError:
                part.unlink()
                raise
        part.replace(path)
    except OSError as error:
        warnings.warn(f"{path} could not be written ({error}); the images will be made anew.", stacklevel=3)


def kept_images(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """Return the images in a file, or None where there is no file, or one that is damaged.

    Args:
        path: A file that `keep_images` wrote.
        shape: The shape that the images must have.
    """
    try:
        with safe_open(path, framework="pt") as file:
            images: Tensor = file.get_tensor("images")
            expected = file.metadata()["sha256"]
    except (OSError, SafetensorError, KeyError, TypeError):
        return None
    whole = images.dtype == torch.uint8 and tuple(images.shape) == shape and _sha256(images) == expected
    return images if whole else None


def _sha256(images: Tensor) -> str:
    return hashlib.sha256(images.contiguous().numpy().data).hexdigest()
