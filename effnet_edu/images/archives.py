"""Archives of images into folders: nothing but plain files, inside the folder, within bounds."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from filelock import FileLock


class BrokenArchiveError(ValueError):
    """An archive that is damaged, hostile or larger than it can be."""


def extract(archive: Path, folder: Path, max_files: int, max_bytes: int) -> None:
    """Unpack an archive into a folder that is there whole afterwards, or not at all.

    Links, devices and names outside of the folder are refused, with the whole archive. Owners, rights and
    times in it are not taken over. Several processes may ask at once, and one unpacks.

    Args:
        archive: A `.tar.gz` or `.tgz` file.
        folder: Where to; nothing is done if it exists.
        max_files: The most files and folders that the archive can hold.
        max_bytes: The most bytes that it can unpack to, its own bookkeeping included.

    Raises:
        FileNotFoundError: There is no archive.
        BrokenArchiveError: The archive is damaged, hostile or larger than that.
        OSError: The disk is full.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
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
    try:
        # Read as a stream: every member is looked at before it is unpacked, and no byte is read twice.
        with (
            _BoundedGzip(archive, max_bytes) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as members,
        ):
            for number, member in enumerate(members, 1):
                if number > max_files:
                    raise BrokenArchiveError(f"{archive} holds more than {max_files:,} files; it cannot.")
                target = folder / _checked_name(member, archive)
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                content = members.extractfile(member)
                if content is None:
                    raise BrokenArchiveError(f"{archive} holds no content for {member.name!r}.")
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, target.open("xb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BrokenArchiveError(f"{archive} is damaged or no archive ({error}).") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise BrokenArchiveError(f"{archive} names one place twice ({error}).") from error


def _checked_name(member: tarfile.TarInfo, archive: Path) -> PurePosixPath:
    """Return a member's name, or refuse the archive for what the member is."""
    name = PurePosixPath(member.name)
    outside = (
        name.is_absolute()
        or ".." in name.parts
        or "\\" in member.name
        or "\0" in member.name
        or bool(PureWindowsPath(member.name).drive)
    )
    if outside:
        raise BrokenArchiveError(
            f"{archive} names a place outside itself ({member.name!r}); it is not unpacked."
        )
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise BrokenArchiveError(
            f"{archive} holds {member.name!r}, which is no plain file or folder; it is not unpacked."
        )
    return name


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
