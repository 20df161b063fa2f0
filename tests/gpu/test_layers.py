"""Layers, ceilings, roofline and training on a real accelerator; `make gpu` runs this where there is one."""

import time

import pytest
import torch

import effnet_edu as ee
from effnet_edu.profiling.op_timer import EventTimer, instrument_seconds, op_timer

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("batch_size", [1, 64])
def test_every_layer_is_timed_and_no_layer_waits_for_the_processor(
    place: torch.device, batch_size: int, precision: str
) -> None:
    measured = ee.profile_layers("efficientnet_b0", batch_size, precision=precision, device=place)
    assert [row.cost for row in measured.layers] == list(ee.cost("efficientnet_b0").layers)
    assert all(row.seconds > 0 for row in measured.layers)
    assert measured.queued_behind < 0.1
    # The layers alone take no longer than the whole; each contains the instrument once.
    adds = len(measured.layers) * max(measured.instrument_seconds, 0)
    assert measured.total_seconds < 1.15 * measured.whole.median + adds


def test_a_large_batch_leaves_little_between_the_layers(place: torch.device) -> None:
    measured = ee.profile_layers("efficientnet_b0", 256, device=place)
    assert abs(measured.difference_seconds) < 0.15 * measured.whole.median


def test_events_agree_with_the_clock(place: torch.device) -> None:
    timer = op_timer(place)
    assert isinstance(timer, EventTimer)
    one = torch.randn(4096, 4096, device=place)
    for _ in range(3):
        timer.start()
        timer.next_piece()
        timer.time(0, lambda: [one @ one for _ in range(20)])
        ((_, seconds),) = timer.stop()
    torch.accelerator.synchronize(place)
    begun = time.perf_counter()
    for _ in range(20):
        one @ one
    torch.accelerator.synchronize(place)
    assert seconds == pytest.approx(time.perf_counter() - begun, rel=0.2)
    assert instrument_seconds(place) < 5e-5


def test_ceilings_take_less_than_three_seconds(
    place: torch.device, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    ee.measure_ceilings(place)  # the first one also loads the libraries
    ceilings = ee.measure_ceilings(place, refresh=True)
    assert ceilings.seconds < 3
    assert ceilings.peak("bf16").per_second > ceilings.memory.per_second
    assert ceilings.cache is None
    placed = ee.roofline(ee.profile_layers("efficientnet_b0", 64, device=place), ceilings)
    assert len(placed.points) == len(ee.cost("efficientnet_b0").layers)


def test_training_is_measured_and_kept_bytes_are_predicted(place: torch.device) -> None:
    measured = ee.profiling.profile_training("efficientnet_b0", 16, device=place)
    assert min(timing.median for timing in (measured.forward, measured.backward, measured.step)) > 0
    assert abs(measured.difference_bytes) < 0.01 * measured.predicted_saved_bytes
