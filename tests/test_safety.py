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


#: Follows a pickle without calling what it names; tests/checkpoints/test_hostile_files.py attacks it.
FOLLOWS_PICKLES = PACKAGE / "checkpoints" / "pickles.py"


def test_no_object_is_made_out_of_a_file():
    found = (
        f"{path.relative_to(PACKAGE)} {what}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for what in unsafe(path.read_text(encoding="utf-8"))
        if (path, what) != (FOLLOWS_PICKLES, "imports pickle")
    )
    assert not "\n".join(found)


def test_what_follows_pickles_says_itself_what_each_name_stands_for():
    tree = ast.parse(FOLLOWS_PICKLES.read_text(encoding="utf-8"))
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {name for name in used if name.startswith("pickle.")} <= {
        "pickle._Unpickler",
        "pickle.UnpicklingError",
    }
    readers = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and "pickle._Unpickler" in map(ast.unparse, node.bases)
    ]
    assert len(readers) == 1
    assert "find_class" in {getattr(part, "name", "") for part in readers[0].body}


def cells() -> Iterator[tuple[str, nbformat.NotebookNode]]:
    """Yield each cell of each lesson with its name."""
    for path in LESSONS:
        yield from ((f"{path.stem}, {cell.id}", cell) for cell in nbformat.read(path, as_version=4).cells)


def test_lessons_teach_no_pickle():
    found = (
        f"{name} {what}" for name, cell in cells() if cell.cell_type == "code" for what in unsafe(cell.source)
    )
    assert not "\n".join(found)


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


def test_a_stored_output_runs_nothing_when_a_lesson_is_opened():
    """JupyterLab cleans outputs that it does not trust; a site or another viewer may not."""

    def found() -> Iterator[str]:
        for name, cell in cells():
            for output in cell.get("outputs", ()):
                data = output.get("data", {})
                yield from (f"{name} holds {kind}" for kind in data if "javascript" in kind)
                script = SCRIPT.search("".join(data.get("text/html", "")))
                yield from (f"{name} holds {script[0]}",) if script else ()

    assert not "\n".join(found())


def test_the_look_for_scripts_finds_them():
    assert SCRIPT.search("<style onload='f()'>")
    assert SCRIPT.search("<SCRIPT src=x>")
    assert not SCRIPT.search("<p>only = here</p><img alt='a on b'>")
