"""Measure a real network on this device: time, throughput, memory."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import psutil
import torch
from torch import nn

from effnet_edu.ground.checks import choice
from effnet_edu.ground.watch import Watch
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import as_spec, list_variants
from effnet_edu.profiling.device import device_name, synchronize
from effnet_edu.profiling.engines import check_engine, in_engine, version
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.profiling.names import ENGINES
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.telemetry import Sampler, Telemetry, energy_per_run, sensors
from effnet_edu.profiling.threads import free_threads
from effnet_edu.profiling.timing import time_repeats
from effnet_edu.profiling.workload import (
    Workload,
    as_workload,
    check_activations,
    check_output,
    ready_network,
)


def profile(
    network: str | NetworkSpec | nn.Module,
    batch_size: int = 1,
    resolution: int | None = None,
    precision: str = "fp32",
    device: torch.device | str | None = None,
    *,
    engine: str = "torch",
    seconds: float = 1.0,
    seed: int = 0,
    watch: Watch = Watch(),
) -> Measurement:
    """Build the network if it is a name or a spec, run it, and measure its forward pass.

    A module is counted as it is there, whatever its head or wrapping, and left as it was.

    Args:
        network: Any module that takes images, a spec, or the name of a published network, "resnet50" or
            "convnext_tiny".
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; the network's own by default, 224 where it tells none.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where to run; by default where the network is, and for a spec the accelerator if there is one.
        engine: What runs it: `"torch"`, `"optimised"` (by `optimize_for_inference`), `"compiled"` (by
            torch.compile, which takes minutes on a CPU and cannot be stopped meanwhile), `"onnxruntime"` or
            `"openvino"` (on the CPU in fp32). All but torch and compiled take networks of this library alone.
        seconds: How long to time after warming up at most, 0.001 to 3600; 3 runs at least are timed.
        seed: Seed of the inputs, and of the weights where there are none.
        watch: Told the share done and of waiting; asked often whether to stop.

    Raises:
        ValueError: An argument is outside its range, the device is not there, or the module takes no images.
        MemoryError: The device has too little memory for it.
        ModuleNotFoundError: The engine is not installed.
        MeasurementError: The device failed, or the network computed NaN.
        Cancelled: `watch` said so.
    """
    choice("engine", engine, tuple(ENGINES))
    work = replace(as_workload(network, batch_size, resolution, precision, device, seconds), engine=engine)
    check_engine(engine, work.network, precision, work.device)
    place = work.device
    with work.measuring(watch), free_threads(place, watch) as threads, torch.inference_mode():
        began = datetime.now(UTC)
        check_activations(work)
        found, name = _run(work, seconds, seed, watch), device_name(place)
    timing = found.timing
    low, high = timing.interval
    on_cpu = place.type == "cpu"
    measured = Measurement(
        network=work.name,
        resolution=work.resolution,
        batch_size=batch_size,
        precision=precision,
        device=place.type,
        device_name=name,
        macs=work.counts.macs,
        parameters=work.counts.parameters,
        median_ms=1000 * timing.median,
        low_ms=1000 * low,
        high_ms=1000 * high,
        repeats=len(timing.seconds),
        noisy=timing.noisy,
        peak_memory_bytes=found.memory,
        torch_version=torch.__version__,
        seed=seed,
        threads=threads.used if on_cpu else None,
        cores=psutil.cpu_count() if on_cpu else None,
        **asdict(found.telemetry),
        energy_joules_per_image=found.joules and found.joules / batch_size,
        measured_at=began.isoformat(timespec="seconds"),
        command=_command(work, seconds),
        threads_note=threads.sentence,
        engine=engine,
        engine_version=version(engine),
    )
    return replace(measured, noisy=True) if measured.is_crowded else measured


@dataclass(frozen=True)
class _Found:
    """What the runs of one network told: times, bytes, joules a run."""

    timing: Timing
    memory: int
    telemetry: Telemetry
    joules: float | None


def _run(work: Workload, seconds: float, seed: int, watch: Watch) -> _Found:
    """Run the network; a function of its own, so that whatever fails, its tensors end with it."""
    device = work.device
    # No other engine may meet the hooks that ask inside of a run: it would copy or record them.
    inside = watch if work.engine == "torch" else Watch()
    with ready_network(work, seed, inside) as net, sensors(device) as held:
        inputs = list(work.inputs(seed))
        sample = Sampler(held)
        turn = 0

        def run() -> object:
            nonlocal turn
            turn += 1
            return run_in_engine(inputs[turn % len(inputs)])

        def run_and_check() -> None:
            check_output(run(), work.name, work.precision, device)

        def run_and_wait() -> None:
            run()
            synchronize(device)
            sample()

        def tell(share: float) -> None:
            sample()
            watch.progress(share)

        try:
            run_in_engine = in_engine(work.engine, net, inputs[0].shape)
            weights = sum(tensor.nbytes for tensor in net.state_dict().values())
            grown = memory_growth(run_and_check, device)
            timing = time_repeats(run, seconds, device, replace(watch, progress=tell))
            telemetry = held.summary()
            joules = energy_per_run(run_and_wait, held.joules, watch)
            run_and_check()
            return _Found(timing, weights + grown, telemetry, joules)
        finally:
            inputs.clear()  # a traceback that a notebook keeps would keep them


def _command(work: Workload, seconds: float) -> str:
    is_peer, is_variant = isinstance(work.network, type), work.name in list_variants()
    if not (is_peer or (is_variant and as_spec(work.name) == work.network)):
        return ""
    return (
        f"python -m effnet_edu profile {work.name} --batch-size {work.batch_size} "
        f"--resolution {work.resolution} --precision {work.precision} --device {work.device} "
        f"--seconds {seconds:g}" + ("" if work.engine == "torch" else f" --engine {work.engine}")
    )
