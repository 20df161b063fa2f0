"""The squeeze-and-excitation lab without a browser: gates, answers, prices, and other people's files."""

import copy
import io
import struct
import zlib
from collections.abc import Iterator
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
from effnet_edu.labs import squeeze_excite_logic
from effnet_edu.labs.gated_network import gated_network
from effnet_edu.labs.squeeze_excite_logic import ALL, CHANNELS, ONE, OTHER, OWN, Answer, SqueezeExciteLogic
from effnet_edu.labs.squeeze_excite_screen import pictures, session_table
from effnet_edu.labs.squeeze_widths import MISTAKE, NETWORKS, SQUEEZES, build_with, squeeze_cost
from effnet_edu.training.augmentation import to_floats

FIRST, *_, LAST = CHANNELS


@pytest.fixture
def logic(monkeypatch: pytest.MonkeyPatch) -> Iterator[SqueezeExciteLogic]:
    """The lab, whose measurements are real and short, and forgotten pictures."""
    monkeypatch.setattr(squeeze_excite_logic, "MEASURED_SECONDS", 0.01)
    monkeypatch.setattr(squeeze_excite_logic, "_given", {})
    found = SqueezeExciteLogic(device="cpu", network="small")
    yield found
    found.cancel()
    assert found.wait(20)


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


def answer(logic: SqueezeExciteLogic) -> Answer:
    return logic.answer(logic.setting)


@pytest.mark.parametrize("block", list(CHANNELS))
def test_the_answer_is_the_networks(logic: SqueezeExciteLogic, block: str) -> None:
    logic.block = block
    pixels = logic.pixels(logic.setting)
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


def test_another_classes_gates_are_the_studys_means(logic: SqueezeExciteLogic) -> None:
    logic.other = logic.known.class_names[5]
    logic.gates = OTHER
    (row,) = [r for r in ee.studies.read("small_network").runs[0]["gates"] if r["block"] == LAST]
    assert answer(logic).gates == pytest.approx(row["class_means"][5], abs=1e-6)
    assert logic.gate == round(answer(logic).gates[logic.channel], 2)
    expected = logits_with(dict(enumerate(row["class_means"][5])), LAST, logic.pixels(logic.setting))
    assert answer(logic).logits == pytest.approx(expected.tolist(), abs=1e-4)


def test_the_first_channel_is_the_one_that_tells_the_classes_apart(logic: SqueezeExciteLogic) -> None:
    differences = [abs(value) for value in logic.contrast(logic.setting)]
    assert differences[logic.channel] == max(differences) > 0
    one, other = (logic.class_gates(LAST, name) for name in (logic.picture, logic.other))
    assert differences[3] == pytest.approx(abs(one[3] - other[3]))


def test_moving_the_gate_sets_it_by_hand_and_another_channel_takes_it_back(logic: SqueezeExciteLogic) -> None:
    own = answer(logic).own_gates
    assert logic.gate == round(own[logic.channel], 2)
    logic.gate = 0.25
    assert (logic.gates, answer(logic).gates[logic.channel]) == (ONE, 0.25)
    logic.example = 2
    assert (logic.gates, logic.gate) == (ONE, 0.25)  # the same gate on another picture
    beside = (logic.channel + 1) % CHANNELS[LAST]
    logic.channel = beside
    assert (logic.gates, logic.gate) == (OWN, round(answer(logic).own_gates[beside], 2))
    logic.channel = CHANNELS[LAST] - 1
    logic.block = FIRST
    assert logic.channel == CHANNELS[FIRST] - 1
    assert len(answer(logic).gates) == CHANNELS[FIRST]


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
    ],
)
def test_its_line_of_code_recreates_it(settings: dict[str, Any]) -> None:
    logic = SqueezeExciteLogic(**settings)
    for name, value in settings.items():
        assert getattr(logic.setting, name) == value
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == logic.setting
    again.close()


def test_reset_goes_back_to_the_picture_with_its_own_gates(logic: SqueezeExciteLogic) -> None:
    fresh = SqueezeExciteLogic(device="cpu").setting
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
    ],
)
def test_settings_outside_their_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(traitlets.TraitError, match=words):
        SqueezeExciteLogic(device="cpu", **settings)


def test_only_what_is_measured_is_measured_again(logic: SqueezeExciteLogic) -> None:
    logic.squeeze = "1/2"
    assert logic.wait(90)
    assert logic.status.message.startswith("Measured small network, SE 1/2 on ")
    _, inside, share = logic.measured(logic.history[-1])
    assert 0 < inside.value < 1000 * logic.history[-1].measurement.total_seconds
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


def test_a_picture_of_ones_own_is_looked_at(logic: SqueezeExciteLogic) -> None:
    logic.offer("ring.png", png())
    assert logic.picture == "ring.png"
    pixels = logic.pixels(logic.setting)
    assert pixels.shape == (3, 32, 32)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]  # what was transparent is paper
    expected = logits_with(None, LAST, pixels)
    assert answer(logic).logits == pytest.approx(expected.tolist(), abs=1e-4)
    assert logic.focus(logic.setting) == int(expected.argmax())
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
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "BMP, GIF, JPEG, PNG and WEBP can be"),
        (png()[:-40], "cannot be read as a picture"),
        (bomb(9000), "more than 67,108,864 pixels"),
        (bomb(60000), "more than 67,108,864 pixels"),
        (png() + bytes(11 * 2**20), "x.png has 11.0 MiB; up to 10 are read"),
    ],
    ids=["empty", "svg", "postscript", "cut off", "bomb", "big bomb", "large"],
)
def test_what_is_no_picture_is_refused_in_a_sentence(
    logic: SqueezeExciteLogic, content: bytes, words: str
) -> None:
    before = logic.setting
    logic.offer("/etc/../x.png", content)
    assert logic.status.state == "failed"
    assert words in logic.status.message
    assert logic.setting == before


def test_a_strange_name_is_shortened(logic: SqueezeExciteLogic) -> None:
    logic.offer("C:\\a\\" + "n" * 500 + "\n\x00.png", png())
    assert logic.picture == "n" * 36 + ".png"
    logic.offer("O", png())
    assert logic.picture == "O (2)"


def test_a_file_can_be_named_in_code(logic: SqueezeExciteLogic, tmp_path: Path) -> None:
    file = tmp_path / "ring.png"
    file.write_bytes(png())
    logic.picture = str(file)
    assert logic.focus(logic.setting) >= 0
    file.with_suffix(".txt").write_text("no picture")
    with pytest.raises(traitlets.TraitError, match="cannot be read as a picture"):
        logic.picture = str(file.with_suffix(".txt"))


def test_pictures_and_table_say_what_they_show(logic: SqueezeExciteLogic) -> None:
    before = [drawn.label for drawn in pictures(logic)]
    logic.gate = 0.12
    answered, gates = pictures(logic)
    assert not {answered.label, gates.label} & set(before)
    for name, logit in zip(logic.known.class_names, answer(logic).logits, strict=True):
        assert f"{name} {logit:.2f} (" in answered.label
    assert "0.120" in gates.label
    section = logic.numbers(logic.setting)[-1]
    rows = {number.name: number.value for number in section.numbers if number.is_detail}
    assert len(rows) == 2 * len(logic.known.class_names) + 3 * CHANNELS[LAST]
    assert rows[f"gate {logic.channel} given"] == pytest.approx(0.12)
    logic.pin()
    logic.gates = OTHER
    assert "with those of A in brackets" in pictures(logic)[0].label
    logic.block = FIRST
    assert all(drawn.body for drawn in pictures(logic))


def test_the_view_takes_a_file_and_fits_the_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squeeze_excite_logic, "_given", {})
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
    assert found("ee-channel").max == found("ee-channel-field").max == CHANNELS[FIRST] - 1
    lab.logic.reset()
    assert lab.logic.channel == found("ee-channel").value
    assert lab.logic.setting == SqueezeExciteLogic(device="cpu").setting
    assert len(lab.still()) < 60_000
    lab.close()
    assert lab.logic.wait(90)


def test_the_network_that_comes_with_the_course_knows_its_pictures() -> None:
    known = gated_network()
    right = [
        int(known.halt(known.picture(label, example), LAST).logits.argmax()) == label
        for label in range(len(known.class_names))
        for example in range(3)
    ]
    assert sum(right) / len(right) > 0.8
