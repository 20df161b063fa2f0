"""A scene as pixels, for books that cannot hold SVG: one more reader of the same marks."""

import base64
import io
from functools import partial
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle
from PIL import Image

from effnet_edu.figures.style import styled
from effnet_edu.pictures.scene import Mark, Scene
from effnet_edu.pictures.still import faces
from effnet_edu.pictures.styles import FACES, LIGHT, SLABS, STYLES

if TYPE_CHECKING:
    from matplotlib.text import Text

#: Pixels of a page in an inch, points in an inch, and dots of the image in an inch.
_PIXELS, _POINTS, _DOTS = 96, 72, 192
#: Flat colours and their soft edges need no more, and a lesson holds many pictures.
_COLOURS = 64
_SIDES = {"middle": "center", "end": "right"}


def _style(names: str) -> dict[str, Any]:
    """Return the properties of a mark, a later style over an earlier one, in the colours of a light card."""
    wanted = names.split()
    found: dict[str, Any] = {}
    for name, style in STYLES.items():
        if name in wanted:
            found |= style
    return {key: LIGHT.get(value, value) if isinstance(value, str) else value for key, value in found.items()}


def _paint(names: str) -> dict[str, Any]:
    style = _style(names)
    dash = style.get("stroke-dasharray")
    return {
        "facecolor": style.get("fill", "none"),
        "edgecolor": style.get("stroke", "none"),
        "linewidth": style.get("stroke-width", 1) * _POINTS / _PIXELS,
        "linestyle": (0, tuple(float(n) for n in dash.split())) if dash else "-",
        "alpha": style.get("fill-opacity"),
        "joinstyle": "round",
    }


def _corners(place: tuple[float, ...]) -> list[tuple[float, float]]:
    return list(zip(place[::2], place[1::2], strict=True))


def _line(axes: Axes, place: tuple[float, ...], names: str) -> None:
    axes.add_patch(Polygon(_corners(place), closed=False, **(_paint(names) | {"facecolor": "none"})))


def _strokes(axes: Axes, mark: Mark) -> None:
    for start in range(0, len(mark.place), 4):
        _line(axes, mark.place[start : start + 4], mark.style)


def _slab(axes: Axes, mark: Mark) -> None:
    slab = [name for name in SLABS if name in mark.style.split()][-1]
    for face in FACES:
        paint = _paint(mark.style) | {"facecolor": LIGHT[f"{slab}-{face}"]}
        axes.add_patch(Polygon(_corners(faces(mark.place)[face]), **paint))


def _width(piece: "Text") -> float:
    """Return how far a piece reaches, with the spaces at its ends, which have no ink."""
    words = piece.get_text()
    piece.set_text(f"|{words}|")
    both = piece.get_window_extent().width
    piece.set_text("||")
    width = both - piece.get_window_extent().width
    piece.set_text(words)
    return float(width)


def _text(axes: Axes, mark: Mark) -> None:
    """Write the pieces of a text one after the other, measured as they are set."""
    x, y = mark.place
    write = partial(axes.text, y=y, va="baseline")
    pieces: list[Text] = []
    for words, style in mark.text:
        look = _style(f"{mark.style} {style}")
        size, weight = look["font-size"] * _POINTS / _PIXELS, "bold" if "font-weight" in look else "normal"
        pieces.append(write(x=x, s=words, fontsize=size, weight=weight, color=look.get("fill", "black")))
    widths = [_width(piece) * _PIXELS / axes.figure.dpi for piece in pieces]
    anchor = _SIDES.get(_style(mark.style).get("text-anchor", ""), "left")
    x -= {"left": 0.0, "center": 0.5, "right": 1.0}[anchor] * sum(widths)
    for piece, width in zip(pieces, widths, strict=True):
        piece.set_x(x)
        x += width


def _image(axes: Axes, mark: Mark) -> None:
    x, y, width, height = mark.place
    pixels = Image.open(io.BytesIO(base64.b64decode(mark.href.partition(",")[2]))).convert("RGB")
    axes.imshow(pixels, extent=(x, x + width, y + height, y), aspect="auto")


def _draw(axes: Axes, mark: Mark) -> None:
    place = mark.place
    if mark.shape == "box":
        axes.add_patch(Rectangle((place[0], place[1]), place[2], place[3], **_paint(mark.style)))
    elif mark.shape == "circle":
        axes.add_patch(Circle((place[0], place[1]), place[2], **_paint(mark.style)))
    elif mark.shape == "area":
        axes.add_patch(Polygon(_corners(place), **_paint(mark.style)))
    elif mark.shape == "line":
        _line(axes, place, mark.style)
    elif mark.shape == "strokes":
        _strokes(axes, mark)
    elif mark.shape == "slab":
        _slab(axes, mark)
    elif mark.shape == "image":
        _image(axes, mark)
    else:
        _text(axes, mark)


@styled
def png(scene: Scene) -> bytes:
    """Return a scene on a light card, twice as fine as a screen."""
    figure = Figure(figsize=(scene.width / _PIXELS, scene.height / _PIXELS))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, scene.width), ylim=(scene.height, 0))
    axes.set_axis_off()
    for order, mark in enumerate(scene.marks):
        if "on-lit" in mark.style.split():
            continue
        before = set(axes.get_children())
        _draw(axes, mark)
        for artist in set(axes.get_children()) - before:
            artist.set_zorder(order + 2)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS, pad_inches=0)
    has_photograph = any(mark.shape == "image" for mark in scene.marks)
    colours = 256 if has_photograph else _COLOURS
    few = Image.open(buffer).convert("RGB").quantize(colours, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
