import base64
import io
import math

import pytest
from PIL import Image

from effnet_edu.pictures.labels import Labels, words_box
from effnet_edu.pictures.pixels import image_address
from effnet_edu.pictures.scene import Mark


def test_words_find_room_beside_what_is_taken_or_are_left_out():
    labels = Labels(0, 200, 0, 60)
    labels.keep_free(50, 30, 5)
    first = labels.place("a", 50, 30, "EfficientNet", "words")
    assert first is not None
    assert first.place[0] > 55
    labels.keep_line_free((0, 20, 200, 20))
    second = labels.place("b", 50, 30, "V2", "words")
    assert second is not None
    assert second.place != first.place
    assert all(labels.place(f"c{n}", 50, 30, "a much longer name than that", "words") is None for n in (1, 2))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_image_is_what_it_was(mode: str):
    pixels = bytes(range(3 * 2 * len(mode)))
    address = image_address(pixels, 3, 2)
    read = Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))
    assert (read.mode, read.size, read.tobytes()) == (mode, (3, 2), pixels)
    with pytest.raises(ValueError, match="5 bytes are no image of 1 x 1"):
        image_address(b"12345", 1, 1)


def nearest(named: Mark | None, points: dict[str, tuple[float, float]]) -> str:
    """Return which of some points the words of a mark are nearest to."""
    assert named is not None
    left, top, right, bottom = words_box(named)
    away = {
        name: math.hypot(max(left - x, 0, x - right), max(top - y, 0, y - bottom))
        for name, (x, y) in points.items()
    }
    return min(away, key=away.__getitem__)


@pytest.mark.parametrize("apart", [(16, 0), (16, -6), (10, 10), (0, 14), (5, 20)])
def test_a_name_is_nearest_to_what_it_names(apart: tuple[float, float]):
    """Also where a place beside its point is free and another point is nearer there."""
    points = {"A": (100.0, 50.0), "B": (100.0 + apart[0], 50.0 + apart[1])}
    for names in (("A", "B"), ("B", "A")):
        labels = Labels(0, 200, 0, 100)
        for at in points.values():
            labels.keep_free(*at, 5)
        for name in names:
            assert nearest(labels.place_along(name, [points[name]], name, "words"), points) == name
        again = Labels(0, 200, 0, 100)
        for at in points.values():
            again.keep_free(*at, 5)
        for name in names:
            assert nearest(again.place(name, *points[name], name, "words"), points) == name


def test_a_name_that_can_stand_nowhere_else_stands_beside_another_point():
    labels = Labels(0, 62, 0, 16)
    labels.keep_free(10, 8, 5)
    labels.keep_free(56, 8, 5)
    named = labels.place("A", 10, 8, "name", "words")
    assert named is not None
    assert nearest(named, {"A": (10, 8), "B": (56, 8)}) == "B"
