"""The colours of the course, each for one thing and none for a rank; a marker or a hatch says the same.

They are Okabe and Ito's, which colour-blind readers can tell apart.
"""

from typing import NamedTuple

DEPTH, WIDTH, RESOLUTION, COMPOUND = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
EXPAND, DEPTHWISE, SQUEEZE_EXCITE, PROJECT, FUSED = "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#D55E00"
#: Of an answer; a mark and a word say the same.
RIGHT, WRONG = RESOLUTION, WIDTH
#: Of a light card, whatever the page around it.
INK, GREY, FAINT, CARD, EDGE = "#1a1a1a", "#666666", "#d9d9d9", "#ffffff", "#43525e"

#: Colour, marker and dash of what is compared that is no dimension and no role; they mean nothing else.
SERIES = ((INK, "o", "-"), ("#882255", "s", "--"), ("#7A7A00", "^", "-."), ("#4B3FA7", "D", ":"))

#: Colour and marker of each dimension, and of scaling all three.
DIMENSIONS = {"depth": (DEPTH, "o"), "width": (WIDTH, "s"), "resolution": (RESOLUTION, "^")}
SCALINGS = {**DIMENSIONS, "compound": (COMPOUND, "D")}


class Look(NamedTuple):
    """How a role in a block is marked: colour, marker and hatch, the last two named as in matplotlib."""

    colour: str
    marker: str
    hatch: str = ""


ROLES = {
    "expand": Look(EXPAND, "^"),
    "depthwise": Look(DEPTHWISE, "o"),
    "squeeze_excite": Look(SQUEEZE_EXCITE, "P", "///"),
    "project": Look(PROJECT, "v"),
    "fused": Look(FUSED, "s", "\\\\\\"),
}
OTHER_ROLE = Look(GREY, "X")


def look(role: str) -> Look:
    """Return how a role is marked; whatever has no colour of its own is grey."""
    return ROLES.get(role, OTHER_ROLE)


#: Lighter and darker forms in which these colours can be read as words, on a light and on a dark card.
WORDS_ON_LIGHT = {"depth": "#0069A5", "width": "#B34E00", "resolution": "#00775A", "compound": "#A0487F"}
WORDS_ON_DARK = {"depth": "#56B4E9", "width": "#FF9A57", "resolution": "#34CFA3", "compound": "#E8A0CB"}


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it, 0 to 1."""
    channels = (
        round((1 - share) * int(colour[i : i + 2], 16) + share * int(other[i : i + 2], 16)) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)
