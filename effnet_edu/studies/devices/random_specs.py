"""Networks drawn at random, and the time that engines take for them: what counts are held against."""

import sys
import time
from dataclasses import replace
from random import Random
from typing import Any

import torch

from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.network import build
from effnet_edu.model.specs import NetworkSpec, Operation, StageSpec
from effnet_edu.model.variants import spec
from effnet_edu.profiling.ceilings import measure_ceilings
from effnet_edu.profiling.device import exclusive, stopwatch
from effnet_edu.profiling.engines import Runner, in_engine, is_installed
from effnet_edu.profiling.names import CPU_ENGINES
from effnet_edu.profiling.roof_lines import Ceilings
from effnet_edu.profiling.threads import computing_with
from effnet_edu.profiling.time_model import counted
from effnet_edu.profiling.workload import random_inputs

#: Of how many networks each engine runs one. OpenVINO takes long to make a network ready, and `"compiled"`
#: takes minutes, so it is left out.
ENGINES = {"torch": 1, "onnxruntime": 1, "openvino": 5}
#: Rounds in which the engines take turns over a network, and of how many networks one is measured again.
ROUNDS, AGAIN = 3, 5
#: Multiply-adds and outputs of convolutions; B0 at 224 pixels has 0.39 and 6.7 million, within both.
MACS, ACTIVATIONS = (20e6, 800e6), (0.3e6, 9e6)


def random_network(number: int) -> NetworkSpec:
    """Return the network of a number, 0 or more: always the same one.

    Depth, width, input size, and of each stage operation, expansion, kernel and squeeze-and-excitation are
    drawn; what would take longer than a tenth of a second on a usual CPU is drawn again.
    """
    draw = Random(number)  # noqa: S311 - nothing secret
    while True:
        found = replace(_drawn(draw), name=f"random network {number}")
        counts = counted(cost(found))
        if MACS[0] <= counts["macs"] <= MACS[1] and ACTIVATIONS[0] <= counts["activations"] <= ACTIVATIONS[1]:
            return found


def _drawn(draw: Random) -> NetworkSpec:
    channels = stem = draw.choice((8, 16, 24, 32, 40))
    stages = []
    for index in range(draw.choice((4, 5, 6, 7))):
        channels = 8 * round(channels * draw.uniform(1, 2.2) / 8)
        operation: Operation = "fused_mbconv" if draw.random() < (0.5 if index < 3 else 0.15) else "mbconv"
        stages.append(
            StageSpec(
                operation=operation,
                expansion=draw.choice((1, 2, 3, 4, 6)),
                kernel=draw.choice((3, 3, 5, 7)),
                stride=2 if 1 <= index <= 4 and draw.random() < 0.85 else 1,
                channels=channels,
                layers=draw.choice((1, 2, 3, 4, 5)),
                squeeze_ratio=draw.choice((0.0, 0.25)),
            )
        )
    return replace(
        spec("efficientnet_b0"),
        stem_channels=stem,
        stages=tuple(stages),
        head_channels=draw.choice((128, 320, 640, 1280)),
        resolution=draw.choice(range(96, 289, 16)),
        source="drawn at random for this course",
    )


def least_ms(network: NetworkCost, ceilings: Ceilings, batch_size: int) -> float:
    """Return the milliseconds that the roofline allows: of each layer the longer of computing and moving."""
    peak = ceilings.peak("fp32").per_second
    seconds = 0.0
    for layer in network.layers:
        moved = layer.bytes_moved(batch_size)
        seconds += max(batch_size * layer.macs / peak, moved / ceilings.moving(moved).per_second)
    return 1000 * seconds


def timed_networks(count: int, device: torch.device, batch_size: int) -> list[dict[str, Any]]:
    """Return a row a network: its exact counts, what the roofline allows, and its milliseconds by engine.

    Of each visit to a network the fastest run is kept: other programs can only make a run slower. A fifth of
    the networks is visited again at the end, to say how well the clock agrees with itself.

    A CPU computes with one thread, and its clock is the processor time of this process. Several threads would
    wait for each other wherever another program takes a core, and over minutes one always does.

    Args:
        count: Networks.
        device: Where; on an accelerator torch alone.
        batch_size: Images at once.
    """
    rows: list[dict[str, Any]] = []
    with computing_with(1 if device.type == "cpu" else 0):
        ceilings = measure_ceilings(device, refresh=True)
        for number in range(count):
            about = cost(random_network(number))
            rows.append(
                {"network": number, "resolution": about.resolution, "batch_size": batch_size}
                | counted(about, batch_size)
                | {"roofline_ms": round(least_ms(about, ceilings, batch_size), 4)}
                | {"threads": ceilings.threads}
            )
        with exclusive(device), torch.inference_mode():
            for row in (*rows, *rows[::AGAIN]):
                for engine, seconds in engine_seconds(row["network"], device, batch_size).items():
                    row.setdefault(f"{engine}_ms", []).append(round(1000 * seconds, 3))
    return rows


def engine_seconds(number: int, device: torch.device, batch_size: int) -> dict[str, float]:
    """Return the seconds of a network's fastest run in each engine that runs it here, measured in turns."""
    network = random_network(number)
    net = build(network, generator=torch.Generator().manual_seed(0)).to(device).eval()
    inputs = random_inputs(batch_size, 3, network.resolution, device, torch.float32, seed=0)
    runners: dict[str, Runner] = {
        engine: in_engine(engine, net, inputs[0].shape)
        for engine, every in ENGINES.items()
        if number % every == 0 and (engine == "torch" or _runs(engine, device))
    }
    found: dict[str, list[float]] = {engine: [] for engine in runners}
    for turn in range(ROUNDS):
        for engine, run in runners.items():
            run(inputs[2 * turn % len(inputs)])  # not counted: another engine has just filled the caches
            found[engine].append(_seconds(run, inputs[(2 * turn + 1) % len(inputs)], device))
    return {engine: min(seconds) for engine, seconds in found.items()}


def _seconds(run: Runner, images: torch.Tensor, device: torch.device) -> float:
    """Return the seconds of one run; by the wall clock on Windows, whose other one has steps of 16 ms."""
    if device.type != "cpu" or sys.platform == "win32":
        return stopwatch(device).time(lambda: run(images))
    begun = time.process_time()
    run(images)
    return time.process_time() - begun


def _runs(engine: str, device: torch.device) -> bool:
    return engine in CPU_ENGINES and device.type == "cpu" and is_installed(engine)
