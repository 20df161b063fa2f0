"""A photograph beside what a network says it shows."""

from collections.abc import Sequence
from typing import Any

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import GREY


@styled
def classified(photograph: Any, predictions: Sequence[tuple[str, float]], subject: str) -> Picture:
    """Draw a photograph and, beside it, the classes that a network finds most likely.

    Args:
        photograph: A PIL image or an array of shape (H, W, 3).
        predictions: Class name and probability, the likeliest first.
        subject: What the photograph shows, in a few words.
    """
    figure, (left, right) = new_figure(2.7, columns=2)
    left.imshow(photograph)
    left.axis("off")
    names = [name for name, _ in predictions]

    def percent(probability: float) -> str:
        return f"{100 * probability:.0f}%" if probability >= 0.01 else "under 1%"

    bars = right.barh(range(len(names)), [100 * probability for _, probability in predictions], color=GREY)
    right.bar_label(bars, [percent(probability) for _, probability in predictions], padding=4)
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    right.set(
        xlim=(0, 115),
        xlabel="probability, %",
        title=f"Most likely: {names[0][:24]}, {percent(predictions[0][1])}",
    )
    right.grid(visible=False, axis="y")
    listed = ", ".join(f"{name} {percent(probability)}" for name, probability in predictions)
    return Picture(
        figure,
        alt=f"A photograph of {subject}, and bars with the network's likeliest classes: {listed}.",
        caption=f"Photograph: {subject}. Bars: the softmax of the network's logits.",
        numbers=Numbers(
            ("class", "probability, %"),
            [(name, f"{100 * probability:.1f}") for name, probability in predictions],
        ),
    )
