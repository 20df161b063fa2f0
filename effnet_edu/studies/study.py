"""What a study is: a list of runs as data, a function that performs one, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch

from effnet_edu.images.fashion_mnist import fashion_mnist
from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.model.blocks import weigh_branches
from effnet_edu.model.cost import cost
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.training.augmentation import to_floats
from effnet_edu.training.loop import train
from effnet_edu.training.recipe import Recipe
from effnet_edu.training.rows import Row
from effnet_edu.training.run import TrainingRun

#: Ten glyphs in which one stroke decides several pairs: O and Q, C and G, E and F, P, B, R and 8.
CLASSES = "OQCGEFPBR8"


#: For small networks and a few hundred steps: a high learning rate leaves the plateau of the start soonest,
#: and new images serve better than the same ones again.
RECIPE = Recipe(epochs=2, batch_size=64, base_learning_rate=1.6, warmup_epochs=0.4)
#: Trained until the curves are flat: the training accuracy of the last epochs rises no more.
LONG = replace(RECIPE, epochs=12, warmup_epochs=1)


@dataclass(frozen=True)
class Images:
    """Which images a run learns from, and which it is tested on.

    Attributes:
        name: `"glyphs"` or `"fashion_mnist"`.
        train: How many to learn from; which ones depends on the seed of the run.
        test: How many to test on; the same for all runs, or for all of a seed.
        classes: The characters, for glyphs; Fashion-MNIST has its own ten.
        side: Side in pixels that the images are made at; None for the resolution of the network.
    """

    name: Literal["glyphs", "fashion_mnist"]
    train: int
    test: int
    classes: str = CLASSES
    side: int | None = None

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.classes) if self.name == "glyphs" else 10


#: The short version of every study: four characters, so that a little is learned in seconds.
QUICK_IMAGES = Images("glyphs", train=600, test=400, classes="OEPS")

#: Test images that are enough to show after each epoch whether the curve is flat.
WATCHED = 500

#: Grey images are repeated over three channels, so that both sets of images have the same networks.
IN_CHANNELS = 3


@dataclass(frozen=True)
class Run:
    """One training as data.

    Attributes:
        name: What it is called in its study, and its folder: one word.
        labels: What tells it from the others of its study; the seed too.
        images: What it learns from.
        network: What learns.
        recipe: How.
        seed: Of weights, order, augmentation and the choice of training images.
    """

    name: str
    labels: Mapping[str, str | int | float]
    images: Images
    network: NetworkSpec
    recipe: Recipe
    seed: int

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return cost(self.network, num_classes=self.images.num_classes, in_channels=IN_CHANNELS).macs

    @property
    def parameters(self) -> int:
        """Trainable numbers."""
        return cost(self.network, num_classes=self.images.num_classes, in_channels=IN_CHANNELS).parameters

    @property
    def work(self) -> float:
        """About how much there is to do, to tell how much time is left: MACs of all images of all epochs."""
        # Below about half a million MACs the calls take longer than the arithmetic.
        return (self.macs + 5e5) * self.images.train * self.recipe.epochs

    def as_json(self) -> dict[str, Any]:
        """Return it as what json can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Place:
    """Where a run is performed.

    Attributes:
        folder: Where it keeps its state, so that it goes on where it was stopped.
        device: What it trains on.
        progress: Told a row every few steps.
    """

    folder: Path
    device: torch.device
    progress: Callable[[Row], None] = lambda _row: None


@dataclass(frozen=True)
class Study:
    """One experiment.

    Attributes:
        name: Its name, and that of its result.
        title: What its page is called.
        question: What it asks.
        method: Number of its way of computing, 1 or more; raised by hand when a run would give other numbers.
        runs: Returns the runs: of the full study for False, of its short version for True.
        perform: Performs one run and returns what is kept of it, as what json can hold.
        is_timed: Whether times are part of the result: its runs are performed alone, one after the other.
        times_steps: Whether the time of a step of every arm is measured after the runs, apart from them.
        weights_of: Name of the run whose weights are kept beside the result; None for none.
    """

    name: str
    title: str
    question: str
    method: int
    runs: Callable[[bool], tuple[Run, ...]]
    perform: Callable[[Run, Place], dict[str, Any]]
    is_timed: bool = False
    times_steps: bool = False
    weights_of: str | None = None


def shortened(recipe: Recipe) -> Recipe:
    """Return the recipe for a short version: few images, so small batches and no average over many steps."""
    return replace(recipe, epochs=4, batch_size=32, warmup_epochs=0.5, ema_decay=None)


def learning_images(images: Images, seed: int, side: int) -> LabelledImages:
    """Return what a run learns from."""
    if images.name == "glyphs":
        return glyphs("train", images.train, images.side or side, images.classes, seed)
    return _in_colour(_fashion("train").subset(images.train, seed))


def held_out_images(images: Images, side: int, seed: int = 0) -> LabelledImages:
    """Return what a run is tested on; a seed chooses it, so that an interval over seeds holds the choice."""
    if images.name == "glyphs":
        return glyphs("test", images.test, images.side or side, images.classes, seed)
    return _in_colour(_fashion("test").subset(images.test, seed))


@cache
def _fashion(split: Literal["train", "test"]) -> LabelledImages:
    return fashion_mnist(split)


def _in_colour(grey: LabelledImages) -> LabelledImages:
    images = grey.images.expand(-1, IN_CHANNELS, -1, -1).contiguous()
    return LabelledImages(grey.name, images, grey.labels, grey.class_names, grey.source)


def performed(run: Run, place: Place) -> TrainingRun:
    """Train one run's network, going on where it was stopped."""
    side = run.network.resolution
    network = EfficientNet(run.network, run.images.num_classes, IN_CHANNELS)
    network.initialize(torch.Generator().manual_seed(run.seed))
    weigh_branches(network, 0.0)  # otherwise four times the depth learns nothing in a few hundred steps
    # The same function; channels beside each other make small convolutions a third faster on a CPU.
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return train(
        network,
        learning_images(run.images, run.seed, side),
        held_out_images(run.images, side),
        run.recipe,
        resolution=side,
        device=place.device,
        seed=run.seed,
        folder=place.folder,
        progress=place.progress,
    )


def kept(run: Run, done: TrainingRun, with_speed: bool = True) -> dict[str, Any]:
    """Return what every study keeps of a run: counts, the accuracy, times, and the curve by epoch.

    A curve keeps no speed where other programs may have run meanwhile, and it is no part of the question.
    """
    rows = done.rows
    speed = {
        "images_per_second": [rounded(row.images_per_second) for row in rows],
        "seconds": [rounded(row.seconds) for row in rows],
    }
    return {
        "macs": run.macs,
        "parameters": run.parameters,
        "accuracy": done.accuracy,
        "train_seconds": rounded(done.seconds),
        "peak_memory_bytes": done.peak_memory_bytes,
        "curve": {
            "side": [row.side for row in rows],
            "train_loss": [rounded(row.train_loss) for row in rows],
            "train_accuracy": [rounded(row.train_accuracy) for row in rows],
            "test_loss": [rounded(row.test_loss or 0.0) for row in rows],
            "test_accuracy": [rounded(row.test_accuracy or 0.0) for row in rows],
        }
        | (speed if with_speed else {}),
    }


def rounded(number: float) -> float:
    """Return a number with the six digits that are worth keeping."""
    return float(f"{number:.6g}")


def watched(run: Run) -> Run:
    """Return the run with so few test images that asking them after each epoch takes little time."""
    return replace(run, images=replace(run.images, test=min(run.images.test, WATCHED)))


def judged(run: Run, done: TrainingRun, side: int | None = None) -> float:
    """Return the accuracy of the trained network on all test images of a run that was only watched.

    Args:
        run: The run, with all of its test images.
        done: What it gave.
        side: Side of the test images in pixels; that of the training by default.
    """
    test = held_out_images(run.images, done.resolution).resized(side or done.resolution)
    with torch.no_grad():
        logits = [done.network(to_floats(images)) for images in test.images.split(WATCHED)]  # type: ignore[no-untyped-call]
    return float((torch.cat(logits).argmax(1) == test.labels).double().mean())


def train_and_keep(run: Run, place: Place) -> dict[str, Any]:
    """Perform a run of which nothing special is asked."""
    return kept(run, performed(run, place))


def train_and_judge(run: Run, place: Place) -> dict[str, Any]:
    """Perform a run of which accuracy alone counts: all test images are asked once, at the end."""
    done = performed(watched(run), place)
    return {**kept(run, done, with_speed=False), "accuracy": judged(run, done)}
