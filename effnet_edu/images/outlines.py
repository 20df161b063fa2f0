"""Characters as polygons: the outlines in the fonts that matplotlib ships, without matplotlib."""

import hashlib
import importlib.util
import math
from functools import cache
from pathlib import Path

import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

from effnet_edu.ground.checks import quoted

Curve = list[tuple[float, float]]
Points = NDArray[np.float64]
#: The closed curves of one character, each (points, 2) with y downwards, and whether it is filled or a hole;
#: those that contain others come first. Capital letters are 1 high, and the middle of the box is (0, 0).
Outline = tuple[tuple[Points, bool], ...]

#: Fonts that hold the letters of most European languages, in several weights and slants. The licences
#: stand beside them: LICENSE_DEJAVU (Bitstream Vera's terms) and LICENSE_STIX; both fonts are free to use.
FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
)

_PIECES_OF_A_CURVE = 4
#: Straight lines are cut into pieces no longer than this, so that they can bend.
_LONGEST_PIECE = 0.15


class _Curves(BasePen):  # type: ignore[misc] # fontTools has no types
    """Collects the curves of a character as points."""

    def __init__(self, glyphs: object) -> None:
        super().__init__(glyphs)
        self.curves: list[Curve] = []

    def _moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.curves.append([point])

    def _lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.curves[-1].append(point)

    def _qCurveToOne(self, control: tuple[float, float], end: tuple[float, float]) -> None:  # noqa: N802
        (x0, y0), (x1, y1), (x2, y2) = self.curves[-1][-1], control, end
        for step in range(1, _PIECES_OF_A_CURVE + 1):
            t = step / _PIECES_OF_A_CURVE
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
            self.curves[-1].append((a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2))


def font_file(font: str) -> Path:
    """Return the file of a font that matplotlib ships.

    Args:
        font: One of `FONTS`.

    Raises:
        FileNotFoundError: This matplotlib does not ship it.
    """
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "matplotlib, which ships the fonts, is not installed; install it with: pip install matplotlib"
        )
    path = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{font}.ttf"
    if not path.is_file():
        raise FileNotFoundError(f"This matplotlib ships no font {font}; there is no file {path}.")
    return path


@cache
def fonts_hash() -> str:
    """Return one sha256 of all `FONTS`, so that pictures drawn with others are not taken for these."""
    whole = hashlib.sha256()
    for font in FONTS:
        whole.update(hashlib.sha256(font_file(font).read_bytes()).digest())
    return whole.hexdigest()


@cache
def outlines(characters: str) -> tuple[dict[str, Outline], ...]:
    """Return the outline of each character in each of `FONTS`.

    Args:
        characters: What to look up.

    Raises:
        ValueError: A font lacks a character, or the character shows nothing.
        FileNotFoundError: This matplotlib does not ship one of the fonts.
    """
    return tuple(_outlines_of(font, characters) for font in FONTS)


def _outlines_of(font: str, characters: str) -> dict[str, Outline]:
    found = {}
    with TTFont(font_file(font), lazy=True) as table:
        names, glyphs = table.getBestCmap(), table.getGlyphSet()
        for character in dict.fromkeys("H" + characters):
            if ord(character) not in names:
                raise ValueError(f"The font {font} has no {quoted(character)} (U+{ord(character):04X}).")
            pen = _Curves(glyphs)
            glyphs[names[ord(character)]].draw(pen)
            # STIX marks where accents go with curves of one point.
            curves = [curve for curve in pen.curves if len(curve) > 2]
            if not curves:
                raise ValueError(f"The character {quoted(character)} (U+{ord(character):04X}) shows nothing.")
            found[character] = curves
    capital = max(y for curve in found["H"] for _, y in curve)
    return {character: _outline(found[character], capital) for character in characters}


def _outline(curves: list[Curve], capital: float) -> Outline:
    arrays = [np.array(_subdivided(curve, capital * _LONGEST_PIECE)) * (1, -1) / capital for curve in curves]
    every = np.concatenate(arrays)
    middle = (every.min(0) + every.max(0)) / 2
    areas = [_signed_area(array) for array in arrays]
    largest_first = sorted(range(len(arrays)), key=lambda index: -abs(areas[index]))
    return tuple((arrays[i] - middle, areas[i] * areas[largest_first[0]] > 0) for i in largest_first)


def _signed_area(points: Points) -> float:
    x, y = points.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def _subdivided(curve: Curve, longest: float) -> Curve:
    """Return the closed curve with points added on long straight lines."""
    points = []
    for (x0, y0), (x1, y1) in zip(curve, curve[1:] + curve[:1], strict=True):
        count = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / longest))
        points += [(x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count) for i in range(count)]
    return points
