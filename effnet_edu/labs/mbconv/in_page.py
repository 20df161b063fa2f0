"""What a page runs for the MBConv lab: each kind of block alone, and what the browser can do at most."""

from collections.abc import Mapping

from effnet_edu.labs.frame.in_page import PRECISION, PageTiming, TimedGraph, timed_layers
from effnet_edu.labs.mbconv.numbers import KINDS, MBConvSetting, cost_of, layers, network_around
from effnet_edu.labs.mbconv.results import MBConvResult, MeasuredBlock
from effnet_edu.model import onnx_file as onnx
from effnet_edu.model.cost import LayerCost
from effnet_edu.model.onnx_graph import onnx_block
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.layer_time import LayerTime
from effnet_edu.profiling.names import PRECISION_BYTES
from effnet_edu.profiling.roof_lines import Ceiling, Ceilings
from effnet_edu.profiling.roofs import points_under

#: A kind with more multiply-adds than this in a batch is left out: a page would take seconds for one pass.
MOST_MACS = 4e9
#: Channels and side of the product of matrices, and sides of the map that is read and written.
_CHANNELS, _SIDE, _LARGE = 512, 32, (128, 256)


def _ceilings_file() -> bytes:
    """Return a graph of two nodes that count: a product of matrices, and a sum over a map of 64 MiB."""

    def made(name: str, *shape: int) -> tuple[onnx.Pieces, onnx.Pieces]:
        value = onnx.tensor("", onnx.FLOAT, (1,), onnx.floats(1 / _CHANNELS))
        extent = onnx.tensor(f"{name}.shape", onnx.INT64, (len(shape),), onnx.integers(*shape))
        return onnx.node("ConstantOfShape", [f"{name}.shape"], name, value=value), extent

    weight, weight_shape = made("weight", _CHANNELS, _CHANNELS, 1, 1)
    large, large_shape = made("large", 1, _CHANNELS, *_LARGE)
    nodes = (
        weight,
        large,
        onnx.node("Conv", ["images", "weight"], "product", "arithmetic", kernel_shape=(1, 1)),
        onnx.node("GlobalAveragePool", ["product"], "mean", "mean"),
        onnx.node("Add", ["large", "mean"], "sum", "memory"),
        onnx.node("GlobalAveragePool", ["sum"], "answer", "answer"),  # a small answer is handed over quickly
    )
    given = onnx.value_info("images", onnx.FLOAT, (1, _CHANNELS, _SIDE, _SIDE))
    answer = onnx.value_info("answer", onnx.FLOAT, (1, _CHANNELS, 1, 1))
    return onnx.model("ceilings", nodes, (weight_shape, large_shape), given, answer)


def _block_file(network: NetworkSpec, batch_size: int) -> bytes:
    return onnx_block(network, batch_size=batch_size)


CEILINGS = TimedGraph("the ceilings", _ceilings_file, (), with_kernels=True)


def block_graphs(setting: MBConvSetting) -> dict[str, TimedGraph]:
    """Return each kind of block that a page times, alone; two kinds may be one."""
    return {
        kind: TimedGraph(kind, _block_file, (network_around(setting, kind), setting.batch_size), True)
        for kind in KINDS
        if setting.batch_size * cost_of(setting, kind).macs <= MOST_MACS
    }


def graphs(setting: MBConvSetting) -> tuple[TimedGraph, ...]:
    """Return all graphs of a setting: the ceilings first, which only WASM tells, by its kernels."""
    first = (CEILINGS,) if setting.device == "WASM" else ()
    return tuple(dict.fromkeys((*first, *block_graphs(setting).values())))


def result(setting: MBConvSetting, timings: Mapping[TimedGraph, PageTiming]) -> MBConvResult:
    """Return the blocks under the ceilings, from the times of all graphs."""
    ceilings = _ceilings(timings[CEILINGS]) if CEILINGS in timings else None
    drawn = block_graphs(setting)
    blocks = {kind: _block(setting, kind, timings[graph], ceilings) for kind, graph in drawn.items()}
    return MBConvResult(blocks, ceilings, tuple(kind for kind in KINDS if kind not in drawn))


def _block(setting: MBConvSetting, kind: str, found: PageTiming, ceilings: Ceilings | None) -> MeasuredBlock:
    rows, batch = layers(setting, kind), setting.batch_size
    # A layer that the clock cannot tell from nothing has no rate.
    timed = tuple(one for one in timed_layers(rows, found, batch) if one.timing.interval[0] > 0)
    if ceilings is not None and timed:
        return MeasuredBlock(points_under(timed, PRECISION, ceilings), found)
    return MeasuredBlock((), found, LayerTime(_as_one(rows), found.whole, batch, PRECISION_BYTES[PRECISION]))


def _as_one(rows: tuple[LayerCost, ...]) -> LayerCost:
    """Return a block as if it were one layer."""
    counts = ("parameters", "buffers", "macs", "elements_in", "activations")
    sums = {name: sum(getattr(row, name) for row in rows) for name in counts}
    return rows[0]._replace(name="block", role="block", kind="block", **sums)


def _ceilings(found: PageTiming) -> Ceilings:
    numbers = _CHANNELS * _LARGE[0] * _LARGE[1]
    product = f"a product of {_CHANNELS} x {_CHANNELS} by {_CHANNELS} x {_SIDE**2}"
    arithmetic = _ceiling(found, "arithmetic", _CHANNELS**2 * _SIDE**2, product)
    moved = 2 * PRECISION_BYTES[PRECISION] * numbers
    memory = _ceiling(found, "memory", moved, f"a sum over {moved / 2**21:.0f} MiB, read and written")
    return Ceilings(
        device=found.engine,
        device_name=found.device_name,
        threads=1,
        torch_version="",
        arithmetic={PRECISION: arithmetic},
        memory=memory,
        cache=None,
        cache_bytes=None,
        notes=(),
        crowded=False,
        seconds=found.passes * found.whole.median,
    )


def _ceiling(found: PageTiming, kernel: str, amount: float, how: str) -> Ceiling:
    timing = found.kernels[kernel]
    fastest = sorted(timing.seconds)[len(timing.seconds) // 10]
    return Ceiling(amount / fastest, amount / timing.median, found.passes, how)
