"""A picture out of bytes that a stranger may have sent: bounded, of a known kind, upright, without holes."""

import io
import warnings

from PIL import Image, ImageOps

#: What one picture may be; photographs of phones are smaller than both.
MOST_BYTES, MOST_PIXELS = 10 * 2**20, 2**26
#: The kinds that are read. Pillow knows many more, and some of those are programs.
KINDS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")


def picture_from_bytes(content: bytes, name: str) -> Image.Image:
    """Return the picture in a file's bytes in RGB; what is transparent becomes white.

    Args:
        content: The file, 10 MiB at most. Of one that moves, the first picture is taken.
        name: What sentences call it.

    Raises:
        ValueError: It is too large, of another kind, damaged, or would unpack to more than 2**26 pixels.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"{name} has {len(content) / 2**20:.1f} MiB; up to {MOST_BYTES // 2**20} are read.")
    try:
        return _read(content)
    except Image.DecompressionBombError:
        raise ValueError(f"{name} has more than {MOST_PIXELS:,} pixels, the most that are read.") from None
    except Exception:  # readers of damaged files raise nearly anything; to a learner it is one thing
        kinds = f"{', '.join(KINDS[:-1])} and {KINDS[-1]}"
        raise ValueError(f"{name} cannot be read as a picture; {kinds} can be.") from None


def _read(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=KINDS) as image:
            # Asked before a pixel is unpacked: a few kilobytes can stand for gigabytes.
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            return _on_white(ImageOps.exif_transpose(image))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    whole = image.convert("RGBA")
    white = Image.new("RGBA", whole.size, "white")
    white.alpha_composite(whole)
    return white.convert("RGB")
