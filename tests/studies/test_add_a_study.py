"""docs/add_a_study.md followed to the letter: two files and one line give everything that a study has."""

import re
from pathlib import Path

import pytest

import effnet_edu as ee
import effnet_edu.studies
from effnet_edu.__main__ import main
from effnet_edu.studies import check, engine, registry
from tests.studies import golden_runs
from website.results import study_page

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add_a_study.md").read_text(encoding="utf-8")
FILE = re.compile(r"`effnet_edu/studies/NAME/(\w+)\.py`.*?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The package with what the page adds, laid beside the real files."""
    (tmp_path / "stem").mkdir()
    files = dict(FILE.findall(PAGE))
    assert set(files) == {"runs", "findings"}
    for name, text in files.items():
        (tmp_path / "stem" / f"{name}.py").write_text(text)
    (line,) = re.findall(r'The one line: `("\w+")` in `(\w+)` of `(effnet_edu/[\w/.]+)`', PAGE)
    assert line == ('"stem"', "_STUDIES", Path(registry.__file__).relative_to(ROOT).as_posix())
    monkeypatch.setattr(registry, "_STUDIES", (*registry._STUDIES, "stem"))
    monkeypatch.setattr(effnet_edu.studies, "__path__", [*effnet_edu.studies.__path__, str(tmp_path)])
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.thorough
def test_a_folder_and_a_line_give_command_findings_figure_and_page(added, capsys, monkeypatch):
    assert main(["study", "stem", "--quick", "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "stem: Does a wider stem help?" in said
    assert "between A stem of 16 and one of 8" in said or "A stem of 16 is" in said
    result = ee.studies.read("stem", engine.quick_results())
    picture = ee.figures.study(result)
    assert [row[0] for row in picture.numbers.rows] == ["stem 8", "stem 16"]
    page = study_page(result)
    assert page.startswith("# A wider stem\n")
    assert all(sentence in page for sentence in result.summary)
    assert [one.sentence for one in check.verdicts(engine.quick_results())] == ["up to date, method 1"]
    monkeypatch.setattr(golden_runs, "GOLDEN", added / "golden")
    assert golden_runs.computed("stem")["full"]["runs"] == 20


def test_no_other_file_names_the_studies():
    """Whoever adds a study edits one list: no other file of the house holds all names of the studies."""
    lists = [
        path.relative_to(ROOT).as_posix()
        for folder in ("effnet_edu", "tests", "website", "docs")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in {".py", ".md", ".toml", ".yml"} and "node_modules" not in path.parts
        if all(
            re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) for name in registry.list_studies()
        )
    ]
    assert lists == [Path(registry.__file__).relative_to(ROOT).as_posix()]
