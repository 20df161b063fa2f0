"""What a training shows: a bar, TensorBoard, curves."""

from dataclasses import replace
from pathlib import Path

import pytest

import effnet_edu as ee
from effnet_edu.training.progress import describe
from effnet_edu.training.rows import Row
from tests.training.easy import TINY, quarters

ROW = Row(2, 3, 40, 60, 16, 0.1, 0.5, 0.75, None, None, 1234.5, 10.0, 65.0)
ENDS = [
    replace(ROW, epoch=epoch, step=20 * epoch, test_loss=1 / epoch, test_accuracy=epoch / 4)
    for epoch in (1, 2, 3)
]


def test_a_row_is_one_line() -> None:
    assert describe(ROW) == "epoch 2/3, 16 px: loss 0.500, accuracy 75.0%, 1,234 images/s, 1:05 left"
    assert ", test accuracy 50.0%, " in describe(ENDS[1])


def test_the_bar_goes_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ee.training.ProgressBar()
    for row in (ROW, *ENDS[1:]):
        bar(row)
    shown = capsys.readouterr().err
    assert "67%" in shown
    assert "1:05 left" in shown
    last = shown.rstrip().rpartition("\r")[2]
    assert last.startswith("100%")
    assert "test accuracy 75.0%" in last


def test_tensorboard_gets_each_epoch_once(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    first = ee.training.TensorBoardLog(tmp_path)
    for row in (ROW, ENDS[0], ENDS[1]):
        first(row)
    resumed = ee.training.TensorBoardLog(tmp_path)  # as if epoch 2 had not been kept
    for row in ENDS[1:]:
        resumed(row)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("test_accuracy")] == [(20, 0.25), (40, 0.5), (60, 0.75)]


def test_curves_grow_and_say_what_they_show() -> None:
    picture = ee.figures.training_curves({"plain": ENDS[:2], "mixup": ENDS})
    assert "plain: test accuracy 25.0% after epoch 1, 50.0% after epoch 2" in picture.alt
    assert len(picture.numbers.rows) == 5
    with pytest.raises(ValueError, match="There are 0 runs"):
        ee.figures.training_curves({})
    with pytest.raises(ValueError, match="each with one finished epoch"):
        ee.figures.training_curves({"none": [ROW]})


def test_live_curves_are_updated_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    from effnet_edu.labs.frame import live_curves

    shown: list[tuple[str, str]] = []

    class Handle:
        def display(self, what: object) -> None:
            shown.append(("display", what.data))  # type: ignore[attr-defined]

        def update(self, what: object) -> None:
            shown.append(("update", what.data))  # type: ignore[attr-defined]

    monkeypatch.setattr(live_curves, "DisplayHandle", Handle)
    curves = ee.labs.LiveCurves("tiny")
    recipe = ee.Recipe(epochs=2, batch_size=32)
    ee.train(TINY, quarters(64, 0), quarters(32, 1), recipe, device="cpu", progress=curves)
    assert [kind for kind, _ in shown] == ["display", "update", "update", "update"]
    assert "<figure" not in shown[0][1]
    assert "<figure" in shown[1][1]
    assert "epoch 2/2" in shown[3][1]
    assert len(curves.rows) == 2


def test_together_tells_all() -> None:
    told: list[tuple[str, Row]] = []
    tell = ee.training.together(lambda row: told.append(("a", row)), lambda row: told.append(("b", row)))
    tell(ROW)
    assert told == [("a", ROW), ("b", ROW)]
