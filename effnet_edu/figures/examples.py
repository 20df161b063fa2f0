"""Pictures of a set of labelled images, a few of each class."""

import numpy as np
from matplotlib.figure import Figure

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import FULL_WIDTH, SMALLEST_TEXT, styled
from effnet_edu.ground.checks import whole_number
from effnet_edu.images.labelled import LabelledImages

_CLASSES_IN_A_ROW = 4
_ROW_INCHES = 0.62


@styled
def examples(images: LabelledImages, of_each: int = 4) -> Picture:
    """Draw the first images of each class, every pixel as it is.

    Args:
        images: Grey or in colour.
        of_each: How many of each class, 1 or more.

    Raises:
        ValueError: `of_each` is not a whole number of 1 or more.
    """
    whole_number("of_each", of_each)
    rows = -(-images.num_classes // _CLASSES_IN_A_ROW)
    figure = Figure(figsize=(FULL_WIDTH, _ROW_INCHES * rows + 0.1), layout="constrained")
    panels = figure.subplots(rows, _CLASSES_IN_A_ROW, squeeze=False).ravel()
    for axes in panels:
        axes.axis("off")
        axes.set_anchor("W")  # under its name
    counts = images.labels.bincount(minlength=images.num_classes).tolist()
    for label, (axes, name) in enumerate(zip(panels, images.class_names, strict=False)):
        chosen = images.images[images.labels == label][:of_each]
        if len(chosen):
            strip = np.concatenate(list(chosen.permute(0, 2, 3, 1).numpy()), axis=1)
            axes.imshow(
                strip.squeeze(-1) if images.in_channels == 1 else strip, cmap="gray", vmin=0, vmax=255
            )
        axes.set_title(name, fontsize=SMALLEST_TEXT, fontweight="normal", pad=2)
    return Picture(
        figure,
        alt=f"Up to {of_each} images of each of the {images.num_classes} classes of {images.name}: "
        f"{', '.join(images.class_names)}.",
        caption=f'The first images of each class in the set "{images.name}", {images.side} x {images.side} '
        f"pixels each. Source: {images.source}.",
        numbers=Numbers(
            ("class", "images, counted"),
            [(name, f"{count:,}") for name, count in zip(images.class_names, counts, strict=True)],
        ),
    )
