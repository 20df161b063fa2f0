"""Where words find room in a chart: beside what they name, on nothing that is drawn or written already."""

import math
from collections.abc import Sequence
from itertools import pairwise

from effnet_edu.pictures.scene import Mark, text

#: Height of a line of words, and about how wide a letter is in the widest of the usual fonts.
_HEIGHT, _LETTER = 12.0, 7.4


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
        self._taken: list[tuple[float, float, float, float]] = []

    def keep_free(self, x: float, y: float, radius: float) -> None:
        """Write nothing on a mark."""
        self._taken.append((x - radius, y - radius, x + radius, y + radius))

    def keep_line_free(self, points: Sequence[float]) -> None:
        """Write nothing on a line."""
        pairs = list(zip(points[::2], points[1::2], strict=True))
        for (x1, y1), (x2, y2) in pairwise(pairs):
            steps = max(1, math.ceil(math.hypot(x2 - x1, y2 - y1) / 8))
            for n in range(steps + 1):
                self.keep_free(x1 + (x2 - x1) * n / steps, y1 + (y2 - y1) * n / steps, 2)

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
        wide = _LETTER * len(words)
        slanted = 0.8 * away
        for dx, dy, anchor in (
            *((away, 4.0, ""), (-away, 4.0, "end"), (0.0, -away, "middle"), (0.0, away + 9, "middle")),
            *((slanted, -slanted, ""), (-slanted, -slanted, "end")),
            *((slanted, slanted + 9, ""), (-slanted, slanted + 9, "end")),
        ):
            start = x + dx - {"": 0.0, "end": wide, "middle": wide / 2}[anchor]
            box = (start, y + dy - _HEIGHT + 2, start + wide, y + dy + 3)
            if self._is_free(box):
                self._taken.append(box)
                return text(key, x + dx, y + dy, words, style=f"{style} {anchor}".strip())
        return None

    def _is_free(self, box: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = self._edges
        if box[0] < left or box[1] < top or box[2] > right or box[3] > bottom:
            return False
        return not any(
            box[0] < x2 and x1 < box[2] and box[1] < y2 and y1 < box[3] for x1, y1, x2, y2 in self._taken
        )
