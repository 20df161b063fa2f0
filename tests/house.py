"""The house as its imports draw it: `make map` writes docs/house.svg, and the rules read the same."""

import ast
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path

import effnet_edu as ee

PACKAGE = Path(ee.__file__).parent
MAP = PACKAGE.parent / "docs" / "house.svg"
#: Ground floor first: a room may import itself and the rooms before it.
ROOMS = (
    *("ground", "model", "checkpoints", "images", "profiling", "published", "training"),
    *("studies", "pictures", "figures", "labs", "exercises", "course"),
)
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
#: Of the picture, in pixels: a row and a column, and where names and columns begin.
ROW, NAMES, COLUMNS, MARGIN = 28, 110, 520, 14


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"))


def room(file: Path) -> str | None:
    return file.parts[0] if len(file.parts) > 1 else None


@cache
def imports(file: Path) -> tuple[str, ...]:
    """Return the full name of everything that a file imports, those for type checkers included."""
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[str]:
    package = ("effnet_edu", *file.parts[:-1])
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (start, node.module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def uses() -> dict[str, set[str]]:
    """Return which other rooms each room imports."""
    found: dict[str, set[str]] = {name: set() for name in ROOMS}
    for file in filter(room, FILES):
        reached = {name.split(".")[1] for name in imports(file) if name.startswith("effnet_edu.")}
        found[str(room(file))] |= reached & set(ROOMS) - {room(file)}
    return found


def svg() -> str:
    """Return the map: a row a room, the ground floor below, and a dot under each room that it imports."""
    used, floors = uses(), len(ROOMS)
    width, height = COLUMNS + ROW * (floors - 1) + MARGIN, ROW * floors + 110
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="t" font-family="system-ui, sans-serif" font-size="13">',
        "<title id='t'>The rooms of effnet_edu, the ground floor below; a dot says that the room of its row "
        "imports the room of its column. All dots lie below the stairs: no circle.</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for column, name in enumerate(ROOMS[:-1]):
        x = COLUMNS + ROW * column + ROW / 2
        parts.append(f'<text x="{x}" y="96" fill="#333" transform="rotate(-60 {x} 96)">{name}</text>')
    for row, name in enumerate(reversed(ROOMS)):
        y, floor = 100 + ROW * row, floors - 1 - row
        told = (ast.get_docstring(tree(Path(name, "__init__.py"))) or "").splitlines()[0].rstrip(".")
        sentence = told if len(told) <= 66 else told[:62].rsplit(" ", 1)[0] + " ..."
        parts += [
            f'<rect x="{COLUMNS}" y="{y}" width="{ROW * floor}" height="{ROW}" fill="#eef3f7"/>',
            f'<line x1="{MARGIN}" x2="{width - MARGIN}" y1="{y + ROW}" y2="{y + ROW}" stroke="#d5d5d5"/>',
            f'<text x="{MARGIN}" y="{y + 19}" font-weight="600" fill="#111">{name}</text>',
            f'<text x="{NAMES}" y="{y + 19}" fill="#444">{escape(sentence)}</text>',
        ]
        for column, other in enumerate(ROOMS):
            if other in used[name]:
                x = COLUMNS + ROW * column + ROW / 2
                parts.append(
                    f'<circle cx="{x}" cy="{y + ROW / 2}" r="6" fill="#0072B2">'
                    f"<title>{name} imports {other}</title></circle>"
                )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    MAP.write_text(svg(), encoding="utf-8")
