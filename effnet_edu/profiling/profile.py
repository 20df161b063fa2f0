"""Measure a real network on this device: time, throughput, memory."""

from collections.abc import Callable

import torch

from effnet_edu.model.checks import choice, real_number, whole_number
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.network import EfficientNet, available_memory
from effnet_edu.model.specs import NetworkSpec, check_resolution
from effnet_edu.model.variants import as_spec
from effnet_edu.profiling.cancel import IsCancelled, never
from effnet_edu.profiling.device import as_device, device_name, exclusive, synchronize
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.profiling.timing import time_repeats
from effnet_edu.profiling.workload import (
    INPUTS,
    PRECISIONS,
    as_measurement_error,
    as_memory_error,
    check_output,
    random_inputs,
    ready_network,
    too_large,
)

__all__ = [
    "INPUTS",
    "PRECISIONS",
    "Measurement",
    "as_measurement_error",
    "as_memory_error",
    "profile",
    "random_inputs",
    "ready_network",
]


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
    waiting: Callable[[str], None] = lambda _sentence: None,
) -> Measurement:
    """Build the network if it is a spec, run it, and measure its forward pass.

    Args:
        network: A network, a spec, or the name of a published network.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; the network's own by default.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where to run; by default where the network is, and for a spec the accelerator if there is one.
        seconds: How long to time after warming up at most, 0.001 to 3600; 3 runs at least are timed.
        seed: Seed of the inputs, and of the weights where there are none.
        is_cancelled: Asked before every block; a yes stops the measurement.
        progress: Told the share done, from 0 to 1.
        waiting: Told in a sentence if somebody else measures on the device and this measurement has to wait.

    Raises:
        ValueError: An argument is outside its range, or the device is not there.
        MemoryError: The device has too little memory for it.
        MeasurementError: The device failed, or the network computed NaN.
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
    given = network if isinstance(network, EfficientNet) else spec
    with (
        exclusive(place, is_cancelled, waiting),
        as_memory_error(spec, batch_size, side, place),
        as_measurement_error(spec, place),
        torch.inference_mode(),
    ):
        _check_activations(counted, batch_size, dtype.itemsize, place)
        with ready_network(given, place, dtype, seed, is_cancelled) as net:
            inputs = random_inputs(batch_size, net.in_channels, side, place, dtype, seed)
            turn = 0

            def run() -> torch.Tensor:
                nonlocal turn
                turn += 1
                output: torch.Tensor = net(inputs[turn % len(inputs)])
                return output

            def run_and_check() -> None:
                output = run()
                synchronize(place)
                check_output(output, spec, precision, place)

            grown = memory_growth(run_and_check, place)
            timing = time_repeats(run, seconds, place, is_cancelled, progress)
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


def _check_activations(counted: NetworkCost, batch_size: int, itemsize: int, device: torch.device) -> None:
    """Refuse what would not fit before the system kills the process for it."""
    largest = max(row.elements_in + row.activations for row in counted.layers)
    inputs = INPUTS * 3 * counted.resolution**2
    if (largest + inputs) * batch_size * itemsize > available_memory(device):
        raise MemoryError(too_large(counted.spec, batch_size, counted.resolution, device))
