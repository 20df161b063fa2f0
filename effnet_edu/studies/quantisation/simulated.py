"""Inference in few bits, simulated in floats: weights and maps are rounded to what an integer could hold.

Weights are symmetric around zero, with one step for a whole tensor or one for each output channel. Maps have
one step each and a zero point, from the least to the largest value that calibration images gave.

Source: Jacob et al., arXiv:1712.05877, sections 2.1 and 3; Krishnamoorthi, arXiv:1806.08342, section 3.
"""

import copy
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from effnet_edu.model.blocks import ConvNormAct
from effnet_edu.model.inference import folded
from effnet_edu.model.network import EfficientNet

Steps = Literal["tensor", "channel"]
Ranges = dict[str, tuple[float, float]]
#: These change no value, or only choose among values that are rounded already.
_EXACT = ("pad", "flatten", "dropout")


def traced(network: EfficientNet) -> fx.GraphModule:
    """Return the network as a list of operations, with its batch norms folded into the convolutions."""
    network = copy.deepcopy(network).eval()
    for unit in network.modules():
        if isinstance(unit, ConvNormAct) and unit.norm is not None:
            weight, bias = folded(unit.conv, unit.norm)
            unit.conv.weight, unit.conv.bias = nn.Parameter(weight.float()), nn.Parameter(bias.float())
            unit.norm = None
    return fx.symbolic_trace(network)


@torch.no_grad()
def map_ranges(program: fx.GraphModule, images: Tensor) -> Ranges:
    """Return the least and the largest value of every map that an integer engine would write.

    ReLU6 is part of the convolution before it, as engines have it: what it clips is never written.
    """
    modules, found = dict(program.named_modules()), Ranges()

    class Looking(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            value = super().run_node(n)
            clipped = any(isinstance(modules.get(str(user.target)), nn.ReLU6) for user in n.users)
            is_exact = n.op == "output" or any(word in n.name for word in _EXACT)
            if isinstance(value, Tensor) and not (clipped or is_exact):
                low, high = value.aminmax()
                found[n.name] = (min(float(low), 0.0), max(float(high), 0.0))
            return value

    Looking(program).run(images)
    return found


def round_weights(program: fx.GraphModule, steps: Steps, bits: int) -> fx.GraphModule:
    """Return the program with weights that an integer of so many bits could hold."""
    program, top = copy.deepcopy(program), 2 ** (bits - 1) - 1
    for module in program.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            flat = module.weight.detach().flatten(1).abs()
            largest = flat.amax(1) if steps == "channel" else flat.max().expand(len(flat))
            step = largest.clamp(min=1e-12) / top
            zero = torch.zeros(len(flat), dtype=torch.int32)
            rounded = torch.fake_quantize_per_channel_affine(module.weight.detach(), step, zero, 0, -top, top)
            module.weight = nn.Parameter(rounded)
    return program


def rounded_map(x: Tensor, step: float, zero: int, top: int) -> Tensor:
    """Return a map that whole numbers from 0 to `top` could hold, of which `zero` stands for 0."""
    # As torch.fake_quantize_per_tensor_affine, which takes thirty times as long here.
    return x.div(step).round_().clamp_(-zero, top - zero).mul_(step)


def with_rounded_maps(
    program: fx.GraphModule, ranges: Ranges, bits: int
) -> Callable[[Tensor], Tensor]:  # (N, C, H, W) -> (N, classes)
    """Return the program as a function that rounds each map as soon as it is computed."""
    top = 2**bits - 1

    class Rounding(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            value = super().run_node(n)
            if n.name not in ranges:
                return value
            low, high = ranges[n.name]
            step = max(high - low, 1e-12) / top
            return rounded_map(value, step, round(-low / step), top)

    return Rounding(program).run
