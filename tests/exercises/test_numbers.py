from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from effnet_edu.exercises import get
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.ground.written_numbers import parse_number

MACS = (
    385_195_456, 3.85e8, np.float32(3.85e8), torch.tensor(385_000_000),
    Fraction(385_000_000), Decimal("3.85e8"),
    "385 M", "385M", "385 million", "385 million MACs", "0.385 G", "0.385 GMACs", "0.385 billion macs",
    "385,195,456", "385_195_456 MACs", "385 195 456", "385'195'456", "3.85e8",
    "3.85 x 10^8", "3.85×10^8 MACs",
    "0,385 G", " 385 Million ", "about 385 M", "~385 million multiply-adds.", "385 megaMACs",
)  # fmt: skip


@pytest.mark.parametrize("written", MACS, ids=repr)
def test_macs_are_read_as_a_sensible_person_writes_them(written):
    assert get("lite0_macs").check(written).state == "right"


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("12", "ms", 12),
        ("12 ms", "ms", 12),
        ("0.012 s", "ms", 12),
        ("12000 µs", "ms", 12),
        ("12 milliseconds", "s", 0.012),
        ("1.5 GiB", "MiB", 1536),
        ("3 MB", "bytes", 3e6),
        ("2.5x", "times", 2.5),
        ("2.5 times", "times", 2.5),
        ("2.5-fold", "times", 2.5),
        ("76 %", "%", 76),
        ("76 percent", "%", 76),
        ("−0.4 points", "%", -0.4),
        ("5.3 M params", "parameters", 5.3e6),
        ("224 px", "pixels", 224),
        ("120 images per second", "images/s", 120),
        ("1,5", "", 1.5),
        ("1,234.5", "", 1234.5),
        (".5", "", 0.5),
        ("1 block", "blocks", 1),
    ],
)
def test_units_are_read_and_turned_into_each_other(written, unit, value):
    assert parse_number(written, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "385 M images",
        "385 x",
        "385 ms",
        "-",
        None,
        [385e6],
        True,
        "1e",
        {},
        "1.2.3",
        "12,34,56",
        "0.39 GFLOPs",
    ],
)
def test_what_is_no_number_of_the_unit_is_refused_with_a_sentence(written):
    outcome = get("lite0_macs").check(written)
    assert outcome.state == "wrong"
    assert "number" in outcome.message


def test_flops_are_not_taken_for_macs():
    assert "one operation or two" in get("lite0_macs").check("0.385 GFLOPs").message


def test_a_share_that_was_asked_for_in_percent():
    check = NumberCheck(value=lambda: 76.0, variable="x", unit="%")
    assert check("76%").state == "right"
    assert "Write `76`" in check(0.76).message
