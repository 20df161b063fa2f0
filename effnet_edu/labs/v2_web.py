"""The half of the V2 lab that fuses stages, for a page without a kernel: times are of a recorded run."""

from collections.abc import Mapping
from dataclasses import replace

from effnet_edu.labs.layout import Screen
from effnet_edu.labs.v2_logic import V2Logic
from effnet_edu.labs.v2_screen import RecordedStep, fusing_screen
from effnet_edu.labs.v2_setting import MOST_STAGES, counted_at, listed
from effnet_edu.labs.web import NoDevice, Page, recorded_run


class WebV2(NoDevice, V2Logic):
    """The V2 lab where nothing can be measured.

    Args:
        device: Of no use here.
        settings: Any of the lab.
    """


def recorded_steps() -> tuple[str, tuple[RecordedStep, ...]]:
    """Return a recorded device, and its training steps of B4 with fused stages."""
    device, rows = recorded_run("fused_networks")
    none = next(row for row in rows if row["stages_fused"] == 0)
    steps = (
        RecordedStep(tuple(range(1, row["stages_fused"] + 1)), row["macs"] / none["macs"], 1 / row["speed"])
        for row in rows
        if row["stages_fused"]
    )
    return device, tuple(steps)


def screen(logic: V2Logic) -> Screen:
    """Return the pictures of fused stages with the recorded steps among the published ones.

    Args:
        logic: The lab.
    """
    device, steps = recorded_steps()
    made = fusing_screen(logic, steps)
    note = (
        "Hatched: Fused-MBConv. Of B4 in training, hollow: published, on a V100 (circles) and a TPUv3 "
        f"(squares); diamonds: recorded on {device}."
    )
    return replace(made, note=note if made.note else "")


def in_words(logic: V2Logic) -> str:
    """Return the lab in one sentence.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    now, none = counted_at(setting), counted_at(setting, fused=())
    return (
        f"{setting.network}, fused {listed(setting.fused)}: {now.parameters / 1e6:.1f} M "
        f"parameters, {now.macs / 1e9:.2f} G MACs at {setting.side} px, {now.macs / none.macs:.2f} times "
        f"those of none fused."
    )


def _barred(logic: V2Logic) -> Mapping[str, list[int]]:
    return {"fused": list(range(logic.last_stage + 1, MOST_STAGES + 1))}


def page() -> Page[WebV2]:
    """Return the lab for a page."""
    return Page(WebV2(), screen, in_words, _barred)
