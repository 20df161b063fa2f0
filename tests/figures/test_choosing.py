"""What a choice rests on: the figures name the best within a limit, and what a recipe alone moves."""

import re

import pytest

import effnet_edu as ee
from effnet_edu.figures.choosing import front

COLUMNS = ("family", "weights", "resolution", "top1_percent", "ms")


def table(*rows):
    return ee.published.Table(
        "made", COLUMNS, [ee.published.Row("made", dict(zip(COLUMNS, row, strict=True))) for row in rows]
    )


MADE = table(
    ("EfficientNet", "b0.one", 224, 77.0, 10.0),
    ("EfficientNet", "b1.one", 240, 79.0, 18.0),
    ("EfficientNet", "b2.one", 260, 80.0, 21.0),
    ("MobileNetV4", "m.one", 256, 78.0, 9.0),
    ("MobileNetV4", "m.untimed", 384, 90.0, None),
    ("ResNet", "r.one", 224, 81.0, 20.0),
)


def drawn(limit, rows=MADE):
    return ee.figures.accuracy_by_family(rows, lambda row: row["ms"], "ms an image", limit)


def test_the_best_within_a_limit_is_named_whatever_its_family_and_the_best_efficientnet_beside_it():
    assert drawn(20).figure.axes[0].get_title(loc="left") == (
        "Best within the limit: r.one at 224 px, 81.0%.\nBest EfficientNet: b1.one at 240 px, 79.0%."
    )
    assert "Best EfficientNet" not in drawn(20, table(*(row.values() for row in MADE[:2]))).alt


def test_a_limit_counts_as_within_and_nothing_within_is_said():
    assert "m.one" in drawn(9).alt
    assert "Nothing of the table lies within the limit." in drawn(8.9).alt


def test_a_limit_far_from_every_price_is_refused_with_the_prices():
    with pytest.raises(ValueError, match=r"limit is 0\.1; the prices run from 9 to 21"):
        drawn(0.1)
    with pytest.raises(ValueError, match="no row has a price"):
        drawn(20, MADE[4:5])


def test_what_nobody_timed_is_not_drawn():
    assert "m.untimed" not in str(drawn(20).numbers.rows)


def test_a_dearer_network_that_is_no_better_is_not_on_the_front():
    assert front([(2, 70.0, "b"), (1, 70.0, "a"), (3, 71.0, "c"), (3, 70.5, "d")]) == [
        (1, 70.0, "a"),
        (3, 71.0, "c"),
    ]
    assert front([]) == []


def test_a_recipe_that_networks_share_is_joined():
    picture = ee.figures.accuracy_by_recipe(
        {"EfficientNet-B0": {"aa": 76.9, "ra": 77.7}, "ResNet-50": {"tv": 76.2, "ra": 78.8}}
    )
    joined = [line for line in picture.figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [list(line.get_xdata()) for line in joined] == [[77.7, 78.8]]
    assert "EfficientNet-B0 0.8, ResNet-50 2.6" in picture.alt


def test_every_published_family_of_the_figure_is_in_the_table():
    drawn_families = re.findall(
        r"'([^']+)', '[^']+', '\d+'",
        str(
            ee.figures.accuracy_by_family(
                ee.published.read("timm_since_2022"), lambda row: row["macs_billions"], "billion MACs", 2
            ).numbers.rows
        ),
    )
    assert {"EfficientNet", "EfficientNetV2", "MobileNetV4", "ConvNeXt V2", "ViT small"} <= set(
        drawn_families
    )


def test_the_recipes_of_b0_are_those_that_timm_prints():
    found = ee.published.read("timm_since_2022").where(resolution=224)
    weights = {row["weights"]: row["top1_percent"] for row in found}
    names = ("tf_efficientnet_b0.in1k", "tf_efficientnet_b0.aa_in1k")
    newer = ("efficientnet_b0.ra_in1k", "efficientnet_b0.ra4_e3600_r224_in1k")
    assert [round(weights[name], 2) for name in (*names, *newer)] == pytest.approx(
        [76.54, 76.88, 77.70, 78.57]
    )
