"""What a piece of code means, as a hash: two versions that compute the same way by the same words agree.

A result is only as current as the code that made it. Hashing whole files would call a two-hour study stale
because a comment was reworded. Here the syntax tree is hashed instead, without comments, docstrings and
annotations, and only of the definitions that the study can reach by name through this package.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

PACKAGE = "effnet_edu"
ROOT = Path(__file__).parents[1]
#: They show results, or ask for them; none of them can change one.
_SHOWS = ("labs", "figures", "exercises", "__main__", "serve", "server_extension")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Parts of a node that say nothing about what it computes, or that other versions of Python do not have.
_MEANINGLESS = {"annotation", "returns", "type_comment", "type_params", "type_ignores", "ctx", "kind"}


@dataclass(frozen=True)
class _Import:
    """What a name stands for: a module of this package, or something in one (`member`)."""

    module: str
    member: str | None


def _is_docstring(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _described(node: Any) -> str:
    """Return a syntax tree as text that is the same in every supported version of Python."""
    if isinstance(node, list):
        return "[" + ",".join(_described(part) for part in node if not _is_docstring(part)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return f"Field({_described(node.target)})"
    if isinstance(node, ast.AnnAssign):
        return f"Assign(targets=[{_described(node.target)}],value={_described(node.value)})"
    parts = (
        f"{name}={_described(value)}"
        for name, value in sorted(ast.iter_fields(node))
        if name not in _MEANINGLESS and value is not None and value != []
    )
    return f"{type(node).__name__}({','.join(parts)})"


def _meaningful(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and everything in it but annotations and what only type checkers read."""
    if _is_for_type_checkers(node):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in _MEANINGLESS:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    yield from _meaningful(part)


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module binds."""
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


class _Module:
    """One file of the package, statement by statement."""

    def __init__(self, name: str, text: str, is_package: bool) -> None:
        self.name, self.is_package = name, is_package
        self.statements = [
            node
            for node in ast.parse(text).body
            if not _is_docstring(node) and not _is_for_type_checkers(node)
        ]
        self.binding: dict[str, list[int]] = {}
        for index, statement in enumerate(self.statements):
            for bound in _bound(statement):
                self.binding.setdefault(bound, []).append(index)

    @cached_property
    def imports(self) -> dict[str, _Import]:
        """What names stand for that are imported from this package, anywhere in the file."""
        found: dict[str, _Import] = {}
        for statement in self.statements:
            for node in _meaningful(statement):
                if isinstance(node, ast.Import):
                    found.update(
                        (alias.asname, _Import(alias.name, None))
                        for alias in node.names
                        if alias.asname and alias.name.partition(".")[0] == PACKAGE
                    )
                elif isinstance(node, ast.ImportFrom):
                    source = self._source(node)
                    if source.partition(".")[0] == PACKAGE:
                        found.update(
                            (alias.asname or alias.name, _Import(source, alias.name)) for alias in node.names
                        )
        return found

    def _source(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        return importlib.util.resolve_name("." * node.level + (node.module or ""), package)

    def always(self) -> Iterator[int]:
        """Yield the statements that run whatever is used of the module: loops, conditions, bare calls."""
        plain = (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
        for index, statement in enumerate(self.statements):
            if not isinstance(statement, plain):
                yield index


class _Reached:
    """Everything that can be reached by name from some starting points."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules: dict[str, _Module | None] = {}
        self.taken: dict[str, set[int]] = {}

    def module(self, name: str) -> _Module | None:
        """Return the module of this name; None for what is no module here or can change no result."""
        if name not in self.modules:
            self.modules[name] = self._load(name)
        return self.modules[name]

    def _load(self, name: str) -> _Module | None:
        parts = name.split(".")[1:]
        if not parts or parts[0] in _SHOWS or parts[-1] == "commands":
            return None
        file, package = (
            self.root.joinpath(*parts).with_suffix(".py"),
            self.root.joinpath(*parts, "__init__.py"),
        )
        if file.is_file():
            return _Module(name, file.read_text(encoding="utf-8"), is_package=False)
        if package.is_file():
            return _Module(name, package.read_text(encoding="utf-8"), is_package=True)
        return None

    def whole(self, name: str) -> None:
        """Take every statement of a module."""
        module = self.module(name)
        if module is not None:
            for index in range(len(module.statements)):
                self.take(module, index)

    def member(self, name: str, member: str) -> None:
        """Take what one name of a module stands for."""
        if self.module(f"{name}.{member}") is not None:
            self.whole(f"{name}.{member}")
            return
        module = self.module(name)
        if module is None:
            return
        for index in (*module.always(), *module.binding.get(member, ())):
            self.take(module, index)

    def take(self, module: _Module, index: int) -> None:
        """Take one statement, and all that it names."""
        taken = self.taken.setdefault(module.name, set())
        if index in taken:
            return
        taken.add(index)
        statement = module.statements[index]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for name in _bound(statement) & set(module.imports):
                self._imported(module.imports[name], None)
            return
        seen_through: set[int] = set()  # names that are only the start of `module.member`
        for node in _meaningful(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                target = module.imports.get(node.value.id)
                if target is not None and self._is_module(target):
                    seen_through.add(id(node.value))
                    self._imported(target, node.attr)
            elif isinstance(node, ast.Name) and id(node) not in seen_through:
                if node.id in module.imports:
                    self._imported(module.imports[node.id], None)
                for other in module.binding.get(node.id, ()):
                    if not isinstance(module.statements[other], ast.Import | ast.ImportFrom):
                        self.take(module, other)

    def _is_module(self, target: _Import) -> bool:
        return target.member is None or self.module(f"{target.module}.{target.member}") is not None

    def _imported(self, target: _Import, member: str | None) -> None:
        """Take what an imported name stands for, or one member of the module that it stands for."""
        if member is None:
            if target.member is None:
                self.whole(target.module)
            else:
                self.member(target.module, target.member)
        else:
            self.member(
                target.module if target.member is None else f"{target.module}.{target.member}", member
            )


def code_hashes(start: str, root: Path = ROOT) -> Mapping[str, str]:
    """Return the modules that a starting point depends on, each with a hash of what is used of it.

    Only names that stand in the code are followed, so what is looked up by a string at run time must be
    imported by name somewhere on the way. The rooms that show results, and the command line, are left out.

    Args:
        start: A module such as `"effnet_edu.studies.scaling"`, or one definition in it after a colon.
        root: The folder of the package.

    Raises:
        ValueError: There is no such module, or no such definition in it.
    """
    name, _, member = start.partition(":")
    reached = _Reached(root)
    module = reached.module(name)
    if module is None or (member and member not in module.binding):
        raise ValueError(f"start is {start!r}; it must be a module of {PACKAGE}, or module:definition.")
    if member:
        reached.member(name, member)
    else:
        for index, statement in enumerate(module.statements):
            if not isinstance(statement, ast.Import | ast.ImportFrom):  # unused, it leads nowhere
                reached.take(module, index)
    hashes = {}
    for found, taken in sorted(reached.taken.items()):
        known = reached.modules[found]
        # An import is where a name comes from; what it leads to is hashed where it stands.
        used = [
            _described(known.statements[index])
            for index in sorted(taken)
            if known is not None and not isinstance(known.statements[index], ast.Import | ast.ImportFrom)
        ]
        if used:
            hashes[found] = hashlib.sha256("\n".join(used).encode()).hexdigest()
    return hashes


def combined(hashes: Mapping[str, str]) -> str:
    """Return one sha256 for all modules together.

    Args:
        hashes: Module to hash.
    """
    lines = "\n".join(f"{name} {value}" for name, value in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
