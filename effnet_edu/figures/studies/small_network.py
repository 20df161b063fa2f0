"""The gates of a network that was looked into: the figure of the study `small_network`."""

import itertools
import math

from matplotlib import rc_context

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import stamped
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import GREY, SERIES
from effnet_edu.studies.result import StudyResult


@styled
def draw(result: StudyResult) -> Picture:
    """Draw the mean gate of every class in the first, a middle and the last block, channel by channel."""
    run = next(run for run in result.runs if run["gates"] and "class_means" in run["gates"][0])
    blocks = [run["gates"][index] for index in (0, len(run["gates"]) // 2, -1)]
    figure, panels = new_figure(3.6, columns=len(blocks))
    last = run["gates"][-1]["class_means"]
    named = max(
        itertools.combinations(range(len(last)), 2),
        key=lambda pair: math.dist(*(last[index] for index in pair)),
    )
    rows = []
    for block, axes in zip(blocks, panels, strict=True):
        means = block["class_means"]
        order = sorted(range(block["channels"]), key=lambda channel: sum(mean[channel] for mean in means))
        others = [index for index in range(len(means)) if index not in named]
        with rc_context({"path.simplify_threshold": 1.0}):  # pixels; else the thin lines fill a whole file
            for index in others:
                label = "other classes" if index == others[0] else None
                axes.plot(
                    [means[index][channel] for channel in order], color=GREY, linewidth=0.7, label=label
                )
        for index, (colour, _, dash) in zip(named, SERIES[1:], strict=False):
            axes.plot(
                [means[index][channel] for channel in order],
                color=colour,
                linestyle=dash,
                linewidth=1.6,
                label=run["class_names"][index],
            )
        share = block["between_class_share"]
        axes.set(xlabel="channel, by its mean gate", title=f"{block['block']}: {share:.0%} by class")
        axes.set_ylim(0, 1)
        rows.append((block["block"], str(block["channels"]), f"{block['mean']:.3f}", f"{100 * share:.1f}"))
    panels[0].set_ylabel("mean gate of a class")
    panels[0].legend(loc="upper left")
    told = ", ".join(f"{block['block']} {100 * block['between_class_share']:.0f}%" for block in blocks)
    return Picture(
        stamped(figure, result),
        alt=f"Mean gates of {len(run['class_names'])} classes by channel in three blocks. Share of the "
        f"variance between classes: {told}.",
        caption="One line a class; named are the two whose gates differ most in the last block. Where lines "
        f"fall together, the gates do not depend on the class. One network, seed {run['seed']}. "
        f"{result.label[0].upper()}{result.label[1:]}.",
        numbers=Numbers(("block", "channels", "mean gate", "variance between classes, %"), rows),
    )
