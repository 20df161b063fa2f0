"""What the squeeze-and-excitation lab draws: picture and answer, the gates, and their price."""

import base64
import io
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image

from effnet_edu.labs.drawing import Axis, Drawing, circle, drawing, hatching, line, rectangle, text
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.squeeze_excite_logic import OWN, Setting, SqueezeExciteLogic, named
from effnet_edu.labs.squeeze_widths import SQUEEZES, squeeze_cost
from effnet_edu.labs.tables import plain_table
from effnet_edu.labs.theme import COMPOUND

_WIDTH = 396
#: The answer: its height, that of a row, and where letters, bars and percentages stand.
_ANSWER_HEIGHT, _ROW = 150, 13
_LETTERS, _BARS, _SHARES = 142, (154, 350), _WIDTH
#: The gates, their differences, and the price below each other.
_LEFT = 46
_GATES = Axis(0, 1, 82, 20)
_CONTRAST_MIDDLE, _CONTRAST_REACH = 124, 18
_COSTS_TOP, _COSTS_FLOOR, _COSTS_RIGHT = 192, 244, 380
_GATES_HEIGHT = 280


@lru_cache(maxsize=32)
def _png(pixels: bytes, side: int) -> str:
    """Return a picture as the address of an image, each pixel four by four so that it stays sharp."""
    image = Image.frombytes("RGB", (side, side), pixels)
    file = io.BytesIO()
    image.resize((4 * side, 4 * side), Image.Resampling.NEAREST).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _picture(logic: SqueezeExciteLogic, setting: Setting, y: float, size: float) -> str:
    pixels = logic.pixels(setting).permute(1, 2, 0).contiguous()
    address = _png(pixels.numpy().tobytes(), pixels.shape[0])
    return f'<image x="0" y="{y}" width="{size}" height="{size}" href="{address}"/>'


def answer_picture(logic: SqueezeExciteLogic) -> Drawing:
    """Draw the picture and the network's logits for it; of two settings both.

    Args:
        logic: The lab.
    """
    present = logic.setting
    if logic.pinned is None:
        parts = [
            text(0, 12, logic.called(present), "title"),
            _picture(logic, present, 18, 108),
            text(0, 142, logic.gates_in_words(present), "soft"),
        ]
    else:
        parts = []
        for row, (letter, setting) in enumerate((("A", logic.pinned), ("B", present))):
            parts.append(_picture(logic, setting, 8 + 70 * row, 62))
            parts.append(text(68, 20 + 70 * row, letter, "title"))
    ring = "its own gates" if logic.pinned is None else "A"
    parts += [text(_BARS[0], 12, f"logits (ring: {ring})", "title"), *_bars(logic)]
    return drawing((_WIDTH, _ANSWER_HEIGHT), _answer_in_words(logic), parts)


def _bars(logic: SqueezeExciteLogic) -> list[str]:
    """Draw a bar a class for the present answer, and a ring at the one that it is held against."""
    answer, against = logic.answer(logic.setting), _against(logic)
    low, high = logic.known.logit_range()
    x = Axis(min(low, 0) - 1, high + 2, *_BARS)
    zero = x(0)
    parts = [line(zero, 18, zero, 18 + _ROW * len(answer.logits), "axis")]
    for row, name in enumerate(logic.known.class_names):
        middle = 18 + _ROW * (row + 0.5)
        end = x(answer.logits[row])
        parts.append(text(_LETTERS, middle + 4.5, name, "", "middle"))
        parts.append(rectangle(min(zero, end), middle - 4, abs(end - zero), 8, "slab"))
        parts.append(circle(x(against[row]), middle, 3.5, "published"))
        parts.append(text(_SHARES, middle + 4.5, f"{answer.probability(row):.1%}", "", "end"))
    return parts


def _against(logic: SqueezeExciteLogic) -> tuple[float, ...]:
    """Return the logits that the present ones are held against: with its own gates, or those of A."""
    pinned = logic.pinned
    return logic.answer(logic.setting).own_logits if pinned is None else logic.answer(pinned).logits


def _answer_in_words(logic: SqueezeExciteLogic) -> str:
    setting = logic.setting
    logits = zip(logic.known.class_names, logic.answer(setting).logits, _against(logic), strict=True)
    rows = (f"{name} {logit:.2f} ({other:.2f})" for name, logit, other in logits)
    return (
        f"{logic.called(setting)}, {logic.gates_in_words(setting)} in {setting.block}. Logits, with those of "
        f"{'its own gates' if logic.pinned is None else 'A'} in brackets: {', '.join(rows)}."
    )


def gates_picture(logic: SqueezeExciteLogic) -> Drawing:
    """Draw the gates of the block, how they differ between two classes, and what squeezing costs.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    parts = [*_gates(logic), *_contrast(logic), *_costs(logic)]
    label = f"{_gates_in_words(logic)} {_contrast_in_words(logic)} {_costs_in_words(setting)}"
    return drawing((_WIDTH, _GATES_HEIGHT), label, parts)


def _steps(values: Sequence[float], x: Axis, y: Axis) -> str:
    return "".join(f"H{x(index):.1f}V{y(value):.1f}H{x(index + 1):.1f}" for index, value in enumerate(values))


def _skyline(values: Sequence[float], x: Axis, y: Axis) -> str:
    """Return bars beside each other as one path, quick to draw however many there are."""
    floor = y(0)
    return (
        f'<path d="M{x.start:.1f} {floor:.1f}{_steps(values, x, y)}V{floor:.1f}Z" fill="{COMPOUND}" '
        'style="stroke:var(--ee-text)" stroke-width=".6"/>'
    )


def _gates(logic: SqueezeExciteLogic) -> list[str]:
    setting, pinned = logic.setting, logic.pinned
    answer = logic.answer(setting)
    x = Axis(0, len(answer.gates), _LEFT, _WIDTH)
    title = f"{len(answer.gates)} gates of {setting.block}: {logic.gates_in_words(setting)}"
    parts = [_skyline(answer.gates, x, _GATES)]
    if pinned is not None and pinned.block == setting.block:
        before = logic.answer(pinned).gates
        start = f"M{x.start:.1f} {_GATES(before[0]):.1f}"
        path = f"{start}{_steps(before, x, _GATES)}"
        parts.append(f'<path d="{path}" fill="none" style="stroke:var(--ee-text)" stroke-width="1"/>')
        title = f"B: {title}; line: A"
    parts.append(text(0, 12, title, "title"))
    parts += [line(_LEFT, _GATES(tick), _WIDTH, _GATES(tick), "grid") for tick in (0, 0.5, 1)]
    parts += [text(_LEFT - 5, _GATES(tick) + 4, f"{tick:g}", "soft", "end") for tick in (0, 0.5, 1)]
    centre, channel = x(setting.channel + 0.5), setting.channel
    if setting.gates != OWN:
        parts.append(circle(centre, _GATES(answer.own_gates[channel]), 5, "published"))
    parts.append(circle(centre, _GATES(answer.gates[channel]), 5, "now"))
    anchor = "start" if centre < _LEFT + 10 else ("end" if centre > _WIDTH - 10 else "middle")
    parts.append(text(centre, _GATES.start + 14, str(channel), "title", anchor))
    return parts


def _reach(largest: float) -> float:
    """Return the end of a scale on which differences of gates are drawn."""
    return next((end for end in (0.05, 0.1, 0.2, 0.5) if largest <= end), 1.0)


def _contrast(logic: SqueezeExciteLogic) -> list[str]:
    setting = logic.setting
    values = logic.contrast(setting)
    reach = _reach(max(map(abs, values)))
    x = Axis(0, len(values), _LEFT, _WIDTH)
    y = Axis(-reach, reach, _CONTRAST_MIDDLE + _CONTRAST_REACH, _CONTRAST_MIDDLE - _CONTRAST_REACH)
    parts = [_skyline(values, x, y), line(_LEFT, y(0), _WIDTH, y(0), "axis")]
    ends = ((reach, f"+{reach:g}"), (-reach, f"−{reach:g}"))
    parts += [text(_LEFT - 5, y(end) + 4, words, "soft", "end") for end, words in ends]
    parts.append(circle(x(setting.channel + 0.5), y(values[setting.channel]), 4, "now"))
    title = f"gates by class: {logic.compared_classes(setting)}"
    parts.append(text(_LEFT, y.start + 15, title, "soft"))
    return parts


def _costs(logic: SqueezeExciteLogic) -> list[str]:
    """Draw the parameters at every width of the squeeze, those of squeeze-and-excitation on top."""
    setting, pinned = logic.setting, logic.pinned
    costs = {squeeze: squeeze_cost(setting.network, squeeze) for squeeze in SQUEEZES}
    y = Axis(0, max(cost.parameters for cost in costs.values()), _COSTS_FLOOR, _COSTS_TOP)
    step = _COSTS_RIGHT / len(costs)
    parts = []
    for index, (squeeze, cost) in enumerate(costs.items()):
        left, width = index * step + 8, step - 16
        top, middle = y(cost.parameters), y(cost.parameters - cost.squeeze_parameters)
        parts.append(rectangle(left, middle, width, y.start - middle, "past"))
        parts.append(rectangle(left, top, width, middle - top, "slab"))
        parts.append(hatching(left, top, width, middle - top))
        css = ""
        if squeeze == setting.squeeze:
            css = "title"
            parts.append(
                f'<rect x="{left - 3:.1f}" y="{top - 3:.1f}" width="{width + 6:.1f}" fill="none" '
                f'height="{y.start - top + 6:.1f}" style="stroke:var(--ee-text)" stroke-width="2"/>'
            )
        centre = left + width / 2
        of_a = pinned is not None and (pinned.network, pinned.squeeze) == (setting.network, squeeze)
        parts.append(text(centre, top - 6, _count(cost.parameters), css, "middle"))
        parts.append(text(centre, y.start + 17, f"{squeeze}{', A' * of_a}", css or "soft", "middle"))
    title = f"{named(setting.network)}: parameters by squeeze width over c_in"
    parts.append(text(0, _GATES_HEIGHT - 3, title, "soft"))
    return parts


def _count(parameters: int) -> str:
    million = parameters >= 10**6
    return f"{digits(parameters / (1e6 if million else 1e3))} {'M' if million else 'k'}"


def _gates_in_words(logic: SqueezeExciteLogic) -> str:
    setting = logic.setting
    answer = logic.answer(setting)
    channel = setting.channel
    return (
        f"{len(answer.gates)} gates of {setting.block}, {logic.gates_in_words(setting)}: from "
        f"{min(answer.gates):.2f} to {max(answer.gates):.2f}, "
        f"mean {sum(answer.gates) / len(answer.gates):.2f}. "
        f"Channel {channel}: {answer.gates[channel]:.3f}, its own {answer.own_gates[channel]:.3f}."
    )


def _contrast_in_words(logic: SqueezeExciteLogic) -> str:
    values = logic.contrast(logic.setting)
    widest = max(range(len(values)), key=lambda channel: abs(values[channel]))
    return (
        f"Gates, {logic.compared_classes(logic.setting)}: {values[logic.setting.channel]:+.3f} in this "
        f"channel, largest {values[widest]:+.3f} in channel {widest}."
    )


def _costs_in_words(setting: Setting) -> str:
    rows = (f"{squeeze} {_count(squeeze_cost(setting.network, squeeze).parameters)}" for squeeze in SQUEEZES)
    return (
        f"Parameters of {named(setting.network)} by squeeze width, with {setting.squeeze} chosen: "
        f"{', '.join(rows)}."
    )


def pictures(logic: SqueezeExciteLogic) -> tuple[Drawing, ...]:
    """Draw the answer above the gates.

    Args:
        logic: The lab.
    """
    return answer_picture(logic), gates_picture(logic)


def session_table(logic: SqueezeExciteLogic) -> str:
    """Return what was measured of the present network at several widths, or nothing if at one.

    Args:
        logic: The lab.
    """
    network = logic.setting.network
    if logic.pinned is not None:  # the comparison has no room below it
        return ""
    newest = {
        (SQUEEZES.index(record.setting.squeeze), record.setting.batch_size, record.setting.device): record
        for record in logic.history
        if record.setting.network == network
    }
    if len(newest) < 2:
        return ""
    rows = []
    for squeeze, batch, device in sorted(newest)[:4]:
        whole, _, share = logic.measured(newest[squeeze, batch, device])
        rows.append((f"{SQUEEZES[squeeze]}, {batch}, {device}", digits(whole.value), f"{share.value:.1f}"))
    return plain_table(
        f"measured, {named(network)}", ("SE, batch, device", "ms", "SE, %"), rows, "ee-session"
    )


NOTE = (
    "Bars: with the gates that it is given. Grey: the network without SE. 1/4 of c_mid is a common mistake."
)
