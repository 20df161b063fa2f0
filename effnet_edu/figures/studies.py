"""What the studies found: filled marks with their intervals, and on each figure where it was recorded."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import COMPOUND, DIMENSIONS, GREY, INK, new_figure, plain_log_axis, styled
from effnet_edu.studies.findings import fused as fused_findings
from effnet_edu.studies.findings import progressive as progressive_findings
from effnet_edu.studies.findings import scaling as scaling_findings
from effnet_edu.studies.findings import search as search_findings
from effnet_edu.studies.findings import squeeze_excitation as gate_findings
from effnet_edu.studies.findings.words import IMAGES
from effnet_edu.studies.networks import WAYS
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate

_LOOKS = {**DIMENSIONS, "compound": (COMPOUND, "D")}
#: What is compared that is no dimension: a colour, a marker and a dash each.
_SERIES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#CC79A7", "D", ":"),
)


def _stamped(figure: Figure, result: StudyResult) -> Figure:
    """Say on the figure itself that it is a short version, so that no copy is taken for the study."""
    if result.quick:
        figure.suptitle(
            f"SHORT VERSION, decides nothing: {result.provenance.device}", color="#D55E00", fontsize=10
        )
    return figure


def _caption(text: str, result: StudyResult) -> str:
    seeds = len(result.provenance.seeds)
    intervals = (
        f"Bars: 95% intervals (Student's t over {seeds} seeds)." if seeds > 1 else "One seed: no intervals."
    )
    return f"{text} {intervals} {result.label[0].upper()}{result.label[1:]}."


def _bars(
    axes: Axes, x: Sequence[float], values: Sequence[Estimate], look: tuple[str, str], **options: Any
) -> None:
    """Draw filled marks with their intervals."""
    colour, marker = look
    spans = [[value.mean - value.low for value in values], [value.high - value.mean for value in values]]
    axes.errorbar(
        x,
        [value.mean for value in values],
        yerr=spans if values[0].count > 1 else None,
        color=colour,
        marker=marker,
        capsize=3,
        **{"linewidth": 1.0, **options},
    )


def _within_percent(axes: Axes) -> str:
    """Let no interval stretch the axis over what a percentage can be; say so where that cuts one."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -2), min(high, 102))
    return " An interval that runs out of a panel is whole in the table." if low < -2 or high > 102 else ""


def _beside(macs: float, index: float) -> float:
    """Return where one of four marks of equal cost stands on a logarithmic axis: none hides another."""
    return float(macs / 1e6 * 1.035 ** (index - 1.5))


def _text(value: Estimate) -> tuple[str, str]:
    """Return a share in percent and its interval as cells of a table."""
    interval = f"{100 * value.low:.1f} to {100 * value.high:.1f}" if value.count > 1 else "one seed"
    return f"{100 * value.mean:.1f}", interval


@styled
def scaling(result: StudyResult) -> Picture:
    """Draw accuracy over MACs for the four ways of scaling, a panel for each set of images.

    Args:
        result: The study `scaling`.
    """
    sets = result.label_values("images")
    figure, panels = new_figure(3.9, columns=len(sets))
    rows, ends, cut = [], [], ""
    for images, axes in zip(sets, panels, strict=True):
        curves = {way: scaling_findings.curve(result, images, way) for way in WAYS}
        for index, (way, points) in enumerate(curves.items()):
            _bars(
                axes,
                [_beside(point.macs, index if point.level else 1.5) for point in points],
                [point.accuracy.scaled(100) for point in points],
                _LOOKS[way],
                label=f"by {way}" if way in DIMENSIONS else way,
            )
            rows += [
                (
                    IMAGES[images],
                    way if point.level else "base",
                    point.network,
                    f"{point.macs / 1000000.0:.2f}",
                    *_text(point.accuracy),
                )
                for point in points
                if point.level or way == WAYS[0]
            ]
        ticks = [round(point.macs / 1e6, 1) for point in curves["depth"]]
        plain_log_axis(axes, "x", ticks, [f"{tick:g}" for tick in ticks])
        axes.set(xlabel="MACs for one image, M (computed)", title=IMAGES[images])
        cut = cut or _within_percent(axes)
        last = {way: points[-1] for way, points in curves.items()}
        ends.append(
            f"on {IMAGES[images]} from {100 * curves['depth'][0].accuracy.mean:.1f}% at "
            f"{curves['depth'][0].macs / 1e6:.2f} M to "
            + ", ".join(f"{100 * point.accuracy.mean:.1f}% by {way}" for way, point in last.items())
            + f" at {last['depth'].macs / 1e6:.2f} M"
        )
    panels[0].set_ylabel("test accuracy, %")
    panels[0].legend(loc="best")
    return Picture(
        _stamped(figure, result),
        alt=f"Measured accuracy over MACs for one small base scaled in four ways: {'; '.join(ends)}.",
        caption=_caption(
            "Filled marks: mean test accuracy after the last epoch; lines join them. Marks of one cost stand "
            f"beside each other, so that none hides another.{cut}",
            result,
        ),
        numbers=Numbers(
            ("images", "scaled by", "network", "MACs (computed), M", "accuracy (recorded), %", "interval, %"),
            rows,
        ),
    )


@styled
def search(result: StudyResult) -> Picture:
    """Draw the accuracy of each alpha, beta and gamma at twice the cost: a panel for each alpha, over gamma.

    Args:
        result: The study `search`.
    """
    points = search_findings.surface(result)
    alphas = sorted({point.alpha for point in points})
    figure, panels = new_figure(3.8, columns=len(alphas))
    for alpha, axes, (colour, marker, dash) in zip(alphas, panels, cycle(_SERIES), strict=False):
        line = sorted((point for point in points if point.alpha == alpha), key=lambda point: point.gamma)
        gammas = [point.gamma for point in line]
        _bars(axes, gammas, [point.accuracy.scaled(100) for point in line], (colour, marker), linestyle=dash)
        for point in line:
            axes.annotate(
                f"{point.beta:.2f}",
                (point.gamma, 100 * point.accuracy.high),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
                color=INK,
            )
        axes.set(xlabel="gamma", title=f"alpha {alpha:g}")
        axes.set_xlim(
            min(point.gamma for point in points) - 0.08, max(point.gamma for point in points) + 0.08
        )
    ends = [axes.get_ylim() for axes in panels]
    for axes in panels:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends) + 2)
        _within_percent(axes)
        axes.tick_params(labelleft=axes is panels[0])
    panels[0].set_ylabel("test accuracy, %")
    best, worst = points[0], points[-1]
    return Picture(
        _stamped(figure, result),
        alt=f"Accuracy of {len(points)} ways to spend twice the MACs: best {best} with "
        f"{100 * best.accuracy.mean:.1f}%, worst {worst} with {100 * worst.accuracy.mean:.1f}%; "
        f"{sum(point.may_be_best for point in points[1:])} others cannot be told from the best.",
        caption=_caption(
            "Each mark is a network with twice the counted MACs of the base, within 3%; the number above is "
            "beta, which follows from alpha and gamma.",
            result,
        ),
        numbers=Numbers(
            ("alpha", "beta", "gamma", "MACs (computed), M", "accuracy (recorded), %", "interval, %"),
            [
                (
                    f"{point.alpha:g}",
                    f"{point.beta:.2f}",
                    f"{point.gamma:.2f}",
                    f"{point.macs / 1000000.0:.2f}",
                    *_text(point.accuracy),
                )
                for point in points
            ],
        ),
    )


@styled
def squeeze_excitation(result: StudyResult) -> Picture:
    """Draw accuracy over the width of the bottleneck, and what the gates of each block know of the class.

    Args:
        result: The study `squeeze_excitation`.
    """
    figure, (left, right) = new_figure(3.9, columns=2)
    rows, told = [], []
    for images, (colour, marker, dash) in zip(result.label_values("images"), _SERIES, strict=False):
        points = gate_findings.ratios(result, images)
        places = [float(index) for index in range(len(points))]
        accuracies = [point.accuracy.scaled(100) for point in points]
        _bars(left, places, accuracies, (colour, marker), linestyle=dash, label=IMAGES[images])
        left.set_xticks(places, [point.name for point in points])
        rows += [
            (
                IMAGES[images],
                point.name,
                f"{point.parameters:,}",
                f"{point.macs / 1e6:.3f}",
                *_text(point.accuracy),
            )
            for point in points
        ]
        blocks = gate_findings.block_gates(
            result, result.where(images=images, ratio=gate_findings.OF_EFFICIENTNET)
        )
        shares = [block.between_class_share.scaled(100) for block in blocks]
        order = [float(index) for index in range(len(blocks))]
        _bars(right, order, shares, (colour, marker), linestyle=dash, label=IMAGES[images])
        right.set_xticks(order, [block.block.removeprefix("stages.") for block in blocks])
        rows += [
            (IMAGES[images], f"gates of {block.block}", "", "", *_text(block.between_class_share))
            for block in blocks
        ]
        told.append(
            f"on {IMAGES[images]} {shares[0].mean:.0f}% of the gates' variance lies between classes in the "
            f"first block and {shares[-1].mean:.0f}% in the last"
        )
    right.axhline(100 * blocks[0].by_chance, color=GREY, linestyle=":", label="by chance (computed)")
    left.set(xlabel="squeeze width over the block's input", ylabel="test accuracy, %", title="Accuracy")
    right.set(xlabel="block", ylabel="variance between classes, %", title="Do the gates know the class?")
    for axes in (left, right):
        _within_percent(axes)
    right.set_ylim(bottom=0)
    left.legend(loc="best")
    right.legend(loc="best")
    return Picture(
        _stamped(figure, result),
        alt="Left, accuracy with bottlenecks of several widths and without; right, by block: "
        + "; ".join(told)
        + ".",
        caption=_caption(
            "Right: share of the variance of the gates over test images that lies between classes, all "
            "channels of a block together, at a quarter of the block's input.",
            result,
        ),
        numbers=Numbers(
            ("images", "what", "parameters", "MACs (computed), M", "recorded, %", "interval, %"), rows
        ),
    )


@styled
def gates(result: StudyResult) -> Picture:
    """Draw the mean gate of every class in the first, a middle and the last block, channel by channel.

    Args:
        result: The study `squeeze_excitation` or `small_network`.
    """
    run = next(run for run in result.runs if run["gates"] and "class_means" in run["gates"][0])
    blocks = [run["gates"][index] for index in (0, len(run["gates"]) // 2, -1)]
    figure, panels = new_figure(3.6, columns=len(blocks))
    named = run["class_names"][:2]
    rows = []
    for block, axes in zip(blocks, panels, strict=True):
        means = block["class_means"]
        order = sorted(range(block["channels"]), key=lambda channel: sum(mean[channel] for mean in means))
        for index, mean in reversed(list(enumerate(means))):
            colour, _, dash = _SERIES[index] if index < len(named) else (GREY, "", "-")
            axes.plot(
                [mean[channel] for channel in order],
                color=colour,
                linestyle=dash,
                linewidth=1.6 if index < len(named) else 0.7,
                label=named[index] if index < len(named) else ("other classes" if index == 2 else None),
            )
        axes.set(xlabel="channel, by its mean gate", title=block["block"])
        axes.set_ylim(0, 1)
        share = block["between_class_share"]
        rows.append((block["block"], str(block["channels"]), f"{block['mean']:.3f}", f"{100 * share:.1f}"))
    panels[0].set_ylabel("mean gate of a class")
    panels[0].legend(loc="upper left")
    told = ", ".join(f"{block['block']} {100 * block['between_class_share']:.0f}%" for block in blocks)
    return Picture(
        _stamped(figure, result),
        alt=f"Mean gates of {len(run['class_names'])} classes by channel in three blocks. Share of the "
        f"variance between classes: {told}.",
        caption="One line a class, two of them named; where lines fall together, the gates do not depend on "
        f"the class. One network, seed {run['seed']}. {result.label[0].upper()}{result.label[1:]}.",
        numbers=Numbers(("block", "channels", "mean gate", "variance between classes, %"), rows),
    )


@styled
def fused(result: StudyResult) -> Picture:
    """Draw accuracy and training throughput over the number of fused stages.

    Args:
        result: The study `fused`.
    """
    points = fused_findings.fused_points(result)
    figure, (left, right) = new_figure(3.6, columns=2)
    places = [float(point.fused_stages) for point in points]
    for axes, values, look, label, title in (
        (left, [point.accuracy.scaled(100) for point in points], _SERIES[0], "test accuracy, %", "Accuracy"),
        (
            right,
            [point.images_per_second for point in points],
            _SERIES[1],
            "training images/s",
            "Speed on this device",
        ),
    ):
        _bars(axes, places, values, look[:2], linestyle="none")
        axes.set(xlabel="fused stages, from the first", ylabel=label, title=title)
        axes.set_xticks(places, [f"{place:g}" for place in places])
    cut = _within_percent(left)
    right.set_ylim(bottom=0)
    fastest = max(points, key=lambda point: point.images_per_second.mean)
    return Picture(
        _stamped(figure, result),
        alt=f"From 0 to {points[-1].fused_stages} fused stages: accuracy "
        + ", ".join(f"{100 * point.accuracy.mean:.1f}%" for point in points)
        + "; training images/s "
        + ", ".join(f"{point.images_per_second.mean:,.0f}" for point in points)
        + f". Fastest with {fastest.fused_stages} fused.",
        caption=_caption(f"Throughput: median epoch of each run, measured alone on the device.{cut}", result),
        numbers=Numbers(
            (
                "fused stages",
                "parameters",
                "MACs (computed), M",
                "accuracy (recorded), %",
                "interval, %",
                "images/s (recorded)",
                "times the speed of none",
            ),
            [
                (
                    str(point.fused_stages),
                    f"{point.parameters:,}",
                    f"{point.macs / 1e6:.2f}",
                    *_text(point.accuracy),
                    f"{point.images_per_second.mean:,.0f}",
                    f"{point.speed.mean:.2f} ({point.speed.low:.2f} to {point.speed.high:.2f})",
                )
                for point in points
            ],
        ),
    )


def _mean_curve(runs: Sequence[Mapping[str, Any]], quantity: str) -> list[float]:
    return [sum(values) / len(runs) for values in zip(*(run["curve"][quantity] for run in runs), strict=True)]


@styled
def progressive(result: StudyResult) -> Picture:
    """Draw accuracy over the time of the training steps for each way of training.

    Args:
        result: The study `progressive`.
    """
    figure, (axes,) = new_figure(4.2)
    arms = progressive_findings.arms(result)
    for arm, (colour, marker, dash) in zip(arms, _SERIES, strict=False):
        runs = result.where(arm=arm.arm)
        accuracies = [100 * accuracy for accuracy in _mean_curve(runs, "test_accuracy")]
        axes.plot(_mean_curve(runs, "seconds"), accuracies, color=colour, linestyle=dash, linewidth=1.2)
        _bars(axes, [arm.seconds.mean], [arm.accuracy.scaled(100)], (colour, marker), label=arm.name)
    axes.set(xlabel="seconds of training steps", ylabel="test accuracy, %", title="Accuracy against time")
    _within_percent(axes)
    axes.legend(loc="lower right")
    return Picture(
        _stamped(figure, result),
        alt="Accuracy and training time: "
        + "; ".join(f"{arm.name} {100 * arm.accuracy.mean:.1f}% in {arm.seconds.mean:.0f} s" for arm in arms)
        + ".",
        caption=_caption(
            "Lines: means over seeds after each epoch, always tested at full size. Marks: the end.", result
        ),
        numbers=Numbers(
            (
                "way",
                "accuracy (recorded), %",
                "interval, %",
                "seconds (recorded)",
                "times the time of fixed size",
            ),
            [
                (
                    arm.name,
                    *_text(arm.accuracy),
                    f"{arm.seconds.mean:.1f}",
                    f"{arm.time.mean:.2f} ({arm.time.low:.2f} to {arm.time.high:.2f})",
                )
                for arm in arms
            ],
        ),
    )


DRAWINGS: Mapping[str, Callable[[StudyResult], Picture]] = {
    "scaling": scaling,
    "search": search,
    "squeeze_excitation": squeeze_excitation,
    "fused": fused,
    "progressive": progressive,
    "small_network": gates,
}


def study(result: StudyResult) -> Picture:
    """Draw the main figure of a study.

    Args:
        result: What it found.
    """
    return DRAWINGS[result.name](result)
