"""All channels of the maps along a block, each as a small grey picture of what it found in a photograph."""

import math
from collections.abc import Mapping

import numpy as np
from PIL import Image
from torch import Tensor

from effnet_edu.figures.picture import Numbers, ScenePicture, jpeg_address
from effnet_edu.pictures.scene import Mark, Scene, text

#: Pixels of one channel with its edge, between maps, and above them; and channels in a column.
_TILE, _GAP, _TOP, _ROWS = 35, 28, 22, 9
_MOST = 4
#: Grey between the channels, which is neither their darkest nor their brightest.
_BETWEEN = 128


def feature_maps(maps: Mapping[str, Tensor]) -> ScenePicture:
    """Draw every channel of several maps of one image, from its lowest number in black to its highest.

    Args:
        maps: From 1 to 4 maps by their name in the picture.  # (C, H, W)

    Raises:
        ValueError: There are more than 4 maps or none, or one has another number of dimensions than 3.
    """
    if not 1 <= len(maps) <= _MOST:
        raise ValueError(f"There are {len(maps)} maps; 1 to {_MOST} can be drawn.")
    for name, one in maps.items():
        if one.ndim != 3:
            raise ValueError(f"{name} has the shape {tuple(one.shape)}; it must be (C, H, W), of one image.")
    marks, rows, left = [], [], 0
    for name, one in maps.items():
        picture = _mosaic(one)
        place = (left, _TOP, picture.width, picture.height)
        zeros = f"{float((one == 0).float().mean()):.0%}"
        title = name if zeros == "0%" else f"{name}: {zeros} of their numbers are 0"
        rows.append((name, str(len(one)), f"{one.shape[1]} x {one.shape[2]}", zeros))
        marks.append(text(f"{name}/name", left, _TOP - 8, title, style="title"))
        marks.append(Mark(f"{name}/channels", "image", place, href=jpeg_address(picture, quality=40)))
        left += picture.width + _GAP
    height = max(mark.place[1] + mark.place[3] for mark in marks if mark.shape == "image")
    told = "; ".join(f"{name}: {channels} channels, {zeros} zeros" for name, channels, _, zeros in rows)
    return ScenePicture(
        Scene(
            left - _GAP,
            height,
            "Feature maps",
            f"What each channel found in one image. {told}.",
            tuple(marks),
        ),
        caption="Each small picture is one channel, from its lowest number in black to its highest in white "
        "(computed). What a ReLU has cut off is 0, and black.",
        numbers=Numbers(("map", "channels", "places", "numbers that are exactly 0"), rows),
    )


def _mosaic(maps: Tensor) -> Image.Image:
    """Return all channels of a map beside and below each other, column by column as many as fit."""
    columns = math.ceil(len(maps) / _ROWS)
    rows = math.ceil(len(maps) / columns)
    whole = Image.new("L", (columns * _TILE - 2, rows * _TILE - 2), _BETWEEN)
    for number, channel in enumerate(maps.detach().float().cpu().numpy()):
        row, column = divmod(number, columns)
        grey = 255 * (channel - channel.min()) / max(float(np.ptp(channel)), 1e-6)
        small = Image.fromarray(grey.astype(np.uint8)).resize((_TILE - 2, _TILE - 2), Image.Resampling.BOX)
        whole.paste(small, (column * _TILE, row * _TILE))
    return whole
