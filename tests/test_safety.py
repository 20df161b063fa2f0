"""What a learner is sent runs nothing by being opened: no pickle is read, no stored output holds a script."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import effnet_edu as ee

PACKAGE = Path(ee.__file__).parent
LESSONS = sorted((PACKAGE.parent / "lessons").glob("*.ipynb"))
#: Modules that make objects, and so run code, out of a file's bytes. `pickletools` only reads instructions.
UNSAFE_MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle"}
#: Functions that do so unless told otherwise: what each must be told.
UNSAFE_CALLS = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "joblib.load": None,
    "pandas.read_pickle": None,
    "yaml.load": None,
    "yaml.unsafe_load": None,
    "torch.package.PackageImporter": None,
}


def unsafe(code: str) -> Iterator[str]:
    """Yield what in some code would make objects out of a file."""
    for node in ast.walk(ast.parse(code)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (f"imports {name}" for name in names if name.partition(".")[0] in UNSAFE_MODULES)
        yield from (f"imports {name}, hidden from its check" for name in names if name in UNSAFE_CALLS)
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in UNSAFE_CALLS:
            must = UNSAFE_CALLS[name]
            told = {(word.arg, getattr(word.value, "value", None)) for word in node.keywords}
            if must is None or must not in told:
                yield f"calls {name}"


@pytest.mark.parametrize(
    "file", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_object_is_made_out_of_a_file(file):
    assert list(unsafe(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lessons_teach_no_pickle(lesson):
    for cell in nbformat.read(lesson, as_version=4).cells:
        if cell.cell_type == "code":
            assert list(unsafe(cell.source)) == [], cell.id


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('x')",
        "import torch\ntorch.load('x', weights_only=False)",
        "from torch import load",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import joblib\njoblib.load('x')",
    ],
)
def test_the_check_sees_what_it_looks_for(code):
    assert list(unsafe(code))


def test_the_check_lets_pass_what_is_safe():
    assert list(unsafe("import torch, pickletools\ntorch.load('x', weights_only=True)")) == []


SCRIPT = re.compile(r"<script|<iframe|<object|<embed|javascript:|<[^>]+\son[a-z]+\s*=", re.IGNORECASE)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_stored_output_runs_nothing_when_a_lesson_is_opened(lesson):
    """JupyterLab cleans outputs that it does not trust; a site or another viewer may not."""
    for cell in nbformat.read(lesson, as_version=4).cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            assert not {kind for kind in data if "javascript" in kind}, cell.id
            assert not SCRIPT.search("".join(data.get("text/html", ""))), cell.id


def test_the_look_for_scripts_finds_them():
    assert SCRIPT.search("<style onload='f()'>")
    assert SCRIPT.search("<SCRIPT src=x>")
    assert not SCRIPT.search("<p>only = here</p><img alt='a on b'>")
