import json
import subprocess

import pytest
import torch

import effnet_edu as ee
from effnet_edu.studies import record
from effnet_edu.studies.code import ROOT, code_hashes, combined
from effnet_edu.studies.record import Record, RecordError

START = "effnet_edu.made_up.study"
STUDY = '''
"""What is studied."""

from typing import TYPE_CHECKING

from effnet_edu.made_up import helpers
from effnet_edu.made_up.layers import Layer, unused

if TYPE_CHECKING:
    from effnet_edu.made_up.types import Number


def run(seed: "Number") -> float:
    """Run it."""
    # Twice, since once is not enough.
    return helpers.twice(Layer(seed).width)
'''
HELPERS = """
FACTOR = 2


def twice(x):
    return FACTOR * x


def unrelated(x):
    return x
"""
LAYERS = '''
from dataclasses import dataclass

from effnet_edu.made_up import deep


@dataclass(frozen=True)
class Layer:
    """A layer.

    Attributes:
        seed: Any.
    """

    seed: int
    width: float = 1.5

    def depth(self):
        return deep.DEPTH


def unused():
    return 1
'''


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "made_up"
    folder.mkdir()
    for name, text in {
        "study": STUDY,
        "helpers": HELPERS,
        "layers": LAYERS,
        "types": "Number = int\n",
        "deep": "DEPTH = 3\nOTHER = 4\n",
        "aside": "print('hello')\n",
    }.items():
        (folder / f"{name}.py").write_text(text)
    return tmp_path


def edited(package, file, old, new):
    path = package / "made_up" / f"{file}.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("study", '"""Run it."""', '"""Run it once\n\n    and well.\n    """'),
        ("study", "# Twice, since once is not enough.", "# Twice."),
        ("study", '"""What is studied."""', ""),
        ("study", 'seed: "Number") -> float', "seed)"),
        (
            "study",
            "return helpers.twice(Layer(seed).width)",
            "return (\n        helpers.twice(Layer( seed ).width))",
        ),
        ("layers", "seed: Any.", "seed: Another."),
        ("layers", "width: float = 1.5", "width: int = 1.5"),
        ("layers", "return 1", "return 2"),  # imported, and never used
        ("helpers", "    return x", "    return -x"),
        ("deep", "OTHER = 4", "OTHER = 5"),
        ("types", "Number = int", "Number = float"),
        ("aside", "hello", "goodbye"),
    ],
)
def test_what_changes_no_result_changes_no_hash(package, file, old, new):
    before = code_hashes(START, package)
    edited(package, file, old, new)
    if (file, old) == ("layers", "return 1"):
        edited(package, "study", "import Layer, unused", "import Layer")
    assert code_hashes(START, package) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("study", "Layer(seed)", "Layer(seed + 1)"),
        ("helpers", "FACTOR = 2", "FACTOR = 3"),
        ("helpers", "return FACTOR * x", "return FACTOR + x"),
        ("helpers", "FACTOR = 2", "FACTOR = 2\nfor _ in range(3):\n    FACTOR += 1"),
        ("layers", "width: float = 1.5", "width: float = 1.25"),
        ("layers", "width: float = 1.5", "breadth: float = 1.5"),
        ("layers", "frozen=True", "frozen=False"),
        ("deep", "DEPTH = 3", "DEPTH = 4"),  # reached over two modules and a method
    ],
)
def test_what_can_change_a_result_changes_the_hash_of_its_module(package, file, old, new):
    before = code_hashes(START, package)
    edited(package, file, old, new)
    after = code_hashes(START, package)
    assert {name for name in before if before[name] != after[name]} == {f"effnet_edu.made_up.{file}"}
    assert combined(after) != combined(before)


def test_one_definition_can_be_where_it_starts(package):
    assert set(code_hashes("effnet_edu.made_up.helpers:unrelated", package)) == {"effnet_edu.made_up.helpers"}
    before = code_hashes("effnet_edu.made_up.helpers:unrelated", package)
    edited(package, "helpers", "FACTOR = 2", "FACTOR = 3")
    assert code_hashes("effnet_edu.made_up.helpers:unrelated", package) == before


@pytest.mark.parametrize("start", ["effnet_edu.nothing", "effnet_edu.model.cost:nothing", "torch", ""])
def test_a_start_that_does_not_exist_is_named(start):
    with pytest.raises(ValueError, match="start is "):
        code_hashes(start)


def test_names_are_followed_through_the_real_package():
    found = set(code_hashes("effnet_edu.profiling.profile:profile"))
    assert {"effnet_edu.model.cost", "effnet_edu.model.blocks", "effnet_edu.profiling.timing"} <= found
    assert not any(name.split(".")[1] in {"figures", "labs", "exercises"} for name in found)
    assert set(code_hashes("effnet_edu.model.scaling")) == {
        "effnet_edu.model.scaling",
        "effnet_edu.model.checks",
    }


@pytest.fixture
def made():
    provenance = record.begin("effnet_edu.model.cost", torch.device("cpu"), seeds=(0, 1), note="alone")
    return Record("measurement", "made", provenance.finished(1.5, 2**20), {"rows": [[1, 0.5], [2, None]]})


def test_a_record_comes_back_as_it_was_written(made, tmp_path):
    path = record.write(made, tmp_path)
    assert record.read("made", tmp_path).provenance == made.provenance
    assert record.read("made", tmp_path).data == made.data
    assert record.list_records(tmp_path) == ("made",)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_provenance_says_where_it_came_from(made):
    found = made.provenance
    assert found.versions["torch"] == torch.__version__
    assert found.versions["effnet_edu"] == ee.__version__
    assert found.started.endswith("+00:00")
    assert found.driver is None
    assert str(ROOT.parent) not in found.command
    head = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.commit == (head.stdout.strip() if head.returncode == 0 else None)


def test_a_result_that_cannot_be_written_leaves_the_old_one(made, tmp_path):
    record.write(made, tmp_path)
    for wrong in (float("nan"), float("inf"), torch.zeros(1)):
        with pytest.raises(ValueError, match=r"made.data.rows\[1\] is "):
            record.write(Record("measurement", "made", made.provenance, {"rows": [1, wrong]}), tmp_path)
    assert record.read("made", tmp_path).data == made.data
    assert len(list(tmp_path.iterdir())) == 1


def changed(made, change):
    found = json.loads(json.dumps({"format": 1, **record.dataclasses.asdict(made)}))
    change(found)
    return json.dumps(found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found.update(format=2), "format 1"),
        (lambda found: found.pop("data"), "data"),
        (lambda found: found.update(more=1), "more"),
        (lambda found: found.update(kind="guess"), "kind is 'guess'"),
        (lambda found: found.update(name="other"), "other"),
        (lambda found: found["provenance"].pop("device"), "device"),
        (lambda found: found["provenance"].update(wall_seconds="long"), "wall_seconds is 'long'"),
        (lambda found: found["provenance"].update(code_sha256="0" * 64), "code_sha256"),
    ],
)
def test_a_damaged_record_is_refused_with_what_is_wrong(made, tmp_path, change, said):
    (tmp_path / "made.json").write_text(changed(made, change))
    with pytest.raises(RecordError, match=said):
        record.read("made", tmp_path)


def test_half_a_file_and_no_file_are_told_apart(made, tmp_path):
    text = record.write(made, tmp_path).read_text()
    (tmp_path / "made.json").write_text(text[: len(text) // 2])
    with pytest.raises(RecordError, match=r"made.json is damaged"):
        record.read("made", tmp_path)
    with pytest.raises(FileNotFoundError, match="recorded here: made"):
        record.read("nothing", tmp_path)


def test_a_result_older_than_its_code_names_the_module(made, tmp_path):
    record.write(made, tmp_path)
    assert record.check(tmp_path) == {"made": ()}
    code = {**made.provenance.code, "effnet_edu.model.specs": "0" * 64}
    old = record.dataclasses.replace(made.provenance, code=code, code_sha256=combined(code))
    record.write(Record("measurement", "made", old, made.data), tmp_path)
    assert record.check(tmp_path) == {"made": ("effnet_edu.model.specs",)}


def test_no_recorded_result_is_older_than_the_code_it_depends_on():
    outdated = {name: modules for name, modules in record.check().items() if modules}
    assert not outdated, f"run these again, or take the change back: {outdated}"
