"""The one reader of pictures: files, uploads, Pillow images and arrays; bounded, upright, on white."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Literal, TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from effnet_edu.ground.checks import as_path
from effnet_edu.ground.memory import give_back_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")
#: What holds one photograph and never several: a path, a Pillow image, an array of uint8 (H, W, 3) or, in
#: grey, (H, W), or the bytes of a file.
OnePicture = str | os.PathLike | Image.Image | np.ndarray | bytes  # type: ignore[type-arg]
#: `"RGB"` for colour, `"L"` for grey.
Mode = Literal["RGB", "L"]

#: What one picture may be, wherever it comes from: 24 megapixels, or 12 without compression.
MOST_BYTES, MOST_PIXELS = 40 * 2**20, 25_000_000
#: The kinds that are read. Pillow knows many more, and some of those are programs.
KINDS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
#: What their names may end in, in small or capital letters.
SUFFIXES = (
    *(".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif"),
    *(".tiff", ".webp"),
)
#: Each scan of a JPEG goes over all pixels again; cameras and editors write 1 to 15.
_MOST_SCANS = 100
_ORIENTATION, _TILE_WIDTH, _TILE_LENGTH, _PHOTOMETRIC = 0x0112, 322, 323, 262
_BITS, _PACKING, _PLANES, _NUMBERS = 258, 259, 284, 339
_ROWS_AT_ONCE = 256
_LARGE = 2**22


class _RefusedError(ValueError):
    """One sentence about a picture that is not read."""


class _Room:
    """Lets as many pictures be open at once as have `MOST_PIXELS` pixels together."""

    def __init__(self) -> None:
        self._changed, self._taken = threading.Condition(), 0

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Wait for room for a picture, and hold it."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken + pixels <= MOST_PIXELS)
            self._taken += pixels
        try:
            yield
        finally:
            if pixels > _LARGE:  # each thread would keep what its largest picture took
                give_back_memory()
            with self._changed:
                self._taken -= pixels
                self._changed.notify_all()


_room = _Room()


def read_picture(picture: OnePicture, mode: Mode = "RGB", name: str | None = None) -> Image.Image:
    """Return a picture in 8 bits, upright as its EXIF data say, and on white where it is transparent.

    Of one that moves or has pages, the first is taken. 16-bit grey is scaled to 8 bits, and so are floats
    from 0 to 1. What cannot be read faithfully is refused.

    Args:
        picture: A path, the bytes of a file, a Pillow image, or an array of uint8, (H, W, 3) or (H, W).
        mode: `"RGB"`, or `"L"` for grey.
        name: What sentences call it; by default its path.

    Raises:
        ValueError: It is none of them, damaged, of another kind, or has more than 25 million pixels.
        FileNotFoundError: There is no file at the path.
    """
    return _read(picture, mode, name, lambda image: image)


def read_square(
    picture: OnePicture, side: int, mode: Mode = "RGB", name: str | None = None
) -> Tensor:  # -> (channels, side, side)
    """Return the square in the middle of a picture, resized, as uint8; otherwise as `read_picture`."""

    def fit(image: Image.Image) -> Tensor:
        pixels = np.array(ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC))
        # By NumPy, which starts no threads of its own: pictures are read in many threads at once.
        return torch.from_numpy(np.ascontiguousarray(pixels.reshape(side, side, -1).transpose(2, 0, 1)))

    return _read(picture, mode, name, fit)


def _read(picture: OnePicture, mode: Mode, name: str | None, finish: Callable[[Image.Image], T]) -> T:
    if isinstance(picture, Image.Image):
        return _finished(lambda: picture, mode, name or "The picture", finish)
    if isinstance(picture, np.ndarray):
        if (
            picture.dtype != np.uint8
            or picture.ndim < 2
            or picture.shape[2:] not in ((), (3,))
            or not picture.size
        ):
            raise ValueError(
                f"The array is {picture.dtype} of shape {picture.shape}; "
                "a photograph is uint8 from 0 to 255 of shape (height, width, 3), or (height, width) in grey."
            )
        return _finished(lambda: Image.fromarray(picture), mode, name or "The array", finish)
    if isinstance(picture, bytes):
        return _from_file(io.BytesIO(picture), len(picture), mode, name or "The picture", finish)
    if not isinstance(picture, str | os.PathLike):
        raise ValueError(
            f"A photograph is a path, a Pillow image, an array or a tensor, not {type(picture).__name__}."
        )
    path = as_path(picture)
    if not path.is_file():
        raise FileNotFoundError(f"There is no photograph at {picture}.")
    with path.open("rb") as file:
        return _from_file(file, os.fstat(file.fileno()).st_size, mode, name or str(picture), finish)


def _from_file(file: IO[bytes], count: int, mode: Mode, name: str, finish: Callable[[Image.Image], T]) -> T:
    check_bytes(count, name)
    return _finished(lambda: Image.open(file, formats=KINDS), mode, name, finish)


def check_bytes(count: int, name: str) -> None:
    """Raise if a file is larger than any picture that is read.

    Args:
        count: Its bytes.
        name: What the sentence calls it.

    Raises:
        ValueError: It is.
    """
    if count > MOST_BYTES:
        raise ValueError(f"{name} has {count / 2**20:.1f} MiB; up to {MOST_BYTES // 2**20} are read.")


def _finished(
    opened: Callable[[], Image.Image], mode: Mode, name: str, finish: Callable[[Image.Image], T]
) -> T:
    try:
        images = [opened()]
        _check_bounds(images[0], name)
        with _room.of(images[0].width * images[0].height):
            return finish(_converted(images, mode, name))
    except (_RefusedError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(name) from None
    except Exception:  # readers of damaged files raise nearly anything; to a learner it is one thing
        kinds = f"{', '.join(KINDS[:-1])} and {KINDS[-1]}"
        raise _RefusedError(
            f"{name} cannot be read as a picture; {kinds} can be, where they are whole."
        ) from None


def _too_large(name: str) -> _RefusedError:
    return _RefusedError(f"{name} has more than {MOST_PIXELS:,} pixels, the most that are read.")


def _check_bounds(image: Image.Image, name: str) -> None:
    """Refuse what would take too much to unpack, before a pixel is: kilobytes can stand for gigabytes."""
    tags = getattr(image, "tag_v2", {})
    if max(image.width * image.height, tags.get(_TILE_WIDTH, 0) * tags.get(_TILE_LENGTH, 0)) > MOST_PIXELS:
        raise _too_large(name)
    file = getattr(image, "fp", None)
    if image.format in ("JPEG", "MPO") and file is not None:
        place = file.tell()
        file.seek(0)
        scans = file.read().count(b"\xff\xda")  # nowhere else: in packed pixels a zero follows each 255
        file.seek(place)
        if scans > _MOST_SCANS:
            raise _RefusedError(f"{name} has {scans:,} scans; up to {_MOST_SCANS} are read.")


def _converted(images: list[Image.Image], mode: Mode, name: str) -> Image.Image:
    """Take the picture out of the list, so that no step holds more of it than it needs, and return 8 bits."""
    image = images.pop()
    packed = _packed(image)
    _check_tiff(image, name)
    image.load()
    orientation = image.getexif().get(_ORIENTATION, 1)
    if image.mode.startswith(("I", "F")):
        image = _scaled(image, packed, name)
    image = _on_white(image, packed, mode, name)
    if orientation == 1:
        return image
    image.getexif()[_ORIENTATION] = orientation  # what was scaled or put on white has none
    return ImageOps.exif_transpose(image)


def _check_tiff(image: Image.Image, name: str) -> None:
    """Refuse the kinds of TIFF that Pillow unpacks to other numbers without a word."""
    tags = getattr(image, "tag_v2", {})
    if 2 in tags.get(_NUMBERS, ()) and 8 in tags.get(_BITS, ()):
        raise _RefusedError(
            f"{name} holds numbers below zero, in 8 bits; save it with numbers from 0 to 255."
        )
    wide = max(tags.get(_BITS, (8,))) > 8 and tags.get(_PACKING, 1) == 1
    if tags.get(_PLANES) == 2 and (wide or image.mode in ("LA", "La")):
        raise _RefusedError(
            f"{name} holds each colour in a plane of its own; save it with the colours together."
        )


def _on_white(image: Image.Image, packed: str, mode: Mode, name: str) -> Image.Image:
    transparent = image.info.get("transparency")
    if ";16" in packed and isinstance(transparent, tuple):
        raise _RefusedError(f"{name} has 16 bits a colour and a transparent colour; save it with 8 bits.")
    if packed in ("L;2", "L;4") and isinstance(transparent, int):
        # Pillow scales the pixels to 8 bits, and not which of them is transparent.
        image = image.copy()
        image.info["transparency"] = transparent * (85 if packed == "L;2" else 17)
    if not image.has_transparency_data:
        return image if image.mode == mode else image.convert(mode)
    if image.mode != "RGBA":
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white if mode == "RGB" else white.convert(mode)


def _packed(image: Image.Image) -> str:
    """Return how a file that is not unpacked yet packs its pixels, such as `L;2`; empty for all else."""
    tiles = getattr(image, "tile", None)
    how = tiles[0][3] if tiles else ""
    return str(how[0] if isinstance(how, tuple) and how else how)


def _scaled(image: Image.Image, packed: str, name: str) -> Image.Image:
    """Return grey of more than 8 bits, or of floats, in 8 bits."""
    values = np.asarray(image)
    largest = 2**16 - 1
    if image.mode == "F":
        low, high = float(values.min()), float(values.max())
        if not 0 <= low <= high <= 1:
            raise _RefusedError(
                f"{name} holds floats from {low:g} to {high:g}; those from 0 to 1 are read. "
                "Save it with 8 or 16 bits."
            )
        largest = 1
    elif packed == "I;12":
        largest = 2**12 - 1
    elif image.mode == "I" and image.format not in ("PNG", "PPM"):
        raise _RefusedError(
            f"{name} holds whole numbers of 32 bits, and nothing says which is white; "
            "save it with 8 or 16 bits."
        )
    grey: NDArray[np.uint8] = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        grey[rows] = np.rint(values[rows] * (255 / largest)).clip(0, 255)
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:  # 0 is white
        np.subtract(255, grey, out=grey)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey)
