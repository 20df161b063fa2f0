"""What the scaling problem lab shows: a finding, the network that was bought, and charts of its price."""

from dataclasses import replace

from effnet_edu.labs.frame.layout import ROOMY, LiveScreen, is_low
from effnet_edu.labs.frame.numbers import digits, in_times
from effnet_edu.labs.scaling_problem.budget import BASE, totals
from effnet_edu.labs.scaling_problem.charts import ScalingProblem, charts
from effnet_edu.labs.scaling_problem.evidence import nearest, published
from effnet_edu.labs.scaling_problem.numbers import (
    MIX,
    ScalingProblemSetting,
    as_way,
    bought,
    label,
    percents,
    published_near,
    unspent,
)
from effnet_edu.model.variants import compound
from effnet_edu.pictures.network import Moved, network_scene
from effnet_edu.pictures.scene import Scene, text


def finding(logic: ScalingProblem) -> str:
    """Return what the budget costs beside its MACs, against A or else B0, or why it buys nothing."""
    setting, pinned = logic.setting, logic.pinned
    purchase = bought(setting)
    if not any(percents(setting)):
        return "Nothing grows, because all three weights are 0."
    if pinned is None and (reason := unspent(purchase, 1e9 * setting.budget)):
        return reason
    if setting == pinned:
        return f"This is A: {label(setting)} MACs."
    before, name = (totals(BASE), "B0") if pinned is None else (bought(pinned).totals, "A")
    after = purchase.totals
    work = in_times(after.macs / before.macs, f"the work of {name}", f"As much work as {name}")
    parameters, activations = (
        in_times(new / old, f"the {what}", f"as many {what}")
        for new, old, what in (
            (after.parameters, before.parameters, "parameters"),
            (after.activations, before.activations, "activations"),
        )
    )
    return f"{work}, {_spent(setting)}: {parameters}, {activations}."


def _spent(setting: ScalingProblemSetting) -> str:
    if setting.way == MIX:
        depth, width, resolution = percents(setting)
        return f"split {depth} : {width} : {resolution}"
    return "by all three together" if setting.way == "compound" else f"by {setting.way} alone"


def _aside(setting: ScalingProblemSetting) -> str:
    """Return what accuracy was published near this network, and near it for compound scaling."""
    way, near = as_way(setting.way), published_near(setting)
    if way is None:
        return "Nobody published this mix. Click a corner of the triangle for a way that somebody trained."
    if near is None:
        return f"No {setting.paper} scaled by {way} alone was published."
    said = f"Published, nearest: {setting.paper} by {way}, {near.name}, {near.percent:.1f}% top-1"
    other = nearest(published(setting.paper, "compound"), near.macs)
    if way == "compound" or other is None:
        return f"{said} at {digits(near.macs / 1e9)} billion MACs."
    return (
        f"{said} at {digits(near.macs / 1e9)} billion MACs; by all three together {other.percent:.1f}% "
        f"at {digits(other.macs / 1e9)} billion."
    )


def _legend(setting: ScalingProblemSetting, width: float, behind: str) -> tuple[tuple[str, str], ...]:
    """Return the multipliers in the colours of what they change, and what is dashed."""
    factors, says = bought(setting).multipliers, width >= 700
    rows = (
        ("layers", "depth", factors.depth),
        ("channels: thickness" if says else "channels", "width", factors.width),
        ("side: height" if says else "side", "resolution", factors.resolution),
    )
    is_named = width >= 300  # or else the rows below the stages name the colours
    pieces = [(f"{f'{words} ' * is_named}× {factor:.2f}   ", f"{name}-words") for words, name, factor in rows]
    dashed = behind if width >= 960 else behind.partition(",")[0]
    said = f"(both as square roots)   dashed: {dashed}"
    return (*pieces, *([(said, "soft")] if says else ()))


def network(logic: ScalingProblem) -> Scene:
    """Draw the network that was bought before the outlines of A or B0."""
    setting, pinned, width = logic.setting, logic.pinned, logic.room
    moved: Moved = as_way(setting.way) or ""
    scene = network_scene(
        bought(setting).network,
        width,
        92 if is_low(width) else 220 if width >= ROOMY else 140,
        largest=(compound(7),),
        ghost=BASE if pinned is None else bought(pinned).network,
        moved=moved,
        has_legend=False,
    )
    behind = "B0" if pinned is None else f"A, {label(pinned)}"
    marks = [mark.moved(0, 18) for mark in scene.marks]
    style = "words" if width >= 360 else "words small"
    marks.append(text("multipliers", 0, 12, *_legend(setting, width, behind), style=style))
    return replace(scene, height=scene.height + 18, marks=tuple(marks), title=f"Network for {label(setting)}")


def screen(logic: ScalingProblem) -> LiveScreen:
    """Return all of it."""
    return LiveScreen(finding(logic), network(logic), lambda: charts(logic), _aside(logic.setting))
