import functools
import io
import os
import subprocess
import sys
import time
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from matplotlib.text import Text
from PIL import Image

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.figures.style import SMALLEST_TEXT
from effnet_edu.studies import engine, record, registry
from effnet_edu.studies.finished import FinishedRuns
from effnet_edu.studies.result import StudyResult, read
from effnet_edu.studies.small_network.trained import trained_network
from effnet_edu.studies.step_times import step_times
from effnet_edu.training.augmentation import to_floats
from tests.cases import thorough_but_for
from tests.studies.small import IMAGES, small

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


#: The others take minutes together; each has its golden run in the quick tests.
STUDIES = thorough_but_for(("scaling", "small_network"), registry.list_studies())


@pytest.fixture(scope="module")
def performed(tmp_path_factory):
    """What performs the short version of a study, with few images, once, and returns the results' folder."""
    folder = tmp_path_factory.mktemp("performed")

    @functools.cache
    def perform(name):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EFFNET_EDU_CACHE", str(folder / "cache"))
            patch.setattr(engine, "study", small)
            engine.run(name, quick=True, jobs=1, results=folder, show_progress=False)
        left = list((folder / "cache" / "studies" / "work").glob("*/*"))
        assert left == [], "what is done leaves nothing behind"
        return folder

    return perform


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_ends_as_one_file_with_all_that_was_promised(performed, name):
    found = read(name, performed(name))
    assert found.quick
    assert found.runs
    assert {run["name"] for run in found.runs} == {run.name for run in small(name).runs(True)}
    for run in found.runs:
        recipe = found.record.data["recipes"][run["recipe"]]
        curve = run["curve"]
        is_fitted = run["labels"].get("way") == "frozen"  # in one piece, without epochs
        tested = 1 if is_fitted else recipe["epochs"]
        assert {len(values) for values in curve.values()} == {tested}
        assert curve["test_accuracy"][-1] == pytest.approx(run["accuracy"], abs=1e-5)
        assert run["peak_memory_bytes"] > 0
        assert run["macs"] > 100_000
        assert run["network"] in found.record.data["networks"]
    provenance = found.provenance
    assert provenance.wall_seconds > 0
    assert provenance.versions["torch"] == torch.__version__
    assert provenance.command == f"python -m effnet_edu study {name} --quick"
    assert provenance.method == registry.study(name).method


@pytest.mark.parametrize("name", STUDIES)
def test_a_short_version_says_so_wherever_it_is_read(performed, name):
    found = read(name, performed(name))
    assert "short version" in found.label
    assert "short version" in str(found)
    assert found.summary[0].startswith("Short version")
    assert any("cannot show" in sentence for sentence in found.summary)


@pytest.mark.thorough
def test_studies_of_time_run_alone_and_say_so(performed):
    assert "one run at a time, alone" in read("fused", performed("fused")).provenance.note


@pytest.mark.thorough
def test_progressive_runs_really_grow(performed):
    found = read("progressive", performed("progressive"))
    for run in found.where(size="growing"):
        sides = run["curve"]["side"]
        assert sides[0] < sides[-1] == 32
        assert sides == sorted(sides)
    assert {side for run in found.where(size="fixed") for side in run["curve"]["side"]} == {32}


@pytest.mark.thorough
def test_gates_are_kept_for_the_blocks_that_have_them(performed):
    found = read("squeeze_excitation", performed("squeeze_excitation"))
    assert all(run["gates"] == [] for run in found.where(ratio=0.0))
    (first, *_) = found.where(ratio=0.25)
    assert len(first["gates"]) == 7
    assert all(0 <= row["between_class_share"] <= 1 for row in first["gates"])
    assert len(first["gates"][0]["class_means"]) == IMAGES.num_classes


def test_the_kept_weights_are_those_of_the_run(performed, monkeypatch):
    from effnet_edu.studies.study import held_out_images

    network, names = trained_network(performed("small_network"))
    assert names == tuple(IMAGES.classes)
    seen = held_out_images(IMAGES, network.spec.resolution)
    with torch.no_grad():
        right = (network(to_floats(seen.images)).argmax(1) == seen.labels).float().mean()
    (run,) = read("small_network", performed("small_network")).runs
    assert float(right) == pytest.approx(run["accuracy"], abs=1e-6)
    assert (performed("small_network") / "small_network.safetensors").stat().st_size < 600_000


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_a_figure_that_says_where_it_is_from(performed, name):
    result = read(name, performed(name))
    picture = ee.figures.study(result)
    assert result.provenance.device in picture.caption
    assert result.provenance.started[:10] in picture.caption
    assert len(picture.numbers.rows) >= 3
    assert all(len(row) == len(picture.numbers.columns) for row in picture.numbers.rows)
    assert all(
        text.get_fontsize() >= SMALLEST_TEXT for text in picture.figure.findobj(Text) if text.get_text()
    )
    buffer = io.BytesIO()
    picture.figure.savefig(buffer, format="png")
    assert Image.open(buffer).convert("L").getextrema()[0] < 100


@pytest.mark.parametrize("name", STUDIES)
def test_a_short_version_is_labelled_on_the_figure_itself(performed, name):
    picture = ee.figures.study(read(name, performed(name)))
    assert "SHORT VERSION" in picture.figure.get_suptitle()
    assert "SHORT VERSION" in picture.image().decode()
    assert "hort version" in picture.caption


def test_the_numbers_of_the_table_are_those_of_the_runs(performed):
    rows = ee.figures.study(read("scaling", performed("scaling"))).numbers.rows
    (base,) = [row for row in rows if row[1] == "base"]
    accuracies = read("scaling", performed("scaling")).values("accuracy", way="base")
    assert base[4] == f"{100 * sum(accuracies) / len(accuracies):.1f}"
    assert {row[1] for row in rows} == {"base", "depth", "width", "resolution", "compound"}


@pytest.mark.thorough
def test_gates_are_drawn_for_three_blocks_and_every_class(performed):
    picture = ee.figures.gates(read("squeeze_excitation", performed("squeeze_excitation")))
    panels = picture.figure.axes
    blocks = [panel.get_title(loc="left").partition(":")[0] for panel in panels]
    assert blocks == [row[0] for row in picture.numbers.rows]
    assert all(len(panel.lines) == 2 for panel in panels)


def curves(found: StudyResult) -> dict[str, list[float]]:
    return {run["name"]: [*run["curve"]["test_loss"], run["accuracy"]] for run in found.runs}


def started(cache: Path, results: Path) -> subprocess.Popen:
    environment = {**os.environ, "EFFNET_EDU_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.studies.small", "scaling", str(results)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


@pytest.mark.thorough
def test_a_killed_study_goes_on_and_ends_the_same(performed, tmp_path):
    cache, results = tmp_path / "cache", tmp_path / "results"

    def finished() -> int:
        return len(list(results.glob("scaling/*.json")))

    process = started(cache, results)
    while finished() < 2:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert 2 <= finished() < 10
    assert not (results / "scaling.json").exists()
    assert started(cache, results).wait() == 0
    assert curves(read("scaling", results)) == curves(read("scaling", performed("scaling")))
    assert [path.name for path in results.iterdir()] == ["scaling.json"]
    assert not list(cache.glob("studies/work/*/*"))


@pytest.fixture
def performed_names(monkeypatch):
    """The names of the runs that are really performed from here on."""
    names = []
    whole = small("scaling", most=3)

    def perform(run, place):
        names.append(run.name)
        return whole.perform(run, place)

    monkeypatch.setattr(engine, "study", lambda _name: replace(whole, perform=perform))
    return names


def performed_in(folder, **options):
    return engine.run("scaling", quick=True, jobs=1, results=folder, show_progress=False, **options)


@pytest.mark.thorough
def test_finished_runs_are_carried_to_another_folder_and_not_performed_again(
    cache, tmp_path, monkeypatch, performed_names
):
    left = tmp_path / "left"
    with monkeypatch.context() as patch:
        patch.setattr(FinishedRuns, "combined", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            performed_in(left)
    first, second, third = sorted(left.glob("scaling/*.json"))
    assert len(performed_names) == 3
    second.write_text(second.read_text().replace('"accuracy": ', '"accuracy": 1'))  # changed: not taken
    third.unlink()
    there = tmp_path / "there" / "scaling"
    there.parent.mkdir()
    left.joinpath("scaling").rename(there)
    performed_names.clear()
    found = performed_in(there.parent)
    assert sorted(performed_names) == [second.stem, third.stem]
    assert {run["name"] for run in found.runs} == {first.stem, second.stem, third.stem}
    assert found.record.data["made"][0]["device"] == found.provenance.device
    assert [path.name for path in there.parent.iterdir()] == ["scaling.json"]


def test_more_seeds_cost_only_the_new_runs(cache, tmp_path, monkeypatch, performed_names):
    of_three = engine.study("scaling")
    of_two = replace(of_three, runs=lambda quick: of_three.runs(quick)[:2])
    monkeypatch.setattr(engine, "study", lambda _name: of_two)
    before = performed_in(tmp_path)
    performed_names.clear()
    monkeypatch.setattr(engine, "study", lambda _name: of_three)
    found = performed_in(tmp_path, resume=True)
    assert performed_names == [of_three.runs(True)[2].name]
    assert found.runs[:2] == before.runs
    performed_names.clear()
    performed_in(tmp_path)
    assert len(performed_names) == 3, "without --resume it begins anew"


@pytest.mark.parametrize("name", record.list_records())
def test_every_recorded_run_is_taken_over_however_old_it_is(tmp_path, name):
    chosen, recorded = registry.study(name), record.read(name)
    done = FinishedRuns(chosen, chosen.runs(False), tmp_path, torch.device("cpu"))
    done.take(recorded)
    assert set(record.list_records(done.folder)) == {run["name"] for run in recorded.data["runs"]}


@pytest.mark.thorough
def test_a_run_of_another_recipe_or_method_is_performed_again(cache, tmp_path, monkeypatch, performed_names):
    chosen = engine.study("scaling")
    performed_in(tmp_path)
    for other in (
        replace(chosen, method=chosen.method + 1),
        replace(
            chosen,
            runs=lambda quick: tuple(
                replace(run, recipe=replace(run.recipe, epochs=1)) for run in chosen.runs(quick)
            ),
        ),
    ):
        performed_names.clear()
        monkeypatch.setattr(engine, "study", lambda _name, other=other: other)
        with pytest.raises(ValueError, match="nothing to resume"):
            performed_in(tmp_path, resume=True)
        performed_in(tmp_path)
        assert len(performed_names) == 3


@pytest.mark.thorough
def test_steps_are_timed_apart_from_accuracy():
    runs = small("progressive").runs(True)
    told = step_times(runs, torch.device("cpu"), rounds=2, steps=1)
    by_arm = {tuple(row["labels"].values()): row for row in told["arms"]}
    assert set(by_arm) == {(run.labels["size"], run.labels["regularisation"]) for run in runs}
    assert set(by_arm["fixed", "constant"]["step_seconds"]) == {"32"}
    assert len(by_arm["growing", "growing"]["step_seconds"]) > 1
    for row in told["arms"]:
        assert all(len(each) == 2 for each in row["step_seconds"].values())
        assert row["train_seconds"]["low"] <= row["train_seconds"]["mean"] <= row["train_seconds"]["high"]
        (side, *_) = row["step_seconds"]
        if len(row["step_seconds"]) == 1:
            expected = [row["steps"] * seconds for seconds in row["step_seconds"][side]]
            assert row["train_seconds"]["rounds"] == pytest.approx(expected)


@pytest.mark.thorough
def test_the_number_of_jobs_changes_no_result(performed, cache, monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "study", lambda name: small(name, most=3))
    found = engine.run("scaling", quick=True, jobs=2, results=tmp_path, show_progress=False)
    whole = curves(read("scaling", performed("scaling")))
    assert curves(found) == {name: whole[name] for name in curves(found)}


def test_resume_without_anything_to_resume_is_refused(cache, monkeypatch):
    monkeypatch.setattr(engine, "study", small)
    with pytest.raises(ValueError, match="nothing to resume"):
        engine.run("scaling", quick=True, resume=True, show_progress=False)


def test_progress_tells_runs_and_time(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "study", lambda name: small(name, most=2))
    with redirect_stderr(io.StringIO()) as told:
        engine.run("scaling", quick=True, jobs=1, results=tmp_path)
    assert "2 of 2 runs 100%" in told.getvalue()


def test_unknown_studies_are_named(cache, capsys):
    for call in (lambda: ee.studies.run("sclaing"), lambda: ee.studies.read("sclaing")):
        with pytest.raises(ValueError, match="study is 'sclaing'; it must be one of 'scaling'"):
            call()
    assert main(["study"]) == 2
    assert "Which study?" in capsys.readouterr().err
