"""What is decided before the first step: the network, the images, their sides, and the configuration."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from effnet_edu.images.labelled import LabelledImages
from effnet_edu.model.checks import whole_number
from effnet_edu.model.network import EfficientNet, build
from effnet_edu.model.specs import NetworkSpec, check_resolution
from effnet_edu.training.processes import Processes
from effnet_edu.training.progressive import Stage
from effnet_edu.training.recipe import Recipe
from effnet_edu.training.rows import Row
from effnet_edu.training.schedules import derived_seed, learning_rate
from effnet_edu.training.state import TrainingState, as_json

_AUTOCAST = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Plan:
    """A training before its first step.

    Attributes:
        network: The network to train on the CPU, a copy where one was given.
        train_images: What it learns from.
        test_images: What it is tested on.
        recipe: How it is trained.
        resolution: Side of the test images, and of the training images where no schedule says otherwise.
        seed: Of weights, order and augmentation.
        processes: Who takes part.
    """

    network: EfficientNet
    train_images: LabelledImages
    test_images: LabelledImages
    recipe: Recipe
    resolution: int
    seed: int
    processes: Processes

    @classmethod
    def make(
        cls,
        network: NetworkSpec | EfficientNet,
        train_images: LabelledImages,
        test_images: LabelledImages,
        recipe: Recipe,
        resolution: int | None,
        seed: int,
        processes: Processes,
    ) -> "Plan":
        """Check that everything fits together, and build the network.

        Args:
            network: A spec, whose weights are drawn from the seed, or a network, which is copied.
            train_images: What it learns from.
            test_images: What it is tested on.
            recipe: How it is trained.
            resolution: Side of the test images in pixels; the network's own by default.
            seed: Of weights, order and augmentation.
            processes: Who takes part.

        Raises:
            ValueError: Something does not fit.
        """
        whole_number("seed", seed, 0)
        spec = network.spec if isinstance(network, EfficientNet) else network
        side = check_resolution(spec, resolution)
        if (train_images.class_names, train_images.in_channels) != (
            test_images.class_names,
            test_images.in_channels,
        ):
            raise ValueError(
                f"{train_images.name} and {test_images.name} differ in their classes or channels; "
                "train and test on the same kind of images."
            )
        wanted = {"classes": train_images.num_classes, "channels": train_images.in_channels}
        if isinstance(network, EfficientNet):
            has = {"classes": network.num_classes, "channels": network.in_channels}
            if has != wanted:
                raise ValueError(
                    f"The network has {has['classes']} classes and {has['channels']} channels, "
                    f"{train_images.name} has {wanted['classes']} and {wanted['channels']}; "
                    "build the network for these images."
                )
        parts = recipe.accumulation * processes.count
        if recipe.batch_size % parts:
            raise ValueError(
                f"batch_size is {recipe.batch_size}; it must be a multiple of {parts}, "
                "the parts of a batch times the processes."
            )
        if recipe.batch_size > len(train_images):
            raise ValueError(
                f"batch_size is {recipe.batch_size}; {train_images.name} has {len(train_images):,} images, "
                "and a batch must not be larger."
            )
        plan = cls(
            _with_rates(network, recipe, train_images, seed),
            train_images,
            test_images,
            recipe,
            side,
            seed,
            processes,
        )
        for epoch in range(recipe.epochs):
            check_resolution(spec, plan.stage(epoch).side)
        return plan

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in the training images; what is left over is another part of them in each epoch."""
        return len(self.train_images) // self.recipe.batch_size

    @property
    def steps(self) -> int:
        """Steps in the whole training."""
        return self.recipe.epochs * self.steps_per_epoch

    def stage(self, epoch: int) -> Stage:
        """Return image size and regularisation in one epoch.

        Args:
            epoch: From 0.
        """
        return self.recipe.stage(epoch, self.resolution, self.network.spec.dropout)

    def batches(self, epoch: int) -> tuple[Tensor, ...]:  # of (batch_size / processes,)
        """Return this process's images in one epoch, as indices, a batch after the other.

        Args:
            epoch: From 0.
        """
        generator = torch.Generator().manual_seed(derived_seed(self.seed, "order", epoch))
        order = torch.randperm(len(self.train_images), generator=generator)
        return tuple(self.processes.share(batch) for batch in torch.split(order, self.recipe.batch_size))

    def steps_left(self, epoch: int, step: int) -> float:
        """Return how much is left, in steps of this epoch's image size; pixels are taken as the cost.

        Args:
            epoch: From 0.
            step: Steps done in it.
        """
        here = self.stage(epoch).side ** 2
        later = sum(self.stage(e).side ** 2 for e in range(epoch + 1, self.recipe.epochs))
        return self.steps_per_epoch * (1 + later / here) - step

    def steps_done(self, state: TrainingState) -> int:
        """Return the steps since the training began.

        Args:
            state: Where it is.
        """
        return state.epoch * self.steps_per_epoch + state.step

    def precision(self, device: torch.device) -> torch.autocast:
        """Return the context in which the network runs in the recipe's precision.

        Args:
            device: Where it runs.
        """
        dtype = _AUTOCAST[self.recipe.precision]
        return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)

    def row(
        self, state: TrainingState, test_loss: float | None = None, test_accuracy: float | None = None
    ) -> Row:
        """Return where a training stands.

        Args:
            state: Its state; nothing may be pending in its meter.
            test_loss: On the test images, at the end of an epoch.
            test_accuracy: Likewise.
        """
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

    def copy_with(self, weights: Mapping[str, Tensor]) -> EfficientNet:
        """Return the network on the CPU, as it was built, with other weights.

        Args:
            weights: Its state dict, on any device.
        """
        spec, conventions = self.network.spec, self.network.conventions
        own = build(spec, self.network.num_classes, conventions, "meta", self.network.in_channels)
        own = own.to_empty(device="cpu")
        own.load_state_dict(weights)
        return own

    def configuration(self) -> dict[str, Any]:
        """Return what makes two trainings the same, made of JSON's types; large images take a moment."""
        found: dict[str, Any] = {
            "recipe": asdict(self.recipe),
            "network": asdict(self.network.spec),
            "conventions": asdict(self.network.conventions),
            "resolution": self.resolution,
            "seed": self.seed,
            "processes": self.processes.count,
        }
        found["weights"] = digest(self.network.state_dict())
        for name, images in (("train_images", self.train_images), ("test_images", self.test_images)):
            tensors = {"images": images.images, "labels": images.labels}
            found[name] = {"name": images.name, "digest": digest(tensors)}
        result: dict[str, Any] = as_json(found)
        return result


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return a checksum of named tensors.

    Args:
        tensors: On the CPU.
    """
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].contiguous().flatten().numpy().tobytes())
    return found.hexdigest()


def _with_rates(
    network: NetworkSpec | EfficientNet, recipe: Recipe, images: LabelledImages, seed: int
) -> EfficientNet:
    """Return a network of its own with the recipe's rates of dropout and stochastic depth."""
    spec = network.spec if isinstance(network, EfficientNet) else network
    spec = replace(
        spec,
        dropout=spec.dropout if recipe.dropout is None else recipe.dropout,
        drop_path_rate=spec.drop_path_rate if recipe.drop_path_rate is None else recipe.drop_path_rate,
    )
    conventions = network.conventions if isinstance(network, EfficientNet) else None
    generator = torch.Generator().manual_seed(derived_seed(seed, "weights"))
    own = build(spec, images.num_classes, conventions, "cpu", images.in_channels, generator)
    if isinstance(network, EfficientNet):
        own.load_state_dict(network.state_dict())
    if recipe.norm_momentum is not None:
        for module in own.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = recipe.norm_momentum
    return own
