"""The command `train`."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from effnet_edu.images.fashion_mnist import fashion_mnist
from effnet_edu.images.folders import image_folder
from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.imagenette import imagenette
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.model.checks import whole_number
from effnet_edu.model.specs import scale
from effnet_edu.model.variants import spec
from effnet_edu.profiling.cancel import Cancelled
from effnet_edu.training.loop import train
from effnet_edu.training.progress import ProgressBar, TensorBoardLog, together
from effnet_edu.training.recipe import Recipe

if TYPE_CHECKING:
    from effnet_edu.training.rows import Row

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

RECIPES: dict[str, Callable[[], Recipe]] = {
    "short": Recipe,
    "efficientnet_v1": Recipe.efficientnet_v1,
    "efficientnet_v2_s": lambda: Recipe.efficientnet_v2("s"),
    "efficientnet_v2_m": lambda: Recipe.efficientnet_v2("m"),
    "efficientnet_v2_l": lambda: Recipe.efficientnet_v2("l"),
}
_FROM_RECIPE = ("epochs", "batch_size", "accumulation", "base_learning_rate", "precision")


def add_commands(commands: "Commands") -> None:
    """Add `train` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    parser = commands.add_parser("train", help="train a network; under torchrun, in several processes")
    parser.add_argument("name", metavar="NAME", help="a published network, with random weights")
    parser.add_argument(
        "--data",
        default="glyphs",
        help="glyphs (default), fashion_mnist, imagenette, or a folder that holds train/CLASS/*.jpg and "
        "test/CLASS/*.jpg",
    )
    parser.add_argument("--images", type=int, help="training images, of each class as many (default all)")
    parser.add_argument("--width", type=float, default=1.0, help="scales the channels (default 1)")
    parser.add_argument("--depth", type=float, default=1.0, help="scales the layers (default 1)")
    parser.add_argument("--resolution", type=int, help="side in pixels (default: that of the network)")
    parser.add_argument("--recipe", default="short", choices=RECIPES, help="default: short")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--batch-size", type=int, help="instead of the recipe's, over all processes")
    parser.add_argument("--accumulation", type=int, help="parts of a batch, instead of the recipe's")
    parser.add_argument("--base-learning-rate", type=float, help="for 256 images, instead of the recipe's")
    parser.add_argument("--precision", help="fp32, bf16 or fp16, instead of the recipe's")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation (default 0)")
    parser.add_argument("--device", help="cpu, cuda, mps; the accelerator if there is one")
    parser.add_argument("--folder", type=Path, help="keeps state and results; goes on where it was stopped")
    parser.add_argument("--tensorboard", type=Path, help="writes curves for TensorBoard into this folder")
    parser.set_defaults(run=_train)


def read_data(name: str, side: int, count: int | None = None) -> tuple[LabelledImages, LabelledImages]:
    """Return training and test images.

    Args:
        name: `"glyphs"`, `"fashion_mnist"`, `"imagenette"`, or a folder with the subfolders train and test.
        side: Side in pixels that they are wanted at, where that can be chosen.
        count: How many training images, of each class as many; None for all (20,000 glyphs).

    Raises:
        ValueError: There is no such data set.
        FileNotFoundError: There is no such folder.
    """
    if name == "glyphs":
        return glyphs("train", count or 20_000, side), glyphs("test", 4_000, side)
    if name == "fashion_mnist":
        train_images, test_images = fashion_mnist("train"), fashion_mnist("test")
    elif name == "imagenette":
        train_images, test_images = imagenette("train", side), imagenette("test", side)
    else:
        folder = Path(name)
        if not folder.is_dir():
            raise FileNotFoundError(
                f"--data is {name!r}; it must be glyphs, fashion_mnist, imagenette, "
                "or a folder that is there."
            )
        train_images, test_images = image_folder(folder / "train", side), image_folder(folder / "test", side)
    return train_images if count is None else train_images.subset(count), test_images


def _train(arguments: argparse.Namespace) -> int:
    network = spec(arguments.name)
    side = network.resolution if arguments.resolution is None else arguments.resolution
    if (arguments.width, arguments.depth) != (1.0, 1.0):
        network = scale(network, arguments.width, arguments.depth)
    changes = {
        name: getattr(arguments, name) for name in _FROM_RECIPE if getattr(arguments, name) is not None
    }
    recipe = replace(RECIPES[arguments.recipe](), **changes)
    if recipe.progressive is not None:
        recipe = replace(recipe, progressive=recipe.progressive.scaled_to(side))
    if arguments.images is not None:
        whole_number("images", arguments.images)
    train_images, test_images = read_data(arguments.data, whole_number("resolution", side), arguments.images)
    is_first = os.environ.get("RANK", "0") == "0"
    shown: list[Callable[[Row], None]] = [ProgressBar()] if is_first else []
    if arguments.tensorboard is not None and is_first:
        shown.append(TensorBoardLog(arguments.tensorboard))
    if is_first:
        sys.stdout.write(f"{network}\n{train_images}\n{test_images}\n")
    with _asked_to_stop() as stop:
        try:
            run = train(
                network,
                train_images,
                test_images,
                recipe,
                resolution=side,
                device=arguments.device,
                seed=arguments.seed,
                folder=arguments.folder,
                progress=together(*shown),
                is_cancelled=stop.is_set,
            )
        except Cancelled:
            kept = " The same command goes on from here." if arguments.folder else ""
            sys.stderr.write(f"\neffnet_edu: Stopped.{kept}\n")
            return 130
    if is_first:
        sys.stdout.write(f"{run}\n")
    return 0


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Turn Ctrl-C, and the polite kill of a batch system, into a stop after the present step."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
