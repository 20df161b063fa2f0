"""Every published network as data, and compound scaling of any of them."""

import math
from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from effnet_edu.model.cost import cost
from effnet_edu.model.specs import resolve
from effnet_edu.model.variants import as_spec, compound, list_variants, spec
from tests.model.reference import TINY, table

ROWS = {row["name"]: row for row in reversed(table("variants"))}  # the first row of a name counts
STAGES = {
    name: [row for row in table("stage_tables") if row["name"] == name]
    for name in dict.fromkeys(row["name"] for row in table("stage_tables"))
}
BLOCKS = {
    "efficientnet_b0": 16,
    "efficientnet_b1": 23,
    "efficientnet_b2": 23,
    "efficientnet_b3": 26,
    "efficientnet_b4": 32,
    "efficientnet_b5": 39,
    "efficientnet_b6": 45,
    "efficientnet_b7": 55,
    "efficientnet_b8": 61,
    "efficientnet_l2": 88,
    "efficientnetv2_b0": 21,
    "efficientnetv2_b1": 27,
    "efficientnetv2_b2": 28,
    "efficientnetv2_b3": 32,
    "efficientnetv2_s": 40,
    "efficientnetv2_m": 57,
    "efficientnetv2_l": 79,
}


def test_every_published_network_is_here():
    assert sorted(list_variants()) == sorted(ROWS) == sorted(STAGES)
    assert len(list_variants()) == 23


def test_the_list_is_the_callers_own():
    list_variants().clear()
    assert list_variants()


@pytest.mark.parametrize("name", list_variants())
def test_multipliers_resolution_and_dropout_are_the_published_ones(name):
    network, row = spec(name), ROWS[name]
    assert network.name == name
    assert (network.width, network.depth) == (float(row["width"]), float(row["depth"]))
    assert (network.resolution, network.dropout) == (int(row["resolution"]), float(row["dropout"]))
    assert network.drop_path_rate == 0.2
    assert network.stride == 32
    assert network.activation == ("relu6" if "lite" in name else "silu")
    assert network.source


@pytest.mark.parametrize("name", list_variants())
def test_stages_are_the_published_ones(name):
    network = spec(name)
    stem, *stages, head = STAGES[name]
    assert (network.stem_channels, network.head_channels) == (
        int(stem["channels_out"]),
        int(head["channels_out"]),
    )
    assert len(network.stages) == len(stages)
    blocks = resolve(network)
    for index, row in enumerate(stages):
        first, *rest = (block for block in blocks if block.stage == index)
        assert len(rest) + 1 == int(row["layers"])
        assert first.operation == row["operation"]
        assert (first.kernel, first.stride) == (int(row["kernel"]), int(row["stride"]))
        assert first.expansion == int(row["expansion"])
        assert (first.channels_in, first.channels_out) == (int(row["channels_in"]), int(row["channels_out"]))
        assert first.squeeze_channels == int(row["squeeze_first"])
        for block in rest:
            assert (block.operation, block.kernel, block.stride) == (first.operation, first.kernel, 1)
            assert block.expansion == first.expansion
            assert block.channels_in == block.channels_out == first.channels_out
            assert block.squeeze_channels == int(row["squeeze_rest"])


@pytest.mark.parametrize(("name", "blocks"), BLOCKS.items())
def test_number_of_blocks(name, blocks):
    assert spec(name).layers == len(resolve(spec(name))) == blocks


@pytest.mark.parametrize("name", list_variants())
def test_conventions_are_those_of_each_publisher(name):
    tensorflow, torchvision = spec(name).conventions("tensorflow"), spec(name).conventions("torchvision")
    v2 = "v2" in name
    assert (tensorflow.padding, tensorflow.norm_eps) == ("same", 1e-3)
    assert tensorflow.norm_momentum == pytest.approx(1 - 0.9 if v2 else 1 - 0.99)
    assert torchvision.padding == "symmetric"
    small = not v2 and name[-2:] not in ("b5", "b6", "b7", "b8", "l2")
    assert torchvision.norm_eps == (1e-5 if small else 1e-3)
    assert torchvision.norm_momentum == (0.1 if small or v2 else 0.01)
    assert spec(name).conventions() == tensorflow


def test_own_conventions_pass_and_unknown_ones_do_not():
    own = replace(spec("efficientnet_b0").tensorflow, norm_eps=0.5)
    assert spec("efficientnet_b0").conventions(own) is own
    with pytest.raises(
        ValueError, match=r"conventions is 'keras'; it must be one of 'tensorflow', 'torchvision'\."
    ):
        spec("efficientnet_b0").conventions("keras")
    with pytest.raises(ValueError, match=r"padding is 'valid'; it must be one of 'same', 'symmetric'\."):
        replace(own, padding="valid")


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("b0", "efficientnet_b0"),
        ("B7", "efficientnet_b7"),
        ("l2", "efficientnet_l2"),
        ("lite0", "efficientnet_lite0"),
        ("v2_s", "efficientnetv2_s"),
        ("efficientnet-b3", "efficientnet_b3"),
        ("EfficientNet_B3", "efficientnet_b3"),
        ("tf_efficientnet_b4", "efficientnet_b4"),
        ("efficientnet_v2_m", "efficientnetv2_m"),
        ("efficientnet_b9", "efficientnet_b8"),
    ],
)
def test_an_unknown_name_gets_the_nearest_ones(asked, first):
    with pytest.raises(
        ValueError, match=rf"There is no network named '{asked}'\. Near it: {first}\b.*all 23\."
    ):
        spec(asked)


@pytest.mark.parametrize("asked", ["", "resnet50", None, 0])
def test_a_name_like_no_other_gets_a_sentence_too(asked):
    with pytest.raises(ValueError, match=r"There is no network named .*ee\.list_variants\(\)"):
        spec(asked)


def test_a_spec_stands_for_itself():
    assert as_spec(TINY) is TINY
    assert as_spec("efficientnet_b0") == spec("efficientnet_b0")


@pytest.mark.parametrize("name", list_variants())
def test_phi_zero_is_the_base(name):
    assert replace(compound(0, base=name), name=name) == spec(name)


def test_phi_one_is_b2_in_depth_and_width():
    """The released B2 is phi 1 to the digit, but for its side: 260 pixels are published, 257.6 computed."""
    one, b2 = compound(1), spec("efficientnet_b2")
    assert one.stages == b2.stages
    assert (one.stem_channels, one.head_channels) == (b2.stem_channels, b2.head_channels)
    assert one.resolution == 258


def test_the_paper_wrongly_read():
    """B1 is not phi 1, and B7 is not phi 7."""
    assert compound(1).stages != spec("efficientnet_b1").stages
    assert compound(7).stages != spec("efficientnet_b7").stages


@given(
    st.floats(0, 6),
    st.floats(0, 6),
    st.sampled_from(["efficientnet_b0", "efficientnet_lite0", "efficientnetv2_b0"]),
)
def test_more_phi_never_means_a_smaller_network(one, other, base):
    low, high = (compound(phi, base=base) for phi in sorted((one, other)))
    assert low.resolution <= high.resolution
    assert low.stem_channels <= high.stem_channels
    assert low.head_channels <= high.head_channels
    for below, above in zip(low.stages, high.stages, strict=True):
        assert below.channels <= above.channels
        assert below.layers <= above.layers
    assert cost(low).parameters <= cost(high).parameters
    assert cost(low).macs <= cost(high).macs


@given(st.floats(0, 7))
def test_what_scaling_leaves_alone(phi):
    base, scaled = spec("efficientnet_b0"), compound(phi)
    kept = ("operation", "expansion", "kernel", "stride", "squeeze_ratio")
    for below, above in zip(base.stages, scaled.stages, strict=True):
        assert {key: asdict(below)[key] for key in kept} == {key: asdict(above)[key] for key in kept}
    assert scaled.drop_path_rate == base.drop_path_rate
    assert scaled.dropout == base.dropout
    assert scaled.stride == base.stride
    assert scaled.depth == pytest.approx(1.2**phi)
    assert scaled.width == pytest.approx(1.1**phi)
    assert scaled.resolution == round(224 * 1.15**phi)


def test_macs_grow_by_1_92_a_phi():
    """Rounding up layers puts single steps off; over seven of them it evens out."""
    growth = (cost(compound(7)).macs / cost(compound(0)).macs) ** (1 / 7)
    assert growth == pytest.approx(1.92, abs=0.03)


def test_lite_never_scales_its_ends():
    base, scaled = spec("efficientnet_lite0"), compound(4, base="efficientnet_lite0")
    assert (scaled.stem_channels, scaled.head_channels) == (32, 1280)
    assert scaled.stages[0].layers == base.stages[0].layers
    assert scaled.stages[-1].layers == base.stages[-1].layers
    assert scaled.stages[1].layers > base.stages[1].layers
    assert scaled.stages[0].channels > base.stages[0].channels


def test_one_base_each():
    deep, wide, sharp = compound(2, beta=1, gamma=1), compound(2, alpha=1, gamma=1), compound(2, 1, 1)
    base = spec("efficientnet_b0")
    assert (deep.layers > base.layers, deep.head_channels, deep.resolution) == (True, 1280, 224)
    assert (wide.layers, wide.head_channels > 1280, wide.resolution) == (16, True, 224)
    assert (sharp.layers, sharp.head_channels, sharp.resolution) == (16, 1280, 296)


@pytest.mark.parametrize("phi", [Fraction(3, 2), np.float32(1.5), np.float64(1.5), torch.tensor(1.5)])
def test_any_real_number_is_a_phi(phi):
    assert compound(phi) == compound(1.5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"phi": -1}, r"phi is -1; it must be a number from 0 to 1000\."),
        ({"phi": math.nan}, r"phi is nan; it must be a number"),
        ({"phi": 30}, r"phi is 30; .* so phi must be from 0 to 22\.81 here\."),
        ({"phi": 1, "base": "b0"}, r"There is no network named 'b0'\."),
        ({"phi": 1, "alpha": 0.5}, r"alpha is 0\.5; it must be a number from 1 to 4\."),
    ],
)
def test_bad_scaling_gets_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        compound(**arguments)
