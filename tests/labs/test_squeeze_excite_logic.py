"""The squeeze-and-excitation lab without a browser: gates, answers, prices, and other people's files."""

import base64
import copy
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch
import traitlets
from PIL import Image, ImageDraw
from torch import nn

import effnet_edu as ee
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.squeeze_excite import answers
from effnet_edu.labs.squeeze_excite import measured as squeeze_excite_measured
from effnet_edu.labs.squeeze_excite.answer_screen import _aside, charts, finding, picture, session_table
from effnet_edu.labs.squeeze_excite.answers import Answer, focus
from effnet_edu.labs.squeeze_excite.gated_network import gated_network
from effnet_edu.labs.squeeze_excite.measured import MeasuredSqueezeExcite, build_with
from effnet_edu.labs.squeeze_excite.numbers import (
    ALL,
    CHANNELS,
    CLASSES,
    OTHER,
    OWN,
    SHUFFLED,
    USEFUL,
    class_gates,
)
from effnet_edu.labs.squeeze_excite.widths import MISTAKE, NETWORKS, SQUEEZES, spec_with, squeeze_cost
from effnet_edu.profiling.repeats import Timing
from effnet_edu.training.augmentation import to_floats
from tests.profiling.made import made_profile

FIRST, *_, LAST = CHANNELS


@pytest.fixture
def logic(monkeypatch: pytest.MonkeyPatch) -> Iterator[MeasuredSqueezeExcite]:
    """The lab, whose measurements are real and short, and forgotten pictures."""
    monkeypatch.setattr(squeeze_excite_measured, "SECONDS", 0.01)
    monkeypatch.setattr(answers, "given", {})
    found = MeasuredSqueezeExcite(device="cpu", network="small")
    yield found
    found.cancel()
    assert found.wait(60)


def logits_with(gates: dict[int, float] | None, block: str, pixels: torch.Tensor) -> torch.Tensor:
    """Run the whole network, with a hook that exchanges gates on their way to the multiplication."""
    network = copy.deepcopy(gated_network().network)
    squeeze_excite: Any = network.get_submodule(block).squeeze_excite

    def exchange(_module: nn.Module, inputs: tuple[torch.Tensor]) -> torch.Tensor:
        given = squeeze_excite.gate(inputs[0])
        for channel, gate in (gates or {}).items():
            given[:, channel] = gate
        return inputs[0] * given

    class Exchanged(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return exchange(self, (x,))

    network.get_submodule(block).squeeze_excite = Exchanged()
    with torch.no_grad():
        return network(to_floats(pixels[None]))[0]


def answer(logic: MeasuredSqueezeExcite) -> Answer:
    return answers.answer(logic.setting)


@pytest.mark.parametrize("block", list(CHANNELS))
def test_the_answer_is_the_networks(logic: MeasuredSqueezeExcite, block: str) -> None:
    logic.block = block
    pixels = answers.pixels(logic.setting)
    plain = logits_with(None, block, pixels)
    assert answer(logic).logits == answer(logic).own_logits == pytest.approx(plain.tolist(), abs=1e-4)
    logic.gate = 0.0
    changed = logits_with({logic.channel: 0.0}, block, pixels)
    assert answer(logic).logits == pytest.approx(changed.tolist(), abs=1e-4)
    assert answer(logic).logits != answer(logic).own_logits
    logic.gates = ALL
    logic.gate = 0.9
    changed = logits_with(dict.fromkeys(range(CHANNELS[block]), 0.9), block, pixels)
    assert answer(logic).logits == pytest.approx(changed.tolist(), abs=1e-4)


def test_another_classes_gates_are_the_studys_means(logic: MeasuredSqueezeExcite) -> None:
    logic.other = CLASSES[5]
    logic.gates = OTHER
    (row,) = [r for r in ee.studies.read("small_network").runs[0]["gates"] if r["block"] == LAST]
    assert answer(logic).gates == pytest.approx(row["class_means"][5], abs=1e-6)
    assert logic.gate == round(answer(logic).gates[logic.channel], 2)
    expected = logits_with(dict(enumerate(row["class_means"][5])), LAST, answers.pixels(logic.setting))
    assert answer(logic).logits == pytest.approx(expected.tolist(), abs=1e-4)


def test_the_first_channel_is_the_one_that_tells_the_classes_apart(logic: MeasuredSqueezeExcite) -> None:
    differences = [abs(value) for value in answers.contrast(logic.picture, logic.other, logic.block)]
    assert differences[logic.channel] == max(differences) > 0
    one, other = (class_gates(LAST, name) for name in (logic.picture, logic.other))
    assert differences[3] == pytest.approx(abs(one[3] - other[3]))


def test_gates_moved_by_hand_stay_until_the_block_or_all_gates_change(logic: MeasuredSqueezeExcite) -> None:
    first, own = logic.channel, answer(logic).own_gates
    assert logic.gate == round(own[first], 2)
    logic.gate = 0.25
    assert (logic.gates, logic.by_hand, answer(logic).gates[first]) == (OWN, ((first, 0.25),), 0.25)
    logic.example = 2
    assert (logic.by_hand, logic.gate) == (((first, 0.25),), 0.25)  # the same gate on another picture
    beside = (first + 1) % CHANNELS[LAST]
    logic.touch({"channel": beside, "gate": 0.0})  # as a drag across the bars does
    assert dict(logic.by_hand) == {first: 0.25, beside: 0.0}
    changed = logits_with({first: 0.25, beside: 0.0}, LAST, answers.pixels(logic.setting))
    assert answer(logic).logits == pytest.approx(changed.tolist(), abs=1e-4)
    logic.touch({"gates": OWN})
    assert (logic.by_hand, answer(logic).gates) == ((), answer(logic).own_gates)
    logic.gate = 0.9
    logic.channel = CHANNELS[LAST] - 1
    logic.block = FIRST
    assert (logic.channel, logic.by_hand) == (CHANNELS[FIRST] - 1, ())
    assert len(answer(logic).gates) == CHANNELS[FIRST]


def test_shut_the_most_useful_gates_and_a_block_without_shortcut_errs(logic: MeasuredSqueezeExcite) -> None:
    logic.block, erred, still_right = "stages.3.0", 0, 0
    for name in CLASSES:
        logic.touch({"picture": name, "gates": USEFUL})
        shut = [channel for channel, gate in enumerate(answer(logic).gates) if gate == 0]
        assert sorted(answers.useful(logic.setting)) == shut
        assert len(shut) == 20
        logits = logits_with(dict.fromkeys(shut, 0.0), logic.block, answers.pixels(logic.setting))
        assert answer(logic).logits == pytest.approx(logits.tolist(), abs=1e-4)
        erred += "errs" in finding(logic)
    logic.block = LAST
    for name in CLASSES:
        logic.touch({"picture": name, "gates": USEFUL})
        still_right += f"still says {name}" in finding(logic)
    # A shortcut takes the block's input past its gates.
    assert erred > 5
    assert still_right == len(CLASSES)


def test_shuffled_gates_are_its_own_in_another_order(logic: MeasuredSqueezeExcite) -> None:
    logic.gates = SHUFFLED
    found = answer(logic)
    assert sorted(found.gates) == pytest.approx(sorted(found.own_gates))
    assert sum(one != other for one, other in zip(found.gates, found.own_gates, strict=True)) > 150
    assert f"their mean stays at {sum(found.own_gates) / len(found.own_gates):.2f}" in _aside(logic.setting)


@pytest.mark.parametrize("network", NETWORKS[:2])
@pytest.mark.parametrize("squeeze", SQUEEZES)
def test_the_price_is_what_the_built_network_has(network: str, squeeze: str) -> None:
    with torch.device("meta"):
        counted, built = squeeze_cost(network, squeeze), build_with(network, squeeze)
    assert counted.parameters == sum(p.numel() for p in built.parameters())
    inside = (p.numel() for name, p in built.named_parameters() if "squeeze_excite" in name)
    assert counted.squeeze_parameters == sum(inside)


def test_the_mistake_costs_b0_three_million_parameters() -> None:
    # Source: a B0 built with the squeeze taken from the hidden width, as some implementations do.
    assert squeeze_cost("B0", MISTAKE).parameters == 8_423_848
    assert squeeze_cost("B0", "1/4").parameters == ee.cost("efficientnet_b0").parameters
    assert squeeze_cost("B0", "none").squeeze_macs == 0


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"picture": "E", "example": 4, "other": "F"},
        {"block": FIRST, "channel": 3, "gate": 0.4},
        {"gates": ALL, "gate": 1.0, "network": "B3", "squeeze": MISTAKE, "batch_size": 4},
        {"channel": CHANNELS[LAST] - 1, "block": LAST, "gates": OTHER},
        {"gates": USEFUL, "by_hand": ((3, 0.5), (8, 0.0)), "channel": 8},
    ],
)
def test_its_line_of_code_recreates_it(settings: dict[str, Any]) -> None:
    logic = MeasuredSqueezeExcite(**settings)
    for name, value in settings.items():
        assert getattr(logic.setting, name) == value
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == logic.setting
    again.close()


def test_reset_goes_back_to_the_picture_with_its_own_gates(logic: MeasuredSqueezeExcite) -> None:
    fresh = logic.setting
    logic.block, logic.channel, logic.gate, logic.picture = FIRST, 2, 0.9, "E"
    logic.reset()
    assert logic.setting == fresh


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"channel": 10, "block": FIRST}, f"channel is 10; {FIRST} has 0 to 9"),
        ({"picture": "Z"}, "picture is 'Z'; it is one of O, Q"),
        ({"picture": "x" * 5000}, "a picture's file"),
        ({"other": "?"}, "other is '\\?'"),
        ({"gate": 1.5}, "gate"),
        ({"by_hand": ((500, 0.2),)}, "by_hand is .* pairs of a channel, 0 to 199, and a gate, 0 to 1"),
        ({"by_hand": ((5, 1.2),)}, "by_hand is"),
        ({"by_hand": ("x" * 5000,)}, "by_hand is"),
    ],
)
def test_settings_outside_their_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(traitlets.TraitError, match=words):
        MeasuredSqueezeExcite(device="cpu", **settings)


def test_only_what_is_measured_is_measured_again(logic: MeasuredSqueezeExcite) -> None:
    logic.squeeze = "1/2"
    assert logic.wait(90)
    assert logic.status.message.startswith("Measured small network, SE 1/2 on ")
    _, inside, share = logic.measured(logic.history[-1])
    assert inside.value > 0
    assert share.interval is not None
    assert share.interval[0] <= share.value <= share.interval[1] < 100
    logic.gate, logic.picture = 0.1, "E"
    assert logic.status.state == "measured"
    assert logic.wait(1)
    assert logic.is_fresh
    logic.squeeze = "none"
    assert logic.wait(90)
    assert [record.setting.squeeze for record in logic.history] == ["1/2", "none"]
    assert [number.value for number in logic.measured(logic.history[-1])][1:] == [0.0, 0.0]
    assert "1/2, 1, cpu" in session_table(logic)
    logic.squeeze = MISTAKE
    assert logic.wait(90)
    assert logic.status.state == "measured", logic.status
    assert len(logic.csv().splitlines()) == 4


def test_the_share_is_that_of_the_time_which_is_named(logic: MeasuredSqueezeExcite) -> None:
    profile = replace(made_profile(spec_with("B0", "1/4"), "fp32"), whole=Timing((1.0,) * 3))
    _, inside, share = logic.measured(Record(logic.setting, profile))
    layers = 1000 * profile.total_seconds
    assert share.value == pytest.approx(100 * inside.value / layers)
    assert share.note == f"of {digits(layers)} ms"
    assert inside.value < layers < 1000 * profile.whole.median


def png(size: tuple[int, int] = (64, 48)) -> bytes:
    """A black circle on nothing."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((8, 4, 56, 44), outline=(0, 0, 0, 255), width=8)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says that it has side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def test_a_picture_of_ones_own_is_looked_at(logic: MeasuredSqueezeExcite) -> None:
    logic.offer("ring.png", png())
    assert logic.picture == "ring.png"
    pixels = answers.pixels(logic.setting)
    assert pixels.shape == (3, 32, 32)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]  # what was transparent is paper
    expected = logits_with(None, LAST, pixels)
    assert answer(logic).logits == pytest.approx(expected.tolist(), abs=1e-4)
    assert focus(logic.setting) == int(expected.argmax())
    assert logic.numbers(logic.setting)
    logic.offer("ring.png", png((80, 80)))  # another picture of this name does not take its place
    assert logic.picture == "ring.png (2)"
    assert logic.pictures()[-2:] == ("ring.png", "ring.png (2)")
    assert eval(logic.code(), {"ee": ee}).logic.setting.picture == "ring.png (2)"  # noqa: S307


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "x.png cannot be read as a picture"),
        (b"<svg onload=alert(1)>", "cannot be read as a picture"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "PNG, PPM, TIFF and WEBP can be",
        ),
        (png()[:-40], "cannot be read as a picture"),
        (bomb(9000), "more than 25,000,000 pixels"),
        (bomb(60000), "more than 25,000,000 pixels"),
        (png() + bytes(41 * 2**20), "x.png has 41.0 MiB; up to 40 are read"),
    ],
    ids=["empty", "svg", "postscript", "cut off", "bomb", "big bomb", "large"],
)
def test_what_is_no_picture_is_refused_in_a_sentence(
    logic: MeasuredSqueezeExcite, content: bytes, words: str
) -> None:
    before = logic.setting
    logic.offer("/etc/../x.png", content)
    assert logic.status.state == "failed"
    assert words in logic.status.message
    assert logic.setting == before


def test_a_strange_name_is_shortened(logic: MeasuredSqueezeExcite) -> None:
    logic.offer("C:\\a\\" + "n" * 500 + "\n\x00.png", png())
    assert logic.picture == "n" * 36 + ".png"
    logic.offer("O", png())
    assert logic.picture == "O (2)"


def test_a_file_can_be_named_in_code(logic: MeasuredSqueezeExcite, tmp_path: Path) -> None:
    file = tmp_path / "ring.png"
    file.write_bytes(png())
    logic.picture = str(file)
    assert focus(logic.setting) >= 0
    file.with_suffix(".txt").write_text("no picture")
    with pytest.raises(traitlets.TraitError, match="cannot be read as a picture"):
        logic.picture = str(file.with_suffix(".txt"))


def test_pictures_and_table_say_what_they_show(logic: MeasuredSqueezeExcite) -> None:
    before = {picture(logic).description, charts(logic).description, finding(logic)}
    logic.gate = 0.12
    drawn = picture(logic)
    assert not {drawn.description, finding(logic)} & before
    for name, logit in zip(CLASSES, answer(logic).logits, strict=True):
        assert f"{name} {logit:.2f} (" in drawn.description
    assert "0.120" in drawn.description
    section = logic.numbers(logic.setting)[-1]
    rows = {number.name: number.value for number in section.numbers if number.is_detail}
    assert len(rows) == 2 * len(CLASSES) + 3 * CHANNELS[LAST]
    assert rows[f"gate {logic.channel} given"] == pytest.approx(0.12)
    logic.pin()
    logic.gates = OTHER
    assert "with those of A in brackets" in picture(logic).description
    logic.block = FIRST
    assert picture(logic).marks


def test_a_map_fades_as_its_gate_shuts_and_a_click_shuts_or_opens_it(logic: MeasuredSqueezeExcite) -> None:
    logic.block = "stages.1.1"

    def marks() -> dict[str, Any]:
        return {mark.key: mark for mark in picture(logic).marks}

    channel = logic.channel
    image, touch = marks()[f"map {channel}/image"], marks()[f"map {channel}/touch"]
    opaque = opacity(image.href)
    assert max(opaque) > 0
    assert touch.sets == {"channel": channel, "gate": 0.0}
    logic.touch(touch.sets)
    assert max(opacity(marks()[f"map {channel}/image"].href)) == 0
    logic.touch(marks()[f"map {channel}/touch"].sets)
    assert opacity(marks()[f"map {channel}/image"].href) == opaque


def opacity(address: str) -> list[int]:
    image = Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2])))
    return list(image.getchannel("A").tobytes())


def test_the_bars_are_dragged_within_channels_and_gates(logic: MeasuredSqueezeExcite) -> None:
    for block in CHANNELS:
        logic.block = block
        (mark,) = [mark for mark in picture(logic).marks if mark.drag]
        channel, gate = mark.drag
        assert (channel.axis.low, channel.axis.high) == logic.ends("channel")
        assert (gate.axis.low, gate.axis.high) == logic.ends("gate")
        left, top, width, height = mark.place
        assert left < channel.axis.start < channel.axis.end < left + width
        assert (gate.axis.start, gate.axis.end) == pytest.approx((top + height, top))


def test_the_view_takes_a_file_and_fits_the_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "given", {})
    lab = ee.labs.SqueezeExciteLab(device="cpu", network="small")
    known: Any = ipywidgets.widgets.widget._instances.values()

    def found(css: str) -> Any:
        return [widget for widget in known if css in getattr(widget, "_dom_classes", ())][-1]

    found("ee-upload").value = (
        {
            "name": "ring.png",
            "type": "image/png",
            "size": 9,
            "content": memoryview(png()),
            "last_modified": datetime.now(UTC),
        },
    )
    assert lab.logic.picture == found("ee-picture").value == "ring.png"
    assert found("ee-upload").value == ()
    lab.logic.block = FIRST
    assert found("ee-channel").max == CHANNELS[FIRST] - 1
    lab.logic.reset()
    assert lab.logic.channel == found("ee-channel").value
    assert lab.logic.setting == MeasuredSqueezeExcite(device="cpu", network="small").setting
    assert len(lab.still()) < 60_000
    lab.close()
    assert lab.logic.wait(90)


def test_the_network_that_comes_with_the_course_knows_its_pictures() -> None:
    known = gated_network()
    right = [
        int(known.halt(known.picture(label, example), LAST).logits.argmax()) == label
        for label in range(len(CLASSES))
        for example in range(3)
    ]
    assert sum(right) / len(right) > 0.8
