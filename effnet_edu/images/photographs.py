"""Real photographs that an installed package ships."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from effnet_edu.ground.checks import choice, quoted
from effnet_edu.images.reader import read_picture


@dataclass(frozen=True)
class Photograph:
    """A photograph in the package scikit-image.

    Attributes:
        name: How `photograph` calls it.
        file: Its file in `skimage/data`.
        shows: What it shows.
        credit: Who took it, and its licence.
    """

    name: str
    file: str
    shows: str
    credit: str


#: The photographs by name. Source of the credits: the docstrings of `skimage.data`.
PHOTOGRAPHS = {
    row.name: row
    for row in (
        Photograph("chelsea", "chelsea.png", "a tabby cat", "Stefan van der Walt, CC0"),
        Photograph("coffee", "coffee.png", "a cup of espresso", "Rachel Michetti, CC0"),
        Photograph("astronaut", "astronaut.png", "the astronaut Eileen Collins", "NASA, public domain"),
        Photograph("rocket", "rocket.jpg", "a rocket at its launch", "SpaceX, public domain"),
        Photograph("hubble", "hubble_deep_field.jpg", "galaxies", "NASA, public domain"),
    )
}


def photograph(name: str) -> Image.Image:
    """Return a photograph in RGB.

    Args:
        name: One of `PHOTOGRAPHS`, such as `"chelsea"`.

    Raises:
        ValueError: There is no photograph of this name.
        ModuleNotFoundError: scikit-image, which ships them, is not installed.
    """
    row = PHOTOGRAPHS[choice("photograph", name, tuple(PHOTOGRAPHS))]
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise ModuleNotFoundError(
            f"The photograph {quoted(name)} comes with scikit-image, which is not installed; "
            "install it with: pip install 'effnet-edu[photos]'"
        )
    return read_picture(Path(package.origin).parent / "data" / row.file)
