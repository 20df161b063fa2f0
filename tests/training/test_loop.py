"""What a training does: it learns, repeats itself, leaves the caller alone, and ends in sentences."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import effnet_edu as ee
from effnet_edu.model.network import build
from effnet_edu.training import loop
from effnet_edu.training.augmentation import to_floats
from effnet_edu.training.loop import DivergedError, evaluate, take_step
from effnet_edu.training.plan import Plan
from effnet_edu.training.processes import Processes
from effnet_edu.training.progressive import Stage
from effnet_edu.training.schedules import average_decay
from effnet_edu.training.state import TrainingState, averaged
from tests.cases import thorough_but_for
from tests.training.easy import RANDOM_RECIPE, TINY, quarters

if TYPE_CHECKING:
    from effnet_edu.training.rows import Row

TRAIN, TEST = quarters(512, 0), quarters(200, 1)
FEW, FEW_TEST = quarters(64, 0), quarters(32, 1)
EASY = ee.Recipe(epochs=5, batch_size=32, warmup_epochs=0.5, ema_decay=0.9)
#: Nothing random but the order.
PLAIN = ee.Recipe(epochs=1, batch_size=32, dropout=0, drop_path_rate=0, ema_decay=None, weight_decay=0)


def train(recipe: ee.Recipe, seed: int = 0, **options: object) -> ee.training.TrainingRun:
    return ee.train(TINY, FEW, FEW_TEST, recipe, device="cpu", seed=seed, **options)  # type: ignore[arg-type]


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([tensor.flatten().double() for tensor in network.state_dict().values()])


def prepared(recipe: ee.Recipe) -> tuple[Plan, TrainingState]:
    plan = Plan.make(TINY, FEW, FEW_TEST, recipe, None, 0, Processes())
    return plan, TrainingState.start(plan.network, recipe)


@pytest.mark.parametrize(
    "changes",
    thorough_but_for(
        ({},),
        (
            {},
            {"optimizer": "adamw", "base_learning_rate": 0.02, "precision": "bf16"},
            {"optimizer": "rmsprop", "base_learning_rate": 0.05, "clip_norm": 5.0},
            {"ema_decay": None, "mixup": 0.2, "accumulation": 2},
        ),
    ),
    ids=str,
)
def test_an_easy_task_is_learned(changes: dict[str, object]) -> None:
    told: list[Row] = []
    recipe = replace(EASY, **changes)  # type: ignore[arg-type]
    run = ee.train(TINY, TRAIN, TEST, recipe, device="cpu", progress=told.append, save_seconds=1e9)
    assert run.accuracy > 0.95
    assert [row.epoch for row in run.rows] == [1, 2, 3, 4, 5]
    assert run.rows[-1].test_loss is not None
    assert run.rows[-1].train_loss < run.rows[0].train_loss
    assert [row for row in told if row.ends_epoch] == list(run.rows)
    assert [row.step for row in told if not row.ends_epoch][:3] == [10, 16, 26]
    with torch.no_grad():  # the network that comes back is the one that was tested
        found = run.network(to_floats(TEST.images)).argmax(1)
    assert float((found == TEST.labels).float().mean()) == pytest.approx(run.accuracy, abs=0.011)
    assert not run.network.training


def test_a_run_knows_its_cost() -> None:
    run = train(EASY)
    assert run.peak_memory_bytes > 4 * sum(p.numel() for p in run.network.parameters())
    assert run.rows[-1].seconds == run.seconds > 0
    assert run.rows[-1].seconds_left == pytest.approx(0)
    assert run.rows[1].images_per_second == pytest.approx(64 / (run.rows[1].seconds - run.rows[0].seconds))
    assert "accuracy" in str(run)


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not() -> None:
    recipe = replace(RANDOM_RECIPE, epochs=1)
    first, again, other = train(recipe), train(recipe), train(recipe, seed=1)
    assert torch.equal(weights(first.network), weights(again.network))
    assert first.rows[0].train_loss == again.rows[0].train_loss
    assert not torch.equal(weights(first.network), weights(other.network))


@pytest.mark.thorough
def test_every_random_part_uses_the_seed() -> None:
    """Two runs that start from the same weights differ by order, dropout, augmentation: each alone, too."""
    start = build(TINY, 4, generator=torch.Generator().manual_seed(0))
    fixed = replace(PLAIN, batch_size=64)  # one batch: its order does not matter to the loss
    for changes in (
        {"dropout": 0.5},
        {"drop_path_rate": 0.9},
        {"randaugment": 9.0},
        {"mixup": 1.0},
        {"flip": 0.5},
    ):
        losses = {
            ee.train(start, FEW, FEW_TEST, replace(fixed, **changes), device="cpu", seed=seed)
            .rows[0]
            .train_loss  # type: ignore[arg-type]
            for seed in (0, 1)
        }
        assert len(losses) == 2, changes


def test_the_callers_random_numbers_and_network_are_left_alone() -> None:
    start = build(TINY, 4)
    before = {name: tensor.clone() for name, tensor in start.state_dict().items()}
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    python, numpy = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[union-attr]  # noqa: NPY002
    run = ee.train(start, FEW, FEW_TEST, replace(RANDOM_RECIPE, epochs=1), device="cpu")
    assert torch.equal(torch.rand(4), expected)
    assert random.getstate() == python
    assert np.array_equal(np.random.get_state()[1], numpy)  # type: ignore[arg-type]  # noqa: NPY002
    assert all(torch.equal(tensor, before[name]) for name, tensor in start.state_dict().items())
    assert start.training
    assert (start.dropout.p, start.stages[1][1].drop_path.rate) == (0.2, TINY.drop_path_rate * 2 / 3)  # type: ignore[union-attr, index]
    assert run.network is not start


def test_the_average_is_what_a_hand_computes() -> None:
    network = build(TINY, 4)
    average = averaged(network, 0.5)
    kept = None
    for update in range(4):
        with torch.no_grad():
            for tensor in (*network.parameters(), *network.buffers()):
                if tensor.is_floating_point():
                    tensor.add_(torch.rand_like(tensor))
        average.update_parameters(network)
        decay = min(0.5, (1 + update) / (10 + update))  # 0.1, 2/11, 3/12, 4/13
        now = weights(network)
        kept = now if kept is None else decay * kept + (1 - decay) * now
    assert torch.allclose(weights(average.module), kept, atol=1e-6)  # type: ignore[arg-type]


def test_a_decay_is_reached_in_the_end() -> None:
    assert [average_decay(0.9, count) for count in (0, 10, 80, 81, 1000)] == [0.1, 11 / 20, 0.9, 0.9, 0.9]


def test_without_an_average_the_network_itself_is_kept() -> None:
    plan, state = prepared(PLAIN)
    assert state.best_network is plan.network
    plan, state = prepared(EASY)
    assert state.best_network is not plan.network


def test_accumulation_gives_the_gradient_of_the_whole_batch() -> None:
    """Where batch norm does not look at the batch, parts of a batch add up to the batch."""
    found = []
    for accumulation in (1, 4):
        plan, state = prepared(
            replace(PLAIN, optimizer="sgd", accumulation=accumulation, label_smoothing=0.1)
        )
        plan.network.eval()
        take_step(plan.network, state, plan, plan.stage(0), FEW.images[:32], FEW.labels[:32])
        state.meter.settle(plan.processes)
        found.append((weights(plan.network), state.meter.loss, state.meter.correct))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-6)
    assert not torch.equal(found[0][0], weights(prepared(PLAIN)[0].network))
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-5)
    assert found[0][2] == found[1][2]


def test_label_smoothing_is_the_cross_entropy_of_smoothed_targets() -> None:
    plan, state = prepared(replace(PLAIN, label_smoothing=0.2))
    plan.network.eval()
    with torch.no_grad():
        logs = plan.network(to_floats(FEW.images[:32])).log_softmax(1)
    targets = F.one_hot(FEW.labels[:32], 4) * 0.8 + 0.2 / 4
    take_step(plan.network, state, plan, plan.stage(0), FEW.images[:32], FEW.labels[:32])
    state.meter.settle(plan.processes)
    assert state.meter.loss == pytest.approx(float(-(targets * logs).sum(1).mean()), rel=1e-5)


def test_evaluation_counts_every_image() -> None:
    plan, _ = prepared(PLAIN)
    loss, accuracy = evaluate(plan.network, TEST, plan)
    with torch.no_grad():
        logits = plan.network(to_floats(TEST.images))
    assert loss == pytest.approx(float(F.cross_entropy(logits, TEST.labels)), rel=1e-5)
    assert accuracy == pytest.approx(float((logits.argmax(1) == TEST.labels).float().mean()))


def test_every_image_is_seen_once_an_epoch_in_another_order() -> None:
    plan, _ = prepared(PLAIN)
    first, second = torch.cat(plan.batches(0)), torch.cat(plan.batches(1))
    assert torch.equal(first.sort().values, torch.arange(64))
    assert not torch.equal(first, second)
    assert torch.equal(first, torch.cat(plan.batches(0)))


def test_the_shares_of_processes_are_the_batch() -> None:
    plans = [Plan.make(TINY, FEW, FEW_TEST, PLAIN, None, 0, Processes(rank, 2)) for rank in (0, 1)]
    whole = prepared(PLAIN)[0].batches(0)
    for one, other, batch in zip(plans[0].batches(0), plans[1].batches(0), whole, strict=True):
        assert torch.equal(torch.cat((one, other)), batch)


@pytest.mark.thorough
def test_progressive_learning_changes_side_and_dropout_at_each_stage() -> None:
    schedule = ee.ProgressiveSchedule.linear(Stage(8, dropout=0.1), Stage(16, 9.0, dropout=0.3), 3, 4)
    rates: list[float] = []

    def look(network: torch.nn.Module, *_: object) -> None:
        if network.training:
            rates.append(network.dropout.p)  # type: ignore[union-attr, arg-type]

    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, *rest: look(module, *rest) if isinstance(module, ee.EfficientNet) else None
    )
    try:
        run = train(replace(EASY, epochs=6, progressive=schedule))
    finally:
        handle.remove()
    assert [row.side for row in run.rows] == [8, 8, 12, 12, 16, 16]
    assert rates == pytest.approx([0.1] * 4 + [0.2] * 4 + [0.3] * 4)


def test_the_step_that_diverged_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = loop.F.cross_entropy, []

    def poisoned(*arguments: object, **options: object) -> torch.Tensor:
        calls.append(1)
        loss: torch.Tensor = real(*arguments, **options)  # type: ignore[arg-type]
        return loss * float("nan") if len(calls) == 13 else loss

    monkeypatch.setattr(loop.F, "cross_entropy", poisoned)
    with pytest.raises(
        DivergedError,
        match=r"The loss of step 13 \(epoch 1\) is not a finite number\. Lower base_learning_rate",
    ):
        ee.train(TINY, TRAIN, TEST, EASY, device="cpu")


def test_too_little_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(loop, "take_step", fail)
    with pytest.raises(MemoryError, match=r"Training tiny on 32 images of 16 x 16 .* raise accumulation"):
        train(PLAIN)


@pytest.mark.parametrize(
    ("changes", "options", "sentence"),
    [
        ({"batch_size": 65}, {}, "batch_size is 65; quarters 0 has 64 images"),
        ({"accumulation": 3}, {}, "batch_size is 32; it must be a multiple of 3"),
        ({}, {"resolution": 2}, "resolution is 2"),
        ({}, {"seed": -1}, "seed is -1"),
        ({}, {"save_seconds": -1}, "save_seconds is -1"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, int], options: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        train(replace(PLAIN, **changes), **options)  # type: ignore[arg-type]


def test_images_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"The network has 4 classes and 3 channels, quarters 0 has 4 and 1"):
        ee.train(build(TINY, 4), quarters(64, 0, 1), quarters(32, 1, 1), PLAIN, device="cpu")
    with pytest.raises(ValueError, match="quarters 0 has 3 channels and quarters 1 has 1"):
        ee.train(TINY, FEW, quarters(32, 1, 1), PLAIN, device="cpu")


def test_grey_images_are_augmented_too() -> None:
    grey = quarters(64, 0, 1), quarters(32, 1, 1)
    run = ee.train(TINY, *grey, replace(RANDOM_RECIPE, epochs=2), device="cpu")
    assert run.network.in_channels == 1
