"""Pictures in one folder a class, as one set of labelled images."""

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


def image_folder(
    path: str | os.PathLike[str], side: int, *, skip_broken: bool = False, watch: Watch = Watch()
) -> LabelledImages:
    """Return the pictures in a folder's subfolders; each subfolder is a class, in the order of their names.

    A picture is read in RGB, upright, on white where it is transparent, cropped to the square in its middle
    and resized. All of them are held in memory: 10,000 at 160 px take 732 MiB. Hidden files and folders, and
    those that systems make by themselves, such as `__MACOSX`, are passed over.

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
    pictures = [
        (picture, label)
        for label, folder in enumerate(classes)
        for picture in _pictures(folder, root, problems)
    ]
    if problems and not skip_broken:
        raise _first_of(problems)
    images = empty_images(len(pictures), 3, side)

    def read(index: int) -> str | None:
        """Read one picture into its place, or return what is wrong with it."""
        watch.check()
        try:
            images[index] = read_square(pictures[index][0], side)
        except (ValueError, OSError) as error:
            return str(error)
        return None

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow lets go of Python's lock while it decodes
        broken = []
        for found in threads.map(read, range(len(pictures))):
            broken.append(found)
            watch.progress(len(broken) / len(pictures))
    problems += [sentence for sentence in broken if sentence]
    if problems and not skip_broken:
        raise _first_of(problems)
    readable = torch.tensor([sentence is None for sentence in broken], dtype=torch.bool)
    if not readable.any():
        raise ValueError(f"{root} holds no picture that can be read.")
    for sentence in problems:
        warnings.warn(sentence, stacklevel=2)
    if not readable.all():
        images = images[readable]
        pictures = [picture for picture, sentence in zip(pictures, broken, strict=True) if sentence is None]
    labels = torch.tensor([label for _, label in pictures])
    names = tuple(folder.name for folder in classes)
    files = tuple(picture.relative_to(root).as_posix() for picture, _ in pictures)
    return LabelledImages(root.name, images, labels, names, str(root), files)


def _first_of(problems: list[str]) -> ValueError:
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
