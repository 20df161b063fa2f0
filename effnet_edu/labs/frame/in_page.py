"""What a page runs in the reader's browser, and what it found: graphs with their times. No torch."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from effnet_edu.model.cost import LayerCost, cost
from effnet_edu.model.onnx_graph import onnx_graph
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.layer_time import LayerTime, part_share, together
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import PRECISION_BYTES
from effnet_edu.profiling.repeats import Timing

ENGINES = ("WASM", "WebGPU")
#: The only type of numbers that a browser computes in on every device.
PRECISION = "fp32"
#: Weights and the largest layer's maps that a graph may have here. A page of WASM has 4 GiB, a phone's less.
MOST_BYTES = 2 * 2**30


@dataclass(frozen=True)
class TimedGraph:
    """A graph that a page runs and times.

    Attributes:
        name: What a reader calls it, such as `B0`.
        write: Returns it as an ONNX file with one input.
        arguments: What `write` is given; two graphs of one function and the same arguments are one.
        with_kernels: Whether the time of each kernel is wanted, where the engine tells it.
    """

    name: str = field(compare=False)
    write: Callable[..., bytes]
    arguments: tuple[Hashable, ...]
    with_kernels: bool = False

    def file(self) -> bytes:
        """Return the ONNX file."""
        return self.write(*self.arguments)


@dataclass(frozen=True)
class PageTiming:
    """How long a graph took in a browser.

    Attributes:
        engine: One of `ENGINES`.
        device_name: What the browser tells of itself and of the device.
        whole: Seconds of a run; where runs are short, each the mean of several in a row.
        repeats: Timed runs.
        kernels: Seconds of each kernel by the name of its node, likewise, under onnxruntime's profiler; empty
            where the engine does not tell them.
        passes: Runs under the profiler.
        doubts: Why the times may mislead, a sentence each.
    """

    engine: str
    device_name: str
    whole: Timing
    repeats: int
    kernels: dict[str, Timing]
    passes: int
    doubts: tuple[str, ...]

    def __str__(self) -> str:
        return self.said(self.whole, self.repeats)

    def said(self, timing: Timing, repeats: int) -> str:
        """Return a time with its interval, engine, browser and device.

        Args:
            timing: Of the whole, or of a part.
            repeats: Runs in it.
        """
        low, high = (plain_ms(end) for end in timing.interval)
        interval = f"{low} to {high} ms, {repeats} runs"
        return f"{plain_ms(timing.median)} ms, {self.engine} ({interval}), in {self.device_name}"


def plain_ms(seconds: float) -> str:
    """Return milliseconds in three digits without a comma, which some read as a decimal point."""
    ms = 1000 * seconds
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.3g}"


@dataclass(frozen=True)
class BrowserMeasurement:
    """What a network took in a browser: its forward pass in fp32; the half of a `Measurement` that it tells.

    Attributes:
        network: Name of the network.
        resolution: Side of the input in pixels.
        batch_size: Images at once.
        macs: Multiply-adds for one image (computed).
        found: What the browser timed.
    """

    network: str
    resolution: int
    batch_size: int
    macs: int
    found: PageTiming
    precision: str = PRECISION
    peak_memory_bytes: None = None
    measured_at: str = "in this page"

    @property
    def device_name(self) -> str:
        """What the browser tells of itself and of the device."""
        return self.found.device_name

    @property
    def median_ms(self) -> float:
        """Median time of a batch in milliseconds."""
        return 1000 * self.found.whole.median

    @property
    def low_ms(self) -> float:
        """Lower end of the median's 95% interval."""
        return 1000 * self.found.whole.interval[0]

    @property
    def high_ms(self) -> float:
        """Upper end of it."""
        return 1000 * self.found.whole.interval[1]

    images_per_second = Measurement.images_per_second
    macs_per_second = Measurement.macs_per_second

    def __str__(self) -> str:
        return str(self.found)


def _network_file(spec: NetworkSpec, batch_size: int, num_classes: int) -> bytes:
    return onnx_graph(spec, batch_size=batch_size, num_classes=num_classes)


def network_graph(
    name: str, spec: NetworkSpec, batch_size: int = 1, num_classes: int = 1000, *, with_kernels: bool = False
) -> TimedGraph:
    """Return a network as a graph to time, its weights made when it is loaded.

    Args:
        name: What a reader calls it.
        spec: The network.
        batch_size: Images at once.
        num_classes: Outputs of its classifier.
        with_kernels: Whether the time of each kernel is wanted.
    """
    return TimedGraph(name, _network_file, (spec, batch_size, num_classes), with_kernels)


def forward_pass(spec: NetworkSpec, batch_size: int, found: PageTiming, key: str = "") -> BrowserMeasurement:
    """Return the forward pass of a network as a browser timed it.

    Args:
        spec: The network.
        batch_size: Images at once.
        found: What the browser timed.
        key: Under which name it is published; its own by default.
    """
    return BrowserMeasurement(key or spec.name, spec.resolution, batch_size, cost(spec).macs, found)


@dataclass(frozen=True)
class BrowserLayers:
    """A network as a browser timed it, with its layers; the half of a `LayerProfile` that it tells.

    Attributes:
        layers: Those that have kernels of their own, in the order in which they run; none on an engine that
            tells no kernels.
        found: What the browser timed.
    """

    layers: tuple[LayerTime, ...]
    found: PageTiming

    @property
    def whole(self) -> Timing:
        """Seconds of a batch without the profiler."""
        return self.found.whole

    @property
    def device_name(self) -> str:
        """What the browser tells of itself and of the device."""
        return self.found.device_name

    def part_share(self, part: str) -> tuple[float, float, float]:
        """Return a part's share of the layers' time: its median over the passes, and its interval's ends."""
        share = part_share(self.layers, part)
        return share.median, *share.interval


def timed_layers(rows: Sequence[LayerCost], found: PageTiming, batch_size: int) -> tuple[LayerTime, ...]:
    """Return the layers that have kernels of their own, by the names that `onnx_graph` gave the nodes.

    Some have none: batch norms are folded, and onnxruntime computes a shortcut, or the sigmoid of a gate,
    within the convolution before it. In some passes a layer may take less than a step of the browser's clock,
    which is 0 there: the mean over many passes is right, and what several layers take together.

    Args:
        rows: From `cost`.
        found: What the browser timed.
        batch_size: Images at once.
    """
    names = {row.name for row in rows}
    kernels: dict[str, list[LayerTime]] = {}
    for kernel, timing in found.kernels.items():
        name = kernel.partition("/")[0]  # what several nodes became is called after one, and how
        while name and name not in names:
            name = name.rpartition(".")[0]
        for row in (row for row in rows if row.name == name):
            kernels.setdefault(name, []).append(
                LayerTime(row, timing, batch_size, PRECISION_BYTES[PRECISION])
            )
    layers = (replace(found[0], timing=together(found)) for found in kernels.values())
    order = {row.name: n for n, row in enumerate(rows)}
    return tuple(sorted(layers, key=lambda one: order[one.name]))


def only_fp32(precision: str) -> str:
    """Return why nothing is timed in another precision than fp32, as a sentence; empty for fp32."""
    return "" if precision == PRECISION else f"Nothing is measured here in {precision}: a browser has fp32."


def only_what_fits(spec: NetworkSpec, batch_size: int) -> str:
    """Return why a network is too large to be timed in a page, as a sentence; empty where it is not.

    Args:
        spec: The network.
        batch_size: Images at once.
    """
    parameters, maps = _sizes(spec)
    need = PRECISION_BYTES[PRECISION] * (parameters + batch_size * maps)
    if need <= MOST_BYTES:
        return ""
    return (
        f"Too large to be timed here: weights and the largest maps take {need / 2**30:.1f} GiB, and a page "
        f"may hold {MOST_BYTES / 2**30:.0f}."
    )


@lru_cache(maxsize=256)  # asked with every press
def _sizes(spec: NetworkSpec) -> tuple[int, int]:
    """Return parameters, and elements of the largest layer's maps for one image, in and out."""
    counted = cost(spec)
    return counted.parameters, counted.largest_map_elements
