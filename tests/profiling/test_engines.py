"""The same network in several engines: the same answer, honest times, and clear words where it cannot be."""

from functools import partial
from importlib import metadata

import pytest
import torch
from torch import nn

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.model.network import build
from effnet_edu.profiling import engines
from effnet_edu.profiling.fastest import ROUNDS, EngineComparison, EngineTime
from tests.model.reference import TINY

QUICK = {"resolution": 32, "seconds": 0.001}


def compared(*rows: EngineTime) -> EngineComparison:
    return EngineComparison("tiny", 4, 32, "a processor", 2, rows, (), "")


def took(engine: str, *round_ms: float) -> EngineTime:
    return EngineTime(engine, "", round_ms, 0.0, 4)


def test_every_engine_gives_torchs_answer_and_leaves_the_network_as_it_was() -> None:
    net = build(TINY, num_classes=7).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    found = ee.fastest(net, 4, **QUICK)
    assert [row.median_ms for row in found.rows] == sorted(row.median_ms for row in found.rows)
    assert {row.engine for row in found.rows} == {"torch", "optimised", "onnxruntime", "openvino"}
    assert all(row.difference < 1e-5 for row in found.rows)
    assert all(row.same_class == 4 and len(row.round_ms) == ROUNDS for row in found.rows)
    assert found.left_out[0][0] == "compiled"
    assert net.training
    assert all(part.training and not part._forward_pre_hooks for part in net.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert f"onnxruntime {metadata.version('onnxruntime')}" in str(found)


def test_a_wrong_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "onnxruntime_runner", lambda _graph: lambda images: -build(TINY)(images))
    found = ee.fastest(TINY, 3, engines=("onnxruntime",), **QUICK)
    wrong = next(row for row in found.rows if row.engine == "onnxruntime")
    assert wrong.difference > 0.1
    assert wrong.same_class == 0


def test_a_winner_needs_an_interval_above_one() -> None:
    steady = (10.0,) * ROUNDS
    won = compared(took("openvino", *[5.0] * 8, 9.0), took("torch", *steady))
    assert won.verdict == "openvino won: 2.00 times as fast as torch (2.00 to 2.00)."
    tie = compared(took("openvino", *[9.0] * 5, *[11.0] * 4), took("torch", *steady))
    assert tie.verdict == "Not decided between openvino and torch: 1.11 times as fast (0.91 to 1.11)."
    # What slows a whole round slows both, and says nothing of either.
    uneven = (10.0, 20.0, 40.0, 10.0, 20.0, 40.0, 10.0, 20.0, 40.0)
    paired = compared(took("optimised", *[ms / 2 for ms in uneven]), took("torch", *uneven))
    assert paired.speedup("optimised") == (2.0, 2.0, 2.0)
    assert paired.speedup("torch", "optimised") == (0.5, 0.5, 0.5)
    assert compared(took("torch", *steady)).verdict == "Only torch was measured."
    with pytest.raises(ValueError, match="engine is 'onnxruntime'; it must be one of 'openvino', 'torch'"):
        won.speedup("onnxruntime")


def test_a_profile_names_its_engine() -> None:
    measured = ee.profile(TINY, engine="onnxruntime", device="cpu", **QUICK)
    version = metadata.version("onnxruntime")
    assert (measured.engine, measured.engine_version) == ("onnxruntime", version)
    assert "fp32 in onnxruntime on" in str(measured)
    assert any(f"onnxruntime {version}" in line for line in measured.details)
    named = ee.profile("efficientnet_lite0", engine="openvino", device="cpu", **QUICK)
    assert named.command.endswith("--engine openvino")
    plain = ee.profile(TINY, device="cpu", **QUICK)
    assert (plain.engine, plain.macs) == ("torch", measured.macs)


@pytest.mark.parametrize(
    ("network", "options", "words"),
    [
        (TINY, {"engine": "tensorrt"}, r"engine is 'tensorrt'; it must be one of 'torch', 'optimised'"),
        ("resnet50", {"engine": "openvino"}, r"runs EfficientNets of this library alone"),
        (nn.Conv2d(3, 4, 3), {"engine": "optimised"}, r"runs EfficientNets of this library alone"),
        (
            TINY,
            {"engine": "onnxruntime", "precision": "bf16"},
            r"runs in fp32 on the CPU; this is bf16 on cpu",
        ),
    ],
)
def test_what_an_engine_cannot_run_is_refused(network: object, options: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ee.profile(network, device="cpu", **QUICK, **options)  # type: ignore[arg-type]


def test_a_network_with_another_head_is_not_measured_as_what_it_was() -> None:
    net = build(TINY)
    net.classifier = nn.Sequential(nn.Linear(TINY.head_channels, 8), nn.ReLU(), nn.Linear(8, 4))
    with pytest.raises(ValueError, match="as their spec says"):
        ee.fastest(net, engines=("onnxruntime",), **QUICK)
    assert {row.engine for row in ee.fastest(net, engines=("optimised",), **QUICK).rows} == {
        "torch",
        "optimised",
    }


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "openvino" else name)
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(
        ModuleNotFoundError, match=r'needs openvino; install it with: pip install "effnet-edu\['
    ):
        ee.fastest(TINY, engines=("openvino",), **QUICK)
    found = ee.fastest(TINY, **QUICK)
    assert dict(found.left_out) == {
        "openvino": "it is not installed: pip install 'effnet-edu[engines]'",
        "compiled": "there is no C++ compiler",
    }
    with pytest.raises(RuntimeError, match=r"needs a C\+\+ compiler"):
        ee.profile(TINY, engine="compiled", device="cpu", **QUICK)


def test_it_stops_when_asked() -> None:
    told: list[str] = []
    watch = Watch(is_cancelled=lambda: "torch" in told, doing=told.append)
    with pytest.raises(Cancelled):
        ee.fastest(TINY, engines=("optimised",), watch=watch, **QUICK)
    assert told[-1] == "torch"


@pytest.mark.thorough
def test_a_compiled_network_gives_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # All of torch.compile but the minutes in the C++ compiler.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    found = ee.fastest(TINY, 2, engines=("compiled",), **QUICK)
    assert {row.engine: row.same_class for row in found.rows} == {"torch": 2, "compiled": 2}
    assert all(row.difference < 1e-4 for row in found.rows)
