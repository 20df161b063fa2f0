"""Time any module: one block of a network, or a network that is not one of ours."""

import copy

import torch
from torch import nn

from effnet_edu.ground.checks import real_number, whole_number
from effnet_edu.ground.watch import Watch
from effnet_edu.model.draws import draw_from
from effnet_edu.profiling.counts import evaluated
from effnet_edu.profiling.device import exclusive
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.timing import time_repeats
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
    watch: Watch = Watch(),
) -> Timing:
    """Time a module's forward pass, or forward and backward pass, where its weights are and in their type.

    Args:
        module: A module that takes images or feature maps; it is left as it was, and a copy is trained.
        channels: Channels of its input.
        side: Side of its input in pixels.
        batch_size: Images at once, 1 or more.
        training: Whether to run it in training mode, with a backward pass from the sum of its output to its
            weights and its input.
        memory_format: Order in which the input lies in memory.
        seconds: How long to time after warming up, 0.001 to 3600.
        seed: Seed of the inputs.
        watch: Told the share done and of waiting; asked often whether to stop.

    Raises:
        ValueError: An argument is outside its range.
        Cancelled: `watch` said so.
    """
    whole_number("batch_size", batch_size)
    real_number("seconds", seconds, 1e-3, 3600)
    if training:
        module = copy.deepcopy(module)  # which training changes: gradients, and statistics of batch norm
        draw_from(module, torch.Generator(next(module.parameters()).device).manual_seed(seed))
    weight = next(module.parameters())
    drawn = random_inputs(batch_size, channels, side, weight.device, weight.dtype, seed)
    inputs = [part.contiguous(memory_format=memory_format).requires_grad_(training) for part in drawn]
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

    with exclusive(weight.device, watch), evaluated(module, training), torch.inference_mode(not training):
        return time_repeats(run, seconds, weight.device, watch)
