"""The roofline by hand: what a layer could reach, what it reached, and what keeps it back."""

import re
from dataclasses import replace

import pytest

import effnet_edu as ee
from effnet_edu.model.cost import LayerCost
from effnet_edu.profiling.repeats import Timing
from tests.profiling.made import made_ceilings, made_profile

MEBIBYTE = 2**20


def layer(macs: int, numbers: int, seconds: float) -> ee.profiling.LayerTime:
    """Return a layer that reads so many numbers of 4 bytes and writes none."""
    kind = "convolution" if macs else "norm"
    cost = LayerCost("stem.conv", None, None, "stem", kind, 1, 1, 1, 1, 1, 1, 0, 0, macs, numbers, 0)
    return ee.profiling.LayerTime(cost, Timing((seconds,) * 3), 1, 4)


def placed(row: ee.profiling.LayerTime, cache: float | None = 100e9) -> ee.profiling.RooflinePoint:
    profile = replace(made_profile(), layers=(row,))
    (point,) = ee.roofline(profile, made_ceilings(cache=cache)).points
    return point


def test_a_layer_of_few_macs_a_byte_is_kept_back_by_memory() -> None:
    # 40 MB at 10 GB/s are 4 ms; 40 M MACs at 100 GMAC/s are 0.4 ms. It took 5 ms.
    point = placed(layer(40_000_000, 10_000_000, 5e-3))
    assert point.intensity == 1.0
    assert point.attainable == pytest.approx(10e9)
    assert point.achieved == pytest.approx(8e9)
    assert point.efficiency == pytest.approx(0.8)
    assert point.bound == "memory"
    assert not point.in_cache
    assert "the bytes through the memory take the time, and fewer MACs would not help" in point.sentence


def test_a_layer_of_many_macs_a_byte_is_kept_back_by_arithmetic() -> None:
    # 1 G MACs at 100 GMAC/s are 10 ms; 40 MB at 10 GB/s are 4 ms.
    point = placed(layer(1_000_000_000, 10_000_000, 20e-3))
    assert point.attainable == 100e9
    assert point.efficiency == pytest.approx(0.5)
    assert point.bound == "arithmetic"
    assert "the arithmetic units are busy" in point.sentence


def test_a_layer_far_below_both_is_kept_back_by_neither() -> None:
    assert placed(layer(1_000_000_000, 10_000_000, 39e-3)).bound == "arithmetic"
    point = placed(layer(1_000_000_000, 10_000_000, 41e-3))
    assert point.bound == "overhead"
    assert "neither the memory nor the arithmetic units keep it back" in point.sentence


def test_a_layer_without_macs_is_held_against_bytes_alone() -> None:
    point = placed(layer(0, 10_000_000, 5e-3))
    assert point.unit == "B"
    assert point.attainable == 10e9
    assert point.achieved == pytest.approx(8e9)
    assert point.bound == "memory"


def test_what_fits_into_the_cache_is_held_against_the_cache() -> None:
    fits, too_large = layer(0, MEBIBYTE // 4, 1e-4), layer(0, MEBIBYTE // 4 + 1, 1e-4)
    assert placed(fits).in_cache
    assert placed(fits).attainable == 100e9
    assert "last cache" in placed(fits).sentence
    assert placed(too_large).attainable == 10e9
    assert placed(fits, cache=None).attainable == 10e9


def test_a_layer_above_its_ceiling_is_shown_there_and_explained() -> None:
    quick = layer(0, 10_000_000, 2e-3)  # 20 GB/s where memory gave 10
    assert placed(quick).efficiency == pytest.approx(2.0)
    assert (
        "above the 10 that its ceiling allows: some of its data came from a cache" in placed(quick).sentence
    )
    whole = ee.roofline(replace(made_profile(), layers=(quick,)), made_ceilings())
    assert whole.above == whole.points
    assert "1 of 1 layers, with 100% of the time, stand above their ceiling" in " ".join(whole.sentences)


def test_every_layer_is_placed_and_the_time_is_shared_out() -> None:
    profile = made_profile()
    whole = ee.roofline(profile, made_ceilings())
    assert [point.layer for point in whole.points] == list(profile.layers)
    assert sum(whole.by_bound().values()) == pytest.approx(profile.total_seconds)
    assert str(whole).count("\n") == len(whole.points) + len(whole.sentences)


def test_the_shares_of_some_layers_add_up() -> None:
    whole = ee.roofline(made_profile(), made_ceilings())
    longest = sorted(whole.points, key=lambda point: -point.layer.seconds)[:3]
    said = replace(whole, points=tuple(longest)).sentences[0]
    assert abs(sum(map(int, re.findall(r"(\d+)%", said))) - 100) <= 1


def test_ceilings_of_the_same_precision_are_used() -> None:
    half = ee.roofline(made_profile(precision="bf16"), made_ceilings())
    assert {point.peak for point in half.points} == {50e9}
    with pytest.raises(ValueError, match=r"precision is 'fp16'; it must be one of 'fp32', 'bf16'"):
        ee.roofline(made_profile(precision="fp16"), made_ceilings())


def test_ceilings_of_another_device_are_refused() -> None:
    with pytest.raises(ValueError, match=r"made-up processor, 2 threads and the ceilings on another"):
        ee.roofline(made_profile(), made_ceilings("another"))
