"""The lessons as files: where this installation has them, and copying them for a learner to work in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import quoted

FIRST_LESSON = "00_start_here.ipynb"

State = Literal["new", "same", "kept", "renewed"]


@dataclass(frozen=True)
class Placed:
    """What became of one lesson.

    Attributes:
        name: Name of the file.
        state: `"new"`, `"same"` (it was there already), `"kept"` (the learner's own version stays) or
            `"renewed"` (replaced, and the learner's own version is beside it).
        own: Name of the file that the learner's own version was moved to; empty where none was moved.
    """

    name: str
    state: State
    own: str = ""

    def __str__(self) -> str:
        return {
            "new": f"{self.name}: put there",
            "same": f"{self.name}: there already",
            "kept": f"{self.name}: kept as you left it; --renew takes the course's and keeps yours beside it",
            "renewed": f"{self.name}: put there anew; yours is {self.own} now",
        }[self.state]


def lessons_folder() -> Path:
    """Return the folder in which this installation has the lessons, in a wheel or in a clone.

    Raises:
        FileNotFoundError: It has none.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "lessons", package.parent / "lessons"):
        if (folder / FIRST_LESSON).is_file():
            return folder
    raise FileNotFoundError("This installation has no lessons. Install effnet-edu again.")


def put_lessons(folder: Path, renew: bool = False) -> Iterator[Placed]:
    """Copy the lessons one by one, and yield what became of each; nothing that differs is overwritten.

    Args:
        folder: Where; it is made as needed.
        renew: Move a lesson that differs aside and put the course's in its place.

    Raises:
        ValueError: `folder` is a file.
        OSError: A file cannot be read or written.
    """
    if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
        kind = "a file" if folder.exists() else "a link to nothing"
        raise ValueError(f"{quoted(str(folder))} is {kind}; name a folder for the lessons.")
    for lesson in sorted(lessons_folder().glob("*.ipynb")):
        yield _put(lesson.name, lesson.read_bytes(), folder / lesson.name, renew)


def _put(name: str, content: bytes, place: Path, renew: bool) -> Placed:
    if not place.exists() and not place.is_symlink():
        write_atomically(place, content)
        return Placed(name, "new")
    if place.is_file() and place.read_bytes() == content:
        return Placed(name, "same")
    if not renew:
        return Placed(name, "kept")
    own = _free_name(place)
    place.rename(own)
    write_atomically(place, content)
    return Placed(name, "renewed", own.name)


def _free_name(place: Path) -> Path:
    """Return a name beside a file that nothing has yet: `NAME_mine.ipynb`, `NAME_mine_2.ipynb` and so on."""
    number = 1
    while True:
        own = place.with_stem(f"{place.stem}_mine" + (f"_{number}" if number > 1 else ""))
        if not own.exists() and not own.is_symlink():
            return own
        number += 1
