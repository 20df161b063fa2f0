"""The training loop: `train` from top to bottom, then the functions that it calls."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from effnet_edu.ground.checks import real_number
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.images.image_set import ImageSet
from effnet_edu.model.network import EfficientNet, available_memory
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.device import as_device, device_name, is_out_of_memory
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.training.augmentation import augmented, one_hot, to_floats
from effnet_edu.training.folder import RunFolder
from effnet_edu.training.plan import Plan
from effnet_edu.training.processes import joined, shared
from effnet_edu.training.progressive import Stage
from effnet_edu.training.recipe import Recipe
from effnet_edu.training.rows import Row
from effnet_edu.training.run import TrainingRun
from effnet_edu.training.schedules import derived_seed, learning_rate
from effnet_edu.training.state import TrainingState

#: Steps between two looks at the results of steps; on an accelerator, a look waits for them.
_LOOK_EVERY = 10
#: Test images at once: so many, or as many as have these pixels; a stop is heard between two of them.
_TEST_BATCH, _TEST_PIXELS = 512, 512 * 64 * 64


class DivergedError(ValueError):
    """The loss was no longer a number."""


def train(
    network: NetworkSpec | EfficientNet,
    train_images: ImageSet,
    test_images: ImageSet,
    recipe: Recipe | None = None,
    *,
    resolution: int | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
    folder: Path | str | None = None,
    save_seconds: float = 60.0,
    progress: Callable[[Row], None] = lambda _row: None,
    watch: Watch = Watch(),
) -> TrainingRun:
    """Train a network on images in memory or on disk; go on where an earlier run in the folder was stopped.

    A network that was given is trained as it is: what is frozen stays frozen, batch-norm statistics of frozen
    layers included, and images go through the preprocessing of its published weights.

    The same arguments give the same weights, bit for bit on one CPU, whether or not the run was interrupted.
    The caller's random numbers and network are left alone; but torch's generator belongs to all threads, so
    what another thread draws meanwhile changes a run with augmentation or dropout. Under torchrun every
    process calls this function with the same arguments, and the folder must be one that all of them see.

    Args:
        network: A spec, whose weights are drawn from the seed, or a network to start from, which is copied.
        train_images: What it learns from.
        test_images: What it is tested on after each epoch.
        recipe: How it is trained; `Recipe()` by default.
        resolution: Side of the test images in pixels, and of the training images unless the recipe is
            progressive; by default that of the network's weights, or the network's own. Images of another
            side are resized, antialiased.
        device: Where to train; the accelerator if there is one.
        seed: Of weights, order and augmentation, 0 or more.
        folder: Where to keep state and results; None keeps nothing.
        save_seconds: Time between two states that are kept, 0 for one after each step; every epoch ends with
            one.
        progress: Told a row every few steps, and one with the test results after each epoch.
        watch: Told the share done; asked often, in one process also while images are resized, and a yes
            keeps the state and stops.

    Raises:
        ValueError: An argument is outside its range, or the folder holds another training.
        DivergedError: The loss was no longer a number.
        MemoryError: The device has too little memory.
        OSError: The state could not be written.
        Cancelled: `watch` said so.
    """
    recipe = recipe or Recipe()
    real_number("save_seconds", save_seconds, 0, 1e9)
    with joined(as_device(device)) as (processes, place), _own_random_numbers(place):
        plan = Plan.make(network, train_images, test_images, recipe, resolution, seed, processes)
        # Before the first step a process of several that stopped alone would keep the others waiting.
        alone = watch if processes.count == 1 else Watch()
        files = RunFolder(folder, partial(plan.configuration, alone), writes=processes.rank == 0)
        with files.opened(), _memory_as_sentence(plan, place):
            network = plan.trainee(place)
            model = shared(network, processes)
            state = TrainingState.start(network, recipe)
            files.load(state)
            processes.check_equal("step", plan.steps_done(state))
            labels, test = train_images.labels.to(place), test_images.resized(plan.resolution, alone)
            side, saved_at = 0, time.monotonic()

            while state.epoch < recipe.epochs and not state.has_stalled:
                stage, batches = plan.stage(state.epoch), plan.batches(state.epoch)
                is_new_side = stage.side != side
                if is_new_side:
                    side, images = stage.side, train_images.resized(stage.side, alone)
                plan.start_training(model, network, stage)
                clock = time.perf_counter()
                to_come = batches[state.step : plan.steps_per_epoch]
                with closing(images.batches(to_come, place)) as found:
                    for batch, pixels in zip(to_come, found, strict=True):
                        if processes.agree(watch.is_cancelled(), state.meter.pending == 0):
                            _look(state, plan, clock)
                            files.save(state, plan.steps_done(state))
                            raise Cancelled
                        step = partial(take_step, model, state, plan, stage, pixels, labels[batch.to(place)])
                        if is_new_side:
                            state.note_memory(memory_growth(step, place))
                            is_new_side = False
                        else:
                            step()
                        state.step += 1
                        looks = state.meter.pending == _LOOK_EVERY or state.step == plan.steps_per_epoch
                        is_due = processes.agree(time.monotonic() - saved_at >= save_seconds, looks)
                        if looks or is_due:
                            clock = _look(state, plan, clock)
                            progress(plan.row(state))
                            watch.progress(plan.steps_done(state) / (recipe.epochs * plan.steps_per_epoch))
                        if is_due:
                            files.save(state, plan.steps_done(state))
                            saved_at, clock = time.monotonic(), time.perf_counter()
                try:
                    results = evaluate(state.best_network, test, plan, watch)
                except Cancelled:
                    files.save(state, plan.steps_done(state))
                    raise
                state.end_epoch(plan.row(state, *results))
                files.save(state, plan.steps_done(state))
                progress(state.rows[-1])

            run = TrainingRun(
                rows=tuple(state.rows),
                network=plan.trained(state.weights),
                recipe=recipe,
                resolution=plan.resolution,
                seed=seed,
                seconds=state.seconds,
                peak_memory_bytes=state.peak_memory_bytes,
                device=place.type,
                device_name=device_name(place),
                torch_version=torch.__version__,
                processes=processes.count,
            )
            files.finish(run)
        return run


def take_step(
    model: nn.Module, state: TrainingState, plan: Plan, stage: Stage, images: Tensor, labels: Tensor
) -> None:
    """Take one step of the optimizer on this process's share of a batch, and note its loss.

    `model` is what to call: the network, or the network whose gradients are averaged over processes.
    """
    recipe, parts = plan.recipe, plan.recipe.accumulation
    step, rank = plan.steps_done(state), plan.processes.rank
    for group in state.optimizer.param_groups:
        group["lr"] = group["lr_scale"] * learning_rate(recipe, step, plan.steps_per_epoch)
    for part, (x, y) in enumerate(zip(images.chunk(parts), labels.chunk(parts), strict=True)):
        # All random numbers of a step follow from where it is: a resumed training draws them again.
        torch.manual_seed(derived_seed(plan.seed, "step", step, rank, part))
        x, targets = augmented(x, one_hot(y, plan.train_images.num_classes), stage, recipe)
        x = plan.to_input(x)
        is_last = part == parts - 1
        with plan.precision(x.device), nullcontext() if is_last else _kept_to_itself(model):
            logits = model(x)  # (N, C, H, W) -> (N, classes)
            weights = None if plan.class_weights is None else plan.class_weights.to(x.device)
            loss = F.cross_entropy(logits, targets, weights, label_smoothing=recipe.label_smoothing)
            state.scaler.scale(loss / parts).backward()  # type: ignore[no-untyped-call]
        state.meter.add(loss / parts, (logits.argmax(1) == targets.argmax(1)).sum(), is_last)
    if recipe.clip_norm is not None:
        state.scaler.unscale_(state.optimizer)
        nn.utils.clip_grad_norm_(state.network.parameters(), recipe.clip_norm)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    if state.average is not None:
        state.average.update_parameters(state.network)


@torch.no_grad()
def evaluate(
    network: EfficientNet, images: ImageSet, plan: Plan, watch: Watch = Watch()
) -> tuple[float, float]:
    """Return mean cross-entropy, without label smoothing, and the share of images classified correctly."""
    device = network.device
    at_once = max(1, min(_TEST_BATCH, _TEST_PIXELS // images.side**2))
    batches = torch.split(plan.processes.share(torch.arange(len(images))), at_once)
    meetings = -(-len(images) // plan.processes.count) // at_once  # as many in each process
    totals = []
    network.eval()
    with closing(images.batches(batches)) as found:
        for number, (batch, pixels) in enumerate(zip(batches, found, strict=True)):
            if plan.processes.agree(watch.is_cancelled(), number < meetings):
                raise Cancelled
            x, labels = plan.to_input(to_floats(pixels.to(device))), images.labels[batch].to(device)
            with plan.precision(device):
                logits = network(x).float()
            loss, correct = (
                F.cross_entropy(logits, labels, reduction="sum"),
                (logits.argmax(1) == labels).sum(),
            )
            totals.append(torch.stack((loss, correct.float())))
    sums = plan.processes.sum(torch.stack(totals).sum(0)).tolist()
    return sums[0] / len(images), sums[1] / len(images)


def _look(state: TrainingState, plan: Plan, clock: float) -> float:
    """Add up the results of the last steps and the time since `clock`; return the time."""
    bad = state.meter.settle(plan.processes)
    if bad is not None:
        raise DivergedError(
            f"The loss of step {state.epoch * plan.steps_per_epoch + bad + 1} (epoch {state.epoch + 1}) "
            f"is not a finite number. Lower base_learning_rate (now {plan.recipe.base_learning_rate:g}), "
            f"warm up longer (now {plan.recipe.warmup_epochs:g} epochs), or set clip_norm, to 1 for example"
            + ("; bf16 has the range that fp16 lacks." if plan.recipe.precision == "fp16" else ".")
        )
    now = time.perf_counter()
    state.meter.seconds += now - clock
    return now


def _kept_to_itself(model: nn.Module) -> AbstractContextManager[None]:
    """Do not average gradients over processes before the last part of a batch."""
    if isinstance(model, nn.parallel.DistributedDataParallel):
        return model.no_sync()
    return nullcontext()


@contextmanager
def _own_random_numbers(device: torch.device) -> Iterator[None]:
    """Give torch's random numbers back as they were: the learner's are not ours to change."""
    devices = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(devices, device_type=device.type if devices else "cuda"):
        yield


@contextmanager
def _memory_as_sentence(plan: Plan, device: torch.device) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        share = plan.recipe.batch_size // plan.processes.count // plan.recipe.accumulation
        raise MemoryError(
            f"Training {plan.network.spec.name} on {share} images of {plan.resolution} x {plan.resolution} "
            f"pixels at a time does not fit into the memory of {device} "
            f"({available_memory(device) / 2**30:,.1f} GiB are free now); raise accumulation "
            f"(now {plan.recipe.accumulation}), or choose a smaller batch_size or resolution."
        ) from error
