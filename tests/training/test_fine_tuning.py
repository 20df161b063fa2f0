"""A network that was given: what is frozen stays, pixels fit its weights, and the run is kept."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.images.folders import image_folder
from effnet_edu.images.preprocess import preprocess
from effnet_edu.training import TrainingRun, load_run, loop
from effnet_edu.training import plan as plans
from effnet_edu.training.augmentation import to_floats
from effnet_edu.training.loop import evaluate
from effnet_edu.training.plan import Plan
from effnet_edu.training.processes import Processes
from tests.training.easy import TINY, quarters

TRAIN, TEST = quarters(32, 0), quarters(16, 1)
RECIPE = ee.Recipe(epochs=1, batch_size=16, drop_path_rate=0.2, ema_decay=0.9)
TORCHVISION = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1")


def train(network: ee.EfficientNet, **options: object) -> TrainingRun:
    return ee.train(network, TRAIN, TEST, RECIPE, device="cpu", **options)  # type: ignore[arg-type]


def changed(before: nn.Module, after: nn.Module) -> set[str]:
    now = after.state_dict()
    return {name for name, tensor in before.state_dict().items() if not torch.equal(tensor, now[name])}


def test_what_is_frozen_stays_frozen_with_its_statistics() -> None:
    net = ee.create(TINY, 4)
    net.requires_grad_(False)
    net.classifier.requires_grad_(True)
    run = train(net)
    assert changed(net, run.network) == {"classifier.weight", "classifier.bias"}
    assert {name for name, p in run.network.named_parameters() if p.requires_grad} == {
        "classifier.weight",
        "classifier.bias",
    }
    net.stages[1].requires_grad_(True)
    assert all(name.startswith(("stages.1.", "classifier.")) for name in changed(net, train(net).network))


def test_statistics_that_somebody_keeps_are_kept() -> None:
    net = ee.create(TINY, 4)
    for module in net.stages.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    names = changed(net, train(net).network)
    assert any(name.startswith("stem.") and name.endswith("running_mean") for name in names)
    assert not any(name.startswith("stages.") and "running" in name for name in names)
    whole = net.eval()  # as published weights come; this says nothing about single modules
    assert any(
        name.startswith("stages.") and "running" in name for name in changed(whole, train(whole).network)
    )


def test_what_the_network_has_is_not_dropped() -> None:
    net = ee.create(TINY, 4)
    net.classifier = nn.Sequential(nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 4))
    net.dropout.p = 0.37
    seen: list[float] = []
    net.head.register_forward_hook(lambda *_: seen.append(1))
    run = train(net)
    assert isinstance(run.network.classifier, nn.Sequential)
    assert (run.network.dropout.p, net.dropout.p) == (0.37, 0.37)
    assert seen
    assert run.network.stages[1][1].drop_path.rate == pytest.approx(0.2 * 2 / 3)  # type: ignore[union-attr, index]
    assert net.stages[1][1].drop_path.rate == pytest.approx(TINY.drop_path_rate * 2 / 3)  # type: ignore[union-attr, index]


@pytest.mark.parametrize(
    ("classifier", "sentence"),
    [
        (
            nn.Linear(32, 7),
            "The network has 7 classes and 3 channels, quarters 0 has 4 and 3; .* classifier for",
        ),
        (nn.Sequential(nn.Linear(32, 9), nn.Tanh()), "The network has 9 classes"),
        (nn.Identity(), "The network has 32 classes"),
    ],
)
def test_a_head_that_does_not_fit_is_named(classifier: nn.Module, sentence: str) -> None:
    net = ee.create(TINY, 4)
    net.classifier = classifier  # type: ignore[assignment]
    with pytest.raises(ValueError, match=sentence):
        train(net)


def test_what_cannot_be_trained_is_named() -> None:
    with pytest.raises(ValueError, match="Every parameter of the network is frozen"):
        train(ee.create(TINY, 4).requires_grad_(False))
    with pytest.raises(ValueError, match=r"of type Linear; train takes an ee\.EfficientNet or a spec"):
        train(nn.Linear(3, 3))  # type: ignore[arg-type]
    for dtype in (torch.float16, torch.float64):
        with pytest.raises(ValueError, match=rf"The weights are {dtype}; train takes torch\.float32"):
            train(ee.create(TINY, 4).to(dtype))
    with pytest.raises(ValueError, match="tiny is on meta and has no weights"):
        train(ee.create(TINY, 4, device="meta"))
    one = replace(TRAIN, labels=torch.zeros_like(TRAIN.labels))
    with pytest.raises(
        ValueError, match="quarters 0 has images of one class, 'a'; a network learns to tell two"
    ):
        ee.train(TINY, one, TEST, RECIPE, device="cpu")


def test_classes_that_differ_are_named() -> None:
    other = replace(TEST, class_names=("a", "b", "bee", "d"))
    with pytest.raises(ValueError, match="quarters 0 alone has 'c'; quarters 1 alone has 'bee'"):
        ee.train(TINY, TRAIN, other, RECIPE, device="cpu")


def test_images_are_prepared_as_the_published_weights_know_it() -> None:
    net = ee.create(TINY, 4)
    net.published = TORCHVISION
    plan = Plan.make(net, TRAIN, TEST, RECIPE, 16, 0, Processes())
    how = replace(TORCHVISION.preprocessing, resolution=16, resize=16)
    x = plan.to_input(to_floats(TRAIN.images))
    torch.testing.assert_close(x, preprocess(TRAIN.images, how), rtol=0, atol=1e-5)
    assert Plan.make(net, TRAIN, TEST, RECIPE, None, 0, Processes()).resolution == 224
    fed: list[torch.Tensor] = []
    net.stem.register_forward_pre_hook(lambda _, given: fed.append(given[0].detach().clone()))
    run = train(net, resolution=16)
    torch.testing.assert_close(fed[-1], preprocess(TEST.images, how), rtol=0, atol=1e-5)
    assert run.network.published is None
    assert run.network.trained_on.preprocessing == replace(how, fit="crop", interpolation="bicubic")  # type: ignore[union-attr]
    again = Plan.make(run.network, TRAIN, TEST, RECIPE, None, 0, Processes())
    assert (again.preprocessing.mean, again.resolution) == (how.mean, 16)


def test_weights_of_an_unknown_file_are_not_fed_without_a_word() -> None:
    net = ee.create(TINY, 4)
    ee.load_checkpoint(net, ee.create(TINY, 4).state_dict())
    with pytest.warns(UserWarning, match="Nothing says how images were prepared for the weights"):
        Plan.make(net, TRAIN, TEST, RECIPE, 16, 0, Processes())
    net.published = TORCHVISION
    plan = Plan.make(net, TRAIN, TEST, RECIPE, 16, 0, Processes())
    assert plan.preprocessing.mean == TORCHVISION.preprocessing.mean


def test_random_weights_are_fed_minus_one_to_one() -> None:
    plan = Plan.make(TINY, TRAIN, TEST, RECIPE, None, 0, Processes())
    x = to_floats(TRAIN.images)
    assert plan.to_input(x) is x


def picture(index: int) -> Image.Image:
    return Image.fromarray(TEST.images[index].permute(1, 2, 0).numpy())


def test_a_run_is_loaded_and_asked_with_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = ee.create(TINY, 4)
    net.published = TORCHVISION
    run = train(net, folder=tmp_path / "run", resolution=16)
    loaded = load_run(tmp_path / "run")
    assert str(loaded) == str(run)
    assert loaded.rows == run.rows
    assert (loaded.recipe, loaded.seconds, loaded.processes) == (run.recipe, run.seconds, 1)
    assert not changed(run.network, loaded.network)
    answer = ee.classify(loaded.network, picture(0))
    assert answer == ee.classify(run.network, picture(0))
    assert {row.label for row in answer} == {"a", "b", "c", "d"}
    picture(0).save(tmp_path / "photo.png")
    assert main(["classify", "--run", str(tmp_path / "run"), str(tmp_path / "photo.png"), "--top", "1"]) == 0
    assert capsys.readouterr().out.split()[-1] == answer[0].label
    assert main(["classify", "--run", str(tmp_path / "run"), "x.png", "--network", "efficientnet_b0"]) == 2
    assert "--run brings its network along" in capsys.readouterr().err


DAMAGE = {
    "empty configuration": (
        "configuration.json",
        "",
        "configuration.json is empty, damaged or of another kind",
    ),
    "list": ("configuration.json", "[]", "configuration.json is empty, damaged or of another kind"),
    "wrong type": ("configuration.json", {"seed": "x"}, "configuration.json describes no training"),
    "wrong stages": (
        "configuration.json",
        {"network": {"stages": 3}},
        "configuration.json describes no training",
    ),
    "huge": (
        "configuration.json",
        {"class_names": ["a"] * 9},
        "does not fit the network in configuration.json",
    ),
    "empty rows": ("rows.jsonl", "", "rows.jsonl holds no rows of a training"),
    "wrong rows": ("rows.jsonl", '{"epoch": 1}', "rows.jsonl holds no rows of a training"),
    "empty run": ("run.json", "", "run.json is empty, damaged or of another kind"),
    "wrong run": ("run.json", '{"seconds": "1"}', "run.json has seconds '1'; it is damaged"),
    "weights": ("network.safetensors", "x", "network.safetensors could not be read as weights"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    ee.train(TINY, TRAIN, TEST, RECIPE, device="cpu", folder=folder)
    return folder


@pytest.mark.parametrize(("name", "content", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_of_a_run_names_itself(
    finished: Path, tmp_path: Path, name: str, content: str | dict[str, object], sentence: str
) -> None:
    for file in finished.iterdir():
        if file.name in ("configuration.json", "rows.jsonl", "run.json", "network.safetensors"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    if isinstance(content, dict):
        content = json.dumps(json.loads((tmp_path / name).read_text()) | content)
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=sentence):
        load_run(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"has come to its end; there is no {name}"):
        load_run(tmp_path)


def test_a_stop_is_heard_while_images_are_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_HASHED_AT_ONCE", 100)
    with pytest.raises(Cancelled):
        train(ee.create(TINY, 4), folder=tmp_path, watch=Watch(lambda: True))
    assert [file.name for file in tmp_path.iterdir() if file.name != ".lock"] == []


def test_a_stop_is_heard_while_images_are_resized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    interpolate = nn.functional.interpolate

    def noted(x: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        begun.append(len(x))
        return interpolate(x, *arguments, **options)

    monkeypatch.setattr(nn.functional, "interpolate", noted)
    watch = Watch(lambda: bool(begun))
    with pytest.raises(Cancelled):
        ee.train(TINY, TRAIN, quarters(1100, 1), RECIPE, resolution=24, folder=tmp_path, watch=watch)
    assert begun == [512]
    assert not list(tmp_path.glob("step-*"))


def test_a_stop_is_heard_while_a_folder_is_read(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.new("RGB", (8, 8)).save(tmp_path / name / f"{number}.png")
    shares: list[float] = []
    image_folder(tmp_path, 8, watch=Watch(progress=shares.append))
    assert shares[-1] == 1
    assert shares == sorted(shares)
    shares.clear()
    with pytest.raises(Cancelled):
        ee.fine_tune(ee.create(TINY, 3), tmp_path, resolution=16, watch=Watch(lambda: True))


def test_a_stop_is_heard_while_the_test_images_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    take_step = loop.take_step

    def counted(*arguments: Any) -> None:
        take_step(*arguments)
        tries.append(0)

    def asked() -> bool:
        tries.append(1)
        return tries[-3:] == [0, 1, 1]  # after two steps, before the second of two batches of test images

    monkeypatch.setattr(loop, "take_step", counted)

    large = quarters(520, 1)
    recipe = replace(RECIPE, ema_decay=None)
    with pytest.raises(Cancelled):
        ee.train(TINY, TRAIN, large, recipe, device="cpu", folder=tmp_path, watch=Watch(asked))
    assert [file.name for file in tmp_path.glob("step-*")] == ["step-00000002.safetensors"]
    resumed = ee.train(TINY, TRAIN, large, recipe, device="cpu", folder=tmp_path)
    plain = ee.train(TINY, TRAIN, large, recipe, device="cpu")
    assert not changed(resumed.network, plain.network)
    assert resumed.accuracy == plain.accuracy


def test_large_test_images_are_tried_a_few_at_a_time() -> None:
    sizes: list[int] = []
    plan = Plan.make(TINY, TRAIN, TEST, RECIPE, None, 0, Processes())
    network = copy.deepcopy(plan.network)
    network.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    large = quarters(12, 1, side=640)
    evaluate(network, large, plan)
    assert sizes == [5, 5, 2]
