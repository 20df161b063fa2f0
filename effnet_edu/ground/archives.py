"""Archives of images into folders: nothing but plain files, inside the folder, within bounds."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Self

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.locks import file_lock

_LONGEST_PART, _LONGEST_NAME = 255, 1000


class BrokenArchiveError(ValueError):
    """An archive that is damaged, hostile or larger than it can be."""


def extract(archive: Path, folder: Path, max_files: int, max_bytes: int) -> None:
    """Unpack a `.tar.gz` into a folder that is there whole afterwards, or not at all.

    Links, devices and names outside of the folder are refused, with the whole archive. Owners, rights and
    times in it are not taken over. Several processes may ask at once, and one unpacks; nothing is done where
    the folder exists. `max_files` counts the folders that names bring along, `max_bytes` its own bookkeeping.

    Raises:
        FileNotFoundError: There is no archive.
        BrokenArchiveError: The archive is damaged, hostile or larger than that.
        OSError: The disk is full.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(folder.with_name(f"{folder.name}.lock")):
        if folder.exists():
            return
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)  # what a killed process left
        part.mkdir()
        try:
            _extract_into(archive, part, max_files, max_bytes)
            part.replace(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _extract_into(archive: Path, folder: Path, max_files: int, max_bytes: int) -> None:
    made = {PurePosixPath()}
    try:
        # Read as a stream: every member is looked at before it is unpacked, and no byte is read twice.
        with (
            _BoundedGzip(archive, max_bytes) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|", tarinfo=StrictHeader) as members,
        ):
            for entries, member in enumerate(members, start=1):
                name = checked_name(member, archive)
                made.update(name.parents, (name,))
                if max(len(made) - 1, entries) > max_files:  # one name may come again and again
                    raise BrokenArchiveError(
                        f"{archive} holds more than {max_files:,} files and folders; it cannot."
                    )
                target = folder / name
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                content = members.extractfile(member)
                if content is None:
                    raise BrokenArchiveError(f"{archive} holds no content for {quoted(member.name)}.")
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, target.open("xb") as file:
                    shutil.copyfileobj(content, file)
            while unpacked.read(2**20):  # to the end, where gzip has its checksum
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BrokenArchiveError(f"{archive} is damaged or no archive ({error}).") from error
    except RecursionError:
        raise BrokenArchiveError(f"{archive} is damaged or no archive (headers in headers).") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise BrokenArchiveError(f"{archive} names one place twice ({error.strerror}).") from error


def checked_name(member: tarfile.TarInfo, archive: Path) -> PurePosixPath:
    """Return a member's name, or refuse the archive for what the member is.

    Args:
        member: A plain file or a folder, or what claims to be one.
        archive: What the sentence names.

    Raises:
        BrokenArchiveError: It is a link, a device or sparse, or its name leads outside or is too long.
    """
    name = PurePosixPath(member.name)
    outside = (
        name.is_absolute()
        or ".." in name.parts
        or "\\" in member.name
        or "\0" in member.name
        or bool(PureWindowsPath(member.name).drive)
    )
    if outside:
        raise BrokenArchiveError(f"{archive} names a place outside itself ({quoted(member.name)}).")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise BrokenArchiveError(f"{archive} holds {quoted(member.name)}, which is no plain file or folder.")
    if len(member.name) > _LONGEST_NAME or any(len(part.encode()) > _LONGEST_PART for part in name.parts):
        raise BrokenArchiveError(f"{archive} holds a name that is too long ({quoted(member.name)}).")
    return name


class StrictHeader(tarfile.TarInfo):
    """A header that is whole; tarfile takes a damaged one, or none, for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the header in these bytes; only an empty block of the full length ends an archive."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(f"a header is damaged: {error}") from None


class _BoundedGzip(gzip.GzipFile):
    """Unpacks a file and refuses to go on past a bound, whoever reads."""

    def __init__(self, archive: Path, max_bytes: int) -> None:
        super().__init__(archive)
        self._archive, self._max_bytes = archive, max_bytes

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes."""
        chunk = super().read(size)
        if self.tell() > self._max_bytes:
            raise BrokenArchiveError(
                f"{self._archive} unpacks to more than {self._max_bytes:,} bytes; it cannot."
            )
        return chunk
