"""What scaling did on a device: filled marks with their interval, beside what the MACs would suggest."""

from collections.abc import Sequence
from dataclasses import dataclass

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import COMPOUND, GREY

MEBIBYTE = 2**20


@dataclass(frozen=True)
class ScalingPoint:
    """One scaled network, counted and measured.

    Attributes:
        phi: Where it was built.
        macs: MACs of one image.
        median_ms: Median time of one batch.
        low_ms: Lower end of the interval.
        high_ms: Upper end of the interval.
        peak_memory_bytes: Most memory in use while it ran.
    """

    phi: float
    macs: int
    median_ms: float
    low_ms: float
    high_ms: float
    peak_memory_bytes: int


@styled
def time_and_memory_against_phi(points: Sequence[ScalingPoint], device: str, batch_size: int) -> Picture:
    """Draw measured time and memory over phi.

    Args:
        points: Measured networks by rising phi.
        device: Name of the device.
        batch_size: Images in each batch.
    """
    figure, (left, right) = new_figure(3.6, columns=2)
    phis = [point.phi for point in points]
    medians = [point.median_ms for point in points]
    spans = (
        [point.median_ms - point.low_ms for point in points],
        [point.high_ms - point.median_ms for point in points],
    )
    first, last = points[0], points[-1]
    times, work = last.median_ms / first.median_ms, last.macs / first.macs
    memory = last.peak_memory_bytes / first.peak_memory_bytes
    left.plot(
        phis,
        [first.median_ms * point.macs / first.macs for point in points],
        color=GREY,
        linestyle="--",
        linewidth=1.3,
        label="if time followed MACs (computed)",
    )
    left.errorbar(
        phis, medians, yerr=spans, fmt="o-", color=COMPOUND, capsize=3, linewidth=1, label="measured"
    )
    left.set(
        xlabel="phi",
        ylabel=f"ms for a batch of {batch_size}",
        title=f"Time grows {times:.1f} times, MACs {work:.1f} times",
    )
    left.set_ylim(bottom=0)
    left.legend(loc="upper left")
    right.plot(
        phis,
        [point.peak_memory_bytes / MEBIBYTE for point in points],
        "o-",
        color=COMPOUND,
        linewidth=1,
        label="measured",
    )
    right.set(xlabel="phi", ylabel="peak memory, MiB", title=f"Peak memory grows {memory:.1f} times")
    right.set_ylim(bottom=0)
    right.legend(loc="upper left")
    return Picture(
        figure,
        alt=f"Measured on {device} with batches of {batch_size}: from phi {first.phi:g} to phi {last.phi:g}, "
        f"MACs grow {work:.1f} times, time {times:.1f} times, from {first.median_ms:.1f} to "
        f"{last.median_ms:.1f} ms, and peak memory {memory:.1f} times.",
        caption=f"Filled marks: measured on {device}, batch {batch_size}, fp32, with the interval of the "
        "timings. Dashed: the first time multiplied by the growth in MACs.",
        numbers=Numbers(
            (
                "phi",
                "MACs (computed), M",
                "median (measured), ms",
                "interval, ms",
                "peak memory (measured), MiB",
            ),
            [
                (
                    f"{point.phi:g}",
                    f"{point.macs / 1e6:,.0f}",
                    f"{point.median_ms:.1f}",
                    f"{point.low_ms:.1f} to {point.high_ms:.1f}",
                    f"{point.peak_memory_bytes / MEBIBYTE:,.0f}",
                )
                for point in points
            ],
        ),
    )
