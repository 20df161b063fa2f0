"""A picture as data: keyed marks that a page draws and moves, and that a still or a table can be made of.

Nothing but Python is needed, so that a reader's browser can make a scene as well.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from effnet_edu.ground.checks import quoted
from effnet_edu.pictures.axis import Axis

#: What the numbers of a mark's place are: x, y, width, height of a box and of an image; x, y, radius of a
#: circle; x, y of a text; points of a line and of an area, which is closed; both ends of each stroke; and of
#: a slab the box of its front, with how far its back lies to the right and above.
Shape = Literal["box", "circle", "line", "area", "strokes", "slab", "text", "image"]
_ONE_POINT = ("box", "circle", "slab", "text", "image")


@dataclass(frozen=True, slots=True)
class Drag:
    """A setting that follows a mark along an axis.

    Attributes:
        name: Of the setting.
        axis: What its values are in pixels.
        value: The present one.
        step: Values are whole steps from the lower end of the axis.
        upright: Whether the axis runs up and down.
        by_factor: Whether a step is a factor, such as 1.05, and no difference.
        said: The value in words, where its name and number are not enough.
    """

    name: str
    axis: Axis
    value: float
    step: float
    upright: bool = False
    by_factor: bool = False
    said: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        axis = self.axis
        more = {"by_factor": True} if self.by_factor else {}
        return (
            more
            | ({"said": self.said} if self.said else {})
            | {
                "name": self.name,
                "value": self.value,
                "step": self.step,
                "low": axis.low,
                "high": axis.high,
                "start": axis.start,
                "end": axis.end,
                "upright": self.upright,
                "logarithmic": axis.logarithmic,
            }
        )


@dataclass(frozen=True, slots=True)
class Mix:
    """Three settings that share a hundred, by where a mark lies in a triangle.

    Attributes:
        names: Of the settings.
        corners: x and y where each has all.
        values: Of the settings, whole numbers.
    """

    names: tuple[str, str, str]
    corners: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    values: tuple[int, int, int]

    def place(self) -> tuple[float, float]:
        """Return where the present values lie; the middle if all are 0."""
        total = sum(self.values)
        shares = [value / total for value in self.values] if total else [1 / 3] * 3
        x, y = (
            sum(share * corner[i] for share, corner in zip(shares, self.corners, strict=True)) for i in (0, 1)
        )
        return x, y

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        corners = [[round(n, 2) for n in corner] for corner in self.corners]
        return {"names": list(self.names), "corners": corners, "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class Play:
    """A setting that a mark starts and stops: it goes up in steps, each as soon as the last one is drawn.

    Attributes:
        name: Of the setting.
        value: The present one.
        low: Where it begins again when it had reached the end.
        high: Where it ends.
    """

    name: str
    value: int
    low: int
    high: int

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"name": self.name, "value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing in a picture.

    Attributes:
        key: Its name: what has the same key in the next scene is the same thing, moved. `stage 2/layer 1`
            lies under `stage 2`.
        shape: One of `Shape`.
        place: Numbers in pixels, by shape.
        style: Names of `styles.STYLES`, separated by spaces.
        text: Pieces of a text, each with a style of its own.
        words: What a reader is told who points at it.
        sets: Settings that a click gives their values; where it is dragged, the Enter key.
        drag: Settings that dragging gives their values; a box takes them where it is pressed.
        mix: Three settings that dragging shares out; a mark has this or `drag`.
        leads: What the hand that drags it moves at once, before Python answers: keys of marks, this one too,
            with how far each number of a place goes while the hand goes a pixel, sideways for x and width, up
            and down for y and height; numbers at the end that stay can be left out.
        along: Key of the line, from left to right, that it moves along.
        href: Address of an image.
        play: A setting that a click starts or stops; where motion is reduced the mark is not there.
        with_: Keys that light up with it in each picture of the lab, and all that lies under them.
        born: Key of the mark that it splits from when it is new, and joins when it goes.
    """

    key: str
    shape: Shape
    place: tuple[float, ...]
    style: str = ""
    text: tuple[tuple[str, str], ...] = ()
    words: str = ""
    sets: Mapping[str, Any] | None = None
    drag: tuple[Drag, ...] = ()
    with_: tuple[str, ...] = ()
    born: str = ""
    mix: Mix | None = None
    href: str = ""
    play: Play | None = None
    leads: Mapping[str, tuple[float, ...]] | None = None
    along: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it; what is empty is left out."""
        # Not `round(n, 2)`, which takes three times as long: a picture has thousands of numbers.
        place = [round(100 * n) / 100 for n in self.place]
        data: dict[str, Any] = {"key": self.key, "shape": self.shape, "at": place}
        named = {"style": self.style, "words": self.words, "born": self.born, "href": self.href}
        named["along"] = self.along
        data |= {name: value for name, value in named.items() if value}
        if self.text:
            data["text"] = [list(piece) for piece in self.text]
        if self.sets is not None:
            data["sets"] = dict(self.sets)
        if self.drag:
            data["drag"] = [drag.as_data() for drag in self.drag]
        if self.mix is not None:
            data["mix"] = self.mix.as_data()
        if self.play is not None:
            data["play"] = self.play.as_data()
        if self.with_:
            data["with"] = list(self.with_)
        if self.leads:
            data["leads"] = {key: list(moves) for key, moves in self.leads.items()}
        return data

    def moved(self, x: float, y: float, under: str = "") -> "Mark":
        """Return it elsewhere, with all its keys below another; a dragged one keeps its axis and stays."""
        count = 2 if self.shape in _ONE_POINT else len(self.place)
        place = tuple(n + (y if i % 2 else x) if i < count else n for i, n in enumerate(self.place))
        key, born, with_, leads, along = self.key, self.born, self.with_, self.leads, self.along
        if under:
            key, born = f"{under}/{key}", f"{under}/{born}" if born else ""
            with_ = tuple(f"{under}/{other}" for other in with_)
            leads = leads and {f"{under}/{other}": moves for other, moves in leads.items()}
            along = along and f"{under}/{along}"
        # Not `dataclasses.replace`, which takes ten times as long: a picture has hundreds of marks.
        return Mark(
            key, self.shape, place, self.style, self.text, self.words, self.sets, self.drag, with_, born,
            self.mix, self.href, self.play, leads, along,
        )  # fmt: skip


def text(key: str, x: float, y: float, *pieces: str | tuple[str, str], style: str = "") -> Mark:
    """Return a line of text; a piece may bring a style of its own."""
    spans = tuple((piece, "") if isinstance(piece, str) else piece for piece in pieces)
    return Mark(key, "text", (x, y), style, spans)


@dataclass(frozen=True)
class Scene:
    """A picture.

    Attributes:
        width: Of the coordinates, in pixels.
        height: Of the coordinates.
        title: What it shows, in a few words.
        description: What a reader who cannot see it has to know.
        marks: From back to front, each with a key of its own.

    Raises:
        ValueError: Two marks have one key.
    """

    width: float
    height: float
    title: str
    description: str
    marks: tuple[Mark, ...]

    def __post_init__(self) -> None:
        if len({mark.key for mark in self.marks}) < len(self.marks):
            twice = next(key for key, count in Counter(mark.key for mark in self.marks).items() if count > 1)
            raise ValueError(f"Two marks have the key {quoted(twice)}; each needs its own.")

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "width": round(self.width, 2),
            "height": round(self.height, 2),
            "title": self.title,
            "description": self.description,
            "marks": [mark.as_data() for mark in self.marks],
        }

    def as_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.as_data(), separators=(",", ":"))


def joined(title: str, placed: Iterable[tuple[str, Scene, float, float]]) -> Scene:
    """Return scenes in one, each with a name that its keys are put under, and the place of its corner."""
    every = list(placed)
    return Scene(
        max(x + scene.width for _, scene, x, _ in every),
        max(y + scene.height for _, scene, _, y in every),
        title,
        " ".join(scene.description for _, scene, _, _ in every),
        tuple(mark.moved(x, y, name) for name, scene, x, y in every for mark in scene.marks),
    )
