"""`stream_shards`: pictures in tar archives, read where they lie."""

import os
import re
import tarfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import torch

from effnet_edu.ground.archives import BrokenArchiveError, StrictHeader, checked_name
from effnet_edu.ground.checks import as_path, quoted, whole_number
from effnet_edu.ground.watch import Watch
from effnet_edu.images.folders import first_of
from effnet_edu.images.reader import SUFFIXES
from effnet_edu.images.streamed import StreamedImages, without_broken

#: `{0000..0009}` in the name of shards.
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_SHARDS, _MOST_CLASSES, _LONGEST_LABEL = 100_000, 100_000, 32
#: Long names and attributes have a header of their own; a lying one would take memory without a bound.
_LONGEST_HEADER = 2**16
#: Zeros that fill up the last record of an archive.
_LONGEST_END = 2**20


def stream_shards(
    shards: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    side: int,
    *,
    class_names: Sequence[str] = (),
    skip_broken: bool = False,
    watch: Watch = Watch(),
) -> StreamedImages:
    """Return the pictures in tar archives, in the layout of WebDataset, and leave them where they are.

    That layout is a plain tar with a picture `KEY.jpg` and its class `KEY.cls`, a whole number from 0 in
    digits, for each key; other fields of a key are passed over, and so are hidden files. The headers of all
    shards are read once; after that any picture is read at any time, as with `stream_folder`, so that order
    and resuming do not depend on how the pictures were packed.

    A shard with anything but plain files and folders, a name that leads outside or cannot be printed, a name
    twice, a length that it does not have or something behind its end is refused; a picture without a class, a
    class without a picture and what is no whole number are refused, or left out with `skip_broken`.

    Args:
        shards: One archive, several as `"train-{0000..0009}.tar"`, or a list of them; not compressed.
        side: Height and width in pixels, 1 or more.
        class_names: One name a class; by default the numbers up to the largest one.
        skip_broken: Read every picture once now, leave out what cannot be read, and warn of each; otherwise
            the first one stops the training when its turn comes.
        watch: Asked before each shard whether to stop; with `skip_broken`, as `stream_folder` does.

    Raises:
        FileNotFoundError: There is no such shard.
        ValueError: A shard is damaged or hostile, or something in it is broken.
        Cancelled: `watch` said so.

    Source: the layout is that of https://github.com/webdataset/webdataset, which is not needed.
    """
    whole_number("side", side)
    paths = _paths(shards)
    source = Path(os.path.commonpath([path.parent for path in paths]))
    index = _Index(len(class_names) or _MOST_CLASSES)
    for path in paths:
        watch.check()
        index.add_shard(path, path.relative_to(source).as_posix())
    if index.problems and not skip_broken:
        raise first_of(index.problems)
    images = StreamedImages(
        name=paths[0].name if len(paths) == 1 else f"{paths[0].name} to {paths[-1].name}",
        labels=torch.tensor(index.labels, dtype=torch.int64),
        class_names=tuple(class_names) or tuple(map(str, range(max(index.labels, default=0) + 1))),
        source=str(source),
        files=tuple(index.files),
        holders=tuple(index.holders),
        offsets=torch.tensor(index.offsets, dtype=torch.int64),
        sizes=torch.tensor(index.sizes, dtype=torch.int64),
        read_side=side,
    )
    return without_broken(images, index.problems, watch) if skip_broken else images


@dataclass
class _Sample:
    """What was found of one key: where its picture lies, and its class, -1 for one that cannot be."""

    name: str = ""
    offset: int = 0
    size: int = 0
    label: int | None = None


@dataclass
class _Index:
    """All pictures with a class, a column for each thing; lists of objects would take five times as much."""

    classes: int
    files: list[str] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)
    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    labels: "array[int]" = field(default_factory=lambda: array("q"))
    problems: list[str] = field(default_factory=list)

    def add_shard(self, path: Path, holder: str) -> None:
        """Add the pictures of a shard; `holder` is its name below the source."""
        halves: dict[str, _Sample] = {}
        whole: set[str] = set()
        with path.open("rb") as file:
            for archive, member in _members(file, path):
                folder, _, name = member.name.rpartition("/")
                stem, _, kind = name.partition(".")
                key, kind = f"{folder}/{stem}" if folder else stem, kind.lower()
                if not stem or not (kind == "cls" or f".{kind}" in SUFFIXES):
                    continue
                sample = halves.setdefault(key, _Sample())
                if key in whole or (sample.label is not None if kind == "cls" else sample.name):
                    raise BrokenArchiveError(f"{path} holds {quoted(key)} twice.")
                if kind == "cls":
                    sample.label = self._label(archive, member, path)
                else:
                    sample.name, sample.offset, sample.size = member.name, member.offset_data, member.size
                if sample.name and sample.label is not None:
                    whole.add(key)
                    self._add(halves.pop(key), holder)
        for key, sample in halves.items():
            lacks = "picture" if sample.label is not None else "class"
            self.problems.append(f"{path} holds {quoted(key)} without a {lacks}.")

    def _label(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> int:
        content = archive.extractfile(member)
        text = content.read(_LONGEST_LABEL).strip() if content else b""
        if text.isdigit() and member.size <= _LONGEST_LABEL and int(text) < self.classes:
            return int(text)
        self.problems.append(
            f"{path} holds {quoted(member.name)} with {quoted(text)}; it must be the number of a class, "
            f"from 0 to {self.classes - 1:,}."
        )
        return -1

    def _add(self, sample: _Sample, holder: str) -> None:
        if sample.label is not None and sample.label >= 0:
            self.files.append(f"{holder}/{sample.name}")
            self.holders.append(holder)
            self.offsets.append(sample.offset)
            self.sizes.append(sample.size)
            self.labels.append(sample.label)


def _members(file: IO[bytes], path: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield the files in a shard, and refuse it where it is not what it says."""
    length = os.fstat(file.fileno()).st_size
    try:
        # A name that is no text could not be shown; two that become the same are refused as one name twice.
        with tarfile.open(fileobj=file, mode="r:", tarinfo=_Header, errors="replace") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
                checked_name(member, path)
                if not member.name.isprintable():
                    raise BrokenArchiveError(
                        f"{path} holds {quoted(member.name)}, a name that shows as another."
                    )
                if not 0 <= member.size <= min(archive.offset, length) - member.offset_data:
                    raise BrokenArchiveError(
                        f"{path} holds {quoted(member.name)}, whose length it does not have."
                    )
                if member.isfile():
                    yield archive, member
            file.seek(archive.offset)
            if length - archive.offset > _LONGEST_END or any(file.read()):
                raise BrokenArchiveError(f"{path} goes on behind its end; were several archives joined?")
    except (BrokenArchiveError, OSError):
        raise
    except Exception as error:  # tarfile raises nearly anything for what is damaged
        raise BrokenArchiveError(f"{path} is damaged or no plain tar ({quoted(str(error))}).") from error


class _Header(StrictHeader):
    """A header that says what can be."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the header in these bytes."""
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (not header.isreg() and header.size > _LONGEST_HEADER):
            raise tarfile.ReadError(f"a header claims {header.size:,} bytes")
        return header


def _paths(shards: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the files, after making sure that they are there."""
    names = [shards] if isinstance(shards, str | os.PathLike) else list(shards)
    if len(names) == 1 and (found := _RANGE.search(text := os.fspath(names[0]))):
        first, last = map(int, found.groups())
        if not first <= last < first + _MOST_SHARDS:
            raise ValueError(
                f"shards is {quoted(text)}; the second number must not be smaller than the first, and up to "
                f"{_MOST_SHARDS:,} shards are read."
            )
        digits = len(found[1])
        names = [
            f"{text[: found.start()]}{number:0{digits}}{text[found.end() :]}"
            for number in range(first, last + 1)
        ]
    if not names:
        raise ValueError("shards is empty; one or more are needed.")
    paths = [as_path(name) for name in names]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"There is no shard {path}.")
    return [path.absolute() for path in paths]
