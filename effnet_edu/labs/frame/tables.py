"""The numbers of a lab as HTML tables: beside the picture, compared, and in full."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape

from effnet_edu.labs.frame.numbers import Comparison, Number, Section, digits

#: What stands where a setting has no such number, or none yet.
NONE = "<span aria-label='none'>–</span>"


def _row(name: str, *cells: str) -> str:
    return f"<tr><th scope='row'>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _interval(number: Number) -> str:
    if number.interval is None:
        return ""
    low, high = (digits(end, number.decimals) for end in number.interval)
    return f"{low} to {high}{f' {number.unit}' if number.unit else ''}"


def numbers_table(sections: Iterable[Section]) -> str:
    """Return a table for each kind of number.

    Args:
        sections: Numbers of one setting.
    """
    tables = []
    for section in sections:
        rows = []
        for number in section.numbers:
            rows.append(_row(number.name, escape(str(number))))
            if number.interval:
                rows.append(_row("95% interval", escape(_interval(number))))
        stale = " ee-stale" if section.is_stale else ""
        tables.append(
            f"<table class='ee-numbers ee-{section.kind}{stale}'><caption>{escape(section.caption)}</caption>"
            f"{''.join(rows)}</table>"
        )
    return "".join(tables)


def _sided(number: Number | None) -> str:
    return NONE if number is None else escape(digits(number.value, number.decimals))


def _change(value: float | None, decimals: int | None) -> str:
    return (
        NONE
        if value is None
        else f"{'+' if value > 0 else ''}{escape(digits(value, decimals).replace('-', '−'))}"
    )


def comparison_table(rows: Sequence[Comparison], label_a: str, label_b: str) -> str:
    """Return the numbers of two settings side by side, with difference and ratio.

    Args:
        rows: What `numbers.compare` returned.
        label_a: Setting A in a few words.
        label_b: Setting B.
    """
    heads = "".join(f"<th scope='col'>{words}</th>" for words in ("A", "B", "B − A", "B / A"))
    parts, kinds = [], ""
    for row in rows:
        if row.kinds != kinds:
            kinds = row.kinds
            parts.append(f"<tr class='ee-kind'><th scope='rowgroup' colspan='5'>{escape(kinds)}</th></tr>")
        decimals = (row.b or row.a or Number("", 0)).decimals
        parts.append(
            _row(
                f"{row.name}, {row.unit}" if row.unit else row.name,
                _sided(row.a),
                _sided(row.b),
                _change(row.difference, decimals),
                NONE if row.ratio is None else f"{digits(row.ratio)} ×",
            )
        )
    return (
        "<table class='ee-numbers ee-compared'>"
        f"<caption>A: {escape(label_a)}<br>B: {escape(label_b)}</caption>"
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(parts)}</tbody></table>"
    )


def figure(name: str, section: Section, number: Number, before: Number | None) -> str:
    """Return a number of a lab, large, with its kind, its interval, and what it is at A.

    Args:
        name: What it is called.
        section: The numbers that it is one of.
        number: The number.
        before: The same at A, where there is an A with that number.
    """
    lines = [_interval(replace(number, unit=""))] if number.interval else []
    if before is not None:
        ratio = f", × {digits(number.value / before.value)}" if before.value else ""
        lines.append(f"A {digits(before.value, before.decimals)}{ratio}")
    elif number.note:
        lines.append(number.note)
    stale, kind = (" ee-stale", section.caption) if section.is_stale else ("", section.kind)
    said = "".join(f"<dd>{escape(line)}</dd>" for line in lines)
    return (
        f"<div class='ee-figure ee-{section.kind}{stale}'><dt>{escape(name)}, {escape(kind)}</dt>"
        f"<dd class='ee-value'>"
        f"<b>{escape(digits(number.value, number.decimals))}</b> {escape(number.unit)}</dd>{said}</div>"
    )


def no_figure(name: str) -> str:
    """Return the place of a number that is not measured yet."""
    return (
        f"<div class='ee-figure ee-unmeasured'><dt>{escape(name)}, not measured yet</dt>"
        f"<dd class='ee-value'><b>{NONE}</b></dd></div>"
    )


def full_table(sections: Iterable[Section]) -> str:
    """Return all numbers as one table that says of each its kind and unit.

    Args:
        sections: Numbers of one setting.
    """
    rows = [
        f"<tr><th scope='row'>{escape(number.name)}</th>"
        f"<td>{escape(digits(number.value, number.decimals))}</td>"
        f"<td class='ee-left'>{escape(' '.join(filter(None, (number.unit, number.note))))}</td>"
        f"<td>{escape(_interval(number))}</td><td class='ee-left'>{escape(section.caption)}</td></tr>"
        for section in sections
        for number in section.numbers
    ]
    heads = ("number", "value", "unit", "95% interval", "kind")
    head = "".join(f"<th scope='col'>{words}</th>" for words in heads)
    return (
        f"<table class='ee-numbers ee-full'><caption>numbers at this setting</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def plain_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """Return a small table of ready texts, the first column of which names the row.

    Args:
        caption: What it shows, with the kind of its numbers.
        heads: Names of the columns, with units.
        rows: Texts, one a column.
        css: Class of the style sheet.
    """
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in heads)
    body = "".join(_row(first, *map(escape, rest)) for first, *rest in rows)
    return (
        f"<table class='ee-numbers ee-also {css}'><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
