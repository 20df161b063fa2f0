"""An audit of any module: right counts, changes that are measured, and a module that stays as it was."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.ground.watch import Cancelled, MeasurementError, Watch
from effnet_edu.model.network import build
from effnet_edu.profiling import audits, changes
from effnet_edu.profiling.audits import Audit, Change
from effnet_edu.profiling.counts import count_module
from effnet_edu.profiling.device import as_device, device_name
from effnet_edu.profiling.module_layers import module_rows
from tests.cases import thorough_but_for
from tests.model.reference import TINY
from tests.profiling import families
from tests.profiling.made import made_ceilings
from tests.profiling.test_left_alone import look_at


@pytest.fixture(autouse=True)
def quick_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    here = made_ceilings(device_name(as_device("cpu")))
    monkeypatch.setattr(audits, "measure_ceilings", lambda *_args, **_options: here)


class Foreign(nn.Module):
    """Convolution, batch norm and ReLU, twice; its own arithmetic in between, and a head."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, groups=4),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Linear(channels, 5)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for part in self.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.running_mean.normal_()  # type: ignore[union-attr]
                    part.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        maps = self.body(x)
        return self.head((maps @ maps).mean((2, 3)))


def images(batch: int = 2, side: int = 32) -> Tensor:
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(0))


def audited(net: nn.Module, x: Tensor | None = None) -> Audit:
    return ee.audit(net, images() if x is None else x, seconds=0.01)


def test_a_foreign_module_is_counted_as_torch_counts_it_and_stays_as_it_was() -> None:
    net, x = Foreign().train(), images()
    net.head.register_forward_hook(lambda *_: None)
    net(x).sum().backward()
    before, was = look_at(net), x.clone()
    found = audited(net, x)
    assert look_at(net) == before
    assert torch.equal(x, was)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copy.deepcopy(net).eval()(x)
    assert found.macs == counter.get_total_flops() // 2
    rows = {row.name: row.macs for row in found.roofline.profile.layers}
    assert rows["body.0"] == 2 * 32 * 32 * 16 * 27
    assert rows["Foreign"] == 2 * 16 * 32**3  # its own product
    assert "body.2" in rows


def test_folding_is_predicted_from_the_norms_that_go_and_keeps_the_answers() -> None:
    found = audited(Foreign())
    names = {change.name for change in found.changes} | {one.name for one in found.left_out}
    assert "fold batch norm" in names
    folded = changes.fuse(Foreign().eval())
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    assert all(change.difference < 1e-5 for change in found.changes if change.name != "bf16")
    assert len(found.changes) <= audits.TRIED


def every_change(monkeypatch: pytest.MonkeyPatch, net: nn.Module, x: Tensor) -> dict[str, Change]:
    monkeypatch.setattr(audits, "TRIED", 99)
    monkeypatch.setattr(audits, "WORTH_TRYING", 0.0)
    return {change.name: change for change in audited(net, x).changes}


def test_every_change_of_a_foreign_module_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    found = every_change(monkeypatch, Foreign(), images())
    assert {"fold batch norm", "channels last", "batch of 16", "openvino"} <= set(found)
    assert found["openvino"].difference < 1e-5
    assert all(change.low <= change.measured <= change.high for change in found.values())
    assert all(change.predicted > 0 for change in found.values())


def test_another_engine_takes_several_inputs_and_gives_all_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "WORTH_TRYING", 0.0)
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    tokens = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    found = ee.audit(attention, (tokens, tokens + 1, tokens - 1), seconds=0.01)
    [engine] = [change for change in found.changes if change.name == "openvino"]
    assert engine.difference < 1e-5


class Untraceable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_tracing():
            raise KeyError("not like this")
        return self.conv(x)


def test_what_another_engine_cannot_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "WORTH_TRYING", 0.0)
    reasons = {one.name: one.reason for one in audited(Untraceable()).left_out}
    assert "OpenVINO cannot read it: " in reasons["openvino"]
    assert "not like this" in reasons["openvino"]


def test_an_engine_is_promised_the_time_between_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thinking(Foreign):
        def forward(self, x: Tensor) -> Tensor:
            sum(range(300_000))  # Python's own time, far more than that of the layers
            return super().forward(x)

    predicted = {
        change.name: change.predicted
        for change in every_change(monkeypatch, Thinking(), images(1, 8)).values()
    }
    assert predicted["openvino"] > 2 > predicted["channels last"]


def test_an_efficientnet_with_a_head_has_the_librarys_counts_and_engines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = build(TINY, num_classes=7)
    exact = {row.name: row for row in ee.cost(TINY, 32).layers}
    rows = {row.cost.name: row.cost for row in module_rows(net, (images(1),))}
    for name in exact.keys() & rows.keys() - {"classifier"}:
        row, right = rows[name], exact[name]
        assert (row.macs, row.parameters, row.buffers) == (right.macs, right.parameters, right.buffers), name
    assert rows["head.norm"].bytes_moved() == exact["head.norm"].bytes_moved()
    assert sum(row.macs for row in rows.values()) == ee.profile(net, 1, 32, seconds=0.001).macs
    found = every_change(monkeypatch, net, images(1))
    assert {"optimize_for_inference", "onnxruntime", "openvino", "fold batch norm"} <= set(found)
    assert all(change.difference < 1e-5 for name, change in found.items() if name != "bf16")


class Doubled(nn.Module):
    """One convolution before two batch norms: folding it for one would be wrong for the other."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.first, self.second = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.second.running_mean.fill_(1.0)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.conv(self.first(self.conv(x))[:, :3]))


def test_folding_that_would_change_the_answers_is_left_out_and_told() -> None:
    reasons = {one.name: one.reason for one in audited(Doubled()).left_out}
    assert "it would change the answers by" in reasons["fold batch norm"]


class Choosing(nn.Module):
    """Python decides by what was computed, which torch.fx cannot trace."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x))
        return y if len(y) > 1 else 2 * y


def test_what_torch_fx_cannot_trace_is_told() -> None:
    reasons = {one.name: one.reason for one in audited(Choosing()).left_out}
    assert reasons["fold batch norm"].startswith("torch.fx cannot trace it")


class Keeping(nn.Module):
    """Keeps what it computed in its first run, as attention does with its biases."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bias = nn.Conv2d(3, 4, 3), nn.Parameter(torch.ones(4, 1, 1))
        self.kept: dict[str, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        if "bias" not in self.kept:
            self.kept["bias"] = self.bias[torch.tensor([3, 2, 1, 0])]
        return self.conv(x) + self.kept["bias"]


def test_what_a_module_keeps_from_its_first_run_stays_out_of_the_count() -> None:
    net = Keeping()
    assert audited(net).macs == 2 * 30 * 30 * 4 * 27
    assert count_module(net, (1, 3, 32, 32)).macs == 30 * 30 * 4 * 27
    assert not net.kept


def test_the_first_sentence_says_what_was_proved_and_the_tables_follow() -> None:
    found = audited(Foreign())

    def of(*rows: tuple[float, float, float]) -> Audit:
        made = (Change(f"change {i}", "how", 1.5, *row, 1e-7) for i, row in enumerate(rows))
        return Audit(found.roofline, tuple(made), found.left_out, ())

    won = of((1.3, 0.9, 1.4), (1.2, 1.1, 1.3), (0.5, 0.4, 0.6))
    assert "change 1 makes it 1.20 times as fast (1.10 to 1.30), answers kept." in str(won).splitlines()[0]
    assert [change.verdict for change in won.changes] == ["not decided", "faster", "slower"]
    assert "nothing that was tried is proved" in of((1.1, 0.9, 1.2)).sentence
    page = won._repr_html_()
    assert page.index("makes it 1.20") < page.index("<table>")
    assert "body.0" in page
    assert "body.0" in str(won)
    assert won.left_out
    for one in won.left_out:
        assert f"Not tried: {one.name}, {one.reason}." in str(won)


@pytest.mark.parametrize(
    ("net", "given", "words"),
    [
        ("efficientnet_b0", images(), "network is 'efficientnet_b0'; it must be a torch module"),
        (Foreign(), [images()], "input is .*; it must be a tensor whose first dimension is the batch"),
        (Foreign(), torch.zeros(0, 3, 8, 8), "none of them empty"),
        (Foreign(), torch.zeros(1, 4, 8, 8), "Foreign cannot be counted for an input of 1 x 4 x 8 x 8"),
        (
            Foreign().double(),
            images().double(),
            "weights are torch.float64; they must be one of",
        ),
        (torch.compile(Foreign(), backend="eager"), images(), "compiled or scripted"),
        (nn.LazyLinear(3), torch.zeros(1, 4), "wait for their first input"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(net: nn.Module, given: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        ee.audit(net, given)
    assert len(str(raised.value)) < 400


def test_a_module_that_computes_no_numbers_is_refused() -> None:
    net = Foreign()
    nn.init.constant_(net.head.bias, float("nan"))
    with pytest.raises(MeasurementError, match="computed values that are no numbers"):
        audited(net)


def test_it_stops_when_asked() -> None:
    told: list[str] = []
    watch = Watch(is_cancelled=lambda: "layers" in told, doing=told.append)
    with pytest.raises(Cancelled):
        ee.audit(Foreign(), images(), seconds=0.01, watch=watch)


def test_several_inputs_and_no_images() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    tokens = torch.randn(2, 5, 8)
    found = ee.audit(attention, (tokens, tokens, tokens), seconds=0.01)
    # Four projections, and two products of all pairs.
    assert found.macs == 2 * (4 * 5 * 8 * 8 + 2 * 5 * 5 * 8)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "candidates", lambda *_: ([], []))
    arguments = ["efficientnet_lite0", "--resolution", "33", "--device", "cpu", "--seconds", "0.01"]
    assert main(["measure", "audit", *arguments]) == 0
    out = capsys.readouterr().out
    assert out.startswith("efficientnet_lite0 takes ")
    assert "bound by" in out


@pytest.mark.parametrize(
    "name",
    thorough_but_for(
        ["mobilenetv3_small_050"], ["mobilenetv3_small_050", "vit_tiny_patch16_224", "levit_128s"]
    ),
)
def test_networks_of_timm_have_fvcores_counts(name: str) -> None:
    found = families.counted(name)
    rows = module_rows(families.build(name), (families.images(),))
    assert found.ours == found.fvcores == sum(row.cost.macs for row in rows)
