from pathlib import Path

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
