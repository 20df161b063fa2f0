"""Make the site: `python -m website.build [--output DIR]`. It runs no lesson and asks no network."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from sphinx.cmd.build import main as sphinx

from effnet_edu import studies
from effnet_edu.labs.frame.page import Page
from effnet_edu.studies.registry import study
from website import api, fonts, front, live, photograph, results, slides
from website.lessons import LIVE, ROOT, lessons, page_of

HERE = Path(__file__).parent
OUTPUT = ROOT / "build" / "site"


def assemble(folder: Path) -> None:
    """Write all pages of the site as Sphinx reads them.

    Args:
        folder: An empty folder.
    """
    _lessons(folder)
    for lab, page in LIVE.items():
        _write(folder / "live" / f"{page}.md", live.page_of(lab))
    _write(folder / "live" / "photograph.md", photograph.page())
    _results(folder / "results")
    _api(folder / "api")
    _documents(folder)


def _documents(folder: Path) -> None:
    """Take the project's own documents as they are; what they call the README is the first page here."""
    for path in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"):
        text = path.read_text(encoding="utf-8").replace("](../README.md", "](../index.md")
        _write(folder / path.relative_to(ROOT), text)
    for path in (ROOT / "docs").glob("*.svg"):
        _write(folder / "docs" / path.name, path.read_text(encoding="utf-8"))
    _write(folder / "LICENSE", (ROOT / "LICENSE").read_text(encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _page(name: str, mark: str, content: str) -> str:
    """Return a page with what is made put where it is marked."""
    text = (HERE / "pages" / name).read_text(encoding="utf-8")
    return text.replace(f"<!-- {mark} -->", content)


def _toctree(pages: list[str], caption: str = "") -> str:
    head = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["", "```{toctree}", *head, "", *pages, "```", ""])


def _lessons(folder: Path) -> None:
    every = lessons()
    for lesson in every:
        target = folder / "lessons" / lesson.path.name
        _write(target, nbformat.writes(page_of(lesson)))
    cards = [
        f"- **[{lesson.title}](lessons/{lesson.path.name})** <span class='minutes'>{lesson.minutes} minutes"
        f"</span>  \n  {lesson.claim}"
        for lesson in every
    ]
    index = (
        _page("index.md", "lessons", "\n".join(cards))
        .replace("<!-- picture -->", front.hero())
        .replace("<!-- labs -->", front.cards())
    )
    tree = _toctree([f"lessons/{lesson.path.stem}" for lesson in every], "Lessons")
    labs = [f"{Page(lab).logic.title} <live/{page}>" for lab, page in LIVE.items()]
    moving = _toctree([*labs, "Your photograph <live/photograph>"], "Labs in your browser")
    more = _toctree(["results/index", "api/index"], "Beside them")
    teaching = _toctree(["docs/teaching", "docs/class", "docs/cluster"], "For teachers")
    guides = [f"docs/{path.stem}" for path in sorted((ROOT / "docs").glob("add_*.md"))]
    carrying_on = _toctree(["CONTRIBUTING", *guides], "For who carries on")
    _write(folder / "index.md", index + tree + moving + more + teaching + carrying_on)


def _results(folder: Path) -> None:
    rows, pages = [], []
    for result in results.recorded_studies():
        _write(folder / f"{result.name}.md", results.study_page(result))
        rows.append(f"- [{study(result.name).title}]({result.name}.md): {result.question}")
        pages.append(result.name)
    for name, records in studies.recorded_devices().items():
        _write(folder / f"device_{name}.md", results.device_page(name))
        device = next(iter(records.values())).provenance.device
        rows.append(f"- [{device}](device_{name}.md): what it does at most, and how networks rank on it")
        pages.append(f"device_{name}")
    _write(folder / "index.md", _page("results/index.md", "results", "\n".join(rows)) + _toctree(pages))


def _api(folder: Path) -> None:
    for room in api.TITLES:
        _write(folder / f"{room}.md", api.page(room))
    rooms = "\n".join(f"- [{title}]({room}.md)" for room, title in api.TITLES.items())
    _write(folder / "index.md", _page("api/index.md", "rooms", rooms) + _toctree(list(api.TITLES)))


def _mend(made: Path) -> None:
    """Say the level of the headings of the side bar, and that a signature is no list of definitions."""
    for path in made.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        text = text.replace(' role="heading"', ' role="heading" aria-level="2"')
        path.write_text(text.replace("<dl>\n<dd>", '<dl role="presentation">\n<dd>'), encoding="utf-8")


def build(output: Path = OUTPUT) -> int:
    """Make the site; every warning is an error. Returns 0 when it was made.

    Args:
        output: Where it goes; what was there is replaced when the new one is whole.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as work:
        source, made = Path(work, "source"), Path(work, "made")
        assemble(source)
        options = ["-b", "html", "-n", "-W", "--keep-going", "-q", "-d", f"{work}/doctrees", "-c", str(HERE)]
        failed = sphinx([*options, str(source), str(made)])
        if not failed:
            _mend(made)
            fonts.add_files(made / "_static")
            live.add_files(made)
            front.add_files(made)
            photograph.add_files(made)
            slides.build(made / "slides", lessons(), is_on_site=True)
            (made / "notebooks").mkdir()
            for lesson in lessons():
                shutil.copyfile(lesson.path, made / "notebooks" / lesson.path.name)
            shutil.rmtree(output, ignore_errors=True)
            made.rename(output)
    return failed


def main() -> int:
    """Read the command line and make the site."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the site")
    output = parser.parse_args().output
    failed = build(output)
    if not failed:
        size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
        sys.stdout.write(f"{output}/index.html, {size / 2**20:.1f} MiB in all\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
