"""Pages of the library's public names, room by room, from their docstrings."""

import importlib
import inspect
import sys
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

from sphinx.pycode import ModuleAnalyzer

import effnet_edu as ee

#: Rooms in the order of the house, with a title for a reader who does not know the house.
TITLES = {
    "ground": "What every room uses",
    "model": "Networks: as data, counted, and as modules",
    "checkpoints": "Published weights",
    "images": "Images",
    "profiling": "Measuring",
    "training": "Training",
    "studies": "Studies",
    "published": "Published numbers",
    "pictures": "Pictures as data",
    "figures": "Figures",
    "labs": "Labs",
    "exercises": "Exercises",
    "course": "This machine",
}


def names_of(room: str) -> list[str]:
    """Return the public names of a room as a user writes them after `import effnet_edu`.

    Args:
        room: One of `TITLES`.
    """
    top = {name: getattr(ee, name) for name in ee.__all__}
    names = [
        f"effnet_edu.{name}"
        for name, thing in top.items()
        if not inspect.ismodule(thing) and thing.__module__.split(".")[1] == room
    ]
    if room in top:
        shown = {id(thing) for thing in top.values()}
        own = top[room]
        names += [f"{own.__name__}.{name}" for name in own.__all__ if id(getattr(own, name)) not in shown]
    return names


def page(room: str) -> str:
    """Return the page of a room as reStructuredText inside MyST.

    Args:
        room: One of `TITLES`.
    """
    module = importlib.import_module(f"effnet_edu.{room}")
    lines = [f"# {TITLES[room]}", inspect.getdoc(module) or "", "```{eval-rst}"]
    for name in names_of(room):
        lines += [*_directive(name), ""]
    lines.append("```")
    if told := [name for name in met() if name.split(".")[1] == room]:
        lines += ["## What comes with them", "Types that the names above take or return.", "```{eval-rst}"]
        for name in told:
            lines += [*_directive(name), ""]
        lines.append("```")
    return "\n".join([*lines, ""])


@cache
def met() -> tuple[str, ...]:
    """Return the classes of this library that public names take or return without being public themselves."""
    found: dict[str, None] = {}
    waiting = [_thing(name) for room in TITLES if room != "labs" for name in names_of(room)]
    known = {id(thing) for thing in waiting}
    while waiting:
        for one in _classes_in(waiting.pop()):
            if id(one) not in known:
                known.add(id(one))
                waiting.append(one)
                found[f"{one.__module__}.{one.__qualname__}"] = None
    return tuple(sorted(found))


def _thing(name: str) -> Any:
    home, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(home), attribute)


def _classes_in(thing: Any) -> Iterator[type]:
    """Yield the classes of this library in the annotations of a function, or of a class and its methods."""
    if inspect.isclass(thing):
        methods = [value for name, value in vars(thing).items() if not name.startswith("_")]
        functions = [value.fget if isinstance(value, property) else value for value in methods]
        holders = [thing, *filter(inspect.isfunction, functions)]
    else:
        holders = [thing] if inspect.isfunction(thing) else []
    for holder in holders:
        try:
            annotations = typing.get_type_hints(holder)
        except NameError:  # what only a type checker imports is a view, which nobody calls
            continue
        for annotation in annotations.values():
            yield from _leaves(annotation)


def _leaves(annotation: Any) -> Iterator[type]:
    if inspect.isclass(annotation) and annotation.__module__.startswith("effnet_edu."):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _leaves(part)


def _directive(name: str) -> list[str]:
    thing = _thing(name)
    if inspect.isclass(thing):
        # What a lab draws and how it is put together is no concern of who uses it.
        members = [] if name.startswith("effnet_edu.labs.") else ["   :members:"]
        # The class explains its fields; a named tuple would list them once more.
        fields = [f"   :exclude-members: {', '.join(thing._fields)}"] if hasattr(thing, "_fields") else []
        return [f".. autoclass:: {name}", *members, *fields]
    if callable(thing):
        return [f".. autofunction:: {name}"]
    return [f".. py:data:: {name}", "", f"   {_comment(name, thing)}"]


def _comment(name: str, constant: Any) -> str:
    """Return what the comment above a constant says, wherever in its room it is defined."""
    room, _, attribute = name.rpartition(".")
    for module in list(sys.modules):
        if module.startswith(f"{room}.") and vars(sys.modules[module]).get(attribute) is constant:
            said = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", attribute))
            if said:
                return " ".join(said).strip()
    raise ValueError(f"Nothing says what {name} is: it needs a comment that begins with `#:`.")
