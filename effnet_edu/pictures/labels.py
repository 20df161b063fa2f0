"""Where words find room in a chart: beside what they name, on nothing that is drawn or written already."""

import copy
import itertools
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from effnet_edu.pictures.scene import Mark, text

#: Height of a line of words, and about how wide a letter is in the widest of the usual fonts.
_HEIGHT, _LETTER = 12.0, 7.4
#: Between words in one line.
_GAP = 2.0
#: How far from its points a name begins that must not be left out.
_FARTHER = (9.0, 13.0, 18.0, 25.0, 34.0, 45.0)
#: So near to each other, in pixels, two points are one to the eye.
_SAME = 3.0


Point = tuple[float, float]
Box = tuple[float, float, float, float]


def words_box(mark: Mark) -> Box:
    """Return about where the words of a mark stand: left, top, right, bottom."""
    styles = mark.style.split()
    is_bold = "bold" in styles or any(style.endswith("-words") for style in styles)
    letter = _LETTER * (1.3 if "title" in styles else 1.1 if is_bold else 1)
    wide = letter * sum(len(words) for words, _ in mark.text)
    x, y = mark.place
    anchors = {"end": wide, "middle": wide / 2}
    left = x - next((anchors[name] for name in styles if name in anchors), 0.0)
    return left, y - _HEIGHT + 2, left + wide, y + 3


class Labels:
    """Remembers what is taken in a chart.

    Args:
        left: Edge of the room for words, in pixels.
        right: The other edge.
        top: Upper edge.
        bottom: Lower edge.
    """

    def __init__(self, left: float, right: float, top: float, bottom: float) -> None:
        self._edges = (left, top, right, bottom)
        self._points: list[Point] = []
        self._marks: list[Box] = []
        self._lines: list[Box] = []
        self._words: list[Box] = []

    def copy(self) -> "Labels":
        """Return the same, to write more without changing this one."""
        made = copy.copy(self)
        made._points, made._marks = self._points.copy(), self._marks.copy()
        made._lines, made._words = self._lines.copy(), self._words.copy()
        return made

    def stay_right_of(self, edge: float) -> None:
        """Write nothing left of an edge from now on."""
        self._edges = (edge, *self._edges[1:])

    def keep_words_free(self, *marks: Mark) -> None:
        """Write nothing on words."""
        self._words += map(words_box, marks)

    def keep_free(self, x: float, y: float, radius: float) -> None:
        """Write nothing on a mark, and the name of another one rather not nearest to it."""
        self._points.append((x, y))
        self._marks.append(_box_around(x, y, radius))

    def keep_line_free(self, points: Sequence[float]) -> None:
        """Write nothing on a line."""
        pairs = list(zip(points[::2], points[1::2], strict=True))
        for (x1, y1), (x2, y2) in pairwise(pairs):
            steps = max(1, math.ceil(math.hypot(x2 - x1, y2 - y1) / 8))
            for n in range(steps + 1):
                self._lines.append(_box_around(x1 + (x2 - x1) * n / steps, y1 + (y2 - y1) * n / steps, 2))

    def place(self, key: str, x: float, y: float, words: str, style: str, away: float = 9) -> Mark | None:
        """Return words beside a point, or None where they find no room.

        Args:
            key: Of the mark.
            x: Of the point that they name.
            y: The same.
            words: What they say.
            style: How they look, without where they are anchored.
            away: How far from the point they begin, in pixels.
        """
        return self._place(key, [(x, y)], words, style, (away,), is_needed=False)

    def place_along(self, key: str, points: Sequence[Point], words: str, style: str) -> Mark | None:
        """Return words beside one of several points, the first one first, farther off where it is crowded.

        Where they would be nearer to what they do not name, they stand on a line; where all is full of marks,
        on one. They are left out where all is full of words.

        Args:
            key: Of the mark.
            points: Each of which the words name.
            words: What they say.
            style: How they look, without where they are anchored.
        """
        return self._place(key, points, words, style, _FARTHER, is_needed=True)

    def _place(
        self,
        key: str,
        points: Sequence[Point],
        words: str,
        style: str,
        reaches: Sequence[float],
        *,
        is_needed: bool,
    ) -> Mark | None:
        others = [one for one in self._points if _distance((*one, *one), points) > _SAME]
        not_on_marks = [*self._words, *self._marks]
        levels = [[*not_on_marks, *self._lines], *([not_on_marks, self._words] if is_needed else [])]
        unclear: list[tuple[float, Mark]] = []
        for taken in levels:
            if taken is self._words and unclear:
                break
            for away, at in itertools.product(reaches, points):
                for said in _around(key, at, words, style, away):
                    box = words_box(said)
                    if not self._is_free(box, taken):
                        continue
                    nearer = _distance(box, points) - _distance(box, others) if others else -1.0
                    if nearer < 0:
                        self._words.append(box)
                        return said
                    unclear.append((nearer, said))
        if not unclear:
            return None
        _, least = min(unclear, key=lambda one: one[0])
        self._words.append(words_box(least))
        return least

    def _is_free(self, box: Box, taken: Sequence[Box]) -> bool:
        left, top, right, bottom = self._edges
        if box[0] < left or box[1] < top or box[2] > right or box[3] > bottom:
            return False
        return not any(
            box[0] - _GAP < x2 and x1 < box[2] + _GAP and box[1] < y2 and y1 < box[3]
            for x1, y1, x2, y2 in taken
        )


def _around(key: str, at: Point, words: str, style: str, away: float) -> Iterator[Mark]:
    """Yield the words at each side of a point and slanted from it, the best place first."""
    (x, y), slanted = at, 0.8 * away
    for dx, dy, anchor in (
        *((away, 4.0, ""), (-away, 4.0, "end"), (0.0, -away, "middle"), (0.0, away + 9, "middle")),
        *((slanted, -slanted, ""), (-slanted, -slanted, "end")),
        *((slanted, slanted + 9, ""), (-slanted, slanted + 9, "end")),
    ):
        yield text(key, x + dx, y + dy, words, style=f"{style} {anchor}".strip())


def _box_around(x: float, y: float, radius: float) -> Box:
    return x - radius, y - radius, x + radius, y + radius


def _distance(box: Box, points: Sequence[Point]) -> float:
    """Return how far a box is from the nearest of some points."""
    left, top, right, bottom = box
    return min(math.hypot(max(left - x, 0, x - right), max(top - y, 0, y - bottom)) for x, y in points)
