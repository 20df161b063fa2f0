"""Ceilings: measured, kept for this device alone, and never believed when they cannot be right."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.profiling import cache_size, ceilings
from effnet_edu.profiling.ceilings import _arithmetic, _fastest, _Program, _traffic
from effnet_edu.profiling.telemetry import CpuSensors, Telemetry
from tests.profiling.made import made_ceilings

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    monkeypatch.setattr(ceilings, "CPU_SECONDS", 0.05)
    monkeypatch.setattr(ceilings, "is_crowded", lambda *_: False)
    monkeypatch.setattr(ceilings, "_large_array", lambda *_: 2**22)
    return tmp_path / "ceilings"


def test_they_are_measured_once_and_kept(folder: Path) -> None:
    shares: list[float] = []
    first = ee.measure_ceilings("cpu", watch=Watch(progress=shares.append))
    assert first.peak("fp32").per_second > 1e8
    assert first.memory.per_second > 1e8
    assert first.ridge("fp32") == first.peak("fp32").per_second / first.memory.per_second
    assert 0 <= first.peak("fp32").spread < 1
    assert shares[-1] == 1.0
    assert ee.measure_ceilings("cpu") == first
    assert len(list(folder.iterdir())) == 1
    assert ee.measure_ceilings("cpu", refresh=True) != first


def test_another_number_of_threads_is_another_device(folder: Path) -> None:
    threads = torch.get_num_threads()
    ee.measure_ceilings("cpu")
    try:
        torch.set_num_threads(threads + 1)
        assert ee.measure_ceilings("cpu").threads == threads + 1
    finally:
        torch.set_num_threads(threads)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _text: "[]",
        lambda text: json.dumps({**json.loads(text), "memory": None}),
        lambda text: json.dumps({**json.loads(text), "surplus": 1}),
        lambda text: text.replace('"per_second": ', '"per_second": -'),
    ],
)
def test_a_damaged_file_is_measured_again(folder: Path, damage) -> None:  # type: ignore[no-untyped-def]
    ee.measure_ceilings("cpu")
    (file,) = folder.iterdir()
    file.write_text(damage(file.read_text()))
    again = ee.measure_ceilings("cpu")
    assert again.memory.per_second > 0
    assert ee.measure_ceilings("cpu") == again


@pytest.mark.parametrize("load", [None, 1.5])
def test_what_a_crowded_machine_reached_is_told_and_not_kept(
    load: float | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceilings, "is_crowded", lambda *_: True)
    monkeypatch.setattr(CpuSensors, "summary", lambda _: Telemetry(others_load=load))
    measured = ee.measure_ceilings("cpu")
    assert measured.crowded
    assert f"kept {load or 'the'} cores busy meanwhile, so these ceilings are too low" in str(measured)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_to_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path / "file"))
    assert ee.measure_ceilings("cpu").memory.per_second > 0


def test_cancel_stops_and_keeps_nothing(folder: Path) -> None:
    with pytest.raises(Cancelled):
        ee.measure_ceilings("cpu", watch=Watch(is_cancelled=lambda: True))
    assert not folder.exists()


def test_programs_do_as_much_as_they_claim() -> None:
    for program in _arithmetic(CPU, torch.float32):
        if program.amount < 2e8:
            run = program.prepare()
            with FlopCounterMode(display=False) as counter:
                run()
            assert counter.get_total_flops() == 2 * program.amount, program.how
    amounts = [program.amount for program in _traffic(CPU, 2**20)]
    assert amounts == [2 * 2**20, 3 * 2**20, 2 * 2**20]


def test_the_fastest_program_counts_and_what_fails_or_takes_too_long_does_not() -> None:
    prepared: list[str] = []

    def program(how: str, amount: float, fails: bool = False) -> _Program:
        def prepare():  # type: ignore[no-untyped-def]
            prepared.append(how)
            if fails:
                raise RuntimeError('"addmm" not implemented')
            return lambda: None

        return _Program(how, amount, prepare)

    def programs() -> Iterator[_Program]:
        yield program("fails", 1e9, fails=True)
        yield program("small", 1.0)
        yield program("larger", 100.0)
        yield program("endless", 1e15)

    best = _fastest(programs(), 0.02, CPU, Watch())
    assert best is not None
    assert best.how == "larger"
    assert best.per_second >= best.median_per_second > 0
    assert prepared == ["fails", "small", "larger"]
    assert _fastest(iter([program("fails", 1.0, fails=True)]), 0.01, CPU, Watch()) is None


def test_a_precision_that_the_device_has_not_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ceilings._fastest
    calls: list[int] = []

    def without_the_second(*arguments):  # type: ignore[no-untyped-def]
        calls.append(1)
        return None if len(calls) == 2 else real(*arguments)

    monkeypatch.setattr(ceilings, "_fastest", without_the_second)
    measured = ee.measure_ceilings("cpu")
    assert "bf16: this device does not multiply in it." in str(measured)
    with pytest.raises(ValueError, match=r"precision is 'bf16'; it must be one of 'fp32', 'fp16'"):
        measured.peak("bf16")


def test_the_levels_of_cache_are_read_as_linux_tells_them(tmp_path: Path) -> None:
    levels = [("Data", 1, "32K"), ("Instruction", 1, "64K"), ("Unified", 2, "1M"), ("Unified", 3, "32M")]
    for index, (kind, level, size) in enumerate(levels):
        folder = tmp_path / f"index{index}"
        folder.mkdir()
        for name, value in (("type", kind), ("level", level), ("size", size)):
            (folder / name).write_text(f"{value}\n")
    (tmp_path / "index9").mkdir()  # tells nothing
    assert cache_size.cpu_cache_levels(tmp_path) == (2**15, 2**20, 2**25)
    assert cache_size.cpu_cache_levels(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [
        ((), "this system does not tell how large it is"),
        ((2**15, 2**20), "it has no third level"),
        ((2**15, 2**20, 2**21), "hardly larger than the caches before it"),
    ],
)
def test_without_a_last_cache_the_reason_is_told(
    levels: tuple[int, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceilings, "cpu_cache_levels", lambda: levels)
    measured = ee.measure_ceilings("cpu")
    assert measured.cache is None
    assert measured.cache_bytes is None
    assert sentence in str(measured)


def test_a_cache_that_is_no_faster_than_memory_is_no_roof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "cpu_cache_levels", lambda: (2**15, 2**18, 2**25))
    monkeypatch.setattr(ceilings, "WORTH_A_ROOF", 1e6)
    assert "no faster than memory" in str(ee.measure_ceilings("cpu"))
    monkeypatch.setattr(ceilings, "WORTH_A_ROOF", 1e-6)
    found = ee.measure_ceilings("cpu", refresh=True)
    assert found.cache is not None
    assert "last cache" in str(found)


def test_they_print_with_their_spread() -> None:
    text = str(made_ceilings())
    assert "arithmetic, fp32       100.0 GMAC/s" in text
    assert "median 10% below (20 repeats of a matrix product)" in text
