"""What a message quotes is short, however large the thing is that was given."""

from collections.abc import Callable

import pytest
from torch import nn

import effnet_edu as ee
from effnet_edu.ground.checks import QUOTED, quoted
from effnet_edu.images.reader import read_picture

LONG, MANY = "x" * 100_000, list(range(100_000))


@pytest.mark.parametrize(
    "value",
    [LONG, MANY, {LONG: MANY}, [[MANY] * 1000] * 1000, 10**9999, nn.Sequential(*[nn.ReLU()] * 500)],
    ids=["text", "list", "mapping", "lists", "number", "module"],
)
def test_a_quotation_is_one_short_line(value: object) -> None:
    assert 0 < len(quoted(value)) <= QUOTED
    assert "\n" not in quoted(value)


def test_what_is_short_is_quoted_as_python_writes_it() -> None:
    for value in (1.5, "a  b\n", None, (1, 2)):
        assert quoted(value) == repr(value)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: ee.cost(ee.create("efficientnet_b0", device="meta")),
        lambda: ee.cost("efficientnet_b0", resolution=MANY),
        lambda: ee.spec(LONG),
        lambda: ee.create(LONG),
        lambda: ee.compound(MANY),
        lambda: ee.profile("efficientnet_b0", batch_size=MANY),
        lambda: ee.profile("efficientnet_b0", precision=LONG),
        lambda: ee.profile("efficientnet_b0", device=LONG),
        lambda: ee.profile("efficientnet_b0", device=MANY),
        lambda: ee.profile_layers(MANY),
        lambda: ee.resolve(MANY),
        lambda: ee.fit_phi(MANY),
        lambda: ee.load_checkpoint(ee.create("efficientnet_b0", device="meta"), LONG),
        lambda: ee.load_run(LONG),
        lambda: ee.images.image_folder(LONG, 8),
        lambda: ee.images.image_folder(f"{LONG[:150]}/" * 40, 8),
        lambda: read_picture(LONG),
        lambda: ee.classify(MANY, "x.png"),
        lambda: ee.train("efficientnet_b0", MANY, MANY),
        lambda: ee.labs.PhiLab(device=MANY),
        lambda: ee.labs.V2Lab(network=LONG),
        lambda: ee.labs.SqueezeExciteLab(picture=MANY),
        lambda: ee.exercises.exercise(LONG),
        lambda: ee.published.read(LONG),
        lambda: ee.published.read("efficientnet_v1").column(LONG),
        lambda: ee.Recipe(batch_size=MANY),
        lambda: ee.Recipe(randaugment=10.0**300),
    ],
)
def test_no_message_writes_out_what_was_given(ask: Callable[[], object]) -> None:
    with pytest.raises(Exception) as raised:
        ask()
    assert len(str(raised.value)) < 4 * QUOTED
