"""One reader for every picture: kinds and modes read correctly, or refused in a sentence."""

import io
import re
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from effnet_edu.images import image_folder, photograph, preprocess
from effnet_edu.images.reader import MOST_PIXELS, _Room, read_picture, read_square
from effnet_edu.labs.squeeze_excite.answers import fitted
from tests.images.pictures import HOW, png

CAT = photograph("chelsea").resize((60, 40))
GREY = CAT.convert("L")
G = np.asarray(GREY)
HALF = np.zeros((40, 60), np.uint8)
HALF[:, :30] = 255
#: Grey where a mask of the left half lets it through, and white elsewhere.
ON_WHITE = np.where(HALF == 255, G, 255)
TURNED = Image.Exif()
TURNED[0x0112] = 6  # by 90 degrees clockwise to view


def with_alpha(mode: str) -> Image.Image:
    image = CAT.convert("L").convert(mode)
    image.putalpha(Image.fromarray(HALF))
    return image


def palette() -> Image.Image:
    """Black and white, of which black is transparent."""
    image = Image.new("P", (60, 40))
    image.putpalette([0, 0, 0, 255, 255, 255])
    return image


#: File name: picture, options of Pillow, and the grey that it must become.
FILES = {
    "grey 8.png": (GREY, {}, G),
    "grey 16.png": (Image.fromarray(G.astype(np.uint16) * 257), {}, G),
    "grey 16.tif": (Image.fromarray(G.astype(np.uint16) * 257), {}, G),
    "grey 16 packed.tiff": (Image.fromarray(G.astype(np.uint16) * 257), {"compression": "tiff_lzw"}, G),
    "grey 16 big-endian.tif": (Image.fromarray((G.astype(np.uint16) * 257).astype(">u2")), {}, G),
    "grey 16.pgm": (Image.fromarray(G.astype(np.uint16) * 257), {}, G),
    "grey.pgm": (GREY, {}, G),
    "float.tif": (Image.fromarray(G.astype(np.float32) / 255), {}, G),
    "rgba.png": (with_alpha("RGB"), {}, ON_WHITE),
    "rgba.webp": (with_alpha("RGB"), {"lossless": True}, ON_WHITE),
    "rgba.tif": (with_alpha("RGB"), {}, ON_WHITE),
    "la.png": (with_alpha("L"), {}, ON_WHITE),
    "palette.png": (palette(), {"transparency": 0}, np.full_like(G, 255)),
    "palette.gif": (palette(), {"transparency": 0}, np.full_like(G, 255)),
    "one bit.png": (Image.fromarray(HALF).convert("1"), {}, HALF),
    "one bit, transparent.png": (
        Image.fromarray(HALF).convert("1"),
        {"transparency": 0},
        np.full_like(G, 255),
    ),
    "one bit.pbm": (Image.fromarray(HALF).convert("1"), {}, HALF),
    "key.png": (GREY, {"transparency": int(G[0, 0])}, np.where(G[0, 0] == G, 255, G)),
    "moves.gif": (GREY, {"save_all": True, "append_images": [Image.new("L", (60, 40))]}, G),
    "moves.webp": (
        GREY.convert("RGB"),
        {"save_all": True, "append_images": [Image.new("RGB", (60, 40))], "lossless": True},
        G,
    ),
    "pages.tif": (GREY, {"save_all": True, "append_images": [Image.new("L", (9, 9))]}, G),
    "turned.png": (GREY.transpose(Image.Transpose.ROTATE_90), {"exif": TURNED}, G),
    "turned 16.png": (
        Image.fromarray(np.rot90(G).astype(np.uint16) * 257),
        {"exif": TURNED},
        G,
    ),
    "turned rgba.png": (with_alpha("RGB").transpose(Image.Transpose.ROTATE_90), {"exif": TURNED}, ON_WHITE),
    "turned.tif": (GREY.transpose(Image.Transpose.ROTATE_90), {"exif": TURNED}, G),
}


def saved(name: str, folder: Path) -> tuple[Path, "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]:
    image, options, expected = FILES[name]
    path = folder / name
    image.save(path, **options)
    return path, expected


@pytest.mark.parametrize("name", FILES)
def test_every_entrance_reads_the_same_right_pixels(name: str, tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    path, expected = saved(name, tmp_path / "class")
    assert np.abs(np.asarray(read_picture(path, "L")).astype(int) - expected).max() <= 1
    colour = np.asarray(read_picture(path)).astype(int)
    assert colour.shape == (40, 60, 3)
    assert np.abs(colour - expected[..., None]).max() <= 1
    with Image.open(io.BytesIO(path.read_bytes())) as opened:  # turned and put on white as its file is
        assert np.array_equal(np.asarray(read_picture(opened)), colour)
    assert np.array_equal(np.asarray(read_picture(path.read_bytes())), colour)
    square = read_square(path, 32)
    assert image_folder(tmp_path, 32).images[0].equal(square)
    assert fitted(path.read_bytes(), name).equal(square)


def test_an_uncompressed_tiff_that_was_turned_is_read(tmp_path: Path) -> None:
    """Pillow opens it by name with its rows mixed up; the reader opens it as a file."""
    GREY.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "x.tif", exif=TURNED)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "x.tif", "L")), G)


def test_lab_is_read_as_the_colours_that_it_means() -> None:
    srgb, lab = (ImageCms.createProfile(space) for space in ("sRGB", "LAB"))
    converted = ImageCms.profileToProfile(CAT, srgb, lab, outputMode="LAB")
    assert converted.mode == "LAB"
    assert np.abs(np.asarray(read_picture(converted)).astype(int) - np.asarray(CAT)).mean() < 3


def test_jpeg_of_four_colours_and_jfif_are_read(tmp_path: Path) -> None:
    CAT.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    CAT.save(tmp_path / "cat.jfif", format="JPEG", quality=95)
    for name in ("cmyk.jpg", "cat.jfif"):
        error = np.abs(np.asarray(read_picture(tmp_path / name)).astype(int) - np.asarray(CAT)).mean()
        assert error < 6, name


@pytest.mark.parametrize(("bits", "key"), [(1, 1), (2, 1), (2, 3), (4, 1), (8, 85), (16, 85)])
def test_the_transparent_grey_of_few_or_many_bits_is_white(bits: int, key: int) -> None:
    rows = bytes([0b00011011] * 4) if bits < 8 else bytes([0, 85, 170, 255])
    width = 32 // bits
    before, after = (
        np.asarray(read_picture(png(width, 1, bits, 0, b"\0" + rows, **chunks), "L")).astype(int)
        for chunks in ({}, {"tRNS": struct.pack(">H", key)})
    )
    scaled = round(key * 255 / (2**bits - 1))
    assert scaled in before
    assert np.array_equal(after, np.where(before == scaled, 255, before))


def test_a_tiff_whose_zero_is_white_and_one_of_twelve_bits() -> None:
    assert np.asarray(read_picture(tiff(16, 0, struct.pack("<2H", 0, 65535)), "L")).tolist() == [[255, 0]]
    assert np.asarray(read_picture(tiff(12, 1, bytes([0xFF, 0xF0, 0x00])), "L")).tolist() == [[255, 0]]


def tiff(bits: int, photometric: int, data: bytes, tile: int = 0) -> bytes:
    """A grey TIFF of two pixels beside each other, in a strip or in a tile of this side."""
    short = [(256, 2), (257, 1), (258, bits), (259, 1), (262, photometric), (277, 1)]
    place = (
        [(322, tile), (323, tile), (324, 8), (325, len(data))]
        if tile
        else [(278, 1), (273, 8), (279, len(data))]
    )
    entries = sorted([*((tag, 3, value) for tag, value in short), *((tag, 4, value) for tag, value in place)])
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    body = data + bytes(len(data) % 2)
    start = struct.pack("<I", 8 + len(body))
    return b"II*\0" + start + body + struct.pack("<H", len(entries)) + directory + bytes(4)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (Image.fromarray(G.astype(np.float32)), r"x\.tif holds floats from \d+ to \d+; those from 0 to 1"),
        (Image.fromarray(np.full((4, 4), np.nan, np.float32)), r"x\.tif holds floats from nan to nan"),
        (Image.fromarray(G.astype(np.int32)), r"x\.tif holds whole numbers of 32 bits, and nothing says"),
    ],
)
def test_what_cannot_be_read_faithfully_is_refused(image: Image.Image, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a" / "x.tif")
    for read in (
        lambda: read_picture(tmp_path / "a" / "x.tif"),
        lambda: image_folder(tmp_path, 8),
        lambda: preprocess(tmp_path / "a" / "x.tif", HOW),
    ):
        with pytest.raises(ValueError, match=sentence):
            read()
    with pytest.raises(ValueError, match=sentence.replace(r"x\.tif", "The picture")):
        read_picture(image)


def directory(entries: list[tuple[int, int, bytes]], data: bytes) -> bytes:
    """A TIFF of these tags of 16 bits, each with how many and their bytes, after this data."""
    body = data + bytes(len(data) % 2)
    end = 8 + len(body) + 2 + 12 * len(entries) + 4
    rows, beyond = b"", b""
    for tag, count, values in sorted(entries):
        place = values.ljust(4, b"\0") if len(values) <= 4 else struct.pack("<I", end + len(beyond))
        beyond += values if len(values) > 4 else b""
        rows += struct.pack("<HHI", tag, 3, count) + place
    head = b"II*\0" + struct.pack("<I", 8 + len(body))
    return head + body + struct.pack("<H", len(entries)) + rows + bytes(4) + beyond


def planes(bits: int, samples: int, photometric: int, numbers: int = 1) -> bytes:
    """A TIFF of one pixel whose colours lie in planes of their own, each with the value 3."""
    one = struct.pack("<B" if bits == 8 else "<H", 3)
    short = [(256, 1), (257, 1), (259, 1), (262, photometric), (277, samples), (278, 1), (284, 2)]
    several = {
        258: [bits] * samples,
        273: [8 + len(one) * index for index in range(samples)],
        279: [len(one)] * samples,
        339: [numbers] * samples,
    }
    if samples == 2:
        several[338] = [2]  # the second is alpha
    entries = [(tag, 1, struct.pack("<H", value)) for tag, value in short]
    entries += [
        (tag, len(values), struct.pack(f"<{len(values)}H", *values)) for tag, values in several.items()
    ]
    return directory(entries, one * samples)


def test_tiffs_that_pillow_unpacks_to_other_numbers_are_refused() -> None:
    assert np.asarray(read_picture(planes(8, 3, 2))).tolist() == [[[3, 3, 3]]]
    for content in (planes(16, 3, 2), planes(8, 2, 1)):
        with pytest.raises(ValueError, match=r"The picture holds each colour in a plane"):
            read_picture(content)
    with pytest.raises(ValueError, match="The picture holds numbers below zero, in 8 bits"):
        read_picture(planes(8, 1, 1, numbers=2))


def test_bytes_and_grey_arrays_are_one_picture_each() -> None:
    file = io.BytesIO()
    GREY.save(file, "PNG")
    for one in (file.getvalue(), G):
        assert preprocess(one, HOW).shape == (1, 3, 32, 32)
        assert preprocess(one, HOW, in_channels=1).equal(preprocess(GREY, HOW, in_channels=1))


def test_a_transparent_colour_of_16_bits_is_refused() -> None:
    content = png(1, 1, 16, 2, bytes(7), tRNS=bytes(6))
    with pytest.raises(ValueError, match="x has 16 bits a colour and a transparent colour"):
        read_picture(content, name="x")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png(60_000, 60_000, 8, 2, bytes(100)), id="png"),
        pytest.param(png(5001, 5000, 1, 0, bytes(100)), id="just above"),
    ],
)
def test_too_many_pixels_are_refused_before_they_are_unpacked(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "bomb.png"
    path.write_bytes(content)
    sentence = f"bomb.png has more than {MOST_PIXELS:,} pixels, the most that are read."
    for read in (
        lambda: read_picture(path),
        lambda: read_picture(content, name="bomb.png"),
        lambda: image_folder(tmp_path, 8),
        lambda: preprocess(path, HOW),
    ):
        with pytest.raises(ValueError, match=re.escape(sentence)):
            read()


def test_a_tile_larger_than_its_picture_is_refused_too() -> None:
    assert read_picture(tiff(8, 1, bytes(256), 16)).size == (2, 1)
    with pytest.raises(ValueError, match="more than 25,000,000 pixels"):
        read_picture(tiff(8, 1, bytes(256), 16_000))


def test_large_files_and_jpegs_of_many_scans_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    with path.open("wb") as file:
        file.truncate(41 * 2**20)
    with pytest.raises(ValueError, match=r"x\.png has 41\.0 MiB; up to 40 are read"):
        read_picture(path)
    file = io.BytesIO()
    CAT.save(file, "JPEG", progressive=True)
    assert read_picture(file.getvalue()).size == CAT.size
    with pytest.raises(ValueError, match=r"has 1\d\d scans; up to 100 are read"):
        read_picture(file.getvalue() + b"\xff\xda" * 100)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_three_of_the_largest_pictures_take_the_memory_of_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    content = png(5000, 5000, 1, 0, (b"\0" + bytes(625)) * 5000, tRNS=bytes(2))
    for number in range(3):
        (tmp_path / "a" / f"{number}.png").write_bytes(content)
    program = f"""
import os
os.cpu_count = lambda: 3
from effnet_edu.images import image_folder
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
image_folder({str(tmp_path)!r}, 8)
print((peak() - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 150 < int(done.stdout) < 400  # 216 here; the three together would take 650


def test_pictures_wait_until_there_is_room() -> None:
    room, second_is_in = _Room(), threading.Event()

    def second() -> None:
        with room.of(MOST_PIXELS):
            second_is_in.set()

    with room.of(1):
        thread = threading.Thread(target=second)
        thread.start()
        assert not second_is_in.wait(0.05)
        with room.of(2):  # a small one does not wait for the large one
            pass
    assert second_is_in.wait(60)
    thread.join()


def test_the_picture_that_was_given_is_left_as_it_was() -> None:
    image = with_alpha("RGB")
    image.info["transparency"] = None
    image.getexif()[0x0112] = 3
    before = image.tobytes(), image.mode, image.size, dict(image.info), dict(image.getexif())
    read_picture(image, "L")
    assert (image.tobytes(), image.mode, image.size, dict(image.info), dict(image.getexif())) == before


@pytest.mark.parametrize("kind", ["uint16", "int64", "float32", "bool"])
def test_arrays_of_other_types_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=rf"The array is {kind} of shape \(8, 8, 3\); a photograph is uint8"):
        read_picture(np.zeros((8, 8, 3), kind))
