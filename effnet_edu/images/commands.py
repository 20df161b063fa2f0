"""The command `data`, which prepares sets of images."""

import argparse
import sys
from typing import TYPE_CHECKING

from effnet_edu.ground.checks import choice
from effnet_edu.images.fashion_mnist import fashion_mnist
from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.imagenette import imagenette

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

#: The sets of images by name, and the side of each where none is asked for.
_SIDES = {"glyphs": 32, "fashion_mnist": 28, "imagenette": 160}


def add_commands(commands: "Commands") -> None:
    """Add `data` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    data = commands.add_parser("data", help="draw, find or fetch a set of images into the cache")
    data.add_argument("name", metavar="NAME", help=f"one of {', '.join(_SIDES)}")
    data.add_argument("--side", type=int, help="height and width in pixels; by default as the set has them")
    data.add_argument("--train", type=int, default=20_000, help="glyphs: images to train with (20,000)")
    data.add_argument("--test", type=int, default=4_000, help="glyphs: images to test with (4,000)")
    data.set_defaults(run=_data)


def _data(arguments: argparse.Namespace) -> int:
    name = choice("NAME", arguments.name, tuple(_SIDES))
    side = _SIDES[name] if arguments.side is None else arguments.side
    if name == "fashion_mnist" and side != _SIDES[name]:
        raise ValueError(f"side is {side}; Fashion-MNIST has {_SIDES[name]} px alone.")
    for split in ("train", "test"):
        if name == "glyphs":
            images = glyphs(split, getattr(arguments, split), side)
        elif name == "fashion_mnist":
            images = fashion_mnist(split)
        else:
            images = imagenette(split, side)
        sys.stdout.write(f"{images}\n")
    return 0
