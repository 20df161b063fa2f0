"""What every measurement needs first: a network that is ready, inputs, and faults as sentences."""

import copy
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch

from effnet_edu.model.blocks import FusedMBConv, MBConv, weigh_branches
from effnet_edu.model.checks import choice, real_number, whole_number
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.network import EfficientNet, available_memory, build, check_memory
from effnet_edu.model.specs import NetworkSpec, check_resolution
from effnet_edu.model.variants import as_spec
from effnet_edu.profiling.cache_size import last_level_cache_bytes
from effnet_edu.profiling.cancel import Cancelled, IsCancelled, MeasurementError, never
from effnet_edu.profiling.device import (
    as_device,
    device_name,
    exclusive,
    free_cached_memory,
    has_own_memory,
    is_device_failure,
    is_out_of_memory,
)

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
        network: A network, or the spec of one that is built when its turn comes.
        batch_size: Images at once.
        resolution: Side of the input in pixels.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where it runs.
    """

    network: EfficientNet | NetworkSpec
    batch_size: int
    resolution: int
    precision: str
    device: torch.device

    @property
    def spec(self) -> NetworkSpec:
        """The network as data."""
        return self.network.spec if isinstance(self.network, EfficientNet) else self.network

    @property
    def dtype(self) -> torch.dtype:
        """Type of weights and activations."""
        return PRECISIONS[self.precision]

    @cached_property
    def counted(self) -> NetworkCost:
        """What one image costs, with the classes and channels that the network has."""
        if isinstance(self.network, EfficientNet):
            return cost(self.spec, self.resolution, self.network.num_classes, self.network.in_channels)
        return cost(self.spec, self.resolution)

    @contextmanager
    def measuring(
        self, is_cancelled: IsCancelled = never, waiting: Callable[[str], None] = lambda _sentence: None
    ) -> Iterator[None]:
        """Hold the device alone, and turn what fails on it into one sentence.

        Args:
            is_cancelled: Asked while waiting for the turn.
            waiting: Told in a sentence if somebody else has the turn.

        Raises:
            MemoryError: Memory ran out inside.
            MeasurementError: The device failed inside.
            Cancelled: `is_cancelled` said yes before the turn came.
        """
        with (
            exclusive(self.device, is_cancelled, waiting),
            as_memory_error(self.spec, self.batch_size, self.resolution, self.device),
            as_measurement_error(self.spec, self.device),
        ):
            yield


def as_workload(
    network: str | NetworkSpec | EfficientNet,
    batch_size: int,
    resolution: int | None,
    precision: str,
    device: torch.device | str | None,
    seconds: float,
) -> Workload:
    """Return what is to be measured, after making sure that it can be.

    Args:
        network: A network, a spec, or the name of a published network.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; None for the network's own.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: None for where the network is, and for a spec the accelerator if there is one.
        seconds: How long to time at most, 0.001 to 3600.

    Raises:
        ValueError: An argument is outside its range, or the device is not there.
    """
    given = network if isinstance(network, EfficientNet) else as_spec(network)
    whole_number("batch_size", batch_size)
    real_number("seconds", seconds, 1e-3, 3600)
    side = check_resolution(given.spec if isinstance(given, EfficientNet) else given, resolution)
    choice("precision", precision, tuple(PRECISIONS))
    if device is None and isinstance(given, EfficientNet):
        device = given.classifier.weight.device
    return Workload(given, batch_size, side, precision, as_device(device))


def predicted_bytes(counted: NetworkCost, batch_size: int, itemsize: int) -> int:
    """Return how much memory a forward pass on a CPU takes beside the weights, rather too much.

    What the largest layer reads and writes, twice, and 128 MiB.

    Args:
        counted: The network at its resolution.
        batch_size: Images at once.
        itemsize: Bytes of a number.
    """
    largest = ACTIVATION_COPIES * max(row.elements_in + row.activations for row in counted.layers)
    inputs = INPUTS * counted.layers[0].elements_in
    return batch_size * itemsize * (largest + inputs) + SCRATCH_BYTES


def input_count(batch_bytes: int, device: torch.device) -> int:
    """Return how many inputs take turns.

    Args:
        batch_bytes: Bytes of one input batch.
        device: Where it lies.
    """
    wanted = min(CACHE_FILLS * last_level_cache_bytes(device), MOST_INPUT_BYTES)
    return max(INPUTS, -(-wanted // batch_bytes))


def random_inputs(
    batch_size: int, channels: int, side: int, device: torch.device, dtype: torch.dtype, seed: int
) -> tuple[torch.Tensor, ...]:
    """Return batches that take turns, so that no run finds its input in a cache.

    Together they are twice as large as the last-level cache, so that a batch has been driven out of it when
    its turn comes again; at most 256 MiB, and 3 at least. What this does not prevent, on purpose: weights may
    stay in the cache from one run to the next, and a layer may find there what the one before it wrote. Both
    are so when the network is used.

    The values repeat after 3 batches. Where they lie in memory does not, and only that matters to a cache.

    Args:
        batch_size: Images at once.
        channels: Channels of an image.
        side: Side of an image in pixels.
        device: Where they lie.
        dtype: Their type.
        seed: Seed of the values.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (batch_size, channels, side, side)
    drawn = [torch.randn(shape, generator=generator).to(device, dtype) for _ in range(INPUTS)]
    copies = -(-input_count(drawn[0].nbytes, device) // INPUTS)
    if copies == 1:
        return tuple(drawn)
    return torch.stack(drawn).repeat(copies, 1, 1, 1, 1).unbind()  # one piece of memory: small ones are many


@contextmanager
def ready_network(
    network: EfficientNet | NetworkSpec,
    device: torch.device,
    dtype: torch.dtype,
    seed: int,
    is_cancelled: IsCancelled = never,
    *,
    training: bool = False,
) -> Iterator[EfficientNet]:
    """Hold a network on the device, in the type and mode asked for; the caller's own is as before afterwards.

    A network of the caller is used itself where it is already in place and only evaluated, and copied
    otherwise. Its mode is restored, and the hooks that ask whether to stop are removed.

    Args:
        network: A network, or a spec to build one from, with random weights.
        device: Where it has to be.
        dtype: Type of its weights.
        seed: Seed of random weights.
        is_cancelled: Asked before every block.
        training: Whether to put it in training mode; only a copy is trained.

    Raises:
        MemoryError: The weights do not fit on the device.
        Cancelled: `is_cancelled` said yes during a run.
    """
    net = _in_place(network, device, dtype, seed, copied=training)
    modes = [(module, module.training) for module in net.modules()]

    def ask(*_: object) -> None:
        if is_cancelled():
            raise Cancelled

    net.train(training)
    blocks = [module for module in net.modules() if isinstance(module, MBConv | FusedMBConv)]
    handles = [block.register_forward_pre_hook(ask) for block in blocks]
    try:
        yield net
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode


def _in_place(
    network: EfficientNet | NetworkSpec, device: torch.device, dtype: torch.dtype, seed: int, copied: bool
) -> EfficientNet:
    if isinstance(network, NetworkSpec):
        check_memory(network, 1000, device)
        # A generator of its own: a background measurement must not disturb the learner's random numbers.
        net = build(network, device="cpu", generator=torch.Generator().manual_seed(seed))
        # Untrained, every shortcut doubles the variance: V2-L reaches 6e7, and fp16 ends at 65504.
        weigh_branches(net, 0.1)
        return net.to(device, dtype)
    weight = network.classifier.weight
    if weight.device.type == device.type and weight.dtype == dtype and not copied:
        return network
    return copy.deepcopy(network).to(device, dtype)


@contextmanager
def as_memory_error(spec: NetworkSpec, batch_size: int, side: int, device: torch.device) -> Iterator[None]:
    """Turn the device's way of saying that memory ran out into a MemoryError with one sentence.

    Args:
        spec: The network that ran.
        batch_size: Images at once.
        side: Side of the input in pixels.
        device: Where it ran.

    Raises:
        MemoryError: Memory ran out inside.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or not is_out_of_memory(error):
            raise
        # A notebook keeps the last traceback, and its frames would keep the tensors of the run.
        traceback.clear_frames(error.__traceback__)
        free_cached_memory(device)
        raise MemoryError(too_large(spec, batch_size, side, device)) from error


@contextmanager
def as_measurement_error(spec: NetworkSpec, device: torch.device) -> Iterator[None]:
    """Turn the failure of a device into a MeasurementError with one sentence.

    Args:
        spec: The network that ran.
        device: Where it ran.

    Raises:
        MeasurementError: The device failed inside.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_device_failure(error, device):
            raise
        traceback.clear_frames(error.__traceback__)
        first = str(error).strip().splitlines()[0].rstrip(".")
        raise MeasurementError(
            f"{device.type} failed while {spec.name} ran on it ({first}). Restart the kernel, since a failed "
            'device rarely recovers inside a process; if it happens again, measure on device="cpu".'
        ) from error


def check_output(output: torch.Tensor, spec: NetworkSpec, precision: str, device: torch.device) -> None:
    """Raise if a network computed something that is no number: its time would mean nothing.

    Args:
        output: The logits.  # (N, num_classes)
        spec: The network that computed them.
        precision: A name in PRECISIONS.
        device: Where it ran.

    Raises:
        MeasurementError: A value is NaN or infinite.
    """
    if bool(torch.isfinite(output).all()):
        return
    advice = (
        'fp16 ends at 65504, so try precision="bf16" or "fp32"'
        if precision == "fp16"
        else "check its weights, for training may have diverged"
    )
    raise MeasurementError(
        f"{spec.name} in {precision} on {device_name(device)} computed values that are no numbers (NaN or "
        f"infinite): {advice}."
    )


def too_large(spec: NetworkSpec, batch_size: int, side: int, device: torch.device) -> str:
    """Return the sentence for a batch that does not fit.

    Args:
        spec: The network.
        batch_size: Images at once.
        side: Side of the input in pixels.
        device: Where it does not fit.
    """
    free = available_memory(device) / 2**30
    return (
        f"A batch of {batch_size} at {side} x {side} pixels through {spec.name} does not fit into the "
        f"{free:,.1f} GiB that are free on {device}; choose a smaller batch, resolution or phi."
    )


def check_activations(counted: NetworkCost, batch_size: int, itemsize: int, device: torch.device) -> None:
    """Refuse what would not fit before the system ends the process for it; other memory says no by itself.

    Args:
        counted: The network's rows.
        batch_size: Images at once.
        itemsize: Bytes of one number.
        device: Where it is to run.

    Raises:
        MemoryError: It would take more than is free.
    """
    if has_own_memory(device):
        return
    if predicted_bytes(counted, batch_size, itemsize) > available_memory(device):
        raise MemoryError(too_large(counted.spec, batch_size, counted.resolution, device))
