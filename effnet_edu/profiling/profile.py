"""Measure a real network on this device: time, throughput, memory."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from effnet_edu.model.blocks import FusedMBConv, MBConv
from effnet_edu.model.checks import choice, real_number, whole_number
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.network import EfficientNet, available_memory, build, check_memory
from effnet_edu.model.specs import NetworkSpec, check_resolution
from effnet_edu.model.variants import as_spec
from effnet_edu.profiling.cancel import Cancelled, IsCancelled, never
from effnet_edu.profiling.device import as_device, device_name, exclusive, synchronize
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.profiling.timing import time_repeats

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

#: Different inputs take turns, so that a run does not find the last one's data in a cache.
INPUTS = 3


@dataclass(frozen=True)
class Measurement:
    """What one network took on one device, forward, in evaluation mode.

    Attributes:
        network: Name of the network.
        resolution: Side of the input in pixels.
        batch_size: Images at once.
        precision: `"fp32"`, `"bf16"` or `"fp16"`, of weights and activations.
        device: Type of the device.
        device_name: What its maker calls it.
        macs: Multiply-adds for one image (computed).
        parameters: Trainable numbers (computed).
        median_ms: Median time of a batch in milliseconds.
        low_ms: Lower end of the median's 95% interval.
        high_ms: Upper end of it.
        repeats: Timed runs.
        noisy: Whether the runs spread so much that the machine was busy with something else.
        peak_memory_bytes: Weights, plus the growth of memory in use during one run at its highest point.
        torch_version: Version of torch.
        seed: Seed of random weights and inputs.
    """

    network: str
    resolution: int
    batch_size: int
    precision: str
    device: str
    device_name: str
    macs: int
    parameters: int
    median_ms: float
    low_ms: float
    high_ms: float
    repeats: int
    noisy: bool
    peak_memory_bytes: int
    torch_version: str
    seed: int

    @property
    def images_per_second(self) -> float:
        """Throughput at the median time."""
        return 1000 * self.batch_size / self.median_ms

    @property
    def macs_per_second(self) -> float:
        """Multiply-adds per second at the median time."""
        return self.macs * self.images_per_second

    def __str__(self) -> str:
        return (
            f"{self.network}, {self.resolution} px, batch {self.batch_size}, {self.precision} "
            f"on {self.device_name}: {self.median_ms:.1f} ms ({self.low_ms:.1f} to {self.high_ms:.1f}), "
            f"{self.images_per_second:.1f} images/s, {self.peak_memory_bytes / 2**20:.0f} MiB, "
            f"{self.repeats} repeats{', noisy' if self.noisy else ''}"
        )


def profile(
    network: str | NetworkSpec | EfficientNet,
    batch_size: int = 1,
    resolution: int | None = None,
    precision: str = "fp32",
    device: torch.device | str | None = None,
    *,
    seconds: float = 1.0,
    seed: int = 0,
    is_cancelled: IsCancelled = never,
    progress: Callable[[float], None] = lambda _share: None,
) -> Measurement:
    """Build the network if it is a spec, run it, and measure its forward pass.

    Args:
        network: A network, a spec, or the name of a published network.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; the network's own by default.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where to run; by default where the network is, and for a spec the accelerator if there is one.
        seconds: How long to time after warming up, 0.001 to 3600; 3 runs at least are timed.
        seed: Seed of the inputs, and of the weights where there are none.
        is_cancelled: Asked before every block; a yes stops the measurement.
        progress: Told the share done, from 0 to 1.

    Raises:
        ValueError: An argument is outside its range, or the device is not there.
        MemoryError: The device has too little memory for it.
        Cancelled: `is_cancelled` said yes.
    """
    spec = network.spec if isinstance(network, EfficientNet) else as_spec(network)
    whole_number("batch_size", batch_size)
    real_number("seconds", seconds, 1e-3, 3600)
    side = check_resolution(spec, resolution)
    dtype = PRECISIONS[choice("precision", precision, tuple(PRECISIONS))]
    if device is None and isinstance(network, EfficientNet):
        device = network.classifier.weight.device
    place = as_device(device)
    counted = cost(spec, side)
    with exclusive(is_cancelled):
        try:
            _check_activations(counted, batch_size, dtype.itemsize, place)
            net = _ready(network if isinstance(network, EfficientNet) else spec, place, dtype, seed)
            with _evaluation(net), _stoppable(net, is_cancelled), torch.inference_mode():
                generator = torch.Generator().manual_seed(seed)
                shape = (batch_size, net.in_channels, side, side)
                inputs = [torch.randn(shape, generator=generator).to(place, dtype) for _ in range(INPUTS)]
                turn = 0

                def run() -> None:
                    nonlocal turn
                    net(inputs[turn % INPUTS])
                    turn += 1
                    synchronize(place)

                grown = memory_growth(run, place)
                timing = time_repeats(run, seconds, is_cancelled, progress)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not (isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)):
                raise
            raise MemoryError(_too_large(spec, batch_size, side, place)) from error
    weights = sum(tensor.nbytes for tensor in net.state_dict().values())
    low, high = timing.interval
    return Measurement(
        network=spec.name,
        resolution=side,
        batch_size=batch_size,
        precision=precision,
        device=place.type,
        device_name=device_name(place),
        macs=counted.macs,
        parameters=counted.parameters,
        median_ms=1000 * timing.median,
        low_ms=1000 * low,
        high_ms=1000 * high,
        repeats=len(timing.seconds),
        noisy=timing.noisy,
        peak_memory_bytes=weights + grown,
        torch_version=torch.__version__,
        seed=seed,
    )


def _ready(
    network: EfficientNet | NetworkSpec, device: torch.device, dtype: torch.dtype, seed: int
) -> EfficientNet:
    """Return the network on the device and in the type asked for; the caller's own is never changed."""
    if isinstance(network, NetworkSpec):
        check_memory(network, 1000, device)
        # A generator of its own: a background measurement must not disturb the learner's random numbers.
        net = build(network, device="cpu", generator=torch.Generator().manual_seed(seed))
        return net.to(device, dtype)
    weight = network.classifier.weight
    if weight.device.type == device.type and weight.dtype == dtype:
        return network
    return copy.deepcopy(network).to(device, dtype)


@contextmanager
def _evaluation(net: EfficientNet) -> Iterator[None]:
    training = [module for module in net.modules() if module.training]
    net.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _stoppable(net: EfficientNet, is_cancelled: IsCancelled) -> Iterator[None]:
    """Ask before every block, so that Cancel need not wait for a whole pass of a large network."""

    def ask(*_: object) -> None:
        if is_cancelled():
            raise Cancelled

    blocks = [module for module in net.modules() if isinstance(module, MBConv | FusedMBConv)]
    handles = [block.register_forward_pre_hook(ask) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _check_activations(counted: NetworkCost, batch_size: int, itemsize: int, device: torch.device) -> None:
    """Refuse what would not fit before the system kills the process for it."""
    largest = max(row.elements_in + row.activations for row in counted.layers)
    inputs = INPUTS * 3 * counted.resolution**2
    if (largest + inputs) * batch_size * itemsize > available_memory(device):
        raise MemoryError(_too_large(counted.spec, batch_size, counted.resolution, device))


def _too_large(spec: NetworkSpec, batch_size: int, side: int, device: torch.device) -> str:
    free = available_memory(device) / 2**30
    return (
        f"A batch of {batch_size} at {side} x {side} pixels through {spec.name} does not fit into the "
        f"{free:,.1f} GiB that are free on {device}; choose a smaller batch, resolution or phi."
    )
