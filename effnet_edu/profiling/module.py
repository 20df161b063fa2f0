"""Time any module: one block of a network, or a network that is not one of ours."""

from collections.abc import Callable

import torch
from torch import nn

from effnet_edu.model.checks import real_number, whole_number
from effnet_edu.profiling.cancel import IsCancelled, never
from effnet_edu.profiling.device import exclusive
from effnet_edu.profiling.timing import Timing, time_repeats
from effnet_edu.profiling.workload import random_inputs


def time_module(
    module: nn.Module,
    channels: int,
    side: int,
    batch_size: int = 1,
    *,
    training: bool = False,
    memory_format: torch.memory_format = torch.contiguous_format,
    seconds: float = 1.0,
    seed: int = 0,
    is_cancelled: IsCancelled = never,
    progress: Callable[[float], None] = lambda _share: None,
) -> Timing:
    """Time a module's forward pass, or forward and backward pass, where its weights are and in their type.

    Args:
        module: A module that takes images or feature maps; its mode is as before afterwards, but training
            moves its batch-norm statistics.
        channels: Channels of its input.
        side: Side of its input in pixels.
        batch_size: Images at once, 1 or more.
        training: Whether to run it in training mode, with a backward pass from the sum of its output to its
            weights and its input.
        memory_format: Order in which the input lies in memory.
        seconds: How long to time after warming up, 0.001 to 3600.
        seed: Seed of the inputs.
        is_cancelled: Asked before every run.
        progress: Told the share done, from 0 to 1.

    Raises:
        ValueError: An argument is outside its range.
        Cancelled: `is_cancelled` said yes.
    """
    whole_number("batch_size", batch_size)
    real_number("seconds", seconds, 1e-3, 3600)
    weight = next(module.parameters())
    drawn = random_inputs(batch_size, channels, side, weight.device, weight.dtype, seed)
    inputs = [part.contiguous(memory_format=memory_format).requires_grad_(training) for part in drawn]
    modes = [(part, part.training) for part in module.modules()]
    turn = 0

    def run() -> None:
        nonlocal turn
        x = inputs[turn % len(inputs)]
        turn += 1
        if not training:
            module(x)
            return
        x.grad = None
        module.zero_grad(set_to_none=True)
        module(x).sum().backward()

    module.train(training)
    try:
        with exclusive(weight.device, is_cancelled), torch.inference_mode(not training):
            return time_repeats(run, seconds, weight.device, is_cancelled, progress)
    finally:
        module.zero_grad(set_to_none=True)
        for part, mode in modes:
            part.training = mode
