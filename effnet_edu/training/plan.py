"""What is decided before the first step: the network, the images, their sides, and the configuration."""

import copy
import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from effnet_edu.checkpoints.registry import preprocessing_of
from effnet_edu.ground.checks import quoted, whole_number
from effnet_edu.ground.preprocessing import Preprocessing, TrainedOn
from effnet_edu.ground.watch import Watch
from effnet_edu.images.image_set import ImageSet
from effnet_edu.images.preprocess import normalise
from effnet_edu.model.blocks import DropPath
from effnet_edu.model.inference import check_has_weights
from effnet_edu.model.modes import evaluation_mode
from effnet_edu.model.network import EfficientNet, build
from effnet_edu.model.specs import NetworkSpec, check_resolution, resolve
from effnet_edu.model.variants import as_spec
from effnet_edu.training.processes import Processes
from effnet_edu.training.progressive import Stage
from effnet_edu.training.recipe import Recipe
from effnet_edu.training.rows import Row
from effnet_edu.training.schedules import derived_seed, learning_rate
from effnet_edu.training.state import TrainingState, as_json

_AUTOCAST = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
#: What a network with random weights is fed: pixels from -1 to 1.
_PLAIN = Preprocessing(1, 1, "crop", "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 1)


@dataclass(frozen=True)
class Plan:
    """A training before its first step.

    Attributes:
        network: The network before it is trained, on the CPU; a copy where one was given.
        still: Modules that stay in evaluation mode, by name: batch norms whose parameters are all frozen, and
            what the network was given with in that mode while the rest was in training mode.
        train_images: What it learns from.
        test_images: What it is tested on.
        recipe: How it is trained.
        preprocessing: What its images go through, as its published weights know it; otherwise pixels become
            -1 to 1.
        resolution: Side of the test images, and of the training images where no schedule says otherwise.
        seed: Of weights, order and augmentation.
        processes: Who takes part.
    """

    network: EfficientNet
    still: tuple[str, ...]
    train_images: ImageSet
    test_images: ImageSet
    recipe: Recipe
    preprocessing: Preprocessing
    resolution: int
    seed: int
    processes: Processes

    @classmethod
    def make(
        cls,
        network: NetworkSpec | EfficientNet,
        train_images: ImageSet,
        test_images: ImageSet,
        recipe: Recipe,
        resolution: int | None,
        seed: int,
        processes: Processes,
    ) -> "Plan":
        """Check that everything fits together, and build or copy the network."""
        whole_number("seed", seed, 0)
        given = network if isinstance(network, EfficientNet) else None
        if given is None and isinstance(network, nn.Module):
            raise ValueError(
                f"The network is of type {type(network).__name__}; train takes an ee.EfficientNet or a spec."
            )
        if given is not None:
            check_has_weights(given)
            if given.dtype != torch.float32:
                raise ValueError(
                    f"The weights are {given.dtype}; train takes torch.float32, so call .float() on the "
                    "network, and name another precision in the recipe."
                )
        spec = given.spec if given else as_spec(network)
        known = preprocessing_of(given) if given else None
        side = check_resolution(spec, known.resolution if known and resolution is None else resolution)
        _check_images(train_images, test_images)
        if given is not None and known is None and given.has_foreign_weights:
            warnings.warn(
                "Nothing says how images were prepared for the weights that were loaded: pixels become -1 "
                "to 1. If they were published, set network.published to their row of ee.list_weights().",
                stacklevel=3,
            )
        own = _copied(given, recipe) if given else _built(spec, recipe, train_images, seed)
        _check_ends(own, train_images)
        _check_batches(recipe, train_images, processes)
        preprocessing = squared(known, side)
        still = _still(given) if given else ()
        plan = cls(own, still, train_images, test_images, recipe, preprocessing, side, seed, processes)
        for epoch in range(recipe.epochs):
            check_resolution(spec, plan.stage(epoch).side)
        return plan

    def trainee(self, device: torch.device) -> EfficientNet:
        """Return a copy of the network on a device, to be trained."""
        own = copy.deepcopy(self.network).to(device)
        if self.recipe.norm_momentum is not None:
            for module in own.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.momentum = self.recipe.norm_momentum
        return own

    def trained(self, weights: Mapping[str, Tensor]) -> EfficientNet:
        """Return the network as it was given, on the CPU in evaluation mode, with other weights."""
        own = copy.deepcopy(self.network)
        own.load_state_dict(weights)
        own.published = None
        own.trained_on = TrainedOn(self.train_images.class_names, self.preprocessing)
        return own.eval()

    def start_training(self, model: nn.Module, network: EfficientNet, stage: Stage) -> None:
        """Set the modes and the dropout of an epoch; what is frozen keeps its statistics."""
        if isinstance(network.dropout, nn.Dropout):
            network.dropout.p = stage.dropout or 0.0
        model.train()
        for name in self.still:
            network.get_submodule(name).training = False

    def to_input(self, images: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
        """Return floats from -1 to 1 as the weights expect them."""
        if all(getattr(self.preprocessing, name) == getattr(_PLAIN, name) for name in _NORMALISATION):
            return images
        return normalise(images.add(1).div_(2), self.preprocessing)

    @cached_property
    def class_weights(self) -> Tensor | None:  # (classes,)
        """What a balanced recipe multiplies the loss of each class by."""
        return self.train_images.class_weights if self.recipe.balanced else None

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in the training images; what is left over is another part of them in each epoch."""
        return len(self.train_images) // self.recipe.batch_size

    @property
    def steps(self) -> int:
        """Steps in the whole training."""
        return self.recipe.epochs * self.steps_per_epoch

    def stage(self, epoch: int) -> Stage:
        """Return image size and regularisation in one epoch, from 0."""
        return self.recipe.stage(epoch, self.resolution, float(getattr(self.network.dropout, "p", 0.0)))

    def batches(self, epoch: int) -> tuple[Tensor, ...]:  # of (batch_size / processes,)
        """Return this process's images in one epoch, as indices, a batch after the other."""
        generator = torch.Generator().manual_seed(derived_seed(self.seed, "order", epoch))
        order = torch.randperm(len(self.train_images), generator=generator)
        return tuple(self.processes.share(batch) for batch in torch.split(order, self.recipe.batch_size))

    def steps_left(self, epoch: int, step: int) -> float:
        """Return how much is left, in steps of this epoch's image size; pixels are taken as the cost."""
        here = self.stage(epoch).side ** 2
        later = sum(self.stage(e).side ** 2 for e in range(epoch + 1, self.recipe.epochs))
        return self.steps_per_epoch * (1 + later / here) - step

    def steps_done(self, state: TrainingState) -> int:
        """Return the steps since the training began."""
        return state.epoch * self.steps_per_epoch + state.step

    def precision(self, device: torch.device) -> torch.autocast:
        """Return the context in which the network runs in the recipe's precision."""
        dtype = _AUTOCAST[self.recipe.precision]
        return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)

    def row(
        self, state: TrainingState, test_loss: float | None = None, test_accuracy: float | None = None
    ) -> Row:
        """Return where a training stands; nothing may be pending in its meter."""
        meter, batch_size = state.meter, self.recipe.batch_size
        return Row(
            epoch=state.epoch + 1,
            epochs=self.recipe.epochs,
            step=self.steps_done(state),
            steps=self.steps,
            side=self.stage(state.epoch).side,
            learning_rate=learning_rate(self.recipe, self.steps_done(state) - 1, self.steps_per_epoch),
            train_loss=meter.loss / meter.steps,
            train_accuracy=meter.correct / (meter.steps * batch_size),
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            images_per_second=meter.steps * batch_size / meter.seconds,
            seconds=state.seconds + meter.seconds,
            seconds_left=meter.seconds / meter.steps * self.steps_left(state.epoch, state.step),
        )

    def configuration(self, watch: Watch = Watch()) -> dict[str, Any]:
        """Return what makes two trainings the same, made of JSON's types; asks `watch` whether to stop."""
        found: dict[str, Any] = {
            "recipe": asdict(self.recipe),
            "network": asdict(self.network.spec),
            "conventions": asdict(self.network.conventions),
            "in_channels": self.train_images.in_channels,
            "class_names": self.train_images.class_names,
            "preprocessing": asdict(self.preprocessing),
            "resolution": self.resolution,
            "seed": self.seed,
            "processes": self.processes.count,
            "frozen": [name for name, p in self.network.named_parameters() if not p.requires_grad],
            "still": self.still,
        }
        found["weights"] = digest(self.network.state_dict())
        for name, images in (("train_images", self.train_images), ("test_images", self.test_images)):
            found[name] = {"name": images.name, "digest": digest(images.identity, watch)}
        result: dict[str, Any] = as_json(found)
        return result


def squared(known: Preprocessing | None, side: int) -> Preprocessing:
    """Return what square images of one side go through; without known weights, pixels become -1 to 1."""
    return replace(known or _PLAIN, resolution=side, resize=side, fit="crop", interpolation="bicubic")


#: Bytes of a tensor between two looks whether to stop.
_HASHED_AT_ONCE = 2**24
_NORMALISATION = ("mean", "std", "value_range")


def digest(tensors: Mapping[str, Tensor], watch: Watch = Watch()) -> str:
    """Return a checksum of named tensors on the CPU; a large one is taken in pieces, to hear a stop."""
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        found.update(name.encode())
        values = tensors[name].contiguous().flatten().view(torch.uint8).numpy()
        for start in range(0, len(values), _HASHED_AT_ONCE):
            if start:
                watch.check()
            found.update(values[start : start + _HASHED_AT_ONCE].data)
    return found.hexdigest()


def _check_images(train_images: ImageSet, test_images: ImageSet) -> None:
    for images in (train_images, test_images):
        if not isinstance(images, ImageSet):
            raise ValueError(
                f"The images are of type {type(images).__name__}; train takes sets of images, as from "
                "ee.images.image_folder or ee.images.stream_folder."
            )
    if train_images.class_names != test_images.class_names:
        raise ValueError(_class_differences(train_images, test_images))
    if train_images.in_channels != test_images.in_channels:
        raise ValueError(
            f"{train_images.name} has {train_images.in_channels} channels and {test_images.name} has "
            f"{test_images.in_channels}; train and test on the same kind of images."
        )
    present = sorted(set(train_images.labels.tolist()))
    if len(present) < 2:
        raise ValueError(
            f"{train_images.name} has images of one class, {quoted(train_images.class_names[present[0]])}; "
            "a network learns to tell two or more apart."
        )


def _class_differences(train_images: ImageSet, test_images: ImageSet) -> str:
    def alone(images: ImageSet, other: ImageSet) -> Iterator[str]:
        names = [name for name in images.class_names if name not in other.class_names]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield f"{images.name} alone has {', '.join(map(quoted, names[:3]))}{more}"

    found = [*alone(train_images, test_images), *alone(test_images, train_images)]
    return (
        f"The classes of {train_images.name} and {test_images.name} differ: "
        f"{'; '.join(found) or 'they are in another order'}. Train and test on the same classes."
    )


def _check_ends(network: EfficientNet, images: ImageSet) -> None:
    """Raise unless channels and outputs fit, whatever the head is, and something is left to train."""
    classes = images.num_classes
    if network.in_channels == images.in_channels:
        side = network.spec.stride
        with torch.no_grad(), evaluation_mode(network):
            classes = network(torch.zeros(1, images.in_channels, side, side, dtype=network.dtype)).shape[-1]
    if (classes, network.in_channels) != (images.num_classes, images.in_channels):
        raise ValueError(
            f"The network has {classes} classes and {network.in_channels} channels, "
            f"{images.name} has {images.num_classes} and {images.in_channels}; "
            "build the network for these images, or give it a classifier for them."
        )
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ValueError("Every parameter of the network is frozen; set requires_grad where it should learn.")


def _check_batches(recipe: Recipe, images: ImageSet, processes: Processes) -> None:
    parts = recipe.accumulation * processes.count
    if recipe.batch_size % parts:
        raise ValueError(
            f"batch_size is {recipe.batch_size}; it must be a multiple of {parts}, "
            "the parts of a batch times the processes."
        )
    if recipe.batch_size > len(images):
        raise ValueError(
            f"batch_size is {recipe.batch_size}; {images.name} has {len(images):,} images, "
            "and a batch must not be larger."
        )


def _still(network: EfficientNet) -> tuple[str, ...]:
    def is_still(module: nn.Module) -> bool:
        parameters = list(module.parameters(recurse=False))
        is_frozen = bool(parameters) and not any(parameter.requires_grad for parameter in parameters)
        return (is_frozen and hasattr(module, "running_mean")) or (network.training and not module.training)

    return tuple(name for name, module in network.named_modules() if name and is_still(module))


def _spec_with_rates(spec: NetworkSpec, recipe: Recipe) -> NetworkSpec:
    return replace(
        spec,
        dropout=spec.dropout if recipe.dropout is None else recipe.dropout,
        drop_path_rate=spec.drop_path_rate if recipe.drop_path_rate is None else recipe.drop_path_rate,
    )


def _built(spec: NetworkSpec, recipe: Recipe, images: ImageSet, seed: int) -> EfficientNet:
    generator = torch.Generator().manual_seed(derived_seed(seed, "weights"))
    spec = _spec_with_rates(spec, recipe)
    return build(spec, images.num_classes, None, "cpu", images.in_channels, generator)


def _copied(network: EfficientNet, recipe: Recipe) -> EfficientNet:
    """Return a copy with all that the network has, and the recipe's rates where it has any."""
    own = copy.deepcopy(network).cpu()
    own.zero_grad(set_to_none=True)
    own.spec = _spec_with_rates(own.spec, recipe)
    if recipe.dropout is not None and isinstance(own.dropout, nn.Dropout):
        own.dropout.p = recipe.dropout
    if recipe.drop_path_rate is not None:
        for block in resolve(own.spec):
            module: Any = own.get_submodule(f"stages.{block.stage}.{block.index}")
            if hasattr(module, "drop_path"):
                rate = block.drop_path_rate if block.has_shortcut else 0.0
                module.drop_path = DropPath(rate) if rate else None
    return own
