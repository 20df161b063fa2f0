"""What the MBConv lab shows: a finding, the block with its shares, a layer at work, and charts."""

from dataclasses import replace

from effnet_edu.labs.frame.layout import ROOMY, LiveScreen
from effnet_edu.labs.frame.numbers import in_times
from effnet_edu.labs.mbconv.charts import charts
from effnet_edu.labs.mbconv.numbers import FUSED, MBCONV, MBConvSetting, cost_of, label, role_words, roles
from effnet_edu.labs.mbconv.results import MeasuredBlock
from effnet_edu.labs.mbconv.roofline import recorded_roof
from effnet_edu.labs.mbconv.shares import HEIGHT, MBConv, computed_shares, named, percent, shares
from effnet_edu.labs.mbconv.work import work_at
from effnet_edu.labs.mbconv.work_picture import work_in_words, work_marks
from effnet_edu.pictures.block import WIDTH_PX
from effnet_edu.pictures.scene import Scene

#: From this width on the work stands beside the block; room for the shares, and between the two.
_BESIDE, _SHARES, _GAP = 700.0, 208.0, 26.0


def finding(logic: MBConv) -> str:
    """Return the work, and the time where both were measured, over that of A or of another kind."""
    setting, other = logic.setting, logic.pinned
    name = f"A, {named(other)}" if other else ""
    if other is None:
        other = replace(setting, kind=FUSED if setting.kind == MBCONV else MBCONV)
        name = f"{'a' if other.kind == FUSED else 'an'} {other.kind}"
    macs = cost_of(setting, setting.kind).macs / cost_of(other, other.kind).macs
    turned, over = (1 / macs, "fewer MACs than") if macs < 1 else (macs, "the MACs of")
    work = in_times(turned, f"{over} {name}", f"As many MACs as {name}")
    ours, theirs = _block(logic, setting), _block(logic, other)
    if ours is None or theirs is None:
        return f"{work}."
    slower = ours.timing().median / theirs.timing().median
    turned, over = (1 / slower, "as fast") if slower < 1 else (slower, "its time")
    pace = in_times(turned, over, "the same time")
    return f"{work}, and {pace} on this device."


def _block(logic: MBConv, setting: MBConvSetting) -> MeasuredBlock | None:
    found = logic.newest(setting)
    return None if found is None else found.measurement.blocks.get(setting.kind)


def aside(logic: MBConv) -> str:
    """Return which layer takes most beyond its share of the MACs: of the time, or of the bytes."""
    setting = logic.setting
    found = _block(logic, setting)
    there = roles(setting, setting.kind)
    computed = {role: computed_shares(setting, role) for role in there}
    if found is None or not found.roles:
        spent, verb, what = {role: computed[role]["bytes"] for role in there}, "moves", "bytes"
    else:
        shares_of_time = {role: found.share(role).median for role in there if role in found.roles}
        spent, verb, what = dict.fromkeys(there, 0.0) | shares_of_time, "takes", "time"
    role = max(there, key=lambda role: spent[role] - computed[role]["MACs"])
    said = (
        f"{label(setting)}: {role_words(role)} has {percent(computed[role]['MACs'])} of the MACs and {verb} "
        f"{percent(spent[role])} of the {what}."
    )
    if logic.MEASURES:
        return said
    if logic.latest is None:
        return f"{said} The roof was recorded on {recorded_roof(setting.precision)[0]}."
    if found is not None and not found.roles:
        return f"{said} What a layer takes, and a roof, this engine does not tell."
    return f"{said} Blocks and roof were timed in this browser; the shortcut is part of the layer before it."


def picture(logic: MBConv) -> Scene:
    """Draw the block with its shares and, beside it or below, a layer at work."""
    width = float(logic.room)
    is_beside = width >= _BESIDE
    right = WIDTH_PX + 12 + (_SHARES if width < ROOMY else 1.5 * _SHARES) if is_beside else width
    marks, bottom, words = shares(logic, right)
    left, top = (right + _GAP, 0.0) if is_beside else (0.0, bottom + 14)
    height = HEIGHT if width < ROOMY else 1.25 * HEIGHT
    marks += work_marks(logic.setting, left, width, top, height)
    said = f"{words} {work_in_words(work_at(logic.setting))}"
    return Scene(width, top + height, label(logic.setting), said, tuple(marks))


def screen(logic: MBConv) -> LiveScreen:
    """Return all of it."""
    return LiveScreen(finding(logic), picture(logic), lambda: charts(logic), aside(logic))
