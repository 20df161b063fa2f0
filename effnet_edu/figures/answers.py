"""The first picture of each class, and what a network says it is, one line for each way of asking it."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import FULL_WIDTH, styled
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.palette import CARD, INK
from effnet_edu.images.labelled import LabelledImages

_PICTURE_INCHES, _LINE_INCHES, _WORDS_INCHES = 0.56, 0.27, 2.0
_WRONG = {"boxstyle": "square,pad=0.2", "facecolor": INK, "edgecolor": INK}


@styled
def answers(images: LabelledImages, said: Mapping[str, Sequence[int]]) -> Picture:
    """Draw the first picture of each class above what a network takes it for, wrong answers in a box.

    Args:
        images: With at least one picture of each class; names of few letters fit.
        said: Index of the class that is answered for each picture, by the name of a way of asking.

    Raises:
        ValueError: There is no way of asking, or one has not as many answers as there are pictures.
    """
    if not said:
        raise ValueError("said is empty; it needs one way of asking or more.")
    for way, found in said.items():
        if len(found) != len(images):
            raise ValueError(f"{quoted(way)} has {len(found)} answers; there are {len(images)} pictures.")
    labels, names = images.labels.tolist(), images.class_names
    first = [labels.index(label) for label in range(len(names))]
    figure = Figure(figsize=(FULL_WIDTH, _PICTURE_INCHES + _LINE_INCHES * len(said)), layout="constrained")
    panels = figure.subplots(
        1 + len(said),
        1 + len(names),
        squeeze=False,
        height_ratios=[_PICTURE_INCHES, *[_LINE_INCHES] * len(said)],
        width_ratios=[_WORDS_INCHES, *[_PICTURE_INCHES] * len(names)],
    )
    for axes in panels.ravel():
        axes.axis("off")
    shares = {
        way: sum(int(answer) == label for answer, label in zip(found, labels, strict=True)) / len(labels)
        for way, found in said.items()
    }
    for line, (way, share) in enumerate(shares.items(), start=1):
        panels[line, 0].text(1, 0.5, f"{way}: {share:.1%}", ha="right", va="center")
    for column, (name, index) in enumerate(zip(names, first, strict=True), start=1):
        pixels = images.images[index].permute(1, 2, 0).numpy()
        panels[0, column].imshow(
            pixels.squeeze(-1) if images.in_channels == 1 else pixels, cmap="gray", vmin=0, vmax=255
        )
        for line, found in enumerate(said.values(), start=1):
            answer = names[int(found[index])]
            look = {"color": INK} if answer == name else {"color": CARD, "bbox": _WRONG}
            panels[line, column].text(0.5, 0.5, answer, ha="center", va="center", **look)
    told = "; ".join(
        f"{way}: {', '.join(names[int(found[index])] for index in first)}" for way, found in said.items()
    )
    return Picture(
        figure,
        alt=f"Pictures of {', '.join(names)}, and below them what the network takes each for. {told}.",
        caption=f"The first picture of each class. A filled box marks a wrong answer. Over all {len(images)} "
        f"pictures: {'; '.join(f'{way} {share:.1%} right' for way, share in shares.items())}.",
        numbers=Numbers(
            ("way", *names, "right, all pictures (computed)"),
            [
                (way, *(names[int(found[index])] for index in first), f"{shares[way]:.1%}")
                for way, found in said.items()
            ],
        ),
    )
