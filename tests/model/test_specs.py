"""Stages, scaling and blocks with every number filled in."""

import itertools
import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effnet_edu.model.specs import StageSpec, check_resolution, resolve, scale, strided
from effnet_edu.model.variants import list_variants, spec
from tests.model.reference import TINY

B0 = spec("efficientnet_b0")


def test_a_block_prints_as_one_readable_line():
    lines = [str(block) for block in resolve(B0)]
    assert lines[0] == "MBConv1 k3 s1  32 -> 16, SE 8, 112 -> 112"
    assert lines[3] == "MBConv6 k5 s2  24 -> 40, SE 6, 56 -> 28"
    assert str(resolve(spec("efficientnetv2_s"))[2]) == "Fused-MBConv4 k3 s2  24 -> 48, 192 -> 96"
    assert str(B0) == "efficientnet_b0: 16 blocks, 224 x 224"


@pytest.mark.parametrize("name", list_variants())
def test_blocks_chain_and_name_their_place(name):
    network = spec(name)
    blocks = resolve(network)
    assert blocks[0].channels_in == network.stem_channels
    assert blocks[0].side_in == strided(network.resolution, 2)
    for before, after in itertools.pairwise(blocks):
        assert after.channels_in == before.channels_out
        assert after.side_in == before.side_out
        assert (after.stage, after.index) in ((before.stage, before.index + 1), (before.stage + 1, 0))


@pytest.mark.parametrize("name", list_variants())
def test_squeeze_width_is_a_quarter_of_the_blocks_input(name):
    for block in resolve(spec(name)):
        squeezes = "lite" not in name and block.operation == "mbconv"
        assert block.squeeze_channels == (block.channels_in // 4 if squeezes else 0)
        assert block.channels_hidden == block.channels_in * block.expansion


def test_squeeze_width_of_b0_changes_after_the_first_block_of_a_stage():
    first = [block.squeeze_channels for block in resolve(B0) if block.index == 0]
    second = [block.squeeze_channels for block in resolve(B0) if block.index == 1]
    assert first == [8, 4, 6, 10, 20, 28, 48]
    assert second == [6, 10, 20, 28, 48]


def test_squeeze_width_is_at_least_one():
    narrow = replace(TINY, stem_channels=1, stages=(StageSpec("mbconv", 1, 3, 1, 1, 1),))
    assert resolve(narrow)[0].squeeze_channels == 1


@pytest.mark.parametrize("name", list_variants())
def test_stochastic_depth_starts_at_zero_and_grows_over_all_scaled_blocks(name):
    blocks = resolve(spec(name))
    assert blocks[0].drop_path_rate == 0
    for index, block in enumerate(blocks):
        assert block.drop_path_rate == pytest.approx(0.2 * index / len(blocks))


def test_stochastic_depth_of_known_networks():
    assert resolve(B0)[-1].drop_path_rate == pytest.approx(0.1875)
    assert resolve(spec("efficientnetv2_b1"))[-1].drop_path_rate == pytest.approx(0.2 * 26 / 27)


def test_a_shortcut_needs_the_same_side_and_the_same_channels():
    blocks = resolve(TINY)
    assert [block.has_shortcut for block in blocks] == [
        *(True, True),  # the stem's 8 channels go on
        *(False, True),  # stride 2
        *(True, True),
        *(False, True, True),
        *(False, True),
    ]
    wider = replace(TINY, stages=(StageSpec("mbconv", 1, 3, 1, 16, 1),))
    assert not resolve(wider)[0].has_shortcut


@given(st.integers(32, 1500))
def test_sides_are_halved_upwards(resolution):
    blocks = resolve(B0, resolution)
    assert blocks[-1].side_out == math.ceil(resolution / 32)
    for block in blocks:
        assert block.side_out == math.ceil(block.side_in / block.stride)


def test_resolution_changes_sides_alone():
    for one, other in zip(resolve(B0), resolve(B0, 225), strict=True):
        assert replace(one, side_in=0, side_out=0) == replace(other, side_in=0, side_out=0)


@given(st.floats(0.1, 4), st.floats(0.1, 4), st.integers(32, 800))
def test_scaling_keeps_what_it_was_told(width, depth, resolution):
    scaled = scale(B0, width, depth, resolution, name="mine", dropout=0.4)
    assert (scaled.name, scaled.width, scaled.depth) == ("mine", width, depth)
    assert (scaled.resolution, scaled.dropout) == (resolution, 0.4)
    assert scaled.source == B0.source


def test_scaling_twice_multiplies_and_names_itself():
    scaled = scale(scale(B0, width=2), width=2, depth=3)
    assert (scaled.width, scaled.depth) == (4, 3)
    assert scaled.stem_channels == 128
    assert scale(B0, 1.5, 2).name == "efficientnet_b0 (d=2, w=1.5, 224 px)"


def test_a_smaller_divisor_follows_the_width_more_closely():
    fine = replace(spec("efficientnet_b0"), channel_divisor=2)
    for width in (1.05, 1.1, 1.37):
        wider = scale(fine, width)
        for before, after in zip(fine.stages, wider.stages, strict=True):
            assert after.channels % 2 == 0
            assert abs(after.channels - width * before.channels) <= 1
    with pytest.raises(ValueError, match="channel_divisor is 0"):
        replace(fine, channel_divisor=0)


def test_specs_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        B0.resolution = 300
    with pytest.raises(FrozenInstanceError):
        B0.stages[0].channels = 8
    assert hash(B0) == hash(spec("efficientnet_b0"))


def test_resolution_may_be_any_integer_type():
    assert check_resolution(B0, np.int64(225)) == 225
    assert check_resolution(B0, None) == 224
    assert check_resolution(B0, 32) == 32


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: resolve(B0, 31),
            r"resolution is 31; efficientnet_b0 halves its input 5 times, .* 32 or more\.",
        ),
        (lambda: resolve(B0, 0), r"resolution is 0; it must be a whole number of 1 or more\."),
        (lambda: resolve(B0, 224.5), r"resolution is 224\.5; it must be a whole number"),
        (
            lambda: resolve(TINY, 7),
            r"resolution is 7; tiny halves its input 4 times, so it must be 16 or more\.",
        ),
        (lambda: scale(B0, width=0), r"width is 0; it must be a number from 0\.001 to 64\."),
        (lambda: scale(B0, depth=math.nan), r"depth is nan; it must be a number from 0\.001 to 64\."),
        (lambda: scale(B0, resolution=16), r"resolution is 16; .* 32 or more\."),
        (lambda: scale(B0, dropout=1), r"dropout is 1; it must be a number from 0 to below 1\."),
        (
            lambda: replace(B0, drop_path_rate=1.2),
            r"drop_path_rate is 1\.2; it must be a number from 0 to below 1\.",
        ),
        (lambda: replace(B0, stages=()), r"efficientnet_b0 has no stages; a network needs one or more\."),
        (
            lambda: replace(B0, head_channels=0),
            r"head_channels is 0; it must be a whole number of 1 or more\.",
        ),
        (
            lambda: replace(B0, activation="gelu"),
            r"activation is 'gelu'; it must be one of 'silu', 'relu6'\.",
        ),
        (lambda: StageSpec("conv", 1, 3, 1, 8, 1), r"operation is 'conv'; .* 'mbconv', 'fused_mbconv'\."),
        (lambda: StageSpec("mbconv", 1, 4, 1, 8, 1), r"kernel is 4; it must be odd"),
        (lambda: StageSpec("mbconv", 1, 3, 3, 8, 1), r"stride is 3; it must be 1 or 2\."),
        (
            lambda: StageSpec("mbconv", 1, 3, 1, 8, 0),
            r"layers is 0; it must be a whole number of 1 or more\.",
        ),
        (
            lambda: StageSpec("mbconv", 1, 3, 1, 8, 1, 5),
            r"squeeze_ratio is 5; it must be a number from 0 to 4\.",
        ),
    ],
)
def test_bad_specs_get_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
