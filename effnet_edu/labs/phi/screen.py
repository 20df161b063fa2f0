"""What the phi lab shows: a finding, the network with the inside of a stage, and charts of its costs."""

from dataclasses import replace

from effnet_edu.labs.frame.layout import ROOMY, LiveScreen
from effnet_edu.labs.frame.numbers import in_times
from effnet_edu.labs.phi.charts import charts
from effnet_edu.labs.phi.numbers import (
    FORMULA,
    PhiSetting,
    base_of,
    cost_at,
    factors_at,
    giga,
    label,
    largest_phi,
    network_at,
    stage_shares,
)
from effnet_edu.labs.phi.times import Phi, recorded_times, session_table, time_ratio
from effnet_edu.model.scaling import cost_factor
from effnet_edu.model.variants import compound
from effnet_edu.pictures.inside import opened
from effnet_edu.pictures.network import Moved, network_parts, network_scene
from effnet_edu.pictures.scene import Scene, text

#: From here on the legend stands beside the tall stages.
_WIDE = 900


def finding(logic: Phi) -> str:
    """Return how many times the work, and the time where both were measured, of A, or else of B0."""
    setting, base = logic.setting, logic.pinned or base_of(logic.setting)
    ratio = cost_at(setting).macs / cost_at(base).macs
    name = f"A, {label(base)}" if logic.pinned else "B0"
    if setting.variant == base.variant and ratio == 1:
        return f"This is {name}: {giga(cost_at(setting).macs)} MACs an image."
    work = in_times(ratio, f"the work of {name}", f"As much work as {name}")
    if slower := time_ratio(logic, base):
        return f"{work}, and {in_times(slower, 'its time', 'the same time')} on this device."
    if logic.MEASURES:
        return f"{work}."
    times = {time.name: time.median_ms for time in recorded_times()[1]}
    if setting.variant in times and logic.pinned is None:
        slower = times[setting.variant] / times["B0"]
        return (
            f"{work}, and {in_times(slower, 'its time', 'the same time')}, recorded on {recorded_times()[0]}."
        )
    return f"{work}."


def _aside(logic: Phi) -> str:
    setting = logic.setting
    network = network_at(setting)
    shape = f"{label(setting)}: {network.layers} blocks, {network.resolution} px."
    if not logic.MEASURES:
        shape += f" Diamonds are times recorded on {recorded_times()[0]}."
    if setting.variant != FORMULA:
        return f"{shape} This is what its authors released, near the formula but not on it."
    growth = cost_factor(setting.alpha, setting.beta, setting.gamma)
    rule = f"By the rule, each step of phi multiplies the work by alpha beta² gamma² = {growth:.2f}."
    if (end := largest_phi(setting.alpha)) < 7:
        rule += f" With alpha {setting.alpha:g} phi ends at {end:g}, where B0 is 64 times as deep."
    return f"{shape} {rule}"


def _legend(setting: PhiSetting, width: float, behind: str) -> tuple[tuple[str, str], ...]:
    """Return the three multipliers in the colours of what they change, and what is dashed."""
    factors = factors_at(setting)
    says = width >= 700
    rows = (
        ("layers", "depth", factors.depth),
        ("channels: thickness" if says else "channels", "width", factors.width),
        ("side: height" if says else "side", "resolution", factors.resolution),
    )
    is_named = width >= 330  # or else the rows below the stages name the colours
    pieces = [
        (f"{f'{words} ' * is_named}× {factor:.2f}{'   ' * (name != 'resolution' or says)}", f"{name}-words")
        for words, name, factor in rows
    ]
    if says:
        pieces.append((f"(both as square roots)   dashed: {behind}", "soft"))
    return tuple(pieces)


def network(logic: Phi, moved: Moved) -> Scene:
    """Draw the network before the outlines of A or B0, and the inside of the opened stage below it."""
    setting, width, stage = logic.setting, logic.room, logic.opened
    spec, base = network_at(setting), logic.pinned or base_of(setting)
    macs = cost_at(setting).macs
    more = [
        f"{giga(macs * share)} MACs, {share:.1%} of all"
        for name, share in stage_shares(setting)
        if name.startswith("stage")
    ]
    scene = network_scene(
        spec,
        width,
        104 if width < _WIDE else 128 if width < ROOMY else 220,
        largest=(compound(7),),
        ghost=network_at(base),
        moved=moved,
        opens="opened",
        more=more,
        has_legend=False,
    )
    behind = f"A, {label(base)}" if logic.pinned else "B0"
    legend = _legend(setting, width, behind)
    title = f"Network at {label(setting)}"
    if width >= _WIDE:  # above the low stages on the right there is room
        marks = [mark.moved(0, 18) if mark.key == "shrunk" else mark for mark in scene.marks]
        marks.append(text("multipliers", width, 12, *legend, style="words end"))
        scene = replace(scene, marks=tuple(marks), title=title)
    else:
        marks = [mark.moved(0, 18) for mark in scene.marks]
        marks.append(text("multipliers", 0, 12, *legend, style="words"))
        scene = replace(scene, height=scene.height + 18, marks=tuple(marks), title=title)
    if not 1 <= stage <= len(spec.stages):
        return scene
    part = network_parts(spec)[stage]
    return opened(scene, spec, stage, f"{part.key.capitalize()}: {part.about}")


def screen(logic: Phi, moved: Moved) -> LiveScreen:
    """Return all of it."""
    return LiveScreen(
        finding(logic), network(logic, moved), lambda: charts(logic), _aside(logic), session_table(logic)
    )
