"""Fused-MBConv in chosen stages, against EfficientNetV2's table 3."""

import pytest

import effnet_edu as ee

B4 = ee.spec("efficientnet_b4")


def test_only_the_named_stages_change():
    fused = ee.fuse_stages(B4, {1, 2})
    for index, (before, after) in enumerate(zip(B4.stages, fused.stages, strict=True)):
        if index in {1, 2}:
            assert (after.operation, after.squeeze_ratio) == ("fused_mbconv", 0)
            assert (after.kernel, after.channels, after.layers) == (
                before.kernel,
                before.channels,
                before.layers,
            )
        else:
            assert after == before
    assert fused.name == "efficientnet_b4, stages 1, 2 fused"


def test_nothing_to_fuse_is_the_network_itself():
    assert ee.fuse_stages(B4, ()) == B4


@pytest.mark.parametrize(("last", "published_millions"), [(5, 43.4), (7, 132.0)])
def test_parameters_of_the_papers_fused_b4(last, published_millions):
    """Its row "stage 1-3" prints 20.0 million; kernels of 5 in the third of them give 20.9."""
    millions = ee.cost(ee.fuse_stages(B4, range(last))).parameters / 1e6
    assert millions == pytest.approx(published_millions, rel=0.005)


def test_a_stage_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"stages has 7; efficientnet_b4 has stages 0 to 6\."):
        ee.fuse_stages(B4, [7])


def test_a_network_may_be_named_and_a_single_stage_is_refused_in_a_sentence():
    assert ee.fuse_stages("efficientnet_b4", [1, 2]) == ee.fuse_stages(B4, [1, 2])
    with pytest.raises(ValueError, match="network is 4; it must be a NetworkSpec or the name"):
        ee.fuse_stages(4, [1])
    with pytest.raises(
        ValueError, match=r"stages is 3; it must be a list of whole numbers, such as \[0, 1, 2\]"
    ):
        ee.fuse_stages(B4, 3)
