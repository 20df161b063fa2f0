from pathlib import Path

import pytest

import effnet_edu as ee
from effnet_edu.ground import palette


def test_a_colour_of_a_thing_stands_in_the_palette_alone():
    named = {palette.DEPTH, palette.WIDTH, palette.RESOLUTION, palette.COMPOUND}
    named |= {look.colour for look in palette.ROLES.values()}
    package = Path(ee.__file__).parent
    found = [
        f"{path.relative_to(package)} has {colour}"
        for path in package.rglob("*.py")
        for colour in named
        if path.name != "palette.py" and colour.lower() in path.read_text(encoding="utf-8").lower()
    ]
    assert not found


def test_dimensions_are_told_apart_by_marker_as_well():
    markers = [marker for _, marker in palette.SCALINGS.values()]
    assert len(set(markers)) == len(markers)
    looks = [(look.marker, look.hatch) for look in palette.ROLES.values()]
    assert len(set(looks)) == len(looks)


def in_the_dark(colour):
    """Return what `invert(.93) hue-rotate(180deg)` makes of a colour: three numbers from 0 to 1.

    Source: Filter Effects Module Level 1, 10.5 and 10.9.
    """
    red, green, blue = (0.93 - 0.86 * part for part in parts(colour))
    grey = 0.213 * red + 0.715 * green + 0.072 * blue
    return [min(max(2 * grey - part, 0.0), 1.0) for part in (red, green, blue)]


def parts(colour):
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def contrast(one, other):
    """Return the contrast of two colours by WCAG 2.2, 1 to 21."""

    def luminance(colour):
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colour", [look[0] for look in palette.SERIES])
def test_a_series_can_be_seen_on_either_card(colour):
    assert contrast(parts(colour), parts(palette.CARD)) >= 3
    assert contrast(in_the_dark(colour), in_the_dark(palette.CARD)) >= 3


def test_a_series_borrows_the_colour_of_no_dimension_and_no_role():
    taken = {colour for colour, _ in palette.SCALINGS.values()}
    taken |= {look.colour for look in palette.ROLES.values()} | {palette.OTHER_ROLE.colour}
    assert not taken & {colour for colour, *_ in palette.SERIES}
    assert len({look[1:] for look in palette.SERIES}) == len(palette.SERIES)
