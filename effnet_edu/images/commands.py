"""The command `classify`: what a photograph shows."""

import argparse
import sys
from typing import TYPE_CHECKING

from effnet_edu.checkpoints.create import create
from effnet_edu.images.classify import classify
from effnet_edu.images.photographs import PHOTOGRAPHS, photograph
from effnet_edu.model.checks import whole_number

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    """Add `classify` to the command line.

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


def _classify(arguments: argparse.Namespace) -> int:
    whole_number("top", arguments.top)
    pictures = [photograph(name) if name in PHOTOGRAPHS else name for name in arguments.photo]
    net = create(arguments.network, weights=arguments.weights, device=arguments.device)
    for name, rows in zip(arguments.photo, classify(net, pictures, arguments.top), strict=True):
        sys.stdout.write(f"{name}\n")
        for row in rows:
            sys.stdout.write(f"  {row.probability:7.1%}  {row.label}\n")
    return 0
