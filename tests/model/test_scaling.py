"""Compound scaling, the rounding rules, and phi read backwards."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effnet_edu.model.cost import cost
from effnet_edu.model.scaling import (
    FittedPhi,
    Multipliers,
    compound_multipliers,
    cost_factor,
    fit_phi,
    round_channels,
    round_layers,
)
from effnet_edu.model.variants import list_variants, spec
from tests.model.reference import table

phis = st.floats(0, 15)
counts = st.integers(1, 2000)
widths = st.floats(0.05, 8)


def test_the_papers_bases_cost_1_92_per_phi():
    assert cost_factor() == pytest.approx(1.2 * 1.1**2 * 1.15**2)
    assert round(cost_factor(), 2) == 1.92


@given(st.floats(1, 2), st.floats(1, 2), st.floats(1, 2))
def test_the_constraint_weighs_width_and_resolution_squared(alpha, beta, gamma):
    one = compound_multipliers(1, alpha, beta, gamma)
    assert cost_factor(alpha, beta, gamma) == pytest.approx(one.depth * one.width**2 * one.resolution**2)


@given(phis)
def test_multipliers_are_powers_of_the_bases(phi):
    expected = (math.exp(phi * math.log(base)) for base in (1.2, 1.1, 1.15))
    factors = compound_multipliers(phi)
    assert (factors.depth, factors.width, factors.resolution) == pytest.approx(tuple(expected))


@given(st.floats(1, 3), st.floats(1, 3), st.floats(1, 3))
def test_phi_zero_changes_nothing(alpha, beta, gamma):
    assert compound_multipliers(0, alpha, beta, gamma) == Multipliers(1, 1, 1)


@given(phis)
def test_phi_is_read_back_from_its_multipliers(phi):
    fitted = fit_phi(compound_multipliers(phi))
    assert (fitted.depth, fitted.width, fitted.resolution) == pytest.approx((phi, phi, phi), abs=1e-9)
    assert fitted.spread == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("row", table("phi_fits"), ids=lambda row: row["name"])
def test_phi_of_the_published_networks(row):
    network, base = spec(row["name"]), spec("efficientnet_b0")
    fitted = fit_phi(Multipliers(network.depth, network.width, network.resolution / base.resolution))
    macs = math.log(cost(network).macs / cost(base).macs) / math.log(cost_factor())
    for dimension, value in {**vars(fitted), "macs": macs}.items():
        decimals = len(row[dimension].partition(".")[2])
        assert value == pytest.approx(float(row[dimension]), abs=0.51 * 10**-decimals), dimension


def test_one_phi_explains_b2_and_none_explains_b1_or_l2():
    def spread(name):
        network = spec(name)
        return fit_phi(Multipliers(network.depth, network.width, network.resolution / 224)).spread

    assert spread("efficientnet_b2") < 0.1
    assert spread("efficientnet_b1") > 0.5
    assert spread("efficientnet_l2") == pytest.approx(15.30 - 9.11, abs=0.01)
    assert FittedPhi(3, 1, 2).spread == 2


@given(counts, widths)
def test_channels_are_a_multiple_of_8_and_lose_no_tenth(channels, width):
    rounded = round_channels(channels, width)
    assert rounded % 8 == 0
    assert rounded >= 0.9 * channels * width
    assert rounded == 8 or rounded < channels * width + 8


@given(counts, widths)
def test_the_nearest_rule_takes_the_nearest_multiple_of_8(channels, width):
    rounded = round_channels(channels, width, "nearest")
    assert rounded % 8 == 0
    assert rounded == 8 or abs(rounded - channels * width) <= 4


@given(counts, widths, widths, st.sampled_from(["at_least_90_percent", "nearest"]))
def test_more_width_never_means_fewer_channels(channels, one, other, rounding):
    narrow, wide = sorted((one, other))
    assert round_channels(channels, narrow, rounding) <= round_channels(channels, wide, rounding)


@pytest.mark.parametrize(
    ("channels", "width", "at_least_90_percent", "nearest"),
    [
        (32, 1.0, 32, 32),
        (16, 1.2, 24, 16),  # 19.2: the nearest multiple loses 17 percent
        (24, 1.1, 24, 24),  # 26.4: loses 9 percent, which is allowed
        (1, 1.0, 8, 8),
        (320, 4.3, 1376, 1376),
        (12, 1.0, 16, 16),  # half-way goes up
    ],
)
def test_both_rules_on_known_counts(channels, width, at_least_90_percent, nearest):
    assert round_channels(channels, width) == at_least_90_percent
    assert round_channels(channels, width, "nearest") == nearest


def test_the_rules_differ_in_one_place_of_all_published_networks():
    """The stem and stages of V2-B3 have the base's 16 channels at width 1.2, and so has V1-B3."""
    bases = {
        name: spec("efficientnetv2_b0" if "v2" in name else "efficientnet_b0") for name in list_variants()
    }
    differ = {
        (channels, spec(name).width)
        for name, base in bases.items()
        for channels in (base.stem_channels, base.head_channels, *(stage.channels for stage in base.stages))
        if round_channels(channels, spec(name).width) != round_channels(channels, spec(name).width, "nearest")
    }
    assert differ == {(16, 1.2)}


@given(st.integers(1, 100), st.floats(0.05, 8))
def test_layers_are_rounded_up(layers, depth):
    assert depth * layers <= round_layers(layers, depth) < depth * layers + 1


def test_rounding_up_makes_b1_as_deep_as_b2():
    one, two = spec("efficientnet_b1"), spec("efficientnet_b2")
    assert (one.depth, two.depth) == (1.1, 1.2)
    assert [stage.layers for stage in one.stages] == [stage.layers for stage in two.stages]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: compound_multipliers(-0.1), r"phi is -0\.1; it must be a number from 0 to 1000\."),
        (lambda: compound_multipliers(math.nan), r"phi is nan; it must be a number from 0 to 1000\."),
        (lambda: compound_multipliers(math.inf), r"phi is inf; it must be a number from 0 to 1000\."),
        (lambda: compound_multipliers(10**400), r"phi is 10+\.\.\.0+; it must be a number from 0 to 1000\."),
        (lambda: compound_multipliers("2"), r"phi is '2'; it must be a number"),
        (lambda: compound_multipliers(None), r"phi is None; it must be a number"),
        (
            lambda: compound_multipliers(23),
            r"phi is 23; .* multiply depth by more than 64, .* 0 to 22\.81 here",
        ),
        (lambda: compound_multipliers(1, alpha=0.9), r"alpha is 0\.9; it must be a number from 1 to 4\."),
        (lambda: compound_multipliers(1, beta=5), r"beta is 5; it must be a number from 1 to 4\."),
        (lambda: compound_multipliers(1, gamma=math.nan), r"gamma is nan; it must be a number from 1 to 4\."),
        (lambda: fit_phi(Multipliers(1, 1, 1), beta=1), r"beta is 1; it must be above 1 for phi to be read"),
        (lambda: round_channels(0, 1), r"channels is 0; it must be a whole number of 1 or more\."),
        (lambda: round_channels(1.5, 1), r"channels is 1\.5; it must be a whole number"),
        (lambda: round_channels(8, 0), r"width is 0; it must be a number from 0\.001 to 64\."),
        (lambda: round_channels(8, 1, "up"), r"rounding is 'up'; .* 'at_least_90_percent', 'nearest'\."),
        (lambda: round_layers(True, 1), r"layers is True; it must be a whole number"),
        (lambda: round_layers(1, 65), r"depth is 65; it must be a number from 0\.001 to 64\."),
    ],
)
def test_bad_numbers_get_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_the_largest_phi_named_in_the_sentence_is_allowed():
    assert compound_multipliers(22.81).depth == pytest.approx(64, rel=1e-3)
