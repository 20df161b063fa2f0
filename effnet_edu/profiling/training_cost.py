"""What a training step takes: forward, backward and the optimizer apart, and what is kept between them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from effnet_edu.model.blocks import FusedMBConv, MBConv
from effnet_edu.model.cost import NetworkCost
from effnet_edu.model.network import EfficientNet, available_memory
from effnet_edu.model.specs import NetworkSpec, strided
from effnet_edu.profiling.cancel import Cancelled, IsCancelled, never
from effnet_edu.profiling.device import device_name, has_own_memory
from effnet_edu.profiling.layers import as_eager
from effnet_edu.profiling.op_timer import op_timer
from effnet_edu.profiling.timing import FEWEST, MOST, Timing
from effnet_edu.profiling.workload import as_workload, random_inputs, ready_network, too_large

#: Steps before the timed ones; the first one makes the optimizer's state.
WARM_STEPS = 2


@dataclass(frozen=True)
class TrainingMeasurement:
    """What training one network takes on one device, in fp32.

    Attributes:
        network: Name of the network.
        resolution: Side of the input in pixels.
        batch_size: Images at once.
        device: Type of the device.
        device_name: What its maker calls it.
        forward: Seconds from the images to the loss.
        backward: Seconds from the loss to all gradients.
        step: Seconds of the optimizer, from gradients to new weights.
        forward_macs: Multiply-adds of the batch, forward (computed).
        backward_macs: Multiply-adds of the batch, backward (computed; torch's own counter is wrong here).
        saved_bytes: Bytes that the network kept for its backward pass, each storage once, without
            parameters and buffers (measured).
        predicted_saved_bytes: The same from the spec alone (computed).
        torch_version: Version of torch.
        seed: Seed of random weights and inputs.
    """

    network: str
    resolution: int
    batch_size: int
    device: str
    device_name: str
    forward: Timing
    backward: Timing
    step: Timing
    forward_macs: int
    backward_macs: int
    saved_bytes: int
    predicted_saved_bytes: int
    torch_version: str
    seed: int

    @property
    def seconds(self) -> float:
        """Median seconds of forward, backward and optimizer together."""
        return self.forward.median + self.backward.median + self.step.median

    @property
    def images_per_second(self) -> float:
        """Images trained on in a second."""
        return self.batch_size / self.seconds

    @property
    def difference_bytes(self) -> int:
        """Measured less predicted bytes."""
        return self.saved_bytes - self.predicted_saved_bytes

    def __str__(self) -> str:
        parts = {"forward": self.forward, "backward": self.backward, "optimizer": self.step}
        rows = [
            f"{name:<10}{1000 * timing.median:>10.2f} ms ({1000 * timing.interval[0]:.2f} to "
            f"{1000 * timing.interval[1]:.2f}){', noisy' if timing.noisy else ''}"
            for name, timing in parts.items()
        ]
        return "\n".join(
            [
                f"training {self.network}, {self.resolution} px, batch {self.batch_size}, fp32 on "
                f"{self.device_name}: {self.images_per_second:.1f} images/s",
                *rows,
                f"backward / forward: {self.backward.median / self.forward.median:.2f} in time, "
                f"{self.backward_macs / self.forward_macs:.2f} in MACs",
                f"kept for the backward pass: {self.saved_bytes / 2**20:,.1f} MiB measured, "
                f"{self.predicted_saved_bytes / 2**20:,.1f} MiB computed, difference "
                f"{self.difference_bytes:+,} bytes",
            ]
        )


def profile_training(
    network: str | NetworkSpec | EfficientNet,
    batch_size: int,
    resolution: int | None = None,
    device: torch.device | str | None = None,
    *,
    seconds: float = 2.0,
    seed: int = 0,
    is_cancelled: IsCancelled = never,
    progress: Callable[[float], None] = lambda _share: None,
    waiting: Callable[[str], None] = lambda _sentence: None,
) -> TrainingMeasurement:
    """Measure forward, backward and optimizer time of a training step, and the memory kept between them.

    The loss is cross-entropy with random labels, the optimizer RMSprop with momentum, as in the paper. A
    network of the caller is copied and never trained. Backward MACs come from arithmetic: the counter of
    torch 2.13 (`torch.utils.flop_counter`) overcounts the backward pass of a depthwise convolution as many
    times as it has channels.

    Args:
        network: A network, a spec, or the name of a published network; compiled ones are refused.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; the network's own by default.
        device: Where to run; by default where the network is, and for a spec the accelerator if there is one.
        seconds: How long to time at most, 0.001 to 3600; 3 steps at least are timed.
        seed: Seed of inputs, labels and dropped paths, and of the weights where there are none.
        is_cancelled: Asked before every block and step; a yes stops the measurement.
        progress: Told the share done, from 0 to 1.
        waiting: Told in a sentence if somebody else measures on the device and this measurement has to wait.

    Raises:
        ValueError: An argument is outside its range, or one image leaves batch norm a single value.
        MemoryError: The device has too little memory for it.
        MeasurementError: The device failed.
        Cancelled: `is_cancelled` said yes.

    Source: optimizer and loss, arXiv:1905.11946v5, section 5.2.
    """
    work = as_workload(as_eager(network), batch_size, resolution, "fp32", device, seconds)
    spec, side, place = work.spec, work.resolution, work.device
    if batch_size == 1 and strided(side, spec.stride) == 1:
        raise ValueError(
            f"batch_size is 1 and resolution {side}: the last stage of {spec.name} is left one value per "
            "channel, which has no variance for batch norm; train with a batch of 2 or more, or "
            f"{spec.stride + 1} pixels or more."
        )
    with (
        work.measuring(is_cancelled, waiting),
        torch.inference_mode(False),
        torch.enable_grad(),
        ready_network(work.network, place, work.dtype, seed, is_cancelled, training=True) as net,
        _own_random_numbers(seed, place),
        _stoppable_backward(net, is_cancelled),
    ):
        counted = work.counted
        predicted = counted.saved_bytes(batch_size, 4, net.conventions)
        _check_memory(counted, predicted, batch_size, place)
        net.requires_grad_(True)
        inputs = random_inputs(batch_size, net.in_channels, side, place, work.dtype, seed)
        labels = torch.randint(net.num_classes, (batch_size,), device=place)
        saved = saved_storage_bytes(net, inputs[0].clone())  # a storage of its own, not a piece of one
        phases = _time_steps(net, inputs, labels, seconds, place, is_cancelled, progress)
    return TrainingMeasurement(
        network=spec.name,
        resolution=side,
        batch_size=batch_size,
        device=place.type,
        device_name=device_name(place),
        forward=phases[0],
        backward=phases[1],
        step=phases[2],
        forward_macs=batch_size * counted.macs,
        backward_macs=batch_size * counted.backward_macs,
        saved_bytes=saved,
        predicted_saved_bytes=predicted,
        torch_version=torch.__version__,
        seed=seed,
    )


def saved_storage_bytes(net: EfficientNet, x: Tensor) -> int:
    """Return the bytes that one forward pass keeps for its backward pass.

    Each storage counts once, however many tensors look into it. Parameters and buffers do not count.

    Args:
        net: A network in training mode.
        x: Images.  # (N, C, H, W)
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in (*net.parameters(), *net.buffers())}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        # An operation that kept its own output would hold itself for ever.
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logits = net(x)  # holds the graph, so that no storage is freed and taken again meanwhile
    del logits
    return sum(kept.values())


def _time_steps(
    net: EfficientNet,
    inputs: tuple[Tensor, ...],
    labels: Tensor,
    seconds: float,
    device: torch.device,
    is_cancelled: IsCancelled,
    progress: Callable[[float], None],
) -> tuple[Timing, Timing, Timing]:
    """Train for about `seconds` and return the times of forward, backward and optimizer."""
    # So small a rate that the weights stay what they are; the time does not depend on it.
    optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-6, alpha=0.9, eps=1e-3, momentum=0.9)
    timer = op_timer(device)
    steps: list[list[float]] = []
    done, spent = 0, 0.0

    def forward() -> Tensor:
        return F.cross_entropy(net(inputs[done % len(inputs)]), labels)

    while len(steps) < MOST and (len(steps) < FEWEST or spent < seconds):
        if is_cancelled():
            raise Cancelled
        optimizer.zero_grad(set_to_none=True)
        timer.start()
        loss = timer.time(0, forward)
        timer.time(1, loss.backward)
        timer.time(2, optimizer.step)
        del loss
        took = [one for _, one in timer.stop()]
        done += 1
        if done <= WARM_STEPS:
            continue
        steps.append(took)
        spent += sum(took)
        progress(min(1.0, max(spent / seconds, len(steps) / MOST), len(steps) / FEWEST))
    first, second, third = (Timing(tuple(one)) for one in zip(*steps, strict=True))
    return first, second, third


def _check_memory(counted: NetworkCost, saved: int, batch_size: int, device: torch.device) -> None:
    """Refuse what would not fit before the system ends the process for it; other memory says no by itself."""
    if has_own_memory(device):
        return
    largest = max(row.elements_in + row.activations for row in counted.layers)
    weights = 4 * counted.parameters  # themselves, gradients, and two states of the optimizer
    if saved + 4 * (batch_size * largest + weights) > available_memory(device):
        raise MemoryError(too_large(counted.spec, batch_size, counted.resolution, device))


@contextmanager
def _own_random_numbers(seed: int, device: torch.device) -> Iterator[None]:
    """Draw dropped paths from a seed, and leave the learner's random numbers as they were."""
    modules = [torch.random] if device.type == "cpu" else [torch.random, torch.get_device_module(device)]
    states = [module.get_rng_state() for module in modules]
    torch.manual_seed(seed)
    try:
        yield
    finally:
        for module, state in zip(modules, states, strict=True):
            module.set_rng_state(state)


@contextmanager
def _stoppable_backward(net: EfficientNet, is_cancelled: IsCancelled) -> Iterator[None]:
    """Ask in the backward pass too, at every block."""

    def ask(_gradient: Tensor) -> None:
        if is_cancelled():
            raise Cancelled

    def watch(_module: object, _inputs: object, output: Tensor) -> None:
        output.register_hook(ask)  # type: ignore[no-untyped-call]

    blocks = [module for module in net.modules() if isinstance(module, MBConv | FusedMBConv)]
    handles = [block.register_forward_hook(watch) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
