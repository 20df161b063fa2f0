"""Curves that grow in a notebook while a network is trained."""

from html import escape
from typing import Any

from IPython.display import HTML, DisplayHandle

from effnet_edu.figures.training import training_curves
from effnet_edu.training.progress import describe
from effnet_edu.training.rows import Row


class LiveCurves:
    """Curves under the cell, redrawn after each epoch; give it to `train` as `progress`.

    Args:
        name: What the run is called.
    """

    def __init__(self, name: str = "this run") -> None:
        self.name = name
        self.rows: list[Row] = []
        self._handle: Any = None
        self._curves = ""

    def __call__(self, row: Row) -> None:
        """Show where the training stands, and, at the end of an epoch, one more point.

        Args:
            row: Where it stands.
        """
        if row.ends_epoch:
            self.rows.append(row)
            self._curves = training_curves({self.name: self.rows})._repr_html_()
        shown: Any = HTML(f"<p role='status'>{escape(describe(row))}</p>{self._curves}")  # type: ignore[no-untyped-call]
        if self._handle is None:
            self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
            self._handle.display(shown)
        else:
            self._handle.update(shown)
