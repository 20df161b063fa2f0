"""What the course measures on a device: the experiments behind its lessons on time and memory.

Each experiment is one function that returns what json can hold; on which device and how much it measures is
its `Extent`. Every network and block has random weights: its time does not depend on them.
"""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields, replace
from statistics import median
from typing import Any

import torch
from torch import nn

from effnet_edu.ground.checks import choice, quoted
from effnet_edu.model.blocks import FusedMBConv, MBConv
from effnet_edu.model.cost import block_layers, cost
from effnet_edu.model.fusing import fuse_stages
from effnet_edu.model.network import build
from effnet_edu.model.resnet import ResNet50
from effnet_edu.model.specs import BlockSpec, NetworkSpec, resolve
from effnet_edu.model.variants import spec
from effnet_edu.profiling.ceilings import measure_ceilings
from effnet_edu.profiling.counts import count_module
from effnet_edu.profiling.engines import is_installed, version
from effnet_edu.profiling.fastest import fastest
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.layer_time import LayerTime
from effnet_edu.profiling.layers import LayerProfile, profile_layers
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.module import time_module
from effnet_edu.profiling.names import CPU_ENGINES, ENGINES
from effnet_edu.profiling.repeats import Timing, median_interval
from effnet_edu.profiling.training_cost import profile_training
from effnet_edu.profiling.workload import PRECISIONS
from effnet_edu.studies.devices.random_specs import timed_networks
from effnet_edu.studies.registry import DEVICE_EXPERIMENTS

#: How often whole networks take turns.
ROUNDS = 5
#: A small and a large network of each version: what runs in every engine.
IN_EACH_ENGINE = ("efficientnet_b0", "efficientnetv2_b0", "efficientnet_b4", "efficientnetv2_s")
MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
#: One row of a result: names to text and numbers.
DeviceRow = dict[str, Any]


@dataclass(frozen=True)
class Extent:
    """Where and how much is measured.

    Attributes:
        device: Where.
        networks: Names of the networks that are ranked.
        layered: Names of the networks that are measured layer by layer.
        batch_sizes: Batch sizes of the ranking, and of the comparison with ResNet-50.
        growing_batches: Batch sizes of the experiment on throughput.
        block_batch: Images at once where blocks and memory formats are compared.
        fused_base: Network in which stages are fused.
        fused_batch: Images at once in a training step of the fused networks.
        resolution: Side of every input in pixels; None for each network's own.
        precisions: Precisions of the ranking.
        seconds: How long each thing is timed.
        engine: What runs whole networks, where they are ranked and where batches grow.
        random_networks: How many networks drawn at random are timed, each at its own input size.
        compiles: Whether engines are compared with what `torch.compile` makes, which takes minutes.
    """

    device: torch.device
    networks: tuple[str, ...]
    layered: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    growing_batches: tuple[int, ...]
    block_batch: int
    fused_base: str
    fused_batch: int
    resolution: int | None
    precisions: tuple[str, ...]
    seconds: float
    engine: str = "torch"
    random_networks: int = 300
    compiles: bool = True


_V1 = tuple(f"efficientnet_b{n}" for n in range(8))
_V2 = tuple(f"efficientnetv2_{name}" for name in ("b0", "b1", "b2", "b3", "s", "m", "l"))


def extent(device: torch.device, quick: bool = False) -> Extent:
    """Return how much suits a device: a few minutes of a CPU or of an accelerator.

    Args:
        device: Where to measure.
        quick: A short version of under a minute, on small inputs, to see that everything runs.
    """
    if quick:
        return Extent(
            device, ("efficientnet_lite0", "efficientnet_b0", "efficientnetv2_b0"), ("efficientnet_b0",),
            (1,), (1, 2, 4), 2, "efficientnet_b0", 2, 96, ("fp32",), 0.1, random_networks=40,
            compiles=False,
        )  # fmt: skip
    if device.type == "cpu":
        return Extent(
            device, ("efficientnet_lite0", *_V1[:6], *_V2[:5]), ("efficientnet_b0", "efficientnetv2_s"),
            (1,), (1, 2, 4, 8, 16, 32), 4, "efficientnet_b4", 2, None, ("fp32",), 2.0,
        )  # fmt: skip
    return Extent(
        device, ("efficientnet_lite0", *_V1, *_V2), ("efficientnet_b0", "efficientnetv2_s"),
        (1, 64), (1, 2, 4, 8, 16, 32, 64, 128, 256, 512), 64, "efficientnet_b4", 32, None,
        ("fp32", "bf16"), 1.0,
    )  # fmt: skip


def _spread(timing: Timing) -> DeviceRow:
    low, high = timing.interval
    return {
        "median_ms": 1000 * timing.median,
        "low_ms": 1000 * low,
        "high_ms": 1000 * high,
        "repeats": len(timing.seconds),
        "noisy": timing.noisy,
    }


def ceilings(how: Extent) -> list[DeviceRow]:
    """Return what the device can do at most."""
    return [asdict(measure_ceilings(how.device, refresh=True))]


def layers(how: Extent) -> list[DeviceRow]:
    """Return the time of every layer of the layered networks, at batch 1 and at the blocks' batch."""
    return [
        _layer_row(profile_layers(name, batch, how.resolution, device=how.device, seconds=how.seconds))
        for name in how.layered
        for batch in (1, how.block_batch)
    ]


def _layer_row(measured: LayerProfile) -> DeviceRow:
    """Return a profile with its layers as name and nanoseconds; what is computed need not be kept."""

    def nanoseconds(timing: Timing) -> list[int]:
        return [round(1e9 * seconds) for seconds in timing.seconds]

    kept = {field.name: getattr(measured, field.name) for field in fields(measured)}
    times = {row.name: nanoseconds(row.timing) for row in measured.layers}
    return kept | {"whole": nanoseconds(measured.whole), "layers": times}


def layer_profile(row: DeviceRow) -> LayerProfile:
    """Return the profile that a row of the experiment `layers` keeps.

    Raises:
        ValueError: The row does not fit the network that it names.
    """

    def timing(nanoseconds: list[int]) -> Timing:
        return Timing(tuple(each / 1e9 for each in nanoseconds))

    try:
        counted = cost(row["network"], row["resolution"])
        size = PRECISIONS[row["precision"]].itemsize
        times = {name: timing(nanoseconds) for name, nanoseconds in row["layers"].items()}
        layers = tuple(LayerTime(each, times[each.name], row["batch_size"], size) for each in counted.layers)
        return LayerProfile(**{**row, "whole": timing(row["whole"]), "layers": layers})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"This is no row of layer times: {quoted(error)}.") from error


def networks(how: Extent) -> list[DeviceRow]:
    """Return time, throughput and memory of the ranked networks."""
    return [
        asdict(_profiled(name, batch, how, precision))
        for precision in how.precisions
        for batch in how.batch_sizes
        for name in how.networks
    ]


def _profiled(name: str, batch: int, how: Extent, precision: str = "fp32") -> Measurement:
    return profile(name, batch, how.resolution, precision, how.device, engine=how.engine, seconds=how.seconds)


def batch_sizes(how: Extent) -> list[DeviceRow]:
    """Return B0's time at growing batches, as far as they fit."""
    rows = []
    for batch in how.growing_batches:
        try:
            rows.append(asdict(_profiled("efficientnet_b0", batch, how)))
        except MemoryError:
            break
    return rows


def engines(how: Extent) -> list[DeviceRow]:
    """Return the time of one image in every engine that runs here; those of a network take turns on a CPU."""
    asked = [name for name in ENGINES if is_installed(name) and (how.compiles or name != "compiled")]
    if how.device.type != "cpu":
        asked = [name for name in asked if name not in CPU_ENGINES]
    rows = []
    for network in (name for name in how.networks if name in IN_EACH_ENGINE):
        counted, times = cost(network, how.resolution), _in_engines(network, tuple(asked), how)
        for engine in asked:
            about = {"network": network, "macs": counted.macs, "resolution": counted.resolution}
            about |= {"engine": engine, "version": version(engine)}
            rows.append(about | dict(zip(("median_ms", "low_ms", "high_ms"), times[engine], strict=True)))
    return rows


def _in_engines(network: str, asked: tuple[str, ...], how: Extent) -> dict[str, tuple[float, ...]]:
    """Return the median of a batch of one in each engine, and its interval, in milliseconds."""
    if how.device.type == "cpu":
        compared = fastest(network, 1, how.resolution, engines=asked, seconds=how.seconds)
        return {row.engine: (row.median_ms, *median_interval(row.round_ms)) for row in compared.rows}
    found: dict[str, tuple[float, ...]] = {}
    for engine in asked:
        one = profile(network, 1, how.resolution, device=how.device, engine=engine, seconds=how.seconds)
        found[engine] = (one.median_ms, one.low_ms, one.high_ms)
    return found


def memory_formats(how: Extent) -> list[DeviceRow]:
    """Return the time of the layered networks with their weights in either memory format."""
    rows = []
    for name in how.layered:
        side = how.resolution or spec(name).resolution
        for called, memory_format in MEMORY_FORMATS.items():
            net = build(spec(name), generator=torch.Generator().manual_seed(0)).to(how.device)
            net.to(memory_format=memory_format)  # type: ignore[call-overload]
            timing = time_module(
                net, 3, side, how.block_batch, memory_format=memory_format, seconds=how.seconds
            )
            about = {"network": name, "memory_format": called, "resolution": side}
            rows.append(about | {"batch_size": how.block_batch} | _spread(timing))
    return rows


def resnet50(how: Extent) -> list[DeviceRow]:
    """Return MACs and time of B0 and of ResNet-50, on the same images."""
    side = how.resolution or 224
    b0 = build(spec("efficientnet_b0"), generator=torch.Generator().manual_seed(0))
    pair: dict[str, nn.Module] = {"efficientnet_b0": b0, "resnet50": ResNet50()}
    rows = []
    for name, net in pair.items():
        counts = count_module(net, (1, 3, side, side))
        net.eval().to(how.device)
        for batch in how.batch_sizes if 16 in how.batch_sizes else (*how.batch_sizes, 16):
            for called, memory_format in MEMORY_FORMATS.items():
                net.to(memory_format=memory_format)  # type: ignore[call-overload]
                timing = time_module(net, 3, side, batch, memory_format=memory_format, seconds=how.seconds)
                about = {
                    "network": name,
                    "macs": counts.macs,
                    "parameters": counts.parameters,
                    "resolution": side,
                }
                rows.append(about | {"batch_size": batch, "memory_format": called} | _spread(timing))
    return rows


def fused_blocks(how: Extent) -> list[DeviceRow]:
    """Return the time of one MBConv and of one Fused-MBConv of the same shape, for every stage.

    The block is the second of its stage (stride 1), or the only one. Time is that of a forward pass, and of
    forward and backward together.
    """
    base = spec(how.fused_base)
    both = {"mbconv": base, "fused_mbconv": fuse_stages(base, range(len(base.stages)))}
    rows = []
    for operation, network in both.items():
        for block in _typical_blocks(resolve(network, how.resolution)):
            kind = MBConv if operation == "mbconv" else FusedMBConv
            made = kind(block, base.tensorflow, base.activation).to(how.device)
            row: DeviceRow = {
                "network": base.name,
                "stage": block.stage,
                "operation": operation,
                "block": str(block),
                "macs": sum(layer.macs for layer in block_layers(block)),
                "parameters": sum(layer.parameters for layer in block_layers(block)),
                "batch_size": how.block_batch,
            }
            for training in (False, True):
                timing = time_module(
                    made, block.channels_in, block.side_in, how.block_batch,
                    training=training, seconds=how.seconds / 2,
                )  # fmt: skip
                rows.append(row | {"training": training} | _spread(timing))
    return rows


def _typical_blocks(blocks: tuple[BlockSpec, ...]) -> Iterator[BlockSpec]:
    for stage in range(blocks[-1].stage + 1):
        of_stage = [block for block in blocks if block.stage == stage]
        yield of_stage[min(1, len(of_stage) - 1)]


def fused_networks(how: Extent) -> list[DeviceRow]:
    """Return parameters, MACs and training time of a network with none, three, five and all stages fused.

    Fused stages keep their kernels; three of them are also measured with 3 x 3 kernels, as the paper has
    them. All take turns, in several rounds, and are compared within each: a device that becomes slower or
    quicker meanwhile does not favour any.

    Source: EfficientNetV2, arXiv:2104.00298v3, section 3.2 and table 3.
    """
    base = spec(how.fused_base)
    networks: dict[tuple[int, int | None], NetworkSpec] = {
        (last, None): fuse_stages(base, range(last)) for last in (0, 3, 5, 7)
    }
    networks[3, 3] = fuse_stages(_with_kernel(base, 3, range(3)), range(3))
    rounds = [
        {
            key: profile_training(
                network, how.fused_batch, how.resolution, device=how.device, seconds=how.seconds / ROUNDS
            )
            for key, network in networks.items()
        }
        for _ in range(ROUNDS)
    ]
    rows = []
    for (last, kernel), network in networks.items():
        found = [one[last, kernel] for one in rounds]
        speeds = sorted(one[0, None].seconds / one[last, kernel].seconds for one in rounds)
        rows.append(
            {
                "network": base.name,
                "stages_fused": last,
                "kernel": kernel,
                "parameters": cost(network).parameters,
                "macs": cost(network, how.resolution).macs,
                "resolution": found[0].resolution,
                "batch_size": found[0].batch_size,
                "rounds": ROUNDS,
                "forward_ms": 1000 * median(one.forward.median for one in found),
                "backward_ms": 1000 * median(one.backward.median for one in found),
                "step_ms": 1000 * median(one.seconds for one in found),
                "speed": median(speeds),
                "lowest_speed": speeds[0],
                "highest_speed": speeds[-1],
                "saved_bytes": found[0].saved_bytes,
                "predicted_saved_bytes": found[0].predicted_saved_bytes,
                "noisy": any(one.forward.noisy or one.backward.noisy for one in found),
            }
        )
    return rows


def _with_kernel(network: NetworkSpec, kernel: int, stages: Collection[int]) -> NetworkSpec:
    changed = (
        replace(stage, kernel=kernel) if index in stages else stage
        for index, stage in enumerate(network.stages)
    )
    return replace(network, stages=tuple(changed))


def random_networks(how: Extent) -> list[DeviceRow]:
    """Return counts and times of networks drawn at random, at the largest batch of the ranking."""
    return timed_networks(how.random_networks, how.device, how.batch_sizes[-1])


def perform(experiment: str, how: Extent) -> list[DeviceRow]:
    """Return the rows of one of `DEVICE_EXPERIMENTS`: of the function of that name in this file."""
    choice("experiment", experiment, DEVICE_EXPERIMENTS)
    found: list[DeviceRow] = globals()[experiment](how)
    return found
