"""The charts of fused stages: time over MACs, the shares of each stage, and what one more click would do."""

from effnet_edu.labs.v2.numbers import counted_at, label, listed, stage_costs
from effnet_edu.labs.v2.places import places
from effnet_edu.labs.v2.shares import clicks_chart, shares_chart
from effnet_edu.labs.v2.times import V2, times_chart, times_in_words
from effnet_edu.pictures.scene import Scene


def charts(logic: V2) -> Scene:
    """Draw the charts side by side, or below each other where there is little room."""
    found, height = places(logic.room, 3)
    marks = [
        *times_chart(logic, found[0]),
        *shares_chart(logic, found[1]),
        *clicks_chart(logic.setting, found[2]),
    ]
    title = f"Costs of {label(logic.setting)}"
    return Scene(logic.room, height, title, _in_words(logic), tuple(marks))


def _in_words(logic: V2) -> str:
    setting = logic.setting
    now, none = counted_at(setting), counted_at(setting, fused=())
    shares = "; ".join(
        f"stage {one.number} {one.macs / now.macs:.0%} and {one.parameters / now.parameters:.0%}"
        for one in stage_costs(setting)
    )
    return (
        f"Time over that of none fused, against MACs over those of none fused. With stages "
        f"{listed(setting.fused)} fused, {setting.network} at {setting.side} px has "
        f"{now.macs / none.macs:.2f} times the MACs. {times_in_words(logic)} "
        f"Shares of MACs and parameters: {shares}."
    )
