"""A recorded roofline, which stands in where a reader's machine is too busy for its own."""

import pytest

import effnet_edu as ee
from effnet_edu.profiling.roofs import BOUNDS


@pytest.mark.parametrize("device", ["amd_epyc_2_threads", "amd_epyc_with_avx512_2_threads"])
def test_a_recorded_device_has_a_roofline_with_every_layer_and_its_name(device: str) -> None:
    placed = ee.studies.recorded_roofline("efficientnet_b0", device)
    assert placed.profile.device_name.startswith("AMD EPYC")
    assert (placed.profile.network, placed.profile.batch_size) == ("efficientnet_b0", 1)
    assert sum(point.layer.macs for point in placed.points) == ee.cost("efficientnet_b0").macs
    assert {point.bound for point in placed.points} <= set(BOUNDS)
    drawn = ee.figures.roofline(placed)
    assert f"recorded on {placed.profile.device_name}" in drawn.caption
    assert "measured" not in f"{drawn.caption} {drawn.numbers.columns}"


def test_what_was_not_recorded_is_refused_with_what_was() -> None:
    with pytest.raises(ValueError, match=r"'efficientnet_b9'.*efficientnet_b0"):
        ee.studies.recorded_roofline("efficientnet_b9")
    with pytest.raises(ValueError, match=r"'abacus'.*amd_epyc"):
        ee.studies.recorded_roofline("efficientnet_b0", "abacus")
