import base64
import io

import pytest
from PIL import Image

from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.pixels import image_address


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
