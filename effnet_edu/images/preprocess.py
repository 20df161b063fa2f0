"""From photographs to a network's input, exactly as the publishers of the weights did it.

Pictures that Pillow knows are resized by Pillow, since the published accuracies were measured that way.
Tensors are resized by torch with antialiasing, a whole batch at once and on their own device, as torchvision
does.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images.reader import OnePicture, read_picture

#: What holds one photograph, or a tensor (C, H, W).
Picture = OnePicture | Tensor

#: Pixels of a photograph when its short side has been resized: a long strip would fill the memory.
_MOST_PIXELS_RESIZED = 2**26
#: How far floats may lie outside of 0 to 1 by rounding.
_ROUNDING = 1e-3
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def preprocess(
    pictures: Picture | list[Picture] | tuple[Picture, ...],
    preprocessing: Preprocessing,
    device: torch.device | str | None = None,
    in_channels: int = 3,
) -> Tensor:
    """Return photographs as one normalised batch.

    Photographs are read upright, on white where they are transparent, and in grey where one channel is asked
    for; then mean and standard deviation are the means over the three colours.

    Args:
        pictures: One photograph or several: paths, bytes of files, Pillow images, arrays of uint8 (H, W, 3)
            or (H, W), or tensors, which may be a batch. They hold uint8 from 0 to 255, or floats from 0 to 1.
            # (N, in_channels, H, W) or (in_channels, H, W)
        preprocessing: The publisher's way.
        device: Where the result is; by default where a tensor is, and the CPU for all else.
        in_channels: 3 for colour, 1 for grey.

    Returns:
        The batch in fp32.  # (N, in_channels, resolution, resolution)

    Raises:
        ValueError: Something is no photograph, or `in_channels` is neither 1 nor 3.
        FileNotFoundError: There is no file at a path.
    """
    if in_channels not in (1, 3):
        raise ValueError(f"in_channels is {quoted(in_channels)}; photographs have 3 channels, or 1 in grey.")
    if isinstance(pictures, Tensor):
        batch = pictures if pictures.ndim == 4 else pictures[None]
        fitted_batch = _fit_tensor(batch, preprocessing, in_channels)
        return normalise(fitted_batch.to(device or batch.device), preprocessing)
    if not isinstance(pictures, list | tuple):
        pictures = [pictures]
    if not pictures:
        raise ValueError("There is no photograph in the list; give one or more.")
    fitted = [
        _fit_tensor(picture[None], preprocessing, in_channels)[0]
        if isinstance(picture, Tensor)
        else _fit_image(read_picture(picture, "RGB" if in_channels == 3 else "L"), preprocessing)
        for picture in pictures
    ]
    if len({picture.dtype for picture in fitted}) > 1:
        raise ValueError("Some photographs are uint8 and some are floats; give all in one kind.")
    return normalise(torch.stack(fitted).to(device or fitted[0].device), preprocessing)


def normalise(batch: Tensor, preprocessing: Preprocessing) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
    """Return pixels, uint8 or floats from 0 to 1, as fp32 with mean and standard deviation taken out."""
    if not batch.is_floating_point():
        x = batch.float() if preprocessing.value_range == 255 else batch.float() / 255
    else:
        x = batch.float() * preprocessing.value_range
    mean, std = (
        torch.tensor(values, dtype=x.dtype, device=x.device)[:, None, None]
        for values in (preprocessing.mean, preprocessing.std)
    )
    if x.shape[1] == 1:
        mean, std = mean.mean(0, keepdim=True), std.mean(0, keepdim=True)
    return (x - mean) / std


def _fit_image(image: Image.Image, how: Preprocessing) -> Tensor:  # -> (C, resolution, resolution)
    height, width = _resized_size(image.height, image.width, how)
    image = image.resize((width, height), _FILTERS[how.interpolation])
    top, left = (round((length - how.resolution) / 2) for length in (height, width))
    pixels = np.array(image.crop((left, top, left + how.resolution, top + how.resolution)))
    return torch.from_numpy(pixels.reshape(how.resolution, how.resolution, -1)).permute(2, 0, 1)


def _fit_tensor(
    batch: Tensor, how: Preprocessing, channels: int
) -> Tensor:  # (N, C, H, W) -> (N, C, resolution, resolution)
    pixels = batch.dtype == torch.uint8 or batch.is_floating_point()
    if batch.ndim != 4 or batch.shape[1] != channels or 0 in batch.shape or not pixels:
        raise ValueError(
            f"The tensor is {batch.dtype} of shape {tuple(batch.shape)}; photographs are uint8 from 0 to 255 "
            f"or floats from 0 to 1, of shape ({channels}, height, width), "
            f"or (batch, {channels}, height, width)."
        )
    if batch.is_floating_point() and batch.device.type != "meta":
        low, high = (float(end) for end in batch.detach().aminmax())
        if not -_ROUNDING <= low <= high <= 1 + _ROUNDING:
            raise ValueError(
                f"The tensor holds floats from {low:g} to {high:g}; photographs are floats from 0 to 1 or "
                "uint8 from 0 to 255, before any normalisation."
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
    short = min(height, width)
    size = (how.resize, how.resize)
    if how.fit == "crop":
        size = int(how.resize * height / short), int(how.resize * width / short)
    if size[0] * size[1] > _MOST_PIXELS_RESIZED:
        raise ValueError(
            f"The photograph is {width} x {height} pixels, a strip that would be {size[1]:,} x {size[0]:,} "
            f"when resized; {_MOST_PIXELS_RESIZED:,} pixels are allowed. Crop it first."
        )
    return size


def _cut_centre(pixels: Tensor, side: int) -> Tensor:  # (..., H, W) -> (..., side, side)
    top, left = (round((length - side) / 2) for length in pixels.shape[-2:])
    return pixels[..., top : top + side, left : left + side]
