"""What every measurement needs first: a network that is ready, inputs, and faults as sentences."""

import copy
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_leaves

from effnet_edu.ground.checks import choice, real_number, whole_number
from effnet_edu.ground.watch import MeasurementError, Watch, never
from effnet_edu.model.blocks import FusedMBConv, MBConv, weigh_branches
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.network import EfficientNet, available_memory, build, check_memory
from effnet_edu.model.specs import NetworkSpec, check_resolution
from effnet_edu.model.variants import as_spec
from effnet_edu.profiling.cache_size import last_level_cache_bytes
from effnet_edu.profiling.counts import (
    Counts,
    cost_as_built,
    count_module,
    counts_of,
    evaluated,
    is_compiled,
)
from effnet_edu.profiling.device import (
    as_device,
    device_name,
    exclusive,
    free_cached_memory,
    has_own_memory,
    is_device_failure,
    is_out_of_memory,
)
from effnet_edu.profiling.peers import PEER_SIDE, PEERS, build_peer

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

#: At least so many inputs take turns.
INPUTS = 3
#: All inputs together fill the last cache so many times, but no more than so many bytes.
CACHE_FILLS, MOST_INPUT_BYTES = 2, 2**28


#: On a CPU oneDNN rearranges what a convolution reads and writes, and holds scratch memory and its programs.
ACTIVATION_COPIES, SCRATCH_BYTES = 2, 2**27


@dataclass(frozen=True)
class Workload:
    """What is to be measured, with every argument checked.

    Attributes:
        network: Any module with an input of images, or the spec or class of one that is built in its turn.
        batch_size: Images at once.
        resolution: Side of the input in pixels.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where it runs.
        name: What results call it.
        engine: One of `ENGINES`, which runs it.
    """

    network: nn.Module | NetworkSpec | type[nn.Module]
    batch_size: int
    resolution: int
    precision: str
    device: torch.device
    name: str
    engine: str = "torch"

    @property
    def dtype(self) -> torch.dtype:
        """Type of weights and activations."""
        return PRECISIONS[self.precision]

    @cached_property
    def exact(self) -> NetworkCost | None:
        """What each layer costs one image, for an EfficientNet whose layers are those of its spec."""
        if isinstance(self.network, NetworkSpec):
            return cost(self.network, self.resolution)
        return None if isinstance(self.network, type) else cost_as_built(self.network, self.resolution)

    @cached_property
    def counts(self) -> Counts:
        """What one image costs, counted from the module that is there."""
        if self.exact is not None:
            return counts_of(self.exact)
        if isinstance(self.network, type):
            with torch.device("meta"):
                return count_module(self.network(), self.shape)
        assert isinstance(self.network, nn.Module)  # noqa: S101 - a spec has exact rows
        return count_module(self.network, self.shape)

    @cached_property
    def shape(self) -> tuple[int, int, int, int]:
        """The input of one image: what the first convolution reads, (1, C, H, W)."""
        parts = self.network.modules() if isinstance(self.network, nn.Module) else ()
        first = next((part.in_channels for part in parts if isinstance(part, nn.Conv2d)), 3)
        return 1, first, self.resolution, self.resolution

    def inputs(self, seed: int, written_bytes: int = 0) -> tuple[Tensor, ...]:
        """Return random batches that take turns, on the device; so much is written between two of them."""
        return random_inputs(
            self.batch_size, self.shape[1], self.resolution, self.device, self.dtype, seed, written_bytes
        )

    @contextmanager
    def measuring(self, watch: Watch = Watch()) -> Iterator[None]:
        """Hold the device alone, and turn what fails on it into one sentence.

        Raises:
            MemoryError: Memory ran out inside.
            MeasurementError: The device failed inside.
            Cancelled: `watch` said so before the turn came.
        """
        with (
            exclusive(self.device, watch),
            as_memory_error(self.name, self.batch_size, self.resolution, self.device),
            as_measurement_error(self.name, self.device),
        ):
            yield


def as_workload(
    network: str | NetworkSpec | nn.Module,
    batch_size: int,
    resolution: int | None,
    precision: str,
    device: torch.device | str | None,
    seconds: float,
) -> Workload:
    """Return what is to be measured, after making sure that it can be.

    Args:
        network: Any module, a spec, or the name of a published network or of one in `PEERS`.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; None for the network's own, and 224 where it tells none.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: None for where the network is, and for a spec the accelerator if there is one.
        seconds: How long to time at most, 0.001 to 3600.

    Raises:
        ValueError: An argument is outside its range, or the device is not there.
    """
    whole_number("batch_size", batch_size)
    real_number("seconds", seconds, 1e-3, 3600)
    choice("precision", precision, tuple(PRECISIONS))
    if isinstance(network, str) and network in PEERS:
        side = PEER_SIDE if resolution is None else whole_number("resolution", resolution, 32)
        return Workload(PEERS[network], batch_size, side, precision, as_device(device), network)
    if not isinstance(network, nn.Module):
        spec = as_spec(network)
        side = check_resolution(spec, resolution)
        return Workload(spec, batch_size, side, precision, as_device(device), spec.name)
    inside = next((part.spec for part in network.modules() if isinstance(part, EfficientNet)), None)
    if inside is not None:
        side = check_resolution(inside, resolution)
    else:
        side = PEER_SIDE if resolution is None else whole_number("resolution", resolution)
    name = inside.name if inside is not None else type(network).__name__
    tensors = [*network.parameters(), *network.buffers()]
    if any(tensor.is_meta for tensor in tensors):
        raise ValueError(f"{name} is on meta and has no weights; build it on a real device.")
    # Counting would give them the shapes of a network on meta, for good.
    if any(is_lazy(tensor) for tensor in tensors):
        raise ValueError(f"{name} has layers that wait for their first input; run it on an image first.")
    if device is None:
        device = tensors[0].device if tensors else "cpu"
    return Workload(network, batch_size, side, precision, as_device(device), name)


def predicted_bytes(work: Workload, batch_size: int) -> int:
    """Return how much memory a forward pass on a CPU takes beside the weights, rather too much.

    What the largest layer reads and writes, twice, and 128 MiB.
    """
    inputs = INPUTS * work.shape[1] * work.resolution**2
    return (
        batch_size * work.dtype.itemsize * (ACTIVATION_COPIES * work.counts.widest + inputs) + SCRATCH_BYTES
    )


def input_count(turn_bytes: int, device: torch.device) -> int:
    """Return how many inputs take turns, where each turn fills so much of a cache."""
    wanted = min(CACHE_FILLS * last_level_cache_bytes(device), MOST_INPUT_BYTES)
    return max(INPUTS, -(-wanted // turn_bytes))


def random_inputs(
    batch_size: int,
    channels: int,
    side: int,
    device: torch.device,
    dtype: torch.dtype,
    seed: int,
    written_bytes: int = 0,
) -> tuple[torch.Tensor, ...]:
    """Return batches that take turns, so that no run finds its input in a cache.

    Together they are twice as large as the last-level cache, so that a batch has been driven out of it when
    its turn comes again; at most 256 MiB, and 3 at least. What is written in between and kept until the next
    turn, `written_bytes`, drives a batch out as well, so that fewer are needed. What this does not prevent,
    on purpose: weights may stay in the cache from one run to the next, and a layer may find there what the
    one before it wrote. Both are so when the network is used.

    The values repeat after 3 batches. Where they lie in memory does not, and only that matters to a cache.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (batch_size, channels, side, side)
    drawn = [torch.randn(shape, generator=generator).to(device, dtype) for _ in range(INPUTS)]
    copies = -(-input_count(drawn[0].nbytes + written_bytes, device) // INPUTS)
    if copies == 1:
        return tuple(drawn)
    return torch.stack(drawn).repeat(copies, 1, 1, 1, 1).unbind()  # one piece of memory: small ones are many


@contextmanager
def ready_network(
    work: Workload, seed: int, watch: Watch = Watch(), *, training: bool = False
) -> Iterator[nn.Module]:
    """Hold a network on its device, in its precision and mode; the caller's own is as before afterwards.

    A network of the caller is used itself where it is already in place and only evaluated, and copied
    otherwise. Its modes are restored, and the hooks that ask whether to stop are removed.

    Raises:
        MemoryError: The weights do not fit on the device.
        Cancelled: `watch` said so during a run.
    """
    net = _in_place(work, seed, copied=training)
    parts = [] if watch.is_cancelled is never else _often_run(net)
    handles = [part.register_forward_pre_hook(lambda *_: watch.check()) for part in parts]
    try:
        with evaluated(net, training):
            yield net
    finally:
        for handle in handles:
            handle.remove()


def _often_run(net: nn.Module) -> list[nn.Module]:
    """Return the parts before which to ask whether to stop; none of a compiled network, which runs as one."""
    if is_compiled(net) or isinstance(net, torch.jit.ScriptModule):
        return []
    blocks: list[nn.Module] = [part for part in net.modules() if isinstance(part, MBConv | FusedMBConv)]
    return blocks or [part for part in net.modules() if isinstance(part, nn.Conv2d | nn.Linear)]


def _in_place(work: Workload, seed: int, copied: bool) -> nn.Module:
    network, device, dtype = work.network, work.device, work.dtype
    # A generator of its own: a background measurement must not disturb the learner's random numbers.
    generator = torch.Generator().manual_seed(seed)
    if isinstance(network, NetworkSpec):
        check_memory(network, 1000, device)
        net = build(network, device="cpu", generator=generator)
        # Untrained, every shortcut doubles the variance: V2-L reaches 6e7, and fp16 ends at 65504.
        weigh_branches(net, 0.1)
        return net.to(device, dtype)
    if isinstance(network, type):
        return build_peer(network, generator).to(device, dtype)
    held = [tensor for tensor in (*network.parameters(), *network.buffers()) if tensor.is_floating_point()]
    if not copied and all(tensor.device.type == device.type and tensor.dtype == dtype for tensor in held):
        return network
    return copy.deepcopy(network).to(device, dtype)


@contextmanager
def as_memory_error(name: str, batch_size: int, side: int, device: torch.device) -> Iterator[None]:
    """Turn the device's way of saying that memory ran out into a MemoryError with one sentence."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or not is_out_of_memory(error):
            raise
        # A notebook keeps the last traceback, and its frames would keep the tensors of the run.
        traceback.clear_frames(error.__traceback__)
        free_cached_memory(device)
        raise MemoryError(too_large(name, batch_size, side, device)) from error


@contextmanager
def as_measurement_error(name: str, device: torch.device) -> Iterator[None]:
    """Turn the failure of a device into a MeasurementError with one sentence."""
    try:
        yield
    except RuntimeError as error:
        if not is_device_failure(error, device):
            raise
        traceback.clear_frames(error.__traceback__)
        first = str(error).strip().splitlines()[0].rstrip(".")
        raise MeasurementError(
            f"{device.type} failed while {name} ran on it ({first}). Restart the kernel, since a failed "
            'device rarely recovers inside a process; if it happens again, measure on device="cpu".'
        ) from error


def check_output(output: Any, name: str, precision: str, device: torch.device) -> None:
    """Raise MeasurementError if a network computed what is no number: its time would mean nothing."""
    numbers = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor) and leaf.is_floating_point()]
    if all(bool(torch.isfinite(leaf).all()) for leaf in numbers):
        return
    advice = (
        'fp16 ends at 65504, so try precision="bf16" or "fp32"'
        if precision == "fp16"
        else "check its weights, for training may have diverged"
    )
    raise MeasurementError(
        f"{name} in {precision} on {device_name(device)} computed values that are no numbers (NaN or "
        f"infinite): {advice}."
    )


def too_large(name: str, batch_size: int, side: int, device: torch.device) -> str:
    """Return the sentence for a batch that does not fit."""
    free = available_memory(device) / 2**30
    return (
        f"A batch of {batch_size} at {side} x {side} pixels through {name} does not fit into the "
        f"{free:,.1f} GiB that are free on {device}; choose a smaller batch, resolution or phi."
    )


def check_activations(work: Workload) -> None:
    """Refuse what would not fit before the system ends the process for it; other memory says no by itself."""
    if has_own_memory(work.device):
        return
    if predicted_bytes(work, work.batch_size) > available_memory(work.device):
        raise MemoryError(too_large(work.name, work.batch_size, work.resolution, work.device))
