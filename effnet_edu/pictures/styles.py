"""How marks look: colours for light and dark, and named styles, as data; CSS is one reading of them."""

from collections.abc import Iterable
from typing import Any

from effnet_edu.ground.palette import (
    CARD,
    DIMENSIONS,
    FUSED,
    ROLES,
    SCALINGS,
    WORDS_ON_DARK,
    WORDS_ON_LIGHT,
    mixed,
)

#: JupyterLab's own variables, which other pages set as well, with what they are on a light and a dark card.
_OF_THE_PAGE = {
    "text": ("--jp-ui-font-color0", "#111111", "#f2f4f7"),
    "soft": ("--jp-ui-font-color1", "#3d3d3d", "#d0d6dd"),
    "grey": ("--jp-ui-font-color2", "#616161", "#a3acb8"),
    "card": ("--jp-layout-color1", CARD, "#12161c"),
    "well": ("--jp-layout-color2", "#f2f2f2", "#1d232b"),
    "line": ("--jp-border-color1", "#b5b5b5", "#4a5462"),
    "faint": ("--jp-border-color2", "#dcdcdc", "#333c48"),
}


def _faces(name: str, colour: str, *, dark: bool) -> dict[str, str]:
    """Return the colours of a slab's three faces: light falls from above."""
    top, side = ("#ffffff", 0.2), ("#000000", 0.25 if dark else 0.16)
    return {f"{name}-front": colour, f"{name}-top": mixed(colour, *top), f"{name}-side": mixed(colour, *side)}


def _colours(*, dark: bool) -> dict[str, str]:
    card, plain = ("#12161c", "#3d4a5b") if dark else (CARD, "#c5d0dc")
    colours = {name: row[2 if dark else 1] for name, row in _OF_THE_PAGE.items()}
    colours |= WORDS_ON_DARK if dark else WORDS_ON_LIGHT
    colours |= {role: look.colour for role, look in ROLES.items()}
    colours |= _faces("slab", plain, dark=dark) | _faces(
        "fused-slab", mixed(FUSED, card, 0.15 if dark else 0.3), dark=dark
    )
    for name, (colour, _) in SCALINGS.items():
        colours |= _faces(f"{name}-slab", mixed(colour, card, 0.15 if dark else 0.4), dark=dark)
    return colours


#: Name to colour.
LIGHT, DARK = _colours(dark=False), _colours(dark=True)

#: A slab's style names the colours of its faces.
SLABS = ("slab", "fused-slab", *(f"{name}-slab" for name in SCALINGS))
FACES = ("top", "side", "front")

_WORDS = {"font-size": 12, "fill": "text"}
_THIN = {"fill": "none", "stroke-width": 1.2}
#: Properties of each style; a later one wins over an earlier one where a mark has both.
STYLES: dict[str, dict[str, Any]] = {
    "words": _WORDS,
    "title": _WORDS | {"font-size": 13, "font-weight": 600},
    "soft": _WORDS | {"fill": "soft"},
    "small": {"font-size": 11},
    "bold": {"font-weight": 600},
    "outlined": {"stroke": "card", "stroke-width": 3, "paint-order": "stroke"},
    "middle": {"text-anchor": "middle"},
    "end": {"text-anchor": "end"},
    **{f"{name}-words": {"fill": name, "font-weight": 600} for name in SCALINGS},
    "regular": {"font-weight": 400},
    "pixels": {"image-rendering": "pixelated"},
    "touch": {"fill": "none", "stroke": "none"},
    "wire": _THIN | {"stroke": "text"},
    "map": {"fill": "faint", "stroke": "soft", "stroke-width": 0.8},
    "texture": {"fill": "none", "stroke": "#1a1a1a", "stroke-width": 0.8},
    "cells": {"fill": "none", "stroke": "card", "stroke-width": 1},
    "edge": {"fill": "none", "stroke": "card", "stroke-width": 5.5},
    "computed": {"fill": "none", "stroke": "text", "stroke-width": 2},
    "counter": {"font-size": 26, "font-weight": 700, "fill": "text"},
    "track": {"fill": "none", "stroke": "line", "stroke-width": 4, "stroke-linecap": "round"},
    "track-done": {"stroke": "compound"},
    "hatching": {"fill": "none", "stroke": "card", "stroke-width": 1.2},
    "role": {"stroke": "text", "stroke-width": 0.8},
    **{role: {"fill": role} for role in ROLES},
    "done": {"fill-opacity": 0.6},
    "used": {"fill": "soft", "fill-opacity": 0.35},
    "kernel": {"fill-opacity": 0.75, "stroke": "text", "stroke-width": 1.6},
    "number": {"stroke": "text", "stroke-width": 1.6},
    "other": {"fill": "line"},
    "sum": {"fill": "card", "stroke": "text", "stroke-width": 1.5},
    **{slab: {"stroke": f"{slab}-side", "stroke-width": 0.6} for slab in SLABS},
    "ghost": {"fill": "none", "stroke": "compound", "stroke-width": 1.2, "stroke-dasharray": "3 3"},
    **{f"{name}-line": _THIN | {"stroke": name} for name in SCALINGS},
    **{f"{name}-hollow": {"fill": "card", "stroke": name, "stroke-width": 1.8} for name in SCALINGS},
    **{f"{name}-filled": {"fill": name, "stroke": "text", "stroke-width": 0.8} for name in SCALINGS},
    "strong": {"stroke-width": 2.8},
    **{f"{name}-bracket": _THIN | {"stroke": name, "stroke-width": 1.8} for name in DIMENSIONS},
    "grid": {"fill": "none", "stroke": "faint", "stroke-width": 1},
    "axis": {"fill": "none", "stroke": "line", "stroke-width": 1},
    "curve": {"fill": "none", "stroke": "compound", "stroke-width": 2.5},
    "guide": _THIN | {"stroke": "compound", "stroke-dasharray": "2 3"},
    "roof": _THIN | {"stroke": "text", "stroke-width": 1.4},
    "dashed": {"stroke-dasharray": "5 3"},
    "published": {"fill": "card", "stroke": "text", "stroke-width": 1.5},
    "measured": {"fill": "soft", "stroke": "text", "stroke-width": 0.8},
    "now": {"fill": "compound", "stroke": "text", "stroke-width": 1.5},
    "past": {"fill": "grey", "fill-opacity": 0.45, "stroke": "text", "stroke-width": 0.6},
    "range": _THIN | {"stroke": "soft", "stroke-width": 1.5},
    "outline": {"fill": "none", "stroke": "text", "stroke-width": 1},
    "chosen-button": {"fill": "faint", "stroke": "text", "stroke-width": 1.5},
    "guess": {"fill": "card", "stroke": "compound", "stroke-width": 2.5, "stroke-dasharray": "3 2"},
    "guess-off": _THIN | {"stroke": "compound", "stroke-width": 2.5, "stroke-dasharray": "2 3"},
    "sign": {"fill": "text"},
    "family": _THIN | {"stroke": "soft"},
    "outside": {"fill": "grey", "fill-opacity": 0.14},
    "ring": {"fill": "none", "stroke": "text", "stroke-width": 2},
    "here": _THIN | {"stroke": "text", "stroke-width": 1.5, "stroke-dasharray": "5 3"},
    "over": {"stroke": "card", "stroke-width": 3, "paint-order": "stroke", "stroke-linejoin": "round"},
    "halo": {"fill": "compound", "fill-opacity": 0.22},
    "chosen": {"fill": "card", "stroke": "compound", "stroke-width": 4},
    "arrow": _THIN | {"stroke": "compound", "stroke-width": 1.8},
    "arrowhead": {"fill": "compound"},
    "bar": {"fill": "line", "stroke": "text", "stroke-width": 0.6},
    "well": {"fill": "well", "stroke": "faint", "stroke-width": 1},
    "ray": {"fill": "well", "fill-opacity": 0.7},
}
#: Where a page is dark.
_DARK_PAGES = "[data-jp-theme-light=false], body[data-theme=dark], body.vscode-dark, html[theme=dark]"
#: What has these colours as variables.
_OURS = ":is(.ee-lab, .ee-picture, .ee-scene)"


def _variables(colours: dict[str, str]) -> str:
    """Return the colours as CSS variables; the page's own, where it has them."""

    def value(name: str, colour: str) -> str:
        return f"var({_OF_THE_PAGE[name][0]}, {colour})" if name in _OF_THE_PAGE else colour

    return " ".join(f"--ee-{name}: {value(name, colour)};" for name, colour in colours.items())


def _rule(name: str, style: dict[str, Any]) -> str:
    said = "; ".join(
        f"{key}: var(--ee-{value})" if value in LIGHT else f"{key}: {value}{'px' * (key == 'font-size')}"
        for key, value in style.items()
    )
    return f".ee-scene .{name} {{ {said} }}"


#: The names that drawings use, in the colours of the page around them.
VARIABLES = f"""
{_OURS} {{ {_variables(LIGHT)} }}
:is({_DARK_PAGES}) {_OURS} {{ {_variables(DARK)} }}
@media (prefers-color-scheme: dark) {{
  body[data-theme=auto] {_OURS} {{ {_variables(DARK)} }}
}}
"""

#: Style to its rules.
_RULES = {name: _rule(name, style) for name, style in STYLES.items()}
for _slab in SLABS:
    for _face in FACES:
        _RULES[_slab] += f"\n.ee-scene .{_slab} > .{_face} {{ fill: var(--ee-{_slab}-{_face}) }}"

_FONTS = 'system-ui, "DejaVu Sans", sans-serif'
_ALL_RULES = "\n".join(_RULES.values())
#: What scenes need on a page.
SCENE = f"""
{VARIABLES}
.ee-scene {{ display: block; width: 100%; height: auto; overflow: visible;
  font-family: var(--jp-ui-font-family, {_FONTS}); }}
.ee-scene text {{ font-variant-numeric: tabular-nums; white-space: pre; user-select: none; }}
.ee-scene .paper {{ fill: var(--ee-card); }}
.ee-scene :is(path, polygon, rect) {{ stroke-linejoin: round; }}
{_ALL_RULES}
.ee-picture {{ position: relative; }}
.ee-scene .touch {{ pointer-events: all; }}
.ee-scene .halo {{ pointer-events: none; }}
.ee-scene .on-lit {{ opacity: 0; pointer-events: none; transition: opacity .15s; }}
.ee-scene .on-lit.ee-lit {{ opacity: 1; }}
.ee-scene .slab.ee-lit {{ stroke: var(--ee-text); stroke-width: 0.9; }}
.ee-scene :is(.role, .past).ee-lit {{ stroke-width: 2.2; }}
.ee-scene .bar.ee-lit {{ fill: var(--ee-compound); }}
.ee-scene circle.ee-lit {{ stroke: var(--ee-text); stroke-width: 2.5; }}
.ee-scene text.ee-lit {{ font-weight: 600; }}
.ee-scene.ee-playing .while-still, .ee-scene:not(.ee-playing) .while-playing {{ display: none; }}
.ee-scene :is([data-sets], [data-play]) {{ cursor: pointer; }}
.ee-scene [data-drag] {{ cursor: grab; touch-action: none; }}
.ee-scene.ee-dragging, .ee-scene.ee-dragging * {{ cursor: grabbing; }}
.ee-scene [tabindex]:focus {{ outline: none; }}
.ee-scene [tabindex]:focus-visible {{ outline: 2px solid var(--ee-depth); outline-offset: 2px; }}
.ee-tip {{ position: absolute; z-index: 5; pointer-events: none;
  width: max-content; max-width: min(320px, 96%); padding: 6px 10px; border-radius: 6px;
  background: var(--ee-text); color: var(--ee-card); font-size: 12px; line-height: 1.4;
  white-space: pre-line; box-sizing: border-box; }}
.ee-tip::first-line {{ font-weight: 600; }}
.ee-tip[hidden] {{ display: none; }}
@media (prefers-reduced-motion: reduce) {{
  .ee-scene .on-lit {{ transition: none; }}
  .ee-scene .of-play {{ display: none; }}
}}
"""


def alone(names: Iterable[str]) -> str:
    """Return what a picture with these styles needs where there is no page around it, light and dark."""
    used = set(names)
    rules = [rule for name, rule in _RULES.items() if name in used]
    said = "".join((*rules, "var(--ee-card)"))
    light, dark = (
        " ".join(f"--ee-{name}: {colour};" for name, colour in colours.items() if f"(--ee-{name})" in said)
        for colours in (LIGHT, DARK)
    )
    return (
        f".ee-scene {{ {light} font-family: {_FONTS} }} .ee-scene text {{ white-space: pre }}\n"
        f"@media (prefers-color-scheme: dark) {{ .ee-scene {{ {dark} }} }}\n"
        f".ee-scene .paper {{ fill: var(--ee-card) }}\n" + "\n".join(rules)
    )
