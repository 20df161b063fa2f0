"""What a network takes as its input, and the sentence for what it does not."""

from typing import Any

import torch
from torch import Tensor

from effnet_edu.model.specs import NetworkSpec, strided


def check_input(x: Tensor, spec: NetworkSpec, in_channels: int, *, is_training: bool) -> None:
    """Refuse what a network cannot take; while a tool makes a program of it, everything passes.

    Raises:
        ValueError: The input has the wrong shape, or is too small.
        TypeError: The input is no tensor, or holds no floating-point numbers.
    """
    if is_recorded(x):
        return
    if not isinstance(x, Tensor):
        raise TypeError(f"The input is of type {type(x).__name__}; it must be a torch.Tensor.")
    if x.ndim != 4 or x.shape[1] != in_channels:
        raise ValueError(
            f"The input has shape {tuple(x.shape)}; {spec.name} takes (batch, {in_channels}, height, width)."
        )
    if not x.is_floating_point():
        raise TypeError(
            f"The input is {x.dtype}; it must hold floating-point numbers, normalised as the weights expect."
        )
    stride, (height, width) = spec.stride, x.shape[2:]
    if min(height, width) < stride:
        raise ValueError(
            f"The input is {height} x {width} pixels; {spec.name} needs {stride} x {stride} or more."
        )
    values = x.shape[0] * strided(height, stride) * strided(width, stride)
    if is_training and values == 1:
        raise ValueError(
            f"A batch of 1 at {height} x {width} leaves batch norm one value per channel at the last "
            "stage, which has no variance; in training use a batch of 2 or more, "
            f"or {stride + 1} pixels or more."
        )


def is_recorded(x: Any) -> bool:
    """Whether a tool makes a program of the network now: no check may tie that to one size of input."""
    traced = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    return torch.compiler.is_compiling() or traced or isinstance(x, torch.fx.Proxy)
