"""The block inside a slab, opened below the network that it is part of."""

from dataclasses import replace

from effnet_edu.model.specs import BlockSpec, NetworkSpec, resolve
from effnet_edu.pictures.block import WIDTH_PX, block_scene
from effnet_edu.pictures.scene import Mark, Scene, text

_GAP, _PADDING = 24.0, 12.0


def stage_blocks(spec: NetworkSpec, stage: int) -> list[tuple[str, BlockSpec]]:
    """Return the first block of a stage, counted from 1, and the one that it repeats, each with its name."""
    first = sum(row.layers for row in spec.stages[: stage - 1])
    count = spec.stages[stage - 1].layers
    blocks = resolve(spec)[first : first + count]
    if count == 1:
        return [("the one layer", blocks[0])]
    rest = "layer 2" if count == 2 else f"layers 2 to {count}"
    return [("layer 1", blocks[0]), (rest, blocks[1])]


def opened(scene: Scene, spec: NetworkSpec, stage: int, said: str, name: str = "opened") -> Scene:
    """Return the scene of a network with the inside of a stage below it.

    Args:
        scene: What `network_scene` returned.
        spec: The network.
        stage: Which one, counted from 1.
        said: A title for the inside.
        name: The setting that holds `stage`; a click on the stage, or on `close`, sets it to 0.
    """
    touch = next(mark for mark in scene.marks if mark.key == f"stage {stage}/touch")
    left, top, width, height = touch.place
    shown = stage_blocks(spec, stage)
    if scene.width < len(shown) * (WIDTH_PX + _GAP) + _PADDING:
        shown = shown[-1:]
    inner = len(shown) * WIDTH_PX + (len(shown) - 1) * _GAP
    outer = max(inner, min(8.0 * len(said) + 60, scene.width - 2 * _PADDING)) + 2 * _PADDING
    x = min(max(left + width / 2 - outer / 2, 0.0), scene.width - outer)
    y, down = scene.height + 18, 30.0
    blocks = [block_scene(block, title) for title, block in shown]
    depth = down + max(block.height for block in blocks) + _PADDING
    bottom = top + height
    under = f"inside {stage}"
    marks = (
        Mark(f"{under}/rays", "area", (left, bottom, left + width, bottom, x + outer, y, x, y), "ray"),
        Mark(f"{under}/card", "box", (x, y, outer, depth), "well"),
        text(f"{under}/title", x + _PADDING, y + 19, said, style="title"),
        text(f"{under}/close", x + outer - _PADDING, y + 19, "close", style="words soft end"),
        Mark(
            f"{under}/close touch",
            "box",
            (x + outer - 58, y + 1, 57, 27),
            "touch",
            words="Close the block",
            sets={name: 0},
            with_=(f"{under}/close",),
        ),
        *(
            mark.moved(x + _PADDING + n * (WIDTH_PX + _GAP), y + down, f"{under}/block {n + 1}")
            for n, block in enumerate(blocks)
            for mark in block.marks
        ),
    )
    closing = tuple(replace(mark, sets={name: 0}) if mark is touch else mark for mark in scene.marks)
    description = f"{scene.description} {said}: " + " ".join(block.description for block in blocks)
    return Scene(scene.width, y + depth, scene.title, description, (*closing, *marks))
