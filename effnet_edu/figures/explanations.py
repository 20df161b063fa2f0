"""Pictures with the places that a network's answer rests on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import FULL_WIDTH, SMALLEST_TEXT, styled

if TYPE_CHECKING:  # a figure needs no torch
    from effnet_edu.images.explain import Explanation

_MOST = 4
_NAMES = {"grad_cam": "Grad-CAM", "occlusion": "occlusion"}


@styled
def explanations(found: Sequence["Explanation"]) -> Picture:
    """Draw each picture above the same picture, bright where it counts for the class and dark elsewhere.

    Args:
        found: What `explain` returned, 1 to 4 of them.

    Raises:
        ValueError: There are none, or more than 4.
    """
    if not 1 <= len(found) <= _MOST:
        raise ValueError(f"There are {len(found)} explanations; 1 to {_MOST} can be drawn.")
    figure = Figure(figsize=(FULL_WIDTH, 4.7), layout="constrained")
    panels = figure.subplots(2, _MOST, squeeze=False)
    for axes in panels.ravel():
        axes.axis("off")
    for (above, below), one in zip(panels.T, found, strict=False):
        pixels = one.picture.permute(1, 2, 0).numpy() / 255
        heat = one.heat[..., None].numpy()
        above.imshow(pixels.squeeze(-1) if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=1)
        lit = pixels * (0.15 + 0.85 * heat)
        below.imshow(lit.squeeze(-1) if lit.shape[2] == 1 else lit, cmap="gray", vmin=0, vmax=1)
        title = f"named {one.label[:24]}, {one.probability:.0%}\n{_NAMES[one.method]}"
        above.set_title(title, fontsize=SMALLEST_TEXT, fontweight="normal", pad=3)
    rows = []
    for one in found:
        top, left = divmod(int(one.heat.argmax()), one.heat.shape[1])
        side = one.heat.shape[0]
        rows.append(
            (
                one.label,
                _NAMES[one.method],
                f"{one.probability:.1%}",
                f"{top / side:.0%} from the top, {left / side:.0%} from the left",
                f"{float((one.heat > 0.5).double().mean()):.0%}",
            )
        )
    told = "; ".join(f"for {label} by {method}, most at {place}" for label, method, _, place, _ in rows)
    return Picture(
        figure,
        alt=f"Pictures, and below them the same, lit where they count for the class: {told}.",
        caption="Above: what the network saw. Below: lit where it counts for the class that is named.",
        numbers=Numbers(
            ("class", "method", "probability", "most at", "share of the picture lit above half"), rows
        ),
    )
