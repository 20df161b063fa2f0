"""The first page: a network that grows with phi, and a card for each lab."""

import json
from html import escape
from pathlib import Path

import effnet_edu as ee
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.labs.frame.page import Page
from effnet_edu.labs.phi.numbers import giga, mega
from effnet_edu.pictures.network import network_scene
from effnet_edu.pictures.scene import Scene
from effnet_edu.pictures.still import still
from website.lessons import LIVE
from website.results import raw

#: The values of phi that it plays.
_PHIS = tuple(n / 2 for n in range(15))
#: Width of the picture and height of its tallest slab, on a phone and on a screen.
_NARROW, _WIDE = (340, 110), (760, 150)


def hero() -> str:
    """Return the living network with its slider and the one main button, as Markdown."""
    return raw(
        '<link rel="stylesheet" href="_static/live/lab.css">'
        f'<div class="front" data-front><div class="front-stage">{still(_scene(0.0, _WIDE))}</div>'
        '<div class="front-phi"><label for="front-phi">phi</label>'
        f'<input id="front-phi" type="range" min="0" max="{len(_PHIS) - 1}" value="0" disabled>'
        f"<output>{escape(_words(0.0))}</output></div>"
        f'<a class="front-button" href="live/{LIVE["PhiLab"]}.html">Move phi in your browser</a></div>'
        '<script type="module" src="_static/live/front.js"></script>'
    )


def cards() -> str:
    """Return a card for each lab, as Markdown."""
    made = []
    for lab, page in LIVE.items():
        logic = Page(lab).logic
        made.append(
            f'<li><a href="live/{page}.html"><b>{escape(logic.title)}</b>'
            f"<span>{escape(logic.QUESTION)}</span></a></li>"
        )
    return raw(f'<ul class="front-labs">{"".join(made)}</ul>')


def add_files(site: Path) -> None:
    """Put what the network shows at each phi beside the pages.

    Args:
        site: The folder of the made site.
    """
    shown = {
        "narrow": [_scene(phi, _NARROW).as_data() for phi in _PHIS],
        "wide": [_scene(phi, _WIDE).as_data() for phi in _PHIS],
        "words": [_words(phi) for phi in _PHIS],
    }
    write_atomically(site / "_static" / "live" / "front.json", json.dumps(shown))


def _scene(phi: float, size: tuple[int, int]) -> Scene:
    spec, largest = ee.compound(phi), (ee.compound(_PHIS[-1]),)
    return network_scene(
        spec, *size, largest=largest, moved="compound", has_legend=False, title=f"phi {phi:g}"
    )


def _words(phi: float) -> str:
    counted = ee.cost(ee.compound(phi))
    return f"phi {phi:g}: {giga(counted.macs)} MACs, {mega(counted.parameters)} parameters"
