"""The house rules: what may import what, what runs without torch, and how public names are described."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import effnet_edu as ee

PACKAGE = Path(ee.__file__).parent
#: A room may import the rooms before it.
ROOMS = (
    *("model", "checkpoints", "images", "profiling", "training"),
    *("studies", "published", "figures", "labs", "exercises"),
)
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
WITHOUT_TORCH = [
    Path("model", f"{name}.py") for name in ("checks", "scaling", "specs", "fusing", "variants", "cost")
]


def tree(file: Path) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"))


def room(file: Path) -> str | None:
    return file.parts[0] if len(file.parts) > 1 else None


def imports(file: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports, those for type checkers included."""
    package = ("effnet_edu", *file.parts[:-1])
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (start, node.module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def outside(file: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(file)} - {"effnet_edu"}


def test_every_room_is_in_the_list():
    assert {room(file) for file in FILES} - {None} <= set(ROOMS)


@pytest.mark.parametrize("file", [file for file in FILES if room(file)], ids=str)
def test_a_room_imports_only_the_rooms_above_it(file):
    allowed = {*ROOMS[: ROOMS.index(room(file)) + 1], "__version__"}
    for name in imports(file):
        if name.partition(".")[0] == "effnet_edu":
            reached = name.split(".")[1:2] or ["(the whole package)"]
            assert reached[0] in allowed, f"effnet_edu/{file} imports {name}"


@pytest.mark.parametrize("file", WITHOUT_TORCH, ids=str)
def test_the_network_as_data_imports_the_standard_library_alone(file):
    assert outside(file) <= sys.stdlib_module_names
    for name in imports(file):
        if name.startswith("effnet_edu."):
            assert Path(*name.split(".")[1:3]).with_suffix(".py") in WITHOUT_TORCH, name


@pytest.mark.parametrize("file", FILES, ids=str)
def test_widgets_and_figures_stay_in_their_rooms(file):
    may_have_widgets = room(file) == "labs" or (room(file) == "exercises" and "view" in file.stem)
    assert may_have_widgets or not outside(file) & {"ipywidgets", "IPython"}
    assert room(file) == "figures" or not outside(file) & {"matplotlib", "mpl_toolkits"}


@pytest.mark.parametrize("file", [file for file in FILES if file != Path("profiling", "device.py")], ids=str)
def test_no_device_is_asked_for_its_make_outside_of_profiling_device(file):
    makes = {"cuda", "mps", "xpu"}
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"is_cuda", "is_mps", "is_xpu"}
            of_torch = isinstance(node.value, ast.Name) and node.value.id == "torch"
            assert not (of_torch and node.attr in makes), f"effnet_edu/{file}:{node.lineno}"
        if isinstance(node, ast.Compare):
            words = {leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)}
            assert not words & makes, f"effnet_edu/{file}:{node.lineno}"


def run_where_blocked(blocked: tuple[str, ...], code: str) -> str:
    """Run code in a new Python where these modules cannot be imported, and return what it printed."""
    blocker = f"""
        import sys

        class Blocker:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {blocked!r}:
                    raise ModuleNotFoundError(f"{{name}} is blocked")

        sys.meta_path.insert(0, Blocker())
    """
    program = textwrap.dedent(blocker) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scaling_and_counting_need_neither_torch_nor_matplotlib_nor_widgets():
    printed = run_where_blocked(
        ("torch", "numpy", "PIL", "psutil", "matplotlib", "ipywidgets", "IPython", "traitlets", "torchinfo"),
        """
        import effnet_edu as ee
        print(ee.cost(ee.spec("efficientnet_b0")).parameters)
        print(ee.compound(1.7).resolution, len(ee.list_variants()), ee.compound_multipliers(1).depth)
        try:
            import torch
        except ModuleNotFoundError as error:
            print(error)
        """,
    )
    assert printed.splitlines() == ["5288548", "284 23 1.2", "torch is blocked"]


def test_importing_the_package_loads_none_of_the_heavy_ones():
    heavy = ("torch", "numpy", "matplotlib", "ipywidgets", "PIL", "psutil")
    printed = run_where_blocked(
        (), f"import sys, effnet_edu; print([n for n in {heavy!r} if n in sys.modules])"
    )
    assert printed.strip() == "[]"


def test_building_a_network_loads_no_figures_and_no_widgets():
    printed = run_where_blocked(
        ("matplotlib", "ipywidgets", "IPython"),
        """
        import effnet_edu as ee
        print(ee.create("efficientnet_b0", device="meta").num_classes)
        """,
    )
    assert printed.strip() == "1000"


@pytest.mark.parametrize("name", ee.__all__)
def test_every_public_name_resolves(name):
    assert getattr(ee, name) is getattr(ee, name)
    assert name in dir(ee)


def test_public_names_are_listed_once_and_have_a_home():
    assert len(set(ee.__all__)) == len(ee.__all__)
    assert set(ee._HOME_OF) | set(ee._ROOMS) == set(ee.__all__)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'efficientnet'"):
        ee.efficientnet  # noqa: B018


def documented(docstring: str) -> set[str]:
    """Return the names that the Args and Attributes of a docstring explain."""
    names: set[str] = set()
    for section in re.split(r"^(?=\w+:$)", inspect.cleandoc(docstring), flags=re.MULTILINE):
        if section.startswith(("Args:", "Attributes:")):
            names.update(re.findall(r"^    \*{0,2}(\w+):", section, re.MULTILINE))
    return names


def arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    every = node.args
    listed = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
    return {argument.arg for argument in listed if argument} - {"self", "cls"}


def described(file: Path) -> Iterator[tuple[str, str | None, set[str]]]:
    """Yield every public function and class of a file: its name, its docstring, and what it takes."""
    for node in tree(file).body:
        if "overload" in {ast.unparse(part) for part in getattr(node, "decorator_list", [])}:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if "overload" not in {getattr(name, "id", "") for name in node.decorator_list}:
                yield node.name, ast.get_docstring(node), arguments(node)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            makers = [part for part in node.body if getattr(part, "name", None) == "__init__"]
            yield node.name, ast.get_docstring(node), arguments(makers[0]) if makers else set()


@pytest.mark.parametrize("file", FILES, ids=str)
def test_public_functions_and_classes_explain_their_arguments(file):
    for name, docstring, takes in described(file):
        assert docstring, f"{name} in effnet_edu/{file} has no docstring"
        missing = takes - documented(docstring)
        assert not missing, f"{name} in effnet_edu/{file} does not explain {sorted(missing)}"


@pytest.mark.parametrize("name", ee.__all__)
def test_public_names_explain_their_arguments(name):
    thing = getattr(ee, name)
    if inspect.isfunction(thing):
        assert set(inspect.signature(thing).parameters) <= documented(thing.__doc__)
    else:
        assert inspect.getdoc(thing)


def test_the_documentation_check_reads_docstrings_rightly():
    text = "One.\n\nArgs:\n    x: A number.\n    *y: Two\n        lines: no.\n\nReturns:\n    z: no."
    assert documented(text) == {"x", "y"}
    assert documented("One.\n\nArgs:\n    x: A.\n\nAttributes:\n    y: B.\n") == {"x", "y"}
    assert documented("One.") == set()
