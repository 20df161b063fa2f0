"""A figure as a notebook shows it: with words for those who cannot see it, and its numbers as a table."""

import base64
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from effnet_edu.figures.style import styled


@dataclass(frozen=True)
class Numbers:
    """The numbers behind a figure.

    Attributes:
        columns: Names, each with its unit and, where it matters, its kind: computed, published or measured.
        rows: One tuple of ready text a row.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def to_html(self) -> str:
        """Return a folded table."""

        def line(tag: str, cells: Sequence[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line("td", row) for row in self.rows)
        return (
            "<details><summary>The same numbers as a table</summary>"
            f"<table><thead>{line('th', self.columns)}</thead><tbody>{body}</tbody></table></details>"
        )


def _compact(svg: str) -> str:
    """Return the same drawing in a third of the bytes: a hundredth of a point is fine enough."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r">\s+<", "><", re.sub(r"\s+", " ", svg))
    families = re.search(r"font-family: [^;]*; ", svg)
    if families:  # once for all, not once a word
        svg = svg.replace(families[0], "").replace("*{", "*{" + families[0], 1)

    def shorten(number: re.Match[str]) -> str:
        return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")

    def tidy(tag: re.Match[str]) -> str:
        if tag[0].startswith("<g id="):  # nothing refers to groups
            return "<g/>" if tag[0].endswith("/>") else "<g>"
        text = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", tag[0])
        return re.sub(r"\d+\.\d{3,}", shorten, text).replace("; ", ";").replace(": ", ":")

    # Only inside tags: what stands between them is text that a reader sees.
    return re.sub(r"<[^>]+>", tidy, svg)


@dataclass(frozen=True)
class Picture:
    """A figure with alt text, a caption and its numbers. A notebook shows all four.

    JupyterLab drops the alt text of a bare image, so the image travels inside HTML.

    Attributes:
        figure: The drawing.
        alt: What a reader who cannot see it has to know.
        caption: One or two sentences under it.
        numbers: The same numbers as a table.
        form: `"svg"` for drawings; `"jpeg"` where there is a photograph in it.
    """

    figure: Figure
    alt: str
    caption: str
    numbers: Numbers
    form: Literal["svg", "jpeg"] = "svg"

    def __post_init__(self) -> None:
        # Laid out once and for all: each further pass would move things by a hair.
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    @styled
    def image(self) -> bytes:
        """Return the figure as a file; the same figure gives the same bytes."""
        buffer = io.BytesIO()
        if self.form == "svg":
            self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
            return _compact(buffer.getvalue().decode("utf-8")).encode("utf-8")
        self.figure.savefig(buffer, format="jpeg", dpi=120, pil_kwargs={"quality": 85})
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        kind = "svg+xml" if self.form == "svg" else self.form
        pixels = round(96 * self.figure.get_figwidth())
        data = base64.b64encode(self.image()).decode("ascii")
        return (
            f'<figure style="margin:0"><img alt="{html.escape(self.alt)}" width="{pixels}" '
            'style="max-width:100%" '
            f'src="data:image/{kind};base64,{data}">'
            f"<figcaption>{html.escape(self.caption)}</figcaption></figure>{self.numbers.to_html()}"
        )

    def __repr__(self) -> str:
        return f"{self.alt}\n{self.caption}"
