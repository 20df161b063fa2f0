"""Stand-ins for a measurement, so that the tests of the labs need not wait for one."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.profiling.measurement import Measurement


def fake_measurement(spec: Any, batch_size: int, precision: str, **_: Any) -> Measurement:
    return Measurement(
        spec.name, spec.resolution, batch_size, precision, "cpu", "a test", ee.cost(spec).macs, 1,
        median_ms=10.0, low_ms=9.0, high_ms=11.0, repeats=3, noisy=False, peak_memory_bytes=2**20,
        torch_version=torch.__version__, seed=0,
    )  # fmt: skip


class SlowProfile:
    """Stands in for a measurement: takes until `release`, asks whether it is cancelled, counts its calls."""

    def __init__(self) -> None:
        self.release, self.started, self.calls = threading.Event(), threading.Event(), 0

    def __call__(self, spec: Any, batch_size: int, *, watch: Watch, **options: Any) -> Measurement:
        self.calls += 1
        self.started.set()
        while not self.release.wait(0.01):
            if watch.is_cancelled():
                raise Cancelled
        return fake_measurement(spec, batch_size, options["precision"])


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowProfile]:
    stand_in = SlowProfile()
    monkeypatch.setattr("effnet_edu.labs.phi.measured.profile", stand_in)
    yield stand_in
    stand_in.release.set()


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured: what is tried is what the hand reaches."""
    from effnet_edu.labs.frame.measuring import Measuring

    monkeypatch.setattr(Measuring, "request", lambda *_, **__: None)
