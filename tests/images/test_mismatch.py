"""What goes wrong when conventions or preprocessing do not match the weights, measured on Lite0."""

import pytest

from effnet_edu.figures import mismatches
from effnet_edu.images import PHOTOGRAPHS, photograph
from effnet_edu.images.mismatch import Mismatch, measure_mismatches


@pytest.fixture(scope="module")
def measured() -> list[Mismatch]:
    return measure_mismatches({name: photograph(name) for name in PHOTOGRAPHS})


def errors(measured, change):
    return [row.logit_error for row in measured if row.change == change]


def test_every_wrong_choice_costs_tens_of_percent(measured):
    assert len(measured) == 7 * len(PHOTOGRAPHS)
    assert min(errors(measured, "padding symmetric")) > 0.3
    assert 0.2 < min(errors(measured, "eps 1e-5")) < max(errors(measured, "eps 1e-5")) < 0.35
    assert min(row.logit_error for row in measured) > 0.05


def test_predictions_change(measured):
    assert any(row.flipped for row in measured if row.change == "padding symmetric")
    assert {row.right_label for row in measured if row.photograph == "coffee"} == {"espresso"}


def test_the_figure_shows_every_measurement(measured):
    picture = mismatches(measured, "the ImageNet weights of Lite0")
    (axes,) = picture.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(
        dict.fromkeys(row.change for row in measured)
    )
    drawn = sorted(
        line.get_xdata()[0]
        for line in axes.lines
        if line.get_marker() in ("o", "X") and len(line.get_xdata())
    )
    assert drawn == pytest.approx(sorted(100 * row.logit_error for row in measured))
    crosses = sum(line.get_marker() == "X" and len(line.get_xdata()) for line in axes.lines)
    assert crosses == sum(row.flipped for row in measured)
    assert len(picture.numbers.rows) == len(measured)
    assert "padding symmetric" in picture.alt
    assert picture.image().startswith(b"<svg ")


def test_nothing_to_draw_is_a_sentence():
    with pytest.raises(ValueError, match="nothing to draw"):
        mismatches([], "nobody's weights")
