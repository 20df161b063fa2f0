"""What a network costs, counted from the module that is there, without doing its arithmetic."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from effnet_edu.ground.checks import quoted
from effnet_edu.model.cost import LayerCost, NetworkCost, cost
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import Conventions, NetworkSpec


@dataclass(frozen=True)
class Counts:
    """What one image costs: multiply-adds, and the most numbers that one operation reads and writes."""

    macs: int
    parameters: int
    buffers: int
    widest: int


def counts_of(counted: NetworkCost) -> Counts:
    """Return the sums of exact rows."""
    return Counts(counted.macs, counted.parameters, counted.buffers, counted.largest_map_elements)


def count_module(net: nn.Module, shape: tuple[int, ...]) -> Counts:
    """Count any module for one input of this shape; it stays as it is, and nothing is computed.

    Convolutions and products of matrices are counted, as half of `torch.utils.flop_counter` counts them.

    Raises:
        ValueError: The module takes no such input.
    """
    return _counted(net, shape)[0]


def _counted(net: nn.Module, shape: tuple[int, ...]) -> tuple[Counts, Any]:
    one = next((tensor for tensor in net.parameters() if tensor.is_floating_point()), torch.empty(0))
    counter = _Sums()
    output = run_counted(
        to_count(net), (torch.empty(shape, device="meta", dtype=one.dtype),), one.device, counter
    )
    parameters = sum(tensor.numel() for tensor in net.parameters())
    buffers = sum(tensor.numel() for tensor in net.buffers() if tensor.is_floating_point())
    return Counts(counter.macs, parameters, buffers, counter.widest), output


def to_count(net: nn.Module) -> nn.Module:
    """Return a copy that shares the weights: what a module keeps from a counted run holds no numbers.

    A module that cannot be copied is counted itself.
    """
    with suppress(Exception):
        return copy.deepcopy(net, {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())})
    return net


def run_counted(
    net: nn.Module, inputs: tuple[Tensor, ...], device: torch.device, counter: "OpCounter"
) -> Any:
    """Run a module in evaluation mode for inputs like these on its device, without doing its arithmetic.

    Raises:
        ValueError: The module takes no such inputs.
    """
    # Compiled modules cannot be looked into while they run compiled.
    stance = torch.compiler.set_stance("force_eager") if is_compiled(net) else nullcontext()
    # Not inference mode: operations would arrive here as wholes that nobody counts.
    with stance, evaluated(net), torch.inference_mode(False), torch.no_grad():
        try:
            with FakeTensorMode(allow_non_fake_inputs=True):
                made = [torch.empty(x.shape, device=device, dtype=x.dtype) for x in inputs]
                with counter:
                    return net(*made)
        except Exception as error:
            shapes = " and ".join(" x ".join(map(str, x.shape)) for x in inputs)
            raise ValueError(
                f"{type(net).__name__} cannot be counted for an input of {shapes}: {quoted(str(error))}."
            ) from error


class OpCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is active, every operation of torch is counted and booked."""

    def book(self, operation: Any, macs: int, read: list[Tensor], written: list[Tensor]) -> None:
        """Take note of one operation: its multiply-adds, and the tensors that it reads and writes."""
        raise NotImplementedError

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation, counted."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        packet = func._overloadpacket
        count = flop_registry.get(_ATTENTION if packet is _ATTENTION_ON_CPU else packet)
        macs = 0 if count is None else int(count(*args, **kwargs, out_val=out)) // 2
        read, written = (
            [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)] for tree in ((args, kwargs), out)
        )
        self.book(func, macs, read, written)
        return out


#: The attention that a CPU computes in one piece; torch's counter (up to 2.13) knows the others' alone.
_ATTENTION_ON_CPU = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention


class _Sums(OpCounter):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = self.widest = 0

    def book(self, operation: Any, macs: int, read: list[Tensor], written: list[Tensor]) -> None:  # noqa: ARG002
        self.macs += macs
        self.widest = max(self.widest, sum(leaf.numel() for leaf in (*read, *written)))


def is_compiled(net: nn.Module) -> bool:
    """Return whether a module, or a part of it, runs through torch.compile."""
    return any(
        hasattr(part, "_orig_mod") or getattr(part, "_compiled_call_impl", None) for part in net.modules()
    )


@contextmanager
def evaluated(net: nn.Module, training: bool = False) -> Iterator[None]:
    """Hold every part of a network in evaluation (or training) mode; each is as before afterwards."""
    others = [part for part in net.modules() if part.training != training]
    for part in others:
        part.training = training
    try:
        yield
    finally:
        for part in others:
            part.training = not training


def cost_as_built(net: nn.Module, resolution: int) -> NetworkCost | None:
    """Return the exact rows of an EfficientNet whose layers are those of its spec, whatever its classifier.

    A classifier of several layers is one row. None for any other module: its rows would be guessed.
    """
    if not isinstance(net, EfficientNet) or type(net).forward is not EfficientNet.forward:
        return None
    channels = getattr(getattr(net.stem, "conv", None), "in_channels", 0)
    if _layers(net) != _layers_of_spec(net.spec, net.conventions, channels):
        return None
    head, inputs = net.classifier, net.spec.head_channels
    if type(head) is nn.Linear and head.in_features == inputs and head.bias is not None:
        return cost(net.spec, resolution, head.out_features, channels)
    found, output = _counted(head, (1, inputs))
    rows = cost(net.spec, resolution, 1, channels).layers[:-1]
    if found.macs:
        outputs = sum(leaf.numel() for leaf in tree_leaves(output) if isinstance(leaf, Tensor))
        own = LayerCost(
            "classifier", None, None, "classifier", "linear", inputs, outputs, 1, 1,
            1, 1, found.parameters, found.buffers, found.macs, inputs, outputs,
        )  # fmt: skip
        rows = (*rows, own)
    return NetworkCost(net.spec, resolution, rows)


def _layers(net: EfficientNet) -> tuple[tuple[str, type, str], ...]:
    """Return what decides over the cost of each layer but the classifier's."""
    return tuple(
        (name, type(part), str(part) if isinstance(part, nn.Conv2d) else "")
        for name, part in net.named_modules()
        if name.partition(".")[0] != "classifier"
    )


@cache
def _layers_of_spec(
    spec: NetworkSpec, conventions: Conventions, channels: int
) -> tuple[tuple[str, type, str], ...]:
    if channels < 1:
        return ()
    return _layers(EfficientNet(spec, 1, channels, conventions, "meta"))
