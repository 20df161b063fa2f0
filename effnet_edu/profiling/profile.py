"""Measure a real network on this device: time, throughput, memory."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import psutil
import torch

from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import as_spec, list_variants
from effnet_edu.profiling.cancel import IsCancelled, never
from effnet_edu.profiling.device import device_name, synchronize
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.profiling.telemetry import Sampler, Telemetry, energy_per_run, sensors
from effnet_edu.profiling.timing import Timing, time_repeats
from effnet_edu.profiling.workload import (
    Workload,
    as_workload,
    check_activations,
    check_output,
    random_inputs,
    ready_network,
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
    work = as_workload(network, batch_size, resolution, precision, device, seconds)
    place = work.device
    with work.measuring(is_cancelled, waiting), torch.inference_mode():
        began = datetime.now(UTC)
        check_activations(work.counted, batch_size, work.dtype.itemsize, place)
        found = _run(work, seconds, seed, is_cancelled, progress)
    timing = found.timing
    low, high = timing.interval
    on_cpu = place.type == "cpu"
    measured = Measurement(
        network=work.spec.name,
        resolution=work.resolution,
        batch_size=batch_size,
        precision=precision,
        device=place.type,
        device_name=device_name(place),
        macs=work.counted.macs,
        parameters=work.counted.parameters,
        median_ms=1000 * timing.median,
        low_ms=1000 * low,
        high_ms=1000 * high,
        repeats=len(timing.seconds),
        noisy=timing.noisy,
        peak_memory_bytes=found.memory,
        torch_version=torch.__version__,
        seed=seed,
        threads=torch.get_num_threads() if on_cpu else None,
        cores=psutil.cpu_count() if on_cpu else None,
        **asdict(found.telemetry),
        energy_joules_per_image=found.joules and found.joules / batch_size,
        measured_at=began.isoformat(timespec="seconds"),
        command=_command(work, seconds),
    )
    return replace(measured, noisy=True) if measured.is_crowded else measured


@dataclass(frozen=True)
class _Found:
    """What the runs of one network told: times, bytes, joules a run."""

    timing: Timing
    memory: int
    telemetry: Telemetry
    joules: float | None


def _run(
    work: Workload, seconds: float, seed: int, is_cancelled: IsCancelled, progress: Callable[[float], None]
) -> _Found:
    """Run the network; a function of its own, so that whatever fails, its tensors end with it."""
    device, dtype = work.device, work.dtype
    with ready_network(work.network, device, dtype, seed, is_cancelled) as net, sensors(device) as held:
        drawn = random_inputs(work.batch_size, net.in_channels, work.resolution, device, dtype, seed)
        inputs = list(drawn)
        del drawn
        sample = Sampler(held)
        turn = 0

        def run() -> torch.Tensor:
            nonlocal turn
            turn += 1
            output: torch.Tensor = net(inputs[turn % len(inputs)])
            return output

        def run_and_check() -> None:
            check_output(run(), net.spec, work.precision, device)

        def run_and_wait() -> None:
            run()
            synchronize(device)
            sample()

        def tell(share: float) -> None:
            sample()
            progress(share)

        try:
            weights = sum(tensor.nbytes for tensor in net.state_dict().values())
            grown = memory_growth(run_and_check, device)
            timing = time_repeats(run, seconds, device, is_cancelled, tell)
            telemetry = held.summary()
            joules = energy_per_run(run_and_wait, held.joules, is_cancelled)
            run_and_check()
            return _Found(timing, weights + grown, telemetry, joules)
        finally:
            inputs.clear()  # a traceback that a notebook keeps would keep them


def _command(work: Workload, seconds: float) -> str:
    name = work.spec.name
    if isinstance(work.network, EfficientNet) or name not in list_variants() or as_spec(name) != work.spec:
        return ""
    return (
        f"python -m effnet_edu profile {name} --batch-size {work.batch_size} --resolution {work.resolution} "
        f"--precision {work.precision} --device {work.device} --seconds {seconds:g}"
    )
