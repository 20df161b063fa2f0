"""Study `quantisation`: what int8 costs with and without gates, with SiLU or ReLU6, by tensor or channel."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from effnet_edu.model.specs import Activation, NetworkSpec
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.quantisation.simulated import (
    Steps,
    map_ranges,
    round_weights,
    traced,
    with_rounded_maps,
)
from effnet_edu.studies.study import (
    LONG,
    QUICK_IMAGES,
    RECIPE,
    Images,
    Place,
    Run,
    Study,
    held_out_images,
    kept,
    learning_images,
    performed,
    rounded,
    shortened,
    watched,
)
from effnet_edu.training.augmentation import to_floats

#: Raised by hand when a run would give other numbers than before.
METHOD = 1
RESOLUTION = 16
#: Bits of weights and maps: int8, and so few that every network loses accuracy.
BITS = (8, 5)
STEPS: tuple[Steps, ...] = ("tensor", "channel")
#: Training images whose maps decide the ranges, and test images at once.
CALIBRATION, AT_ONCE = 250, 250


def network(gate: bool, activation: Activation) -> NetworkSpec:
    """Return the studies' network with or without squeeze-and-excitation, and with one activation."""
    base = base_network(RESOLUTION)
    stages = base.stages if gate else tuple(replace(stage, squeeze_ratio=0.0) for stage in base.stages)
    name = f"small, {'with' if gate else 'without'} SE, {activation}"
    return replace(base, name=name, stages=stages, activation=activation)


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the four networks for every seed; each is quantised both ways after its training."""
    activations: tuple[Activation, ...] = ("silu", "relu6")
    return tuple(
        Run(
            name=f"{'se' if gate else 'plain'}_{activation}_seed{seed}",
            labels={"gate": gate, "activation": activation, "seed": seed},
            images=QUICK_IMAGES if quick else Images("fashion_mnist", 2000, 10_000),
            network=network(gate, activation),
            recipe=shortened(RECIPE) if quick else LONG,
            seed=seed,
        )
        for seed in range(2 if quick else 10)
        for gate, activation in itertools.product((True, False), activations)
    )


@torch.no_grad()
def perform(run: Run, place: Place) -> dict[str, Any]:
    """Train a network, and ask it all test images in floats and in few bits.

    `accuracy` is that in floats, `accuracy_int8_channel` and so on in bits; `snr_...` is how much stronger
    the logits are than what rounding adds to them, in decibels. Of the two in which weights or maps alone
    are rounded, only that is kept.
    """
    side = run.network.resolution
    with torch.enable_grad():
        done = performed(watched(run), place)
    program = traced(done.network)
    learned = learning_images(run.images, run.seed, side).resized(side)
    ranges = map_ranges(program, to_floats(learned.images[:CALIBRATION]))
    test = held_out_images(run.images, side).resized(side)
    images = torch.split(to_floats(test.images), AT_ONCE)

    def answers(ask: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.cat([ask(part) for part in images])

    def accuracy(logits: Tensor) -> float:
        return float((logits.argmax(1) == test.labels).double().mean())

    plain = answers(program)
    found = {**kept(run, done), "accuracy": accuracy(plain)}
    for bits, steps in itertools.product(BITS, STEPS):
        logits = answers(with_rounded_maps(round_weights(program, steps, bits), ranges, bits))
        found[f"accuracy_int{bits}_{steps}"] = accuracy(logits)
        found[f"snr_int{bits}_{steps}"] = _decibels(plain, logits)
    images = images[:4]  # enough for a ratio of two powers
    plain = answers(program)
    for steps in STEPS:
        found[f"snr_weights_{steps}"] = _decibels(plain, answers(round_weights(program, steps, 8)))
    found["snr_maps"] = _decibels(plain, answers(with_rounded_maps(program, ranges, 8)))
    return found


def _decibels(signal: Tensor, disturbed: Tensor) -> float:
    noise = (disturbed - signal).square().sum()
    return rounded(10 * math.log10(signal.square().sum() / noise.clamp(min=1e-30)))


STUDY = Study(
    name="quantisation",
    title="Quantisation to int8",
    question="What makes an EfficientNet lose accuracy in int8: gates, SiLU, or one step for all channels?",
    method=METHOD,
    runs=runs,
    perform=perform,
)
