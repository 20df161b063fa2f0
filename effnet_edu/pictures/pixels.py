"""Small images for scenes, written without any package."""

import base64
import struct
import zlib
from functools import lru_cache


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache(maxsize=256)
def image_address(pixels: bytes, width: int, height: int) -> str:
    """Return an image as an address that a page needs to ask nobody for.

    Args:
        pixels: Rows from the top, each pixel red, green and blue, or these and its opacity, as bytes.
        width: In pixels.
        height: In pixels.

    Raises:
        ValueError: There are not 3 or 4 bytes for each pixel.
    """
    channels = len(pixels) / (width * height)
    if channels not in (3, 4):
        raise ValueError(f"{len(pixels)} bytes are no image of {width} x {height}: a pixel has 3 or 4.")
    row = width * int(channels)
    lines = b"".join(b"\0" + pixels[start : start + row] for start in range(0, len(pixels), row))
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    file = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"
