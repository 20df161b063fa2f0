"""Pictures made byte by byte, for what no program would write."""

import struct
import zlib

from effnet_edu.ground.preprocessing import Preprocessing

#: Pixels as they are, 32 by 32.
HOW = Preprocessing(32, 32, "crop", "bicubic", (0, 0, 0), (1, 1, 1), 255)


def png(width: int, height: int, bits: int, colours: int, rows: bytes, **chunks: bytes) -> bytes:
    """A PNG that says it has this size; `colours` is 0 for grey, 2 for colour and 6 for colour with alpha."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    between = b"".join(chunk(kind.encode(), data) for kind, data in chunks.items())
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + between + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
