"""Labs end with the cell that made them: when it runs again, or is deleted, they stop and are closed."""

from typing import Any, Protocol

from IPython.core.getipython import get_ipython

#: Open labs by the cell that made them.
_labs: dict[str, list["Closable"]] = {}


class Closable(Protocol):
    """Whatever can be closed."""

    def close(self) -> None:
        """Stop, and leave nothing behind."""
        ...


def close_when_its_cell_runs_again(lab: Closable) -> None:
    """Close a lab as soon as its cell runs again; without a notebook it is for its owner to close."""
    shell: Any = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return
    if not getattr(shell, "_effnet_edu_watches_cells", False):
        shell.events.register("pre_run_cell", lambda _info: _close_of(kernel))
        shell._effnet_edu_watches_cells = True
    _labs.setdefault(_cell(kernel), []).append(lab)


def _close_of(kernel: Any) -> None:
    """Close the labs of the cell that is about to run, and of cells that were deleted."""
    deleted = _parent(kernel).get("metadata", {}).get("deletedCells") or ()
    for cell in (_cell(kernel), *deleted):
        for lab in _labs.pop(cell, ()):
            lab.close()


def _parent(kernel: Any) -> dict[str, Any]:
    parent: dict[str, Any] = kernel.get_parent("shell") or {}
    return parent


def _cell(kernel: Any) -> str:
    """Return what tells a cell from others: its id, or its text where a front end sends none."""
    parent = _parent(kernel)
    return str(parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code", ""))
