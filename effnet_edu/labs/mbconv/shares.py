"""The block, and who spends what in it: the share of each operation beside its row."""

from collections.abc import Iterator
from dataclasses import replace

from effnet_edu.ground.palette import ROLES
from effnet_edu.labs.frame.logic import LabLogic, Record
from effnet_edu.labs.mbconv.numbers import (
    PLAIN,
    MBConvSetting,
    abbreviated,
    block,
    cost_of,
    role_words,
)
from effnet_edu.labs.mbconv.results import MBConvResult, MeasuredBlock
from effnet_edu.labs.mbconv.work import chosen_layer, working_layers
from effnet_edu.pictures.block import WIDTH_PX, BlockPicture, block_picture
from effnet_edu.pictures.scene import Mark, text

MBConv = LabLogic[MBConvSetting, MBConvResult]
Found = Record[MBConvSetting, MBConvResult]

#: Height of the highest block with its title: an MBConv with squeeze-and-excitation.
HEIGHT = 226.0
_TOP, _ROW, _LEAST_COLUMN = 14.0, 25.0, 45.0
#: What a column is called where there is little room.
_SHORT = {"parameters": "params"}
#: Which columns a narrow picture still has.
_LEFT_OUT_LAST = ("time", "MACs", "bytes", "parameters")


def shown(logic: MBConv, setting: MBConvSetting) -> tuple[Found | None, bool]:
    """Return the measurement to draw, and whether it belongs to an earlier setting."""
    fresh = logic.newest(setting)
    return (logic.latest, True) if fresh is None else (fresh, False)


def named(setting: MBConvSetting) -> str:
    """Return the block without its channels and sides, such as `MBConv6 k3 s1`."""
    expansion = "" if setting.kind == PLAIN else block(setting, setting.kind).expansion
    return f"{setting.kind}{expansion} k{setting.kernel} s{setting.stride}"


def percent(share: float) -> str:
    """Return a share in whole percent; what is little is not nothing."""
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def computed_shares(setting: MBConvSetting, role: str) -> dict[str, float]:
    """Return which share of the block's MACs, parameters and bytes a role has."""
    whole, part = cost_of(setting, setting.kind), cost_of(setting, setting.kind, role)
    return {
        "MACs": part.macs / whole.macs,
        "parameters": part.parameters / whole.parameters,
        "bytes": part.bytes_moved / whole.bytes_moved,
    }


def shares(logic: MBConv, right: float) -> tuple[list[Mark], float, str]:
    """Return the block with the shares of its operations beside it, where it ends, and the same in words."""
    setting, pinned = logic.setting, logic.pinned
    picture = block_picture(block(setting, setting.kind), 0, _TOP)
    marks = [text("block/title", 0, 12, named(setting), style="title")]
    here = picture.rows[chosen_layer(setting)]
    marks.append(Mark("block/chosen", "box", (0, here - 2, right, _ROW + 2), "well"))
    if pinned is not None:
        marks += _ghost(pinned)
    marks += picture.marks
    record, is_stale = shown(logic, setting)
    found = None if record is None else record.measurement.blocks.get(setting.kind)
    heads = ["MACs", "parameters", "bytes", *(["time"] if logic.has_times else [])]
    fitting = max(0, int((right - WIDTH_PX - 12) / _LEAST_COLUMN))
    kept = sorted(heads, key=_LEFT_OUT_LAST.index)[:fitting]
    heads = [head for head in heads if head in kept]
    pitch = (right - WIDTH_PX - 12) / max(1, len(heads))
    columns = {head: WIDTH_PX + 12 + pitch * n for n, head in enumerate(heads)}
    if len(heads) > 1:
        title = "share of the block" if len(heads) > 2 else "share of all"
        marks.append(text("shares/title", WIDTH_PX + 12, 12, title, style="words soft"))
    marks += [
        text(f"shares/{head}", x, _TOP + 12, _SHORT.get(head, head), style="words soft")
        for head, x in columns.items()
    ]
    said = []
    for role, y in picture.rows.items():
        words = []
        for head, share in computed_shares(setting, role).items():
            if head in columns:
                marks += _computed(f"{role}/{head}", columns[head], y, share, pitch - 12)
            words.append(f"{percent(share)} of the {head}")
        if "time" in columns:
            marks += _measured(role, columns["time"], y, pitch - 12, found, is_stale=is_stale)
        if found is not None and role in found.roles:
            took = percent(found.share(role).median)
            words.append(f"{took} of the time{' measured before' if is_stale else ''}")
        said.append(f"{role_words(role)} {', '.join(words)}")
        marks.append(_row(setting, role, y, right, words))
    return marks, _TOP + picture.height + 6, _in_words(logic, picture, said)


def _in_words(logic: MBConv, picture: BlockPicture, said: list[str]) -> str:
    words = f"{named(logic.setting)}: {picture.words}. Shares: {'; '.join(said)}."
    if logic.pinned is None:
        return words
    before = block_picture(block(logic.pinned, logic.pinned.kind), 0, _TOP)
    return f"{words} Dashed, A: {named(logic.pinned)}: {before.words}."


def _ghost(pinned: MBConvSetting) -> Iterator[Mark]:
    """Yield the outlines of A's maps and operations."""
    for mark in block_picture(block(pinned, pinned.kind), 0, _TOP).marks:
        if mark.shape in ("box", "area"):
            yield replace(mark.moved(0, 0, "A"), style="ghost")


def _computed(key: str, x: float, y: float, share: float, whole: float) -> Iterator[Mark]:
    """Yield a computed share: a line with an end."""
    end = x + whole * share
    yield text(f"{key} said", x, y + 11, percent(share), style="words")
    yield Mark(f"{key} line", "line", (x, y + 18, end, y + 18), "computed")
    yield Mark(f"{key} end", "line", (end, y + 14.5, end, y + 21.5), "computed")


def _measured(
    role: str, x: float, y: float, whole: float, found: MeasuredBlock | None, *, is_stale: bool
) -> Iterator[Mark]:
    """Yield a measured share: a bar with its interval."""
    if found is None or role not in found.roles:
        yield text(f"{role}/time said", x, y + 11, "–", style="words soft")
        return
    share = found.share(role)
    low, high = share.interval
    style = "past" if is_stale else f"role {role if role in ROLES else 'other'}"
    yield text(
        f"{role}/time said", x, y + 11, percent(share.median), style="words soft" if is_stale else "words"
    )
    yield Mark(f"{role}/time bar", "box", (x, y + 15, whole * share.median, 6), style)
    yield Mark(f"{role}/time range", "line", (x + whole * low, y + 18, x + whole * high, y + 18), "range")


def _row(setting: MBConvSetting, role: str, y: float, right: float, words: list[str]) -> Mark:
    """Return what answers a pointer over an operation and its shares; a click shows its work."""
    works = role in working_layers(setting)
    counted = cost_of(setting, setting.kind, role)
    told = f"{role_words(role)}: {abbreviated(counted.macs)} MACs an image\n{', '.join(words)}"
    if works and role != chosen_layer(setting):
        told += "\nClick to see its work"
    return Mark(
        f"{role}/touch",
        "box",
        (0, y, right, _ROW),
        "touch",
        words=told,
        sets={"layer": role} if works else None,
        with_=(role,),
    )
