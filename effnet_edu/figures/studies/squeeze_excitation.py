"""The figure of the study `squeeze_excitation`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import SERIES, bars, caption, cells, stamped, within_percent
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import GREY
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.squeeze_excitation import findings as gate_findings
from effnet_edu.studies.words import IMAGES


@styled
def draw(result: StudyResult) -> Picture:
    """Draw accuracy over the width of the bottleneck, and what the gates of each block know of the class."""
    figure, (left, right) = new_figure(3.9, columns=2)
    rows, told = [], []
    for images, (colour, marker, dash) in zip(result.label_values("images"), SERIES, strict=False):
        points = gate_findings.ratios(result, images)
        places = [float(index) for index in range(len(points))]
        accuracies = [point.accuracy.scaled(100) for point in points]
        bars(left, places, accuracies, (colour, marker), linestyle=dash, label=IMAGES[images])
        left.set_xticks(places, [point.name for point in points])
        rows += [
            (
                IMAGES[images],
                point.name,
                f"{point.parameters:,}",
                f"{point.macs / 1e6:.3f}",
                *cells(point.accuracy),
            )
            for point in points
        ]
        blocks = gate_findings.block_gates(
            result, result.where(images=images, ratio=gate_findings.OF_EFFICIENTNET)
        )
        shares = [block.between_class_share.scaled(100) for block in blocks]
        order = [float(index) for index in range(len(blocks))]
        bars(right, order, shares, (colour, marker), linestyle=dash, label=IMAGES[images])
        right.set_xticks(order, [block.block.removeprefix("stages.") for block in blocks])
        rows += [
            (IMAGES[images], f"gates of {block.block}", "", "", *cells(block.between_class_share))
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
        within_percent(axes)
    right.set_ylim(bottom=0)
    left.legend(loc="best")
    right.legend(loc="best")
    return Picture(
        stamped(figure, result),
        alt="Left, accuracy with bottlenecks of several widths and without; right, by block: "
        + "; ".join(told)
        + ".",
        caption=caption(
            "Right: share of the variance of the gates over test images that lies between classes, all "
            "channels of a block together, at a quarter of the block's input.",
            result,
        ),
        numbers=Numbers(
            ("images", "what", "parameters", "MACs (computed), M", "recorded, %", "interval, %"), rows
        ),
    )
