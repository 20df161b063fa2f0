"""The one cell that makes a lesson run on Colab: `python -m tests.notebooks.colab` puts it into every lesson.

Afterwards `make outputs`. The packages come from pyproject.toml, so the cell changes when they do.
"""

import re
import sys
import tomllib

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tests.notebooks.book import ROOT, lesson_files, read, write

#: "remove-cell" keeps it out of the site, where nothing is installed.
TAGS = ["colab", "remove-cell"]
#: The cell after the title.
PLACE = 1
#: What Colab has, and runs in: another torch would cost minutes, another kernel would break the page.
HAS = {"torch", "numpy", "pillow", "psutil", "matplotlib", "jupyterlab", "ipykernel"}
TEMPLATE = """\
# On Colab this installs the course and switches widgets on. Anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    import subprocess

    from google.colab import output

    others = (
{packages}
    )
    for words in (("--no-deps", "effnet-edu"), others):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *words], check=True)
    output.enable_custom_widget_manager()
"""


def packages() -> list[str]:
    """Return what the course needs and Colab does not bring, with the versions of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["photos"]]
    named = {re.match(r"[\w-]+", line)[0]: line for line in wanted}  # type: ignore[index]
    return [line for name, line in named.items() if name not in HAS]


def source() -> str:
    """Return the code of the cell."""
    return TEMPLATE.format(packages="\n".join(f'        "{line}",' for line in packages())).strip()


def is_colab(cell: NotebookNode) -> bool:
    return TAGS[0] in cell.metadata.get("tags", ())


def with_cell(book: NotebookNode) -> NotebookNode:
    """Return a lesson with the cell as it should be, and with no other of its kind."""
    book.cells = [cell for cell in book.cells if not is_colab(cell)]
    book.cells.insert(
        PLACE,
        new_code_cell(
            source(), id="colab", metadata={"tags": list(TAGS), "jupyter": {"source_hidden": True}}
        ),
    )
    return book


def main() -> int:
    for path in lesson_files():
        write(with_cell(read(path)), path)
        print(f"{path.stem}: the cell for Colab is there; now `make outputs`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
