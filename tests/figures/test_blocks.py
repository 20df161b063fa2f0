from dataclasses import replace
from itertools import pairwise

import pytest

import effnet_edu as ee
from effnet_edu.model.outline import steps

BLOCK = ee.resolve(ee.spec("efficientnet_b0"))[3]


def test_steps_join_and_end_where_the_block_ends():
    for name in ("efficientnet_b0", "efficientnetv2_s"):
        for block in ee.resolve(ee.spec(name)):
            found = steps(block)
            assert found[0].channels_before == block.channels_in
            for one, following in pairwise(found):
                assert one.channels_after == following.channels_before
            assert (found[-1].channels_after, found[-1].side_after) == (block.channels_out, block.side_out)


def test_blocks_say_their_steps_and_count_themselves():
    picture = ee.figures.blocks({"MBConv": BLOCK, "no SE": replace(BLOCK, squeeze_channels=0)})
    assert "MBConv: 24 x 56 x 56; expand 1x1 to 144 x 56 x 56; depthwise 5x5 to 144 x 28 x 28" in picture.alt
    assert picture.alt.count("SE, width 6") == 1
    assert "no shortcut, because of stride 2" in picture.alt
    macs = 24 * 144 * 56**2 + (25 * 144 + 144 * 40) * 28**2
    assert picture.numbers.rows[1][2] == f"{macs:,}"
    words = {"".join(piece for piece, _ in mark.text) for mark in picture.scene.marks}
    assert words >= {"MBConv", "24 x 56 x 56", "40 x 28 x 28"}


def test_blocks_say_above_them_how_many_times_the_most_costs_what_the_least_does():
    gated, plain = BLOCK, replace(BLOCK, squeeze_channels=0)
    wide = replace(BLOCK, squeeze_channels=36)
    for named in ({"wide": wide, "plain": plain}, {"plain": plain, "wide": wide}):
        assert ee.figures.blocks(named).alt.endswith(
            "wide: 1.8 times the parameters of plain, for nearly as many MACs."
        )
    steps = {"fused": replace(plain, operation="fused_mbconv"), "plain": plain, "SE": gated}
    assert "SE: 0.17 times the parameters of fused, for 0.25 times the MACs." in ee.figures.blocks(steps).alt
    assert "of slow" not in ee.figures.blocks({"slow": gated}).alt
    fused = replace(plain, operation="fused_mbconv")
    assert (
        "fused: 6.9 times the parameters of MBConv, for 4 times the MACs."
        in ee.figures.blocks({"MBConv": plain, "fused": fused}).alt
    )


def test_too_many_blocks_for_one_line_are_refused():
    with pytest.raises(ValueError, match="There are 5 blocks"):
        ee.figures.blocks(dict.fromkeys("abcde", BLOCK))


def test_what_a_relu_leaves_is_said_for_each_number_of_channels():
    curve = [(0.0, 0.1), (0.5, 0.2)]
    picture = ee.figures.relu_in_channels(curve, {2: curve, 15: curve}, {2: 0.65, 15: 0.01})
    assert "65% with 2 channels, 1% with 15 channels" in picture.alt
    assert [axes.get_title(loc="left") for axes in picture.figure.axes] == [
        "input\n",
        "2 channels\n65% lost",
        "15 channels\n1% lost",
    ]
