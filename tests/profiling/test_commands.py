"""The commands that say where the time goes."""

import math

import pytest

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.profiling import ceilings, roofs
from tests.profiling.made import made_ceilings

SMALL = ["efficientnet_lite0", "--resolution", "33", "--device", "cpu", "--seconds", "0.01"]


def test_layers_prints_every_layer_and_the_sums(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "layers", *SMALL, "--all"]) == 0
    out = capsys.readouterr().out
    for row in ee.cost("efficientnet_lite0", 33).layers:
        assert f"\n{row.name} " in out
    assert "efficientnet_lite0, 33 px, batch 1, fp32" in out
    assert "difference" in out
    assert main(["measure", "layers", *SMALL]) == 0
    assert "stages.1.0" not in capsys.readouterr().out


def test_roofline_prints_ceilings_and_bounds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from effnet_edu.profiling.device import as_device, device_name

    here = made_ceilings(device_name(as_device("cpu")))
    monkeypatch.setattr(ceilings, "measure_ceilings", lambda *_args, **_options: here)
    monkeypatch.setattr(roofs, "DISTURBED", math.inf)  # however busy this machine is
    assert main(["measure", "roofline", *SMALL]) == 0
    out = capsys.readouterr().out
    assert "arithmetic, fp32       100.0 GMAC/s" in out
    assert "bound by" in out
    assert "Of the time of these layers" in out


def test_training_prints_its_three_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "training", *SMALL]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("forward", "backward", "optimizer", "difference +0 bytes"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["measure", "layers", "efficientnet_b0", "--batch-size", "0"], "batch_size is 0"),
        (["measure", "roofline", "efficientnet_b0", "--precision", "fp4"], "precision is 'fp4'"),
        (
            ["measure", "training", "efficientnet_b0", "--batch-size", "1", "--resolution", "32"],
            "no variance",
        ),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
