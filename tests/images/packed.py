"""Pictures in folders of classes and in shards, made for a test."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

Member = tuple[str, bytes]


def jpeg(brightness: int, seed: int, size: tuple[int, int] = (28, 20)) -> bytes:
    """Return a noisy JPEG as bright as this, 0 to 155."""
    noise = np.random.default_rng(seed).integers(brightness, brightness + 100, (*size, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=90)
    return file.getvalue()


def write_folder(folder: Path, count: int, size: tuple[int, int] = (28, 20), seed: int = 0) -> Path:
    """Write a folder of two classes, dark and light pictures in turn."""
    for index in range(count):
        name = ("dark", "light")[index % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{index:05}.jpg").write_bytes(jpeg(index % 2 * 120, seed + index, size))
    return folder


def samples(folder: Path) -> list[Member]:
    """Return the pictures of a folder as members of a shard, each with the number of its class."""
    found: list[Member] = []
    for label, part in enumerate(sorted(folder.iterdir())):
        for file in sorted(part.iterdir()):
            key = f"{part.name}/{file.stem}"
            found += [(f"{key}.jpg", file.read_bytes()), (f"{key}.cls", str(label).encode())]
    return found


def write_shard(file: Path, members: Iterable[Member | tarfile.TarInfo]) -> Path:
    """Write members, or headers without content, into a tar."""
    with tarfile.open(file, "w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                header = tarfile.TarInfo(member[0])
                header.size = len(member[1])
                archive.addfile(header, io.BytesIO(member[1]))
    return file
