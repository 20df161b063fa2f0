"""Pictures of blocks: their operations from top to bottom, and what an activation does in few channels."""

from collections.abc import Mapping, Sequence

from effnet_edu.figures.picture import Numbers, Picture, ScenePicture
from effnet_edu.figures.style import FULL_WIDTH, new_figure, styled
from effnet_edu.ground.palette import FAINT, RESOLUTION
from effnet_edu.model.cost import block_layers
from effnet_edu.model.outline import steps
from effnet_edu.model.specs import BlockSpec
from effnet_edu.pictures.block import block_scene
from effnet_edu.pictures.scene import Scene, joined, text

#: From block to block.
_STEP = 96 * FULL_WIDTH / 4
#: Height of the finding above the blocks, and width of one of its letters.
_LINE, _LETTER = 26.0, 7.8


def _finding(counts: Mapping[str, tuple[int, int]]) -> Scene:
    """Return how two blocks compare: the larger with the smaller, or of many the last with the first."""
    most, fewest = (pick(counts, key=lambda title: counts[title][1]) for pick in (max, min))
    if len(counts) > 2:  # steps from one to another
        most, fewest = list(counts)[-1], next(iter(counts))
    macs, parameters = (
        f"{large / small:.2g}" for large, small in zip(counts[most], counts[fewest], strict=True)
    )
    same = "as many MACs" if counts[most][0] == counts[fewest][0] else "nearly as many MACs"
    work = same if macs == "1" else f"{macs} times the MACs"
    said = f"{most}: {parameters} times the parameters of {fewest}, for {work}"
    return Scene(_LETTER * len(said), _LINE, said, f"{said}.", (text("said", 0, 13, said, style="title"),))


def blocks(named: Mapping[str, BlockSpec]) -> ScenePicture:
    """Draw blocks side by side, on one scale: slabs are maps, as wide as the square root of their channels.

    Args:
        named: Title to block, 1 to 4 of them.

    Raises:
        ValueError: There is none, or there are too many for one line.
    """
    if not 1 <= len(named) <= 4:
        raise ValueError(f"There are {len(named)} blocks; a picture shows 1 to 4.")
    most = max(
        max(step.channels_before, step.channels_after) for block in named.values() for step in steps(block)
    )
    placed, table, counts = [], [], {}
    below = _LINE if len(named) > 1 else 0.0
    for index, (title, block) in enumerate(named.items()):
        placed.append((f"block {index + 1}", block_scene(block, title, most), _STEP * index, below))
        layers = list(block_layers(block))
        macs, parameters = sum(row.macs for row in layers), sum(row.parameters for row in layers)
        table.append((title, str(block), f"{macs:,}", f"{parameters:,}"))
        counts[title] = macs, parameters
    if len(named) > 1:
        placed.append(("finding", _finding(counts), 0.0, 0.0))
    return ScenePicture(
        joined(", ".join(named), placed),
        caption="From top to bottom. Slabs are feature maps, channels x height x width, as wide as the "
        "square root of their channels, all on one scale; coloured shapes are operations.",
        numbers=Numbers(("block", "in one line", "MACs (computed)", "parameters (computed)"), table),
    )


@styled
def relu_in_channels(
    points: Sequence[Sequence[float]],
    recovered: Mapping[int, Sequence[Sequence[float]]],
    lost: Mapping[int, float],
) -> Picture:
    """Draw a curve in two dimensions, and what a ReLU in more and more channels leaves of it.

    Args:
        points: The curve, an x and a y a point.
        recovered: Number of channels to what can be recovered of the points after a ReLU in so many.
        lost: Number of channels to the relative error of that, 0 to 1.
    """
    figure, panels = new_figure(FULL_WIDTH / (len(recovered) + 1) + 0.6, columns=len(recovered) + 1)
    titles = ["input\n", *(f"{channels} channels\n{lost[channels]:.0%} lost" for channels in recovered)]
    for axes, title, curve in zip(panels, titles, [points, *recovered.values()], strict=True):
        axes.plot(*zip(*points, strict=True), color=FAINT, linewidth=1.2)
        axes.plot(*zip(*curve, strict=True), color=RESOLUTION, linewidth=1.4)
        axes.set_title(title)
        axes.set_aspect("equal")
        axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
        axes.set_axis_off()
    said = ", ".join(f"{error:.0%} with {channels} channels" for channels, error in lost.items())
    return Picture(
        figure,
        alt=f"A spiral, and what is left of it after a ReLU in a few channels. Of its size is lost: {said}.",
        caption="Grey: a spiral of two dimensions. Green: what the best linear map recovers of it after a "
        "random linear map into so many channels and a ReLU (computed here, with a fixed seed).",
        numbers=Numbers(
            ("channels", "lost (computed)"),
            [(f"{channels}", f"{error:.1%}") for channels, error in lost.items()],
        ),
    )
