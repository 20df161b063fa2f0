"""Reading a published table: rows that cannot be changed, with numbers parsed and sources kept."""

import csv
import difflib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import overload

from effnet_edu.ground.checks import quoted

#: What a cell of a table can hold.
Value = str | int | float | None

FOLDER = Path(__file__).parent
_INTEGER = re.compile(r"[+-]?\d+")
_REAL = re.compile(r"[+-]?(\d+\.\d*|\.?\d+)([eE][+-]?\d+)?")


def _parse(cell: str) -> Value:
    """Return None for an empty cell, a number where the whole cell is one, and else the text."""
    if not cell:
        return None
    if _INTEGER.fullmatch(cell):
        return int(cell)
    return float(cell) if _REAL.fullmatch(cell) else cell


def _near(word: object, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word).lower(), list(known), n=3, cutoff=0.4)
    return f" Near it: {', '.join(near)}." if near else ""


class Row(Mapping[str, Value]):
    """One row of a published table: column name to value, read only.

    Args:
        table: Name of the table, for what is said when a column is missing.
        values: The values by column.
    """

    def __init__(self, table: str, values: Mapping[str, Value]) -> None:
        self._table = table
        self._values = MappingProxyType(dict(values))

    def __getitem__(self, column: str) -> Value:
        if column not in self._values:
            raise KeyError(f"{self._table} has no column {quoted(column)}.{_near(column, self._values)}")
        return self._values[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{name}={value!r}' for name, value in self.items())})"

    def number(self, column: str) -> float:
        """Return a value that must be a number.

        Args:
            column: Name of the column.

        Raises:
            KeyError: The table has no such column.
            ValueError: The cell is empty or holds text.
        """
        value = self[column]
        if not isinstance(value, int | float):
            raise ValueError(
                f"{column} is {quoted(value)} in this row of {self._table}; a number was expected."
            )
        return value


class Table(Sequence[Row]):
    """A published table: a sequence of rows that cannot be changed.

    Attributes:
        name: Name of the table, as in `list_tables()`.
        columns: Its column names; the last two are `source` and `confidence`.

    Args:
        rows: The rows, in order.
    """

    def __init__(self, name: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "Table": ...
    def __getitem__(self, index: int | slice) -> "Row | Table":
        if isinstance(index, slice):
            return Table(self.name, self.columns, self._rows[index])
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def _check(self, column: str) -> None:
        if column not in self.columns:
            raise KeyError(f"{self.name} has no column {quoted(column)}.{_near(column, self.columns)}")

    def where(self, **values: Value) -> "Table":
        """Return the rows that have these values.

        Args:
            **values: A value for each column that matters, such as `network="B0"`.

        Raises:
            KeyError: The table has no such column.
        """
        for column in values:
            self._check(column)
        kept = (row for row in self._rows if all(row[column] == value for column, value in values.items()))
        return Table(self.name, self.columns, kept)

    def row(self, **values: Value) -> Row:
        """Return the only row that has these values.

        Args:
            **values: A value for each column that matters.

        Raises:
            KeyError: The table has no such column.
            ValueError: No row has these values, or more than one.
        """
        found = self.where(**values)
        if len(found) != 1:
            wanted = ", ".join(f"{column}={value!r}" for column, value in values.items())
            raise ValueError(f"{self.name} has {len(found)} rows with {wanted}; exactly one was expected.")
        return found[0]

    def column(self, name: str) -> tuple[Value, ...]:
        """Return one column, in the order of the rows.

        Args:
            name: Name of the column.

        Raises:
            KeyError: The table has no such column.
        """
        self._check(name)
        return tuple(row[name] for row in self._rows)

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {len(self)} rows, columns: {', '.join(self.columns)})"

    def _repr_html_(self) -> str:
        def cells(tag: str, values: Iterable[Value]) -> str:
            texts = ("" if value is None else html.escape(str(value)) for value in values)
            return "<tr>" + "".join(f"<{tag}>{text}</{tag}>" for text in texts) + "</tr>"

        head = cells("th", self.columns)
        body = "".join(cells("td", row.values()) for row in self._rows)
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def list_tables() -> list[str]:
    """Return the names of all published tables."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


@cache
def read(name: str) -> Table:
    """Return a published table.

    Args:
        name: One of `list_tables()`, such as `"effnet_table2"`.

    Raises:
        ValueError: There is no such table; the nearest names are given.
    """
    if name not in (known := list_tables()):
        raise ValueError(
            f"There is no published table named {quoted(name)}.{_near(name, known)} "
            f"ee.published.list_tables() names all {len(known)}."
        )
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        rows = [Row(name, {column: _parse(cell) for column, cell in line.items()}) for line in reader]
    return Table(name, reader.fieldnames or (), rows)
