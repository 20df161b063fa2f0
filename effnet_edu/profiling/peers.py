"""Measure the networks that EfficientNet is compared with, under the same conditions as `profile`."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache

import psutil
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from effnet_edu.model.checks import choice, real_number, whole_number
from effnet_edu.model.convnext import ConvNeXtTiny
from effnet_edu.model.resnet import ResNet50
from effnet_edu.profiling.cancel import Cancelled, IsCancelled, never
from effnet_edu.profiling.device import (
    as_device,
    device_name,
    exclusive,
    free_cached_memory,
    is_out_of_memory,
)
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.profiling.telemetry import sensors
from effnet_edu.profiling.timing import time_repeats
from effnet_edu.profiling.workload import PRECISIONS, random_inputs

#: Networks of other papers that can be built here, with random weights.
PEERS: Mapping[str, type[nn.Module]] = {"resnet50": ResNet50, "convnext_tiny": ConvNeXtTiny}


@cache
def peer_counts(name: str, side: int = 224) -> tuple[int, int]:
    """Return parameters and multiply-adds for one image, counted by torch without any arithmetic being done.

    Args:
        name: One of PEERS.
        side: Side of the input in pixels.
    """
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network = PEERS[choice("name", name, tuple(PEERS))]().eval()
        network(torch.empty(1, 3, side, side))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return parameters, int(counter.get_total_flops() // 2)


def profile_peer(
    name: str,
    batch_size: int = 1,
    resolution: int = 224,
    precision: str = "fp32",
    device: torch.device | str | None = None,
    *,
    seconds: float = 1.0,
    seed: int = 0,
    is_cancelled: IsCancelled = never,
    progress: Callable[[float], None] = lambda _share: None,
    waiting: Callable[[str], None] = lambda _sentence: None,
) -> Measurement:
    """Build a network of another paper, run it, and measure its forward pass.

    Args:
        name: One of PEERS.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels, 32 or more.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where to run; the accelerator if there is one.
        seconds: How long to time after warming up at most, 0.001 to 3600; 3 runs at least are timed.
        seed: Seed of weights and inputs.
        is_cancelled: Asked before every run.
        progress: Told the share done, from 0 to 1.
        waiting: Told in a sentence if somebody else measures on the device and this measurement has to wait.

    Raises:
        ValueError: An argument is outside its range, or the device is not there.
        MemoryError: The device has too little memory for it.
        Cancelled: `is_cancelled` said yes.
    """
    build = PEERS[choice("name", name, tuple(PEERS))]
    whole_number("batch_size", batch_size)
    whole_number("resolution", resolution, 32)
    real_number("seconds", seconds, 1e-3, 3600)
    dtype = PRECISIONS[choice("precision", precision, tuple(PRECISIONS))]
    place = as_device(device)
    parameters, macs = peer_counts(name, resolution)
    began = datetime.now(UTC)
    try:
        with exclusive(place, is_cancelled, waiting), torch.inference_mode(), sensors(place) as held:
            if is_cancelled():
                raise Cancelled
            # The state of torch's own generator is the learner's.
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                network = build().eval().to(place, dtype)
            inputs = random_inputs(batch_size, 3, resolution, place, dtype, seed)
            turn = 0

            def run() -> None:
                nonlocal turn
                turn += 1
                network(inputs[turn % len(inputs)])

            def tell(share: float) -> None:
                held.sample()
                progress(share)

            grown = memory_growth(run, place)
            timing = time_repeats(run, seconds, place, is_cancelled, tell)
            weights = sum(tensor.nbytes for tensor in network.state_dict().values())
            telemetry = held.summary()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        free_cached_memory(place)
        raise MemoryError(
            f"A batch of {batch_size} at {resolution} x {resolution} pixels through {name} does not fit on "
            f"{place}; choose a smaller batch or resolution."
        ) from error
    low, high = timing.interval
    on_cpu = place.type == "cpu"
    measured = Measurement(
        network=name,
        resolution=resolution,
        batch_size=batch_size,
        precision=precision,
        device=place.type,
        device_name=device_name(place),
        macs=macs,
        parameters=parameters,
        median_ms=1000 * timing.median,
        low_ms=1000 * low,
        high_ms=1000 * high,
        repeats=len(timing.seconds),
        noisy=timing.noisy,
        peak_memory_bytes=weights + grown,
        torch_version=torch.__version__,
        seed=seed,
        threads=torch.get_num_threads() if on_cpu else None,
        cores=psutil.cpu_count() if on_cpu else None,
        **asdict(telemetry),
        measured_at=began.isoformat(timespec="seconds"),
    )
    return replace(measured, noisy=True) if measured.is_crowded else measured
