"""Pictures in one folder a class, as one set of labelled images."""

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch

from effnet_edu.ground.checks import as_path, quoted, whole_number
from effnet_edu.ground.watch import Watch
from effnet_edu.images.labelled import LabelledImages, empty_images
from effnet_edu.images.reader import SUFFIXES, read_square

#: What operating systems and archives put into folders by themselves, beside all that begins with a dot.
_NOT_THE_OWNERS = (
    *("__macosx", "desktop.ini", "thumbs.db", "ehthumbs.db", "icon\r", "@eadir", "$recycle.bin"),
    *("system volume information", "lost+found"),
)
#: Pictures that wait for a thread at a time: a million would take gigabytes by themselves.
_IN_LINE = 4096


class Listed(NamedTuple):
    """The pictures of a folder of classes, by name.

    Attributes:
        root: The folder, without links.
        class_names: Its subfolders.
        files: Each picture, below the root.
        labels: Index of the class of each.
        problems: A sentence for each thing that is not where it should be.
    """

    root: Path
    class_names: tuple[str, ...]
    files: list[str]
    labels: list[int]
    problems: list[str]


def list_pictures(path: str | os.PathLike[str]) -> Listed:
    """Return the pictures in a folder's subfolders; each subfolder is a class, in the order of their names.

    Args:
        path: The folder.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: It has no subfolder.
    """
    root = as_path(path)
    if not root.is_dir():
        raise FileNotFoundError(f"There is no folder {root}.")
    root = root.resolve()
    problems: list[str] = []
    classes = [folder for folder in _listed(root) if _is_class(folder, root, problems)]
    if not classes:
        raise ValueError(
            f"{root} has no subfolder; it must have one for each class, with the pictures of the class in it."
        )
    files: list[str] = []
    labels: list[int] = []
    for label, folder in enumerate(classes):
        found = _pictures(folder, root, problems)
        files += (picture.relative_to(root).as_posix() for picture in found)
        labels += [label] * len(found)
    return Listed(root, tuple(folder.name for folder in classes), files, labels, problems)


def image_folder(
    path: str | os.PathLike[str], side: int, *, skip_broken: bool = False, watch: Watch = Watch()
) -> LabelledImages:
    """Return the pictures in a folder's subfolders; each subfolder is a class, in the order of their names.

    A picture is read in RGB, upright, on white where it is transparent, cropped to the square in its middle
    and resized. All of them are held in memory: 10,000 at 160 px take 732 MiB; `stream_folder` holds none.
    Hidden files and folders, and those that systems make by themselves, such as `__MACOSX`, are passed over.

    Args:
        path: The folder: `path/cat/1.jpg`, `path/dog/1.jpg` and so on.
        side: Height and width in pixels, 1 or more.
        skip_broken: Leave out what cannot be read and warn of each; a class may then be left without images.
        watch: Told the share done; asked before each picture whether to stop.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: There is no class, or a picture, a class or the layout is broken; the first is named.
        MemoryError: The images do not fit into memory.
        Cancelled: `watch` said so.
    """
    whole_number("side", side)
    root, class_names, files, labels, problems = list_pictures(path)
    if problems and not skip_broken:
        raise first_of(problems)
    images = empty_images(len(files), 3, side)

    def read(index: int) -> None:
        images[index] = read_square(root / files[index], side)

    broken = broken_pictures(read, len(files), watch)
    problems += filter(None, broken)
    if problems and not skip_broken:
        raise first_of(problems)
    whole = [index for index, sentence in enumerate(broken) if sentence is None]
    if not whole:
        raise ValueError(f"{root} holds no picture that can be read.")
    for sentence in problems:
        warnings.warn(sentence, stacklevel=2)
    if len(whole) < len(files):
        images = images[whole]
    return LabelledImages(
        root.name,
        images,
        torch.tensor([labels[index] for index in whole]),
        class_names,
        str(root),
        tuple(files[index] for index in whole),
    )


def broken_pictures(read: Callable[[int], object], count: int, watch: Watch) -> list[str | None]:
    """Read pictures, several at once, and return for each what is wrong with it, or None.

    Args:
        read: Reads the picture with an index.
        count: How many there are.
        watch: Told the share done; asked before each picture whether to stop.

    Raises:
        Cancelled: `watch` said so.
    """

    def tried(index: int) -> str | None:
        watch.check()
        try:
            read(index)
        except (ValueError, OSError) as error:
            return str(error)
        return None

    broken: list[str | None] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow lets go of Python's lock while it decodes
        for start in range(0, count, _IN_LINE):
            for found in threads.map(tried, range(start, min(start + _IN_LINE, count))):
                broken.append(found)
                watch.progress(len(broken) / count)
    return broken


def first_of(problems: list[str]) -> ValueError:
    """Return the first problem as an error that counts the others.

    Args:
        problems: A sentence each.
    """
    more = f" {len(problems) - 1:,} more like this." if len(problems) > 1 else ""
    return ValueError(f"{problems[0]}{more} With skip_broken=True the rest is loaded.")


def _listed(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder by name, without what is hidden or the operating system's."""
    for entry in sorted(folder.iterdir()):
        if not entry.name.startswith(".") and entry.name.lower() not in _NOT_THE_OWNERS:
            yield entry


def _is_class(entry: Path, root: Path, problems: list[str]) -> bool:
    """Return whether this is the folder of a class; other files beside the classes are nobody's mistake."""
    if not _is_inside(entry, root, problems):
        return False
    if entry.suffix.lower() in SUFFIXES and entry.is_file():
        problems.append(f"{entry} belongs to no class; move it into the subfolder of its class.")
    return entry.is_dir()


def _pictures(folder: Path, root: Path, problems: list[str]) -> list[Path]:
    """Return the pictures of a class, and add a sentence for all else."""
    found = []
    for entry in _listed(folder):
        if not _is_inside(entry, root, problems):
            continue
        if entry.is_dir():
            problems.append(f"{entry} is a folder inside a class; a class holds pictures alone.")
        elif entry.suffix.lower() not in SUFFIXES or not entry.is_file():
            problems.append(f"{entry} is no picture; its name must end in one of {', '.join(SUFFIXES)}.")
        else:
            found.append(entry)
    if not found:
        problems.append(f"The class {quoted(folder.name)} has no picture in {folder}.")
    return found


def _is_inside(entry: Path, root: Path, problems: list[str]) -> bool:
    """Return whether an entry stays in the folder once links are followed."""
    try:
        inside = entry.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # a link to nothing, or to itself
        inside = False
    if not inside:
        problems.append(f"{entry} is a link to outside of {root} or to nothing; it is not followed.")
    return inside
