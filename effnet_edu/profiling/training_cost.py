"""What a training step takes: forward, backward and the optimizer apart, and what is kept between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from effnet_edu.ground.memory import give_back_memory
from effnet_edu.ground.watch import Watch
from effnet_edu.model.blocks import FusedMBConv, MBConv
from effnet_edu.model.cost import NetworkCost
from effnet_edu.model.draws import draw_from
from effnet_edu.model.network import EfficientNet, available_memory
from effnet_edu.model.specs import NetworkSpec, strided
from effnet_edu.profiling.device import device_name, has_own_memory
from effnet_edu.profiling.layers import as_eager, exact_rows
from effnet_edu.profiling.op_timer import op_timer
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.timing import FEWEST, MOST
from effnet_edu.profiling.workload import as_workload, ready_network, too_large

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
    network: str | NetworkSpec | nn.Module,
    batch_size: int,
    resolution: int | None = None,
    device: torch.device | str | None = None,
    *,
    seconds: float = 2.0,
    seed: int = 0,
    watch: Watch = Watch(),
) -> TrainingMeasurement:
    """Measure forward, backward and optimizer time of a training step, and the memory kept between them.

    The loss is cross-entropy with random labels, the optimizer RMSprop with momentum, as in the paper. A
    network of the caller is copied and never trained. Backward MACs come from arithmetic: the counter of
    torch 2.13 (`torch.utils.flop_counter`) overcounts the backward pass of a depthwise convolution as many
    times as it has channels.

    Args:
        network: An EfficientNet, a spec, or the name of a published network. Its layers have to be those of
            its spec, and its classifier one linear layer of any width.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; the network's own by default.
        device: Where to run; by default where the network is, and for a spec the accelerator if there is one.
        seconds: How long to time at most, 0.001 to 3600; 3 steps at least are timed.
        seed: Seed of inputs, labels and dropped paths, and of the weights where there are none.
        watch: Told the share done and of waiting; asked often whether to stop.

    Raises:
        ValueError: An argument is outside its range, or one image leaves batch norm a single value.
        MemoryError: The device has too little memory for it.
        MeasurementError: The device failed.
        Cancelled: `watch` said so.

    Source: optimizer and loss, arXiv:1905.11946v5, section 5.2.
    """
    given = as_eager(network)
    work = as_workload(given, batch_size, resolution, "fp32", device, seconds)
    side, place, counted = work.resolution, work.device, exact_rows(work)
    spec, last = counted.spec, counted.layers[-1]
    if isinstance(given, EfficientNet) and not isinstance(given.classifier, nn.Linear):
        raise ValueError(
            f"The classifier of this {spec.name} is a {type(given.classifier).__name__}; what its "
            "backward pass costs and keeps is known only for one linear layer."
        )
    generator = torch.Generator(place).manual_seed(seed)
    if batch_size == 1 and strided(side, spec.stride) == 1:
        raise ValueError(
            f"batch_size is 1 and resolution {side}: the last stage of {spec.name} is left one value per "
            "channel, which has no variance for batch norm; train with a batch of 2 or more, or "
            f"{spec.stride + 1} pixels or more."
        )
    with (
        work.measuring(watch),
        torch.inference_mode(False),
        torch.enable_grad(),
        ready_network(work, seed, watch, training=True) as net,
        _stoppable_backward(net, watch),
    ):
        conventions = given.conventions if isinstance(given, EfficientNet) else spec.tensorflow
        predicted = counted.saved_bytes(batch_size, 4, conventions)
        _check_memory(counted, predicted, batch_size, place)
        net.requires_grad_(True)
        draw_from(net, generator)
        inputs = work.inputs(seed, written_bytes=predicted)
        labels = torch.randint(last.channels_out, (batch_size,), device=place, generator=generator)
        give_back_memory()  # or what the allocator keeps of earlier work lies beside the largest step
        saved = saved_storage_bytes(net, inputs[0].clone())  # a storage of its own, not a piece of one
        give_back_memory()
        phases = _time_steps(net, inputs, labels, seconds, place, watch)
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


def saved_storage_bytes(net: nn.Module, x: Tensor) -> int:
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
    net: nn.Module,
    inputs: tuple[Tensor, ...],
    labels: Tensor,
    seconds: float,
    device: torch.device,
    watch: Watch,
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
        watch.check()
        optimizer.zero_grad(set_to_none=True)
        timer.start()
        loss = timer.time(0, forward)
        timer.time(1, loss.backward)
        timer.time(2, optimizer.step)
        del loss
        took = [one for _, one in timer.stop()]
        done += 1
        if done <= WARM_STEPS:
            give_back_memory()  # the first step left the optimizer's state between what it freed
            continue
        steps.append(took)
        spent += sum(took)
        watch.progress(min(1.0, max(spent / seconds, len(steps) / MOST), len(steps) / FEWEST))
    first, second, third = (Timing(tuple(one)) for one in zip(*steps, strict=True))
    return first, second, third


def _check_memory(counted: NetworkCost, saved: int, batch_size: int, device: torch.device) -> None:
    """Refuse what would not fit before the system ends the process for it; other memory says no by itself."""
    if has_own_memory(device):
        return
    weights = 4 * counted.parameters  # themselves, gradients, and two states of the optimizer
    if saved + 4 * (batch_size * counted.largest_map_elements + weights) > available_memory(device):
        raise MemoryError(too_large(counted.spec.name, batch_size, counted.resolution, device))


@contextmanager
def _stoppable_backward(net: nn.Module, watch: Watch) -> Iterator[None]:
    """Ask in the backward pass too, at every block."""

    def ask(_gradient: Tensor) -> None:
        watch.check()

    def note(_module: object, _inputs: object, output: Tensor) -> None:
        output.register_hook(ask)  # type: ignore[no-untyped-call]

    blocks = [module for module in net.modules() if isinstance(module, MBConv | FusedMBConv)]
    handles = [block.register_forward_hook(note) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
