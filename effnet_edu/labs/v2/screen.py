"""What the V2 lab shows of fused stages: a finding, the network to click, and charts of what it costs."""

from dataclasses import replace
from functools import cache

from effnet_edu.labs.frame.layout import ROOMY, LiveScreen
from effnet_edu.labs.frame.numbers import digits, in_times
from effnet_edu.labs.frame.tables import plain_table
from effnet_edu.labs.v2.charts import charts
from effnet_edu.labs.v2.numbers import (
    FUSING,
    NETWORKS,
    TABLE_3,
    V2Setting,
    counted_at,
    fused_network,
    label,
    listed,
    own_fused,
    published_step,
    stage_costs,
    table_3_row,
    toggled,
)
from effnet_edu.labs.v2.results import whole_step
from effnet_edu.labs.v2.shares import stage_words
from effnet_edu.labs.v2.times import V2, macs_ratio, recorded_steps, times_of
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import spec
from effnet_edu.pictures.network import Moved, network_scene
from effnet_edu.pictures.scene import Mark, Scene, text
from effnet_edu.published import read

#: From here on both legends stand in one line.
_WIDE = 800
#: From here on the legend of the operations says what a click does, and so much later with A.
_SAYS_ALL, _SAYS_A = 440, 460
#: Room for the line that says which operation a stage has, and from where on in full.
_LINE, _IN_FULL, _WITH_ARROW = 16.0, 52.0, 100.0


def _pinned(logic: V2) -> V2Setting | None:
    """Return A where it is about fused stages as well."""
    a: V2Setting | None = logic.pinned
    return a if a is not None and a.part == FUSING else None


# ---------------------------------------------------------------- in words


def finding(logic: V2) -> str:
    """Return how many times the MACs of none fused, or of A, and how many times the time of a step."""
    setting, a = logic.setting, _pinned(logic)
    if a is not None:
        return _against(logic, a)
    found = times_of(logic, setting)
    if not setting.fused:
        macs = (
            f"No stage of {setting.network} is fused: {digits(counted_at(setting).macs / 1e9)} billion MACs"
        )
        if found is None:
            return f"{macs} an image."
        if found.chosen.training is None:
            return f"{macs}, {digits(found.chosen.inference.median_ms)} ms a forward pass here."
        return f"{macs}, {digits(1000 * whole_step(found.chosen.training).median)} ms a training step."
    named = _stages_in_words(setting)
    more = f"{named} fused: {macs_ratio(setting):.2f} times the MACs"
    if found is not None and found.step_ratio is not None:
        return f"{more}, {found.step_ratio:.2f} times the training time."
    if found is not None:
        return f"{more}, {found.inference_ratio:.2f} times the time of a forward pass here."
    if not logic.MEASURES and (row := table_3_row(setting)) is not None:
        time = published_step(row, "v100")
        return f"{more}, {time:.2f} times the training time on a V100 (published)."
    return f"{more} of {setting.network} with none fused."


def _stages_in_words(setting: V2Setting) -> str:
    count = len(stage_costs(setting))
    if len(setting.fused) == count:
        return f"All {count} stages"
    return f"Stage{'s' * (len(setting.fused) > 1)} {listed(setting.fused).replace('-', ' to ')}"


def _against(logic: V2, a: V2Setting) -> str:
    b = logic.setting
    if b == a:
        return f"This is A: {label(a)}."
    more = in_times(counted_at(b).macs / counted_at(a).macs, "the MACs of A", "As many MACs as A")
    before, after = times_of(logic, a), times_of(logic, b)
    if before is None or after is None:
        return f"{more}, {label(a)}."
    steps = [one.chosen.training for one in (before, after) if one.chosen.training is not None]
    if len(steps) < 2:
        slower = after.chosen.inference.images_per_second / before.chosen.inference.images_per_second
        return f"{more}, {in_times(1 / slower, 'its time', 'the same time')} here."
    a_image, b_image = (whole_step(one).median / one.batch_size for one in steps)
    return f"{more}, {in_times(b_image / a_image, 'its training time', 'the same training time')} an image."


def _aside(logic: V2) -> str:
    setting = logic.setting
    shape = f"{label(setting)}; released with {listed(own_fused(setting.network))} fused."
    if not logic.MEASURES:
        return (
            f"{shape} Diamonds: B4 in training, recorded on {recorded_steps()[0]}. A page times forward "
            "passes; training steps are timed in JupyterLab."
        )
    return (
        f"{shape} Measured: inference and training steps at batch {setting.batch_size}, against none fused."
    )


# ---------------------------------------------------------------- the network


@cache
def _largest(network: str) -> NetworkSpec:
    """Return what fills the picture: B0 to B4 share a scale, every V2 has its own."""
    name = NETWORKS["B4" if network.startswith("B") else network]
    return replace(spec(name), resolution=512)


def network_of(setting: V2Setting) -> NetworkSpec:
    """Return the network of a setting at its side."""
    return replace(fused_network(setting.network, setting.fused), resolution=setting.side)


def network(logic: V2, moved: Moved) -> Scene:
    """Draw the network, fused stages hatched, before the outlines of A; a click on a stage changes it."""
    setting, a, width = logic.setting, _pinned(logic), float(logic.room)
    shown = (setting,) if a is None else (setting, a)
    scene = network_scene(
        network_of(setting),
        width,
        112 if width < ROOMY else 190,
        largest=tuple(dict.fromkeys(_largest(one.network) for one in shown)),
        ghost=None if a is None else network_of(a),
        moved=moved,
        by_operation=True,
        more=[stage_words(setting, one) for one in stage_costs(setting)],
    )
    is_wide = width >= _WIDE
    down = 0.0 if is_wide else _LINE
    marks = [_clickable(mark, setting, a).moved(0, down) for mark in scene.marks]
    marks += _operations(logic, scene, a, scene.height + 10 + down)
    said = ["hatched: Fused-MBConv", *(["dashed: A"] if a is not None else []), "click a stage to change it"]
    kept = said if width >= _SAYS_ALL + _SAYS_A * (a is not None) else said[:-1]
    place, style = (width, "words end") if is_wide else (0.0, "words")
    marks.append(text("operations", place, 11, "; ".join(kept), style=style))
    title = f"Network of {label(setting)}"
    return Scene(width, scene.height + _LINE + down, title, scene.description, tuple(marks))


def _number(mark: Mark) -> int:
    """Return the stage that a mark answers for, 0 for none."""
    name, _, part = mark.key.partition("/")
    return int(name.removeprefix("stage ")) if part == "touch" and name.startswith("stage ") else 0


def _clickable(mark: Mark, setting: V2Setting, a: V2Setting | None) -> Mark:
    """Return the area of a stage with what a click sets, reaching down to its operation."""
    if (stage := _number(mark)) == 0:
        return mark
    x, y, width, height = mark.place
    words = mark.words
    if a is not None and a.network == setting.network:
        words += f"\nIn A: {'Fused-MBConv' if stage in a.fused else 'MBConv'}"
    sets = {"fused": list(toggled(setting.fused, stage))}
    return replace(mark, place=(x, y, width, height + _LINE), words=words, sets=sets)


def _operations(logic: V2, scene: Scene, a: V2Setting | None, y: float) -> list[Mark]:
    """Return below each stage which operation it has, and where A differs, had."""
    setting, marks = logic.setting, []
    named = next((mark for mark in scene.marks if mark.key == "row layers"), None)
    if named is not None:  # one more row
        style = named.style.replace("depth-words", "soft")
        marks.append(text("row fused", 0, y, "fused", style=style))
    for mark in scene.marks:
        if (stage := _number(mark)) == 0:
            continue
        x, _, width, _ = mark.place
        names = ("fused", "MBConv" if width >= _IN_FULL else "MB") if named is None else ("✓", "–")
        is_fused = stage in setting.fused
        differs = a is not None and a.network == setting.network and (stage in a.fused) != is_fused
        before = f"{names[is_fused]} → " if differs and width >= _WITH_ARROW else ""
        now = (names[not is_fused], "bold" if is_fused else "soft")
        marks.append(
            text(f"stage {stage}/operation", x + width / 2, y, (before, "soft"), now, style="words middle")
        )
        if differs and not before:
            marks.append(Mark(f"stage {stage}/operation A", "box", (x + 1, y - 12, width - 2, 16), "ghost"))
    return marks


# ---------------------------------------------------------------- all of it


def table_3() -> str:
    """Return the paper's table as a table of the page."""
    rows = [
        (
            listed(stages),
            *(
                digits(read("v2_table3_fused").row(variant=name).number(column))
                for column in (
                    "parameters_millions",
                    "macs_billions",
                    "top1_percent",
                    "training_images_per_second_v100",
                )
            ),
        )
        for stages, name in TABLE_3.items()
    ]
    heads = ("fused", "M par.", "B MACs", "top-1", "img/s")
    return plain_table("published, table 3: B4, V100", heads, rows, "ee-table-3")


def fusing_screen(logic: V2, moved: Moved) -> LiveScreen:
    """Return all of it."""
    return LiveScreen(finding(logic), network(logic, moved), lambda: charts(logic), _aside(logic), table_3())
