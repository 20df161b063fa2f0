"""Names beside marks: none covers another, and none leaves the panel."""

from itertools import combinations

import numpy as np
import pytest

import effnet_edu as ee
from effnet_edu.figures.labels import name_marks
from effnet_edu.figures.style import new_figure, styled


@pytest.mark.parametrize(
    "draw",
    [
        lambda: ee.figures.accuracy_against_size(ee.published.results("papers"), "parameters"),
        lambda: ee.figures.accuracy_against_size(ee.published.results("papers"), "MACs"),
    ],
    ids=["parameters", "MACs"],
)
def test_every_name_in_a_crowded_figure_can_be_read(draw):
    (axes,) = draw().figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) > 15
    assert not [
        (a.get_text(), b.get_text())
        for (a, first), (b, second) in combinations(zip(axes.texts, boxes, strict=True), 2)
        if first.overlaps(second)
    ]
    marks = np.concatenate([line.get_xydata() for line in axes.lines if line.get_linestyle() == "None"])
    middles = axes.transData.transform(marks)
    assert not [
        text.get_text()
        for text, box in zip(axes.texts, boxes, strict=True)
        if any(box.contains(x, y) for x, y in middles)
    ]


@styled
def test_a_name_stands_beside_its_mark_and_inside_the_panel():
    _, (axes,) = new_figure(3)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    corners = [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)]
    name_marks(axes, corners, ["low", "high", ""])
    assert [text.get_text() for text in axes.texts] == ["low", "high"]
    panel = axes.get_window_extent()
    for text, corner in zip(axes.texts, corners, strict=False):
        box = text.get_window_extent()
        assert panel.contains(box.x0, box.y0)
        assert panel.contains(box.x1, box.y1)
        x, y = axes.transData.transform(corner)
        assert max(abs((box.x0 + box.x1) / 2 - x), abs((box.y0 + box.y1) / 2 - y)) < 40


@styled
def test_a_panel_without_room_is_refused():
    _, (axes,) = new_figure(3)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    with pytest.raises(ValueError, match="no room for the name 'xxx"):
        name_marks(axes, [(0.5, 0.5)], ["x" * 500])
