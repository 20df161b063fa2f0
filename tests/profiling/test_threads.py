"""Where other programs hold cores, fewer threads are used, told and put back; and none spins for ever."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

import effnet_edu as ee
from effnet_edu.ground.openmp import BOUNDED
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.profiling import threads
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.layers import profile_layers
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.roofs import distrust
from effnet_edu.profiling.threads import Threads, free_threads, quickest
from tests.profiling.made import made_ceilings, made_profile

CPU = torch.device("cpu")
#: The short run itself, which tests/profiling/conftest.py puts a constant in place of.
SHORT_RUN = threads._timed
BUSY = {1: 0.025, 2: 0.064, 3: 0.05, 4: 0.064}


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Four threads, of which one shares its core with another program."""
    monkeypatch.setattr(threads, "_timed", BUSY.__getitem__)
    monkeypatch.setattr(threads, "_remembered", None)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    assert torch.get_num_threads() == 4
    torch.set_num_threads(before)


def test_the_quickest_number_of_threads_is_taken() -> None:
    assert quickest(4, BUSY.__getitem__) == Threads(4, 1, 64.0, 25.0)
    eight = {1: 0.08, 4: 0.03, 7: 0.02, 8: 0.5}
    assert quickest(8, eight.__getitem__).used == 7
    quiet = {1: 0.025, 2: 0.025}
    assert quickest(2, quiet.__getitem__).used == 2
    nearly = {1: 0.020, 2: 0.025}
    assert quickest(2, nearly.__getitem__).used == 2


def test_a_short_run_takes_time_and_leaves_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    assert SHORT_RUN(before + 1) > 0
    assert torch.get_num_threads() == before


def test_a_short_run_is_short_where_each_takes_long() -> None:
    asked: list[int] = []
    assert quickest(2, lambda count: asked.append(count) or {1: 0.02, 2: 3.0}[count]).used == 1
    assert asked.count(2) == 1
    with pytest.raises(Cancelled):
        quickest(2, BUSY.__getitem__, Watch(is_cancelled=lambda: True))


@pytest.mark.usefixtures("four_threads")
def test_a_measurement_uses_them_and_says_so(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    found = profile("efficientnet_lite0", 1, 64, device="cpu", seconds=0.01)
    said = "Another program holds a core: a short run took 64 ms with 4 threads and 25 ms with 1"
    assert found.threads == 1
    assert found.device_name.endswith(", 1 thread")
    assert any(line.startswith(said) for line in found.details)
    layers = profile_layers("efficientnet_lite0", 1, 64, device="cpu", seconds=0.01)
    assert layers.device_name == found.device_name
    assert str(layers).splitlines()[-1].startswith(said)
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    ceilings = ee.measure_ceilings("cpu")
    assert (ceilings.threads, ceilings.device_name) == (1, layers.device_name)
    assert ceilings.notes[-1].startswith(said)
    assert ee.measure_ceilings("cpu").notes[-1].startswith(said)  # kept, and told again


@pytest.mark.usefixtures("four_threads")
def test_the_choice_holds_for_what_follows_and_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        with free_threads(CPU):
            assert torch.get_num_threads() == 1
            with free_threads(CPU) as inner:
                assert inner.used == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    monkeypatch.setattr(threads, "_timed", {1: 1.0, 2: 1.0, 3: 1.0, 4: 0.1}.__getitem__)
    with free_threads(CPU) as soon:
        assert soon.used == 1
    monkeypatch.setattr(threads, "REMEMBERED_SECONDS", 0.0)
    monkeypatch.setattr(threads, "_remembered", None)
    with free_threads(CPU) as later:
        assert (later.used, later.sentence) == (4, "")


def test_a_roofline_is_refused_where_ceilings_and_layers_cannot_be_trusted() -> None:
    layers, ceilings = made_profile(), made_ceilings()
    assert distrust(layers, ceilings) == ""
    fewer = replace(layers, device_name="a made-up processor, 1 thread", threads_note="One thread was used.")
    with pytest.raises(ValueError, match=r"one number of threads\. One thread was used\."):
        ee.roofline(fewer, ceilings)
    seconds = layers.whole.seconds
    disturbed = replace(layers, whole=Timing((*seconds, *(5 * one for one in seconds * 2))), threads=2)
    assert distrust(disturbed, ceilings) == ""  # an uneven machine alone is no reason
    with pytest.raises(ValueError, match=r"took 5 times as long as the best one.*measure again"):
        ee.roofline(disturbed, replace(ceilings, crowded=True))


def variables(program: str, **given: str) -> dict[str, str]:
    """Return OpenMP's variables after a program in a fresh Python."""
    clean = {name: value for name, value in os.environ.items() if name not in (*BOUNDED, "OMP_WAIT_POLICY")}
    end = f"import os, json; print(json.dumps({{name: os.environ.get(name) for name in {tuple(BOUNDED)}}}))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{program}\n{end}"],
        env={**clean, **given}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_importing_bounds_the_spin_unless_it_is_too_late_or_the_user_has_decided() -> None:
    nothing = dict.fromkeys(BOUNDED)
    assert variables("import effnet_edu") == BOUNDED
    assert variables("import torch, effnet_edu") == nothing
    assert variables("import effnet_edu", OMP_WAIT_POLICY="active") == nothing
    assert variables("import effnet_edu", GOMP_SPINCOUNT="7") == {**nothing, "GOMP_SPINCOUNT": "7"}


#: Lets two threads compute together, then neither; prints the processor's seconds that the pause took.
PAUSE = """
import time
import effnet_edu
import torch
torch.set_num_threads(2)
x, weight = torch.zeros(1, 32, 28, 28), torch.zeros(32, 32, 1, 1)
for _ in range(3):
    torch.nn.functional.conv2d(x, weight)
begun = time.process_time()
time.sleep(1)
print(time.process_time() - begun)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="GNU's OpenMP comes with torch for Linux alone, and spins where each thread has a core",
)
def test_a_thread_that_waits_leaves_its_core_to_others() -> None:
    clean = {name: value for name, value in os.environ.items() if name not in (*BOUNDED, "OMP_WAIT_POLICY")}

    def burnt(**given: str) -> float:
        ran = subprocess.run(
            [sys.executable, "-c", PAUSE], env={**clean, **given}, capture_output=True, text=True, check=True
        )
        return float(ran.stdout)

    assert burnt() < burnt(GOMP_SPINCOUNT="infinity") / 10
