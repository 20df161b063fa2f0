"""Numbers as data: what a lab knows at a setting, each with unit and kind, and two settings compared."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["computed", "published", "recorded", "measured"]


def digits(value: float, decimals: int | None = None) -> str:
    """Return a number with three significant digits, or whole, so that its column never overflows.

    Args:
        value: Any finite number.
        decimals: Digits after the point, where the number asks for a fixed count of them.
    """
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else f"{value:.3g}"


def in_times(ratio: float, what: str, same: str) -> str:
    """Return how many times as much something is, in words.

    Args:
        ratio: Of the two, above 0.
        what: What follows the number: `"the MACs of B0"`.
        same: What is said where three digits show no difference: `"as many MACs as B0"`.
    """
    said = digits(ratio)
    return same if said == "1" else f"{said} times {what}"


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a lab.

    Attributes:
        name: What it is, the same at every setting.
        value: The number, in its unit.
        unit: Its unit; empty for a count or a factor.
        decimals: Digits after the point; None for three significant digits.
        interval: The 95% interval of a measured one, in the same unit.
        note: A word or two said after it, such as what it should be near.
        is_detail: Whether only the table of all numbers lists it, because the picture shows it.
    """

    name: str
    value: float
    unit: str = ""
    decimals: int | None = None
    interval: tuple[float, float] | None = None
    note: str = ""
    is_detail: bool = False

    def __str__(self) -> str:
        return " ".join(filter(None, (digits(self.value, self.decimals), self.unit, self.note)))


@dataclass(frozen=True)
class Section:
    """Numbers of one kind.

    Attributes:
        kind: Where they come from.
        numbers: The numbers, in the order in which they are shown.
        caption: The kind, and what else a reader must know, such as the source.
        is_stale: Whether they belong to an earlier setting.
    """

    kind: Kind
    numbers: tuple[Number, ...]
    caption: str
    is_stale: bool = False


def without_details(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Return sections with only those numbers that stand beside a picture.

    Args:
        sections: Numbers of one setting.
    """
    kept = (
        replace(section, numbers=tuple(number for number in section.numbers if not number.is_detail))
        for section in sections
    )
    return tuple(section for section in kept if section.numbers)


@dataclass(frozen=True)
class Comparison:
    """One number at two settings.

    Attributes:
        name: What it is.
        unit: Of both.
        kind_a: Kind at setting A, or None where A has no such number.
        kind_b: The same for B.
        a: At setting A.
        b: At setting B.
    """

    name: str
    unit: str
    kind_a: Kind | None
    kind_b: Kind | None
    a: Number | None
    b: Number | None

    @property
    def kinds(self) -> str:
        """The kind in words, both where they differ."""
        present = [kind for kind in (self.kind_a, self.kind_b) if kind]
        return present[0] if len(set(present)) == 1 else f"A {self.kind_a}, B {self.kind_b}"

    @property
    def is_detail(self) -> bool:
        """Whether only the table of all numbers lists it."""
        return any(number.is_detail for number in (self.a, self.b) if number)

    @property
    def difference(self) -> float | None:
        """B minus A."""
        return None if self.a is None or self.b is None else self.b.value - self.a.value

    @property
    def ratio(self) -> float | None:
        """B over A."""
        if self.a is None or self.b is None or self.a.value == 0:
            return None
        return self.b.value / self.a.value


def compare(a: Iterable[Section], b: Iterable[Section]) -> tuple[Comparison, ...]:
    """Put the numbers of two settings beside each other, by name.

    Args:
        a: Sections at setting A.
        b: Sections at setting B; their order leads.
    """
    # What has another unit is another number: 20 images/s and 2 billion MACs have no difference.
    before = {(n.name, n.unit): (section.kind, n) for section in a for n in section.numbers}
    after = {(n.name, n.unit): (section.kind, n) for section in b for n in section.numbers}
    rows = []
    for name, unit in dict.fromkeys([*after, *before]):
        kind_a, number_a = before.get((name, unit), (None, None))
        kind_b, number_b = after.get((name, unit), (None, None))
        rows.append(Comparison(name, unit, kind_a, kind_b, number_a, number_b))
    return tuple(rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


def sections_csv(sections: Iterable[Section]) -> str:
    """Return sections as csv, a row a number, unrounded.

    Args:
        sections: Numbers of one setting.
    """
    return _csv(
        ("kind", "caption", "name", "value", "unit", "low", "high"),
        (
            (
                section.kind,
                section.caption,
                number.name,
                number.value,
                number.unit,
                *(number.interval or ("", "")),
            )
            for section in sections
            for number in section.numbers
        ),
    )


def comparisons_csv(rows: Iterable[Comparison]) -> str:
    """Return a comparison as csv, a row a number, unrounded.

    Args:
        rows: What `compare` returned.
    """
    return _csv(
        ("name", "unit", "kind_a", "kind_b", "a", "b", "difference", "ratio"),
        (
            (row.name, row.unit, row.kind_a, row.kind_b, row.a and row.a.value, row.b and row.b.value,
             row.difference, row.ratio)
            for row in rows
        ),
    )  # fmt: skip
