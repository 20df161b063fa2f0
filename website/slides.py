"""One deck of slides for each lesson, from the same notebook: `python -m website.slides [--output DIR]`.

Nothing is tagged by hand; a rule decides. Each heading begins a slide, and so does each cell with a picture
or a printed result. On a slide stand headings with the first sentence under them, questions to predict,
lists, formulas and results; all other prose becomes the notes of the speaker. What a reader reveals, the
speaker reveals with a key. Exercises, their checks and the quiz are left out: they are done, not shown.
"""

import argparse
import html
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from effnet_edu.ground.atomic import write_atomically
from website import fonts
from website.lessons import ROOT, Lesson, lessons, live_places
from website.mathml import to_mathml

HERE = Path(__file__).parent
REVEAL = HERE / "node_modules" / "reveal.js"
OUTPUT = ROOT / "build" / "slides"
#: Sections that a speaker does not show.
LEFT_OUT = ("Exercises", "Quiz")
#: Lines of code that a slide has room for beside what they print.
MOST_LINES = 12
#: Printed lines that the last row can still read; more become notes.
MOST_PRINTED = 20
#: Items of a list that a slide has room for; a longer one stays folded.
MOST_ITEMS = 6

_CODE = HtmlFormatter(style="a11y-high-contrast-light", cssclass="code")


@dataclass
class Slide:
    """One slide.

    Attributes:
        shown: HTML from top to bottom.
        notes: What the speaker says, as Markdown.
    """

    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def has_room(self) -> bool:
        """Whether there is nothing but a heading, perhaps with a sentence, so that a result fits below."""
        return self.shown[0].startswith("<h2>") and len(self.shown) <= 2 and "<li>" not in self.shown[-1]

    @property
    def reveals(self) -> bool:
        """Whether it ends with an answer, which nothing may follow that would give it away."""
        return "fragment" in self.shown[-1]


def _math(text: str, options: dict[str, bool]) -> str:
    return to_mathml(text, block=options["display_mode"])


def _markdown() -> MarkdownIt:
    reader = MarkdownIt("commonmark").enable("table")
    reader.use(dollarmath_plugin, renderer=_math)
    return reader


_READER = _markdown()


def to_html(markdown: str) -> str:
    """Return Markdown with formulas as HTML; links to lessons lead to their slides.

    Args:
        markdown: The text of a cell, or a part of it.
    """
    text: str = _READER.render(markdown)
    return re.sub(r'href="(\d\d_\w+)\.ipynb"', r'href="\1.html"', text)


def blocks(markdown: str) -> Iterator[str]:
    """Yield the paragraphs, lists, formulas and headings of a cell.

    Args:
        markdown: Its text.
    """
    lines = markdown.splitlines()
    for token in _READER.parse(markdown):
        if token.level == 0 and token.map and token.nesting >= 0:
            yield "\n".join(lines[token.map[0] : token.map[1]]).strip()


def slides(book: NotebookNode, *, is_on_site: bool = False) -> list[Slide]:
    """Return the slides of a lesson.

    Args:
        book: The notebook.
        is_on_site: Whether the labs' own pages stand beside the deck.
    """
    deck = _title(book.cells[0].source)
    is_left_out = False
    for cell in book.cells[1:]:
        if cell.cell_type == "markdown":
            for block in blocks(cell.source):
                if block.startswith("## "):
                    is_left_out = block.removeprefix("## ").strip() in LEFT_OUT
                    if not is_left_out:
                        deck.append(Slide([to_html(block)]))
                elif not is_left_out:
                    _add(deck, block)
        elif not is_left_out:
            _run(deck, cell)
            deck[-1].shown += live_places(cell.source) if is_on_site else ()
    return [slide for slide in deck if slide.shown]


def _title(first: str) -> list[Slide]:
    """Return the slide with the claim, and one with the objectives."""
    parts = list(blocks(first))
    place = next(index for index, part in enumerate(parts) if part.startswith("**After this lesson"))
    title = Slide([to_html(part) for part in parts[:place]], list(parts[place + 2 :]))
    return [title, Slide([to_html(part) for part in parts[place : place + 2]])]


def _add(deck: list[Slide], block: str) -> None:
    """Put a block where it belongs: a question on its own slide, a list on the slide, prose in the notes."""
    slide = deck[-1]
    is_shown = re.match(r"([-*] |\d+\. |\$\$|\||### )", block)
    if block.startswith("**Predict"):
        deck.append(Slide([f'<div class="question">{to_html(block)}</div>']))
    elif re.fullmatch(r"\*\*[^*]+\*\*", block) or (is_shown and slide.reveals):
        deck.append(Slide([*_heading(deck), to_html(block)]))
    elif is_shown:
        slide.shown.append(to_html(block))
    elif len(slide.shown) == 1 and slide.has_room and not slide.notes:
        lead, _, rest = _first_sentence(block)
        slide.shown.append(to_html(lead))
        slide.notes += [rest] if rest else []
    else:
        slide.notes.append(block)


def _first_sentence(paragraph: str) -> tuple[str, str, str]:
    """Part a paragraph after its first sentence; formulas and decimal points end none."""
    found = re.match(r"(.+?[.?!]\**)(\s+)(?=[A-Z*`\"])(.*)", paragraph, flags=re.DOTALL)
    return (found[1], found[2], found[3]) if found else (paragraph, "", "")


def _run(deck: list[Slide], cell: NotebookNode) -> None:
    """Show what a cell shows: a picture alone, print with the code above it, an answer on a key press."""
    pictures, printed = [], []
    for output in cell.outputs:
        data = output.get("data", {})
        if "text/html" in data:
            pictures.append("".join(data["text/html"]))
        else:
            printed.append("".join(output.get("text", data.get("text/plain", ""))))
    if re.search(r"ee\.exercises\.(Reveal|predict)\(", cell.source):
        deck[-1].shown += [f'<div class="output fragment">{_answer(picture)}</div>' for picture in pictures]
    elif pictures:
        _put(deck, [f'<div class="output">{picture}</div>' for picture in pictures])
    elif (shown := "".join(printed).strip()).count("\n") >= MOST_PRINTED:
        deck[-1].notes.append(f"```\n{shown}\n```")
    elif shown:
        _put(deck, [*_code(cell.source), f'<pre class="printed">{html.escape(shown)}</pre>'])


def _put(deck: list[Slide], result: list[str]) -> None:
    """Put a result under the heading that it belongs to, or on a slide of its own."""
    if deck[-1].has_room:
        deck[-1].shown += result
    else:
        deck.append(Slide([*_heading(deck), *result]))


def _answer(revealed: str) -> str:
    """Return the words that a reader unfolds."""
    folded = r"\s*(?:<div[^>]*>)?<details[^>]*>\s*<summary>.*?</summary>(.*)</details>\s*(?:</div>)?\s*"
    answer = re.fullmatch(folded, revealed, flags=re.DOTALL)
    is_long = answer is not None and answer[1].count("<li>") > MOST_ITEMS
    return answer[1] if answer and not is_long else revealed  # the numbers of a figure stay folded


def _heading(deck: list[Slide]) -> list[str]:
    """Return the heading of the section that a slide belongs to, in small."""
    for slide in reversed(deck):
        for part in slide.shown:
            if found := re.match(r"<h2>(.*?)</h2>", part, flags=re.DOTALL):
                return [f'<p class="small">{found[1]}</p>']
            if part.startswith('<p class="small">'):
                return [part]
    return []


def _code(source: str) -> list[str]:
    lines = len(source.splitlines())
    return [highlight(source, PythonLexer(), _CODE)] if lines <= MOST_LINES else []


def to_deck(lesson: Lesson, *, is_on_site: bool = False) -> str:
    """Return the deck of a lesson as a page.

    Args:
        lesson: Which one.
        is_on_site: Whether the site's pages stand beside it, so that a slide can hold a living lab.
    """
    parts = []
    for slide in slides(lesson.book(), is_on_site=is_on_site):
        notes = "".join(map(to_html, slide.notes))
        parts.append(f"<section>{''.join(slide.shown)}<aside class='notes'>{notes}</aside></section>")
    template = Template((HERE / "deck.html").read_text(encoding="utf-8"))
    # Browsers import nothing from a file; there the link stays.
    live = '<script>if (location.protocol !== "file:") import("../_static/embed.js");</script>'
    return template.substitute(
        title=html.escape(lesson.title), slides="\n".join(parts), script=live if is_on_site else ""
    )


def build(output: Path, every: Iterable[Lesson], *, is_on_site: bool = False) -> list[Path]:
    """Write a deck for each lesson, with the player beside them; they open without a network or a server.

    Args:
        output: Folder of the decks.
        every: The lessons.
        is_on_site: Whether the site's pages stand beside that folder.

    Raises:
        FileNotFoundError: The player was not installed.
    """
    if not REVEAL.is_dir():
        raise FileNotFoundError(f"{REVEAL} is missing; `npm ci --prefix website` installs it.")
    player = output / "_reveal"
    player.mkdir(parents=True, exist_ok=True)
    for name in ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js"):
        shutil.copyfile(REVEAL / name, player / Path(name).name)
    fonts.add_files(player)
    style = (HERE / "deck.css").read_text(encoding="utf-8")
    write_atomically(player / "deck.css", f"{style}\n{_CODE.get_style_defs('.code')}\n")
    written = []
    for lesson in every:
        path = output / f"{lesson.path.stem}.html"
        write_atomically(path, to_deck(lesson, is_on_site=is_on_site))
        written.append(path)
    return written


def main() -> int:
    """Read the command line and write the decks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the decks")
    for path in build(parser.parse_args().output, lessons()):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
