"""The house rules: what may import what, what runs without torch, and how public names are described."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import effnet_edu as ee
from tests.house import FILES, MAP, PACKAGE, ROOMS, imports, room, svg, tree

WITHOUT_TORCH = [
    Path("ground", "checks.py"),
    Path("ground", "preprocessing.py"),
    *(
        Path("model", f"{name}.py")
        for name in (
            "scaling",
            "specs",
            "fusing",
            "variants",
            "cost",
            "receptive_field",
            "onnx_file",
            "onnx_graph",
            "onnx_preprocessing",
        )
    ),
]


def outside(file: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(file)} - {"effnet_edu"}


def offenders(found: Iterator[str]) -> str:
    """Return all offences of a rule as lines; empty when it is kept."""
    return "\n".join(found)


def test_every_room_is_in_the_list():
    assert {room(file) for file in FILES} - {None} == set(ROOMS)


def test_the_map_of_the_house_is_drawn_from_the_imports_as_they_are():
    assert MAP.read_text(encoding="utf-8") == svg(), "`make map` draws it anew"


def test_a_room_imports_only_the_rooms_above_it():
    def found() -> Iterator[str]:
        for file in filter(room, FILES):
            allowed = {*ROOMS[: ROOMS.index(room(file)) + 1], "__version__"}
            for name in imports(file):
                top, *rest = name.split(".")
                if top == "effnet_edu" and (rest or ["(the whole package)"])[0] not in allowed:
                    yield f"effnet_edu/{file} imports {name}"

    assert not offenders(found())


def test_the_network_as_data_imports_the_standard_library_alone():
    def found() -> Iterator[str]:
        for file in WITHOUT_TORCH:
            for name in imports(file):
                top, *rest = name.split(".")
                known = top in sys.stdlib_module_names
                if not known and Path(*rest[:2]).with_suffix(".py") not in WITHOUT_TORCH:
                    yield f"effnet_edu/{file} imports {name}"

    assert not offenders(found())


def test_widgets_and_figures_stay_in_their_rooms():
    def found() -> Iterator[str]:
        for file in FILES:
            may_have_widgets = room(file) == "labs" or (room(file) == "exercises" and "view" in file.stem)
            banned = set() if may_have_widgets else {"ipywidgets", "anywidget", "IPython"}
            banned |= set() if room(file) == "figures" else {"matplotlib", "mpl_toolkits"}
            yield from (f"effnet_edu/{file} imports {name}" for name in outside(file) & banned)

    assert not offenders(found())


def test_no_device_is_asked_for_its_make_outside_of_profiling_device():
    makes = {"cuda", "mps", "xpu"}

    def asks(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            of_torch = isinstance(node.value, ast.Name) and node.value.id == "torch"
            return node.attr in {"is_cuda", "is_mps", "is_xpu"} or (of_torch and node.attr in makes)
        if isinstance(node, ast.Compare):
            return bool({leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)} & makes)
        return False

    def found() -> Iterator[str]:
        for file in FILES:
            if file != Path("profiling", "device.py"):
                yield from (f"effnet_edu/{file}:{node.lineno}" for node in ast.walk(tree(file)) if asks(node))

    assert not offenders(found())


def test_no_message_quotes_more_than_200_characters_of_anything():
    """`!r` and `repr` write a network or a list out in whole; `checks.quoted` does not."""

    def is_error(node: ast.AST) -> bool:
        made = node.exc if isinstance(node, ast.Raise) else getattr(node, "value", None)
        name = ast.unparse(made.func) if isinstance(made, ast.Call) else ""
        return name.endswith("Error") and name != "AttributeError"  # that one quotes an identifier

    def found() -> Iterator[str]:
        for file in FILES:
            for node in filter(is_error, ast.walk(tree(file))):
                for leaf in ast.walk(node):
                    if isinstance(leaf, ast.FormattedValue) and leaf.conversion == ord("r"):
                        yield f"effnet_edu/{file}:{leaf.lineno} quotes {ast.unparse(leaf.value)} in whole"

    assert not offenders(found())


def imported_when_run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a file but for what only type checkers import."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.If) and ast.unparse(part.test) == "TYPE_CHECKING":
            continue
        yield part
        yield from imported_when_run(part)


def test_no_files_import_each_other_in_a_circle():
    """Imports inside of functions count too: a circle that is put off is still one."""
    module_of = {".".join(("effnet_edu", *file.with_suffix("").parts)): file for file in FILES}
    module_of = {name.removesuffix(".__init__"): file for name, file in module_of.items()}

    def imported(file: Path) -> Iterator[str]:
        for node in imported_when_run(tree(file)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    member = f"{node.module}.{alias.name}"
                    yield member if member in module_of else str(node.module)

    graph = {
        name: {other for other in imported(file) if other in module_of and other != name}
        for name, file in module_of.items()
    }

    def found() -> Iterator[str]:
        while True:
            try:
                TopologicalSorter(graph).prepare()
            except CycleError as error:
                circle: list[str] = error.args[1]
                yield " <- ".join(circle)
                graph[circle[1]].discard(circle[0])
            else:
                return

    assert not offenders(found())


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


def test_the_exact_half_of_every_lab_needs_nothing_but_python_and_traitlets():
    """It is what a browser runs: it counts, draws and answers where nothing else can be imported."""
    printed = run_where_blocked(
        ("torch", "numpy", "PIL", "psutil", "matplotlib", "ipywidgets", "IPython", "safetensors", "filelock"),
        """
        from effnet_edu.labs import LABS
        from effnet_edu.labs.frame.page import Page
        for lab in LABS:
            page = Page(lab)
            assert {"screen", "picture"} & set(page.shown()) and page.logic.in_words()
            page.logic.pin()
            assert page.answer('{"changed": {}, "press": "reset"}')
            print(lab)
        """,
    )
    labs = sorted(path.parent.name for path in PACKAGE.glob("labs/*/exact.py"))
    assert printed.split() == list(ee.labs.LABS)
    assert labs == sorted(ee.labs.LABS.values())


def test_only_what_a_lab_measures_may_import_torch():
    """What `exact.py` reaches never names it, not even inside a function; what names it is measured."""

    def reached(file: Path, found: set[Path]) -> set[Path]:
        if file not in found and file.parts[0] == "labs":
            found.add(file)
            for name in imports(file):
                for path in (Path(*name.split(".")[1:]), Path(*name.split(".")[1:-1])):
                    if (PACKAGE / path).with_suffix(".py").is_file():
                        reached(path.with_suffix(".py"), found)
        return found

    def found() -> Iterator[str]:
        for exact in sorted(PACKAGE.glob("labs/*/exact.py")):
            file = exact.relative_to(PACKAGE)
            for one in sorted(reached(file, set())):
                heavy = outside(one) & {"torch", "numpy", "ipywidgets", "PIL"}
                if heavy or one.stem == "measured":
                    yield f"{file} reaches {one}: {', '.join(sorted(heavy))}"

    assert not offenders(found())


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


def test_every_public_name_resolves():
    for name in ee.__all__:
        assert getattr(ee, name) is getattr(ee, name)
        assert name in dir(ee)


def test_what_a_stub_imports_is_what_it_lists():
    def found() -> Iterator[str]:
        for file in PACKAGE.rglob("__init__.pyi"):
            body = ast.parse(file.read_text(encoding="utf-8")).body
            imported = {
                alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names
            }
            (listed,) = (ast.literal_eval(node.value) for node in body if isinstance(node, ast.Assign))
            if listed != sorted(set(listed)) or set(listed) != imported:
                yield f"{file.parent.name}: {sorted(imported ^ set(listed)) or 'not sorted, or named twice'}"

    assert not offenders(found())


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="efficientnet"):
        ee.efficientnet  # noqa: B018


def documented(docstring: str | None) -> set[str]:
    """Return the names that the Args and Attributes of a docstring explain."""
    names: set[str] = set()
    for section in re.split(r"^(?=\w+:$)", inspect.cleandoc(docstring or ""), flags=re.MULTILINE):
        if section.startswith(("Args:", "Attributes:")):
            names.update(re.findall(r"^    \*{0,2}(\w+):", section, re.MULTILINE))
    return names


def public() -> Iterator[tuple[str, object]]:
    """Yield everything that a user may name: `ee.NAME`, and what the rooms list."""
    for name in ee.__all__:
        thing = getattr(ee, name)
        if inspect.ismodule(thing):
            yield from ((f"{name}.{inner}", getattr(thing, inner)) for inner in thing.__all__)
        else:
            yield name, thing


def test_public_names_explain_their_arguments():
    def found() -> Iterator[str]:
        for name, thing in public():
            if not callable(thing):
                continue
            text = inspect.getdoc(thing) or ""
            takes: set[str] = set()
            if inspect.isfunction(thing) or (inspect.isclass(thing) and "__init__" in vars(thing)):
                takes = set(inspect.signature(thing).parameters)
            # What a class takes over from another, that one explains.
            explained = map(documented, map(inspect.getdoc, getattr(thing, "__mro__", (thing,))))
            missing = {name for name in takes if not name.startswith("_")} - set().union(*explained)
            if not text or missing:
                yield f"ee.{name} does not explain {sorted(missing) or 'itself'}"

    assert not offenders(found())


def test_the_documentation_check_reads_docstrings_rightly():
    text = "One.\n\nArgs:\n    x: A number.\n    *y: Two\n        lines: no.\n\nReturns:\n    z: no."
    assert documented(text) == {"x", "y"}
    assert documented("One.\n\nArgs:\n    x: A.\n\nAttributes:\n    y: B.\n") == {"x", "y"}
    assert documented("One.") == set()
