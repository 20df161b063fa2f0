"""A scene as SVG that does not move: for stored outputs, and for pages before their script arrives."""

from collections.abc import Callable, Sequence
from html import escape

from effnet_edu.pictures import styles
from effnet_edu.pictures.scene import Mark, Scene
from effnet_edu.pictures.styles import FACES

#: Around a picture that stands alone.
MARGIN = 8


def _number(value: float) -> str:
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def _points(place: Sequence[float]) -> str:
    pairs = zip(place[::2], place[1::2], strict=True)
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in pairs)


def _named(names: str, place: Sequence[float]) -> str:
    return " ".join(f'{name}="{_number(n)}"' for name, n in zip(names.split(), place, strict=True))


def strokes(place: Sequence[float]) -> str:
    """Return the path of strokes, given as both ends of each."""
    ends = [_number(n) for n in place]
    return "".join(f"M{x1} {y1}L{x2} {y2}" for x1, y1, x2, y2 in zip(*[iter(ends)] * 4, strict=True))


def faces(place: Sequence[float]) -> dict[str, tuple[float, ...]]:
    """Return the corners of a slab's top, side and front."""
    x, y, width, height, right, above = place
    end, floor = x + width, y + height
    return {
        "top": (x, y, x + right, y - above, end + right, y - above, end, y),
        "side": (end, y, end + right, y - above, end + right, floor - above, end, floor),
        "front": (x, y, end, y, end, floor, x, floor),
    }


def _slab(mark: Mark) -> str:
    corners = faces([round(n, 2) for n in mark.place])
    return "".join(f'<polygon class="{face}" points="{_points(corners[face])}"/>' for face in FACES)


def _spans(mark: Mark) -> str:
    return "".join(
        f'<tspan class="{style}">{escape(piece)}</tspan>' if style else escape(piece)
        for piece, style in mark.text
    )


#: Tag, attributes and content of each shape; `picture.js` writes the same.
_WRITERS: dict[str, tuple[str, Callable[[Mark], str], Callable[[Mark], str]]] = {
    "box": ("rect", lambda mark: _named("x y width height", mark.place), lambda _: ""),
    "circle": ("circle", lambda mark: _named("cx cy r", mark.place), lambda _: ""),
    "line": ("polyline", lambda mark: f'points="{_points(mark.place)}"', lambda _: ""),
    "area": ("polygon", lambda mark: f'points="{_points(mark.place)}"', lambda _: ""),
    "strokes": ("path", lambda mark: f'd="{strokes(mark.place)}"', lambda _: ""),
    "slab": ("g", lambda _: "", _slab),
    "image": (
        "image",
        lambda mark: f'{_named("x y width height", mark.place)} href="{escape(mark.href)}"',
        lambda _: "",
    ),
    "text": ("text", lambda mark: _named("x y", mark.place), _spans),
}


def elements(marks: Sequence[Mark]) -> str:
    """Return marks as SVG elements, without those that only show when something lights up or plays."""
    parts = []
    for mark in marks:
        if "on-lit" in mark.style or "of-play" in mark.style:
            continue
        tag, attributes, content = _WRITERS[mark.shape]
        title = f"<title>{escape(mark.words)}</title>" if mark.words else ""
        parts.append(f'<{tag} class="{mark.style}" {attributes(mark)}>{title}{content(mark)}</{tag}>')
    return "".join(parts)


def _names(scene: Scene) -> set[str]:
    """Return the styles that a scene uses."""
    marks = {name for mark in scene.marks for name in mark.style.split()}
    return marks | {name for mark in scene.marks for _, style in mark.text for name in style.split()}


def still(scene: Scene, *, alone: bool = False) -> str:
    """Return a scene as SVG for a page that has `styles.SCENE`, or alone, with an opaque card."""
    margin = MARGIN if alone else 0
    width, height = _number(scene.width + 2 * margin), _number(scene.height + 2 * margin)
    own = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" ' if alone else ""
    style = f"<style>{styles.alone(_names(scene))}</style>" if alone else ""
    corner = f'x="{-margin}" y="{-margin}" '
    return (
        f'<svg {own}class="ee-scene" '
        f'viewBox="{-margin} {-margin} {width} {height}" role="img">'
        f"<title>{escape(scene.title)}</title><desc>{escape(scene.description)}</desc>{style}"
        f'<rect class="paper" {corner}width="{width}" height="{height}"/>{elements(scene.marks)}</svg>'
    )
