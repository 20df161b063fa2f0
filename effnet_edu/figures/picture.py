"""A figure as a notebook shows it: with words for those who cannot see it, and its numbers as a table."""

import base64
import html
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from effnet_edu.figures.raster import png
from effnet_edu.figures.style import styled
from effnet_edu.ground.palette import PROJECT
from effnet_edu.pictures.scene import Scene
from effnet_edu.pictures.still import MARGIN, still

#: Dots in an inch of a photograph inside a drawing; the drawing itself has none.
_PHOTOGRAPH_DOTS = 120


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
    svg = re.sub(r"<[?][^>]*>|<!DOCTYPE[^>]*>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r">\s+<", "><", re.sub(r"\s+", " ", svg)).strip()
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
    return _named_styles(re.sub(r"<[^>]+>", tidy, svg).replace("<g/>", ""))


def _named_styles(svg: str) -> str:
    """Return the same drawing with a class for each style that stands in it more than twice."""
    counted = Counter(re.findall(r' style="([^"]*)"', svg))
    names = {style: f"s{place}" for place, (style, count) in enumerate(counted.items()) if count > 2}
    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())

    def named(attribute: re.Match[str]) -> str:
        return f' class="{names[attribute[1]]}"' if attribute[1] in names else attribute[0]

    return re.sub(r' style="([^"]*)"', named, svg).replace("</style>", f"{rules}</style>", 1)


def jpeg_address(picture: Image.Image, quality: int = 85) -> str:
    """Return a picture as an address that holds it whole.

    Args:
        picture: Grey or in colour.
        quality: Of the JPEG, 1 to 95.
    """
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _with_jpegs(svg: str) -> str:
    """Return a drawing whose photographs take a tenth of the bytes."""

    def smaller(found: re.Match[str]) -> str:
        opened = Image.open(io.BytesIO(base64.b64decode(found[1])))
        return f'"{jpeg_address(opened.convert("RGB"))}"'

    return re.sub(r'"data:image/png;base64,([^"]+)"', smaller, svg)


def _dark(svg: str) -> str:
    """Return a drawing that turns its lightness around, but no photograph, where its image is shown dark.

    Yellow would turn nearly black, so another colour that turns yellow takes its place there.
    """
    what = "path,text" if "<image" in svg else "svg"
    turned = f"{what}{{filter:invert(.93) hue-rotate(180deg)}}"
    yellow = f"fill:{PROJECT.lower()}"
    if yellow in svg:
        turned += "svg{--yellow:#625c00}"
        svg = svg.replace(yellow, f"fill:var(--yellow,{PROJECT.lower()})")
    style = f"<style>@media(prefers-color-scheme:dark){{{turned}}}</style>"
    return re.sub(r"(<svg [^>]*>)", rf"\1{style}", svg, count=1)


class Shown:
    """What a notebook shows of a picture: image, alt text, caption, and the numbers as a table.

    JupyterLab drops the alt text of a bare image, so the image travels inside HTML.
    """

    alt: str
    caption: str
    numbers: Numbers

    def image(self) -> bytes:
        """Return the picture as a file; the same picture gives the same bytes."""
        raise NotImplementedError

    def _figure(self, pixels: int) -> str:
        """Return image, caption and table as HTML."""
        data = base64.b64encode(self.image()).decode("ascii")
        return (
            f'<figure class="ee-figure" style="margin:0"><img alt="{html.escape(self.alt)}" '
            f'width="{pixels}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'
            f"<figcaption>{html.escape(self.caption)}</figcaption></figure>{self.numbers.to_html()}"
        )

    def __repr__(self) -> str:
        return f"{self.alt}\n{self.caption}"


@dataclass(frozen=True, repr=False)
class Picture(Shown):
    """A figure with alt text, a caption and its numbers. A notebook shows all four.

    Attributes:
        figure: The drawing.
        alt: What a reader who cannot see it has to know.
        caption: One or two sentences under it.
        numbers: The same numbers as a table.
    """

    figure: Figure
    alt: str
    caption: str
    numbers: Numbers

    def __post_init__(self) -> None:
        # Laid out once and for all: each further pass would move things by a hair.
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    @styled
    def image(self) -> bytes:
        """Return the figure as a file; the same figure gives the same bytes."""
        buffer = io.BytesIO()
        self.figure.savefig(
            buffer, format="svg", dpi=_PHOTOGRAPH_DOTS, metadata={"Date": None, "Creator": None}
        )
        return _dark(_with_jpegs(_compact(buffer.getvalue().decode("utf-8")))).encode("utf-8")

    @styled
    def _repr_png_(self) -> bytes:
        """Return what exports to LaTeX and PDF show, which take no HTML; stored lessons do without it."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        return _THEMES + self._figure(round(96 * self.figure.get_figwidth()))


#: An SVG inside an image follows the color-scheme of that image: JupyterLab sets none, so it is set here.
_THEMES = (
    "<style>.ee-figure img{color-scheme:light}"
    ":is([data-jp-theme-light=false],[data-theme=dark]) .ee-figure img{color-scheme:dark}"
    "@media (prefers-color-scheme:dark){[data-theme=auto] .ee-figure img{color-scheme:dark}}</style>"
)


@dataclass(frozen=True, repr=False)
class ScenePicture(Shown):
    """A scene with a caption and its numbers; a notebook also gets pixels, for books that hold no SVG.

    Attributes:
        scene: The drawing, with its description.
        caption: One or two sentences under it.
        numbers: The same numbers as a table.
    """

    scene: Scene
    caption: str
    numbers: Numbers

    @property
    def alt(self) -> str:  # type: ignore[override]
        """What a reader who cannot see it has to know."""
        return self.scene.description

    def image(self) -> bytes:
        """Return the picture as SVG with an opaque card that follows light and dark."""
        return still(self.scene, alone=True).encode("utf-8")

    def _repr_html_(self) -> str:
        pixels = round(self.scene.width) + 2 * MARGIN
        return _THEMES + self._figure(pixels)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        pixels = base64.b64encode(png(self.scene)).decode("ascii")
        return {"text/html": self._repr_html_(), "image/png": pixels, "text/plain": repr(self)}
