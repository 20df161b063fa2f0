"""The benchmark itself, at a tiny size: it runs, it compares equals, and its bars can be missed."""

import csv
import json
import statistics
import time
from dataclasses import replace
from functools import partial

import matplotlib.image
import pytest
import torch

import effnet_edu as ee
from effnet_edu.model import inference
from tests.bench import __main__ as command
from tests.bench import accelerator
from tests.bench.cases import GROUPS, PEERS, QUICK, Bar, Case, Seconds
from tests.bench.networks import OURS, check_same_logits, peers, same_weights
from tests.bench.runner import measure_here, measure_in_new_process, time_case
from tests.bench.verdict import judge, verdict
from tests.cases import thorough_but_for

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def b0():
    return same_weights("efficientnet_b0")


def test_all_peers_take_part_with_the_same_weights(b0):
    assert set(b0) == {OURS, *PEERS}
    for net in b0.values():
        assert torch.equal(next(net.parameters()), next(b0[OURS].parameters()))


def test_a_peer_that_computes_something_else_ends_the_benchmark(b0):
    check_same_logits({name: b0[name] for name in (OURS, "timm")}, {})
    with torch.no_grad():
        b0["timm"].classifier.bias[0] += 0.01
    with pytest.raises(ArithmeticError, match="timm computes something else than ours"):
        check_same_logits(b0, {"efficientnet_pytorch": b0["efficientnet_pytorch"]})


@pytest.mark.parametrize(
    ("low", "high", "bar", "word"),
    [
        (0.8, 0.99, 1, "met"),
        (0.9, 1.1, 1, "tie"),
        (1.01, 1.2, 1, "MISSED"),
        (0.3, 0.39, 0.4, "met"),
        (0.5, 0.6, 0.4, "MISSED"),
    ],
)
def test_the_interval_gives_the_word(low, high, bar, word):
    assert verdict(low, high, bar) == word


def process(ours, theirs, slow=9.0):
    return {"case": {OURS: ours, "timm": theirs, "geffnet": [slow] * len(ours)}}


@pytest.mark.parametrize(
    ("ours", "word"), [((0.9, 0.8, 0.95), "met"), ((0.9, 1.2, 0.95), "tie"), ((1.1, 1.2, 1.3), "MISSED")]
)
def test_ours_is_held_against_the_fastest_peer_over_all_processes(ours, word):
    processes = [process([2 * share, 3 * share, 4 * share], [2.0, 3.0, 4.0]) for share in ours]
    result = judge(Bar("case", OURS, ("geffnet", "timm")), processes)
    assert (result.fastest_peer, result.verdict, result.processes) == ("timm", word, 3)
    assert result.ratio == pytest.approx(statistics.median(ours))
    assert (result.ratio_low, result.ratio_high) == pytest.approx((min(ours), max(ours)))
    assert result.fastest_peer_ms == pytest.approx(3000)


def test_contestants_take_turns_forth_and_back():
    order = []
    case = Case("case", {name: partial(order.append, name) for name in "abc"}, rounds=2, warm_ups=1)
    times = time_case(case, CPU)
    assert "".join(order) == "cbaabccba"
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 2, "b": 2, "c": 2}


def test_a_sleep_is_timed_and_a_told_time_is_believed():
    times = time_case(Case("case", {"sleep": lambda: time.sleep(0.02), "told": lambda: Seconds(7.0)}, 1), CPU)
    assert 0.02 <= times["sleep"][0] < 5
    assert times["told"] == [7.0]


@pytest.mark.parametrize("group", thorough_but_for(("forward",), GROUPS))
def test_every_group_runs_and_every_bar_names_what_was_timed(group):
    times = measure_here(group, QUICK)
    for bar in GROUPS[group].bars(QUICK):
        assert {bar.ours, *bar.peers} <= set(times[bar.case])
        judge(bar, [times])
    for case in times.values():
        assert len({len(seconds) for seconds in case.values()}) == 1
        assert all(second > 0 for seconds in case.values() for second in seconds)


@pytest.mark.thorough
def test_a_new_process_measures_the_same_cases():
    times = measure_in_new_process("training", QUICK)
    assert set(times) == {bar.case for bar in GROUPS["training"].bars(QUICK)}


def test_the_command_writes_table_and_picture_and_keeps_other_groups(tmp_path, monkeypatch, capsys):
    def made_up(group, size):
        bars = GROUPS[group].bars(size)
        names = {
            bar.case: {
                name for other in bars if other.case == bar.case for name in (other.ours, *other.peers)
            }
            for bar in bars
        }
        slow = {OURS, "ours, contiguous"}
        return {
            case: {name: [2.0 if name in slow else 1.0] * 3 for name in contestants}
            for case, contestants in names.items()
        }

    monkeypatch.setattr(command, "measure_in_new_process", made_up)
    folders = ["--out", str(tmp_path / "out"), "--samples", str(tmp_path / "samples")]
    assert command.main([*folders, "--quick", "--only", "training"]) == 0
    assert command.main([*folders, "--quick", "--only", "forward", "--processes", "2"]) == 0
    assert command.main([*folders, "--quick", "--only", "forward", "--more"]) == 0
    printed = capsys.readouterr().out
    assert "MISSED" in printed
    assert "met" in printed
    with (tmp_path / "out" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(GROUPS[name].bars(QUICK)) for name in ("forward", "training"))
    assert {row["processes"] for row in rows if row["case"].startswith("forward")} == {"3"}
    assert {row["processes"] for row in rows if row["case"].startswith("training")} == {"1"}
    assert all(row["device"] and row["torch"] == torch.__version__ and row["timm"] for row in rows)
    for row in rows:
        expected = (
            {"0.5": "met", "1.0": "met", "2.0": "MISSED"}[row["ratio"]] if row["bar"] == "1.0" else "MISSED"
        )
        assert row["verdict"] == expected
    table = (tmp_path / "out" / "results.md").read_text()
    assert sum(line.startswith("| forward B0") for line in table.splitlines()) == len(
        GROUPS["forward"].bars(QUICK)
    )
    picture = matplotlib.image.imread(tmp_path / "out" / "results.png")
    assert picture[..., :3].std() > 0.01
    assert not list(tmp_path.rglob("*.partial"))


def rehearsed(network, mode, **changes):
    piece = next(piece for piece in accelerator.pieces() if (piece.network, piece.mode) == (network, mode))
    return replace(accelerator.tiny(piece), **changes)


def test_the_pieces_are_every_network_precision_and_mode_once():
    pieces = accelerator.pieces()
    assert len({piece.name for piece in pieces}) == len(pieces) == 5 * 2 * 3


@pytest.mark.parametrize("network", thorough_but_for(("efficientnetv2_s",), accelerator.NETWORKS))
def test_both_peers_of_an_accelerator_have_the_network_with_the_same_weights(network):
    with torch.device("meta"):
        built = {library: build().state_dict() for library, build in peers(network).items()}
    ours = ee.create(network, conventions="torchvision", device="meta")
    for library in accelerator.PEERS:
        theirs = ee.export_state_dict(ours, library)
        assert {key: value.shape for key, value in theirs.items()} == {
            key: value.shape for key, value in built[library].items()
        }


@pytest.mark.parametrize(
    "network", thorough_but_for(("efficientnet_b0",), ("efficientnet_b0", "efficientnetv2_s"))
)
def test_a_piece_on_an_accelerator_is_rehearsed_here(network, tmp_path):
    piece = rehearsed(network, "eager")
    path = accelerator.run_piece(piece, tmp_path, CPU)
    record = json.loads(path.read_text())
    assert {row["contestant"] for row in record["rows"]} >= {
        "ours, eager",
        "timm, eager",
        "torchvision, eager",
    }
    assert record["ended_by"] == "time"
    assert set(accelerator.judge_piece(record)) == {"batch 1", "best batch"}
    path.write_text("finished before")
    assert accelerator.run_piece(piece, tmp_path, CPU).read_text() == "finished before"


@pytest.mark.thorough
def test_modes_of_an_accelerator_are_rehearsed_with_a_stand_in(tmp_path, monkeypatch):
    """Without graphs here, and with the compiler's part left out, as it is the same on every device."""
    monkeypatch.setattr(torch.nn.Module, "compile", lambda _self: None)
    monkeypatch.setattr(inference, "_check_graphs", lambda _device: None)
    monkeypatch.setattr(inference, "check_compiler", lambda: None)
    monkeypatch.setattr(torch, "get_device_module", lambda _device: StandIn)
    monkeypatch.setattr(accelerator, "about", lambda _device: {})
    for mode, expected in (
        ("compiled", {"ours, compiled", "timm, compiled", "torchvision, compiled"}),
        ("graphs", {"ours, graphs", "ours, compiled and graphs"}),
    ):
        piece = rehearsed("efficientnet_b0", mode, seconds=600.0)
        record = json.loads(accelerator.run_piece(piece, tmp_path, CPU).read_text())
        eager = {"ours, eager", "timm, eager", "torchvision, eager"}
        assert {row["contestant"] for row in record["rows"]} == eager | expected
        assert {row["batch"] for row in record["rows"]} == {1, 2}
        assert record["ended_by"] == "largest batch"
        assert set(accelerator.judge_piece(record)) == {"batch 1", "best batch"}


class StandIn:
    """An accelerator whose graphs record nothing."""

    @staticmethod
    def graph_pool_handle():
        return object()

    @staticmethod
    def current_stream():
        return StandIn

    @staticmethod
    def wait_stream(_other):
        pass

    @staticmethod
    def replay():
        pass

    @staticmethod
    def Stream():  # noqa: N802 - torch's name
        return StandIn

    CUDAGraph = Stream

    @staticmethod
    def stream(_stream):
        return torch.no_grad()

    @staticmethod
    def graph(_graph, pool):
        assert pool is not None
        return torch.no_grad()


def test_a_batch_that_does_not_fit_ends_a_piece_without_losing_it(tmp_path, monkeypatch):
    real = accelerator.images_of

    def no_room_for_four(piece, batch, device):
        if batch == 4:
            raise torch.OutOfMemoryError("out of memory")
        return real(piece, batch, device)

    monkeypatch.setattr(accelerator, "images_of", no_room_for_four)
    piece = rehearsed("efficientnet_b0", "eager", seconds=600.0, largest_batch=64)
    record = json.loads(accelerator.run_piece(piece, tmp_path, CPU).read_text())
    assert record["ended_by"] == "memory"
    assert {row["batch"] for row in record["rows"]} == {1, 2}


@pytest.mark.parametrize(("ours", "words"), [(0.5, ("met", "met")), (0.9, ("MISSED", "MISSED"))])
def test_an_optimised_network_must_be_half_as_fast_again_as_the_best_peer(ours, words):
    def row(contestant, batch, milliseconds, ratio):
        return {
            "contestant": contestant,
            "batch": batch,
            "images_per_second": 1000 * batch / milliseconds,
            "ratio": ratio,
            "ratio_low": ratio,
            "ratio_high": ratio,
        }

    rows = [row(f"{peer}, eager", batch, 10.0, 1.0) for peer in accelerator.PEERS for batch in (1, 8)]
    rows += [row("ours, graphs", batch, 10 * ours, ours) for batch in (1, 8)]
    rows += [row("ours, compiled and graphs", batch, 20.0, 2.0) for batch in (1, 8)]
    judged = accelerator.judge_piece({"piece": {"mode": "graphs"}, "rows": rows})
    assert tuple(judged.values()) == words
