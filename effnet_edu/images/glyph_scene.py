"""One random picture of a character, at any side: the same scene, drawn coarser or finer.

All that is random is decided before the side is looked at, so that a change of side changes nothing else.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from effnet_edu.images.outlines import Outline, Points

Colour = tuple[int, int, int]
T = TypeVar("T")

#: Pictures are drawn at least this large and then averaged down: smooth edges at every side.
_DRAWN_SIDE = 128
_LEAST_SUPERSAMPLING = 3
#: The grain of the picture is a field of this side, averaged or interpolated to the side that is asked for.
_GRAIN_SIDE = 64


def draw_scene(
    fonts: Sequence[Mapping[str, Outline]], character: str, neighbours: str, stream: random.Random, side: int
) -> NDArray[np.uint8]:  # -> (side, side, 3)
    """Draw a character with a random font, colours, place, size, warp, clutter and grain.

    Args:
        fonts: The outlines of every character, one mapping a font.
        character: What the picture shows.
        neighbours: Characters that may peep in at the edges.
        stream: Where the randomness comes from; how much is taken from it does not depend on the side.
        side: Height and width in pixels, 1 or more.
    """
    canvas = _Canvas(stream, side)
    between = stream.uniform
    ground = _colour(stream)
    ink = _contrasting(stream, ground)
    canvas.fill_smoothly(ground)
    for _ in range(_pick(stream, 4)):
        canvas.stroke(_near(stream, ground, 45), between(0.02, 0.08))
    for _ in range(_pick(stream, 3)):
        canvas.disc(_near(stream, ground, 45), between(0.03, 0.12))
    for direction in (-1, 1):
        if stream.random() < 0.25:
            place = (0.5 + direction * between(0.55, 0.7), between(0.3, 0.7))
            outline = _choose(stream, fonts)[_choose(stream, neighbours)]
            canvas.character(outline, _near(stream, ink, 60), place, between(0.4, 0.6))
    place = (between(0.42, 0.58), between(0.42, 0.58))
    canvas.character(_choose(stream, fonts)[character], ink, place, between(0.38, 0.58))
    for _ in range(_pick(stream, 2)):
        canvas.stroke(_colour(stream), between(0.01, 0.02))
    return canvas.finished(grain=between(5, 30))


class _Canvas:
    """A picture in the making; places and lengths are in sides of the picture, from 0 to 1."""

    def __init__(self, stream: random.Random, side: int) -> None:
        self._stream = stream
        self._factor = max(_LEAST_SUPERSAMPLING, math.ceil(_DRAWN_SIDE / side))
        self._drawn = side * self._factor
        self._picture = Image.new("RGB", (self._drawn, self._drawn))
        self._pen = ImageDraw.Draw(self._picture)

    def fill_smoothly(self, colour: Colour) -> None:
        """Fill all with shades of a colour that pass over into each other."""
        corners = bytes(channel for _ in range(4) for channel in _near(self._stream, colour, 25))
        shades = Image.frombytes("RGB", (2, 2), corners)
        self._picture.paste(shades.resize(self._picture.size, Image.Resampling.BILINEAR))

    def stroke(self, colour: Colour, width: float) -> None:
        """Draw a bent line across."""
        between = self._stream.uniform
        start, bend, stop = ((between(-0.1, 1.1), between(-0.1, 1.1)) for _ in range(3))
        points = [
            self._drawn * ((1 - t) ** 2 * start[axis] + 2 * t * (1 - t) * bend[axis] + t**2 * stop[axis])
            for t in (step / 8 for step in range(9))
            for axis in (0, 1)
        ]
        self._pen.line(points, fill=colour, width=max(1, round(width * self._drawn)), joint="curve")

    def disc(self, colour: Colour, radius: float) -> None:
        """Draw a disc."""
        x, y = (self._stream.uniform(0, 1) for _ in range(2))
        box = [self._drawn * edge for edge in (x - radius, y - radius, x + radius, y + radius)]
        self._pen.ellipse(box, fill=colour)

    def character(self, outline: Outline, colour: Colour, place: tuple[float, float], height: float) -> None:
        """Draw a character, turned, sheared, stretched and bent."""
        warp = _random_warp(self._stream)
        mask = Image.new("1", self._picture.size)
        pen = ImageDraw.Draw(mask)
        for points, filled in outline:
            placed = (warp(points) * height + place) * self._drawn
            pen.polygon(placed.ravel().tolist(), fill=int(filled))
        self._picture.paste(colour, mask=mask)

    def finished(self, grain: float) -> NDArray[np.uint8]:
        """Return the picture at its own side, with noise of up to `grain` levels."""
        field = Image.frombytes("L", (_GRAIN_SIDE, _GRAIN_SIDE), self._stream.randbytes(_GRAIN_SIDE**2))
        small = self._picture.reduce(self._factor)
        noise = np.asarray(field.resize(small.size, Image.Resampling.BILINEAR), np.float32) - 127.5
        pixels = np.asarray(small, np.float32) + noise[:, :, None] * (grain / 127.5)
        return pixels.clip(0, 255).round().astype(np.uint8)


def _random_warp(stream: random.Random) -> Callable[[Points], Points]:
    """Return a map of points near (0, 0): turned, sheared, stretched, and bent by a wave each way."""
    between = stream.uniform
    angle, shear, stretch = between(-0.25, 0.25), between(-0.2, 0.2), between(-0.12, 0.12)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array(((cos, -sin), (sin, cos))) @ np.array(
        ((math.exp(stretch), shear), (0, math.exp(-stretch)))
    )
    waves = [(between(0, 0.05), between(2, 6), between(0, math.tau)) for _ in range(2)]

    def warp(points: Points) -> Points:
        x, y = matrix @ points.T
        (high, often, phase), (wide, rarely, shift) = waves
        return np.stack((x + high * np.sin(often * y + phase), y + wide * np.sin(rarely * x + shift)), 1)

    return warp


def _pick(stream: random.Random, below: int) -> int:
    return int(stream.random() * below)


def _choose(stream: random.Random, options: Sequence[T]) -> T:
    return options[_pick(stream, len(options))]


def _colour(stream: random.Random) -> Colour:
    return (_pick(stream, 256), _pick(stream, 256), _pick(stream, 256))


def _near(stream: random.Random, colour: Colour, distance: int) -> Colour:
    """Return a colour whose channels differ by at most `distance`."""
    red, green, blue = (
        min(255, max(0, channel + _pick(stream, 2 * distance + 1) - distance)) for channel in colour
    )
    return red, green, blue


def _contrasting(stream: random.Random, ground: Colour) -> Colour:
    """Return a colour that stands out from `ground`: the farthest of a few."""
    colours = [_colour(stream) for _ in range(6)]
    return max(colours, key=lambda colour: math.dist(colour, ground))
