"""`fine_tune`: from published weights and a folder of pictures to a network that knows their classes."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor, nn

from effnet_edu.checkpoints.registry import PublishedWeights, preprocessing_of, published_weights
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import as_path
from effnet_edu.ground.safetensors_file import tensors_and_notes
from effnet_edu.ground.watch import Watch
from effnet_edu.images.folders import image_folder
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import check_resolution
from effnet_edu.profiling.device import as_device
from effnet_edu.training.classifier import fit_classifier, with_classifier
from effnet_edu.training.evaluation import Evaluation, answers, write_evaluation
from effnet_edu.training.loop import train
from effnet_edu.training.plan import Plan, digest
from effnet_edu.training.processes import Processes
from effnet_edu.training.recipe import FineTuning, Recipe
from effnet_edu.training.rows import Row
from effnet_edu.training.run import TrainingRun

#: Pictures that are kept to find the ranges of maps for int8.
_CALIBRATION = 64
#: Share of the work that the frozen stage and the last look at the held-out pictures take, to show progress.
_FROZEN, _LAST = 0.08, 0.02


def fine_tune(
    network: EfficientNet,
    pictures: LabelledImages | str | os.PathLike[str],
    *,
    held_out: float | LabelledImages = 0.2,
    recipe: Recipe | None = None,
    resolution: int | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
    folder: Path | str | None = None,
    skip_broken: bool = False,
    progress: Callable[[Row], None] = lambda _row: None,
    watch: Watch = Watch(),
) -> TrainingRun:
    """Teach a network with published weights the classes of your pictures; a few dozen of each will do.

    First a new classifier alone is fitted, on features that the frozen body computes once; then all layers
    are trained, the early ones gently. Batch norm keeps the statistics of its published weights throughout,
    since few pictures would spoil them. The run says how the network does on pictures that were held out.
    With the recipe's patience they also choose the epoch: the accuracy is a little flattered by that.

    With a folder, it goes on where it was stopped, as `train` does; `load_run` and the command
    `classify --run` need nothing else. The folder keeps the held-out pictures, too.

    Args:
        network: Where to start, from `create(name, weights=...)`; it is left as it was. What is frozen in it
            stays frozen, but its classifier is replaced.
        pictures: A folder with a subfolder for each class; or one with `train` and `test` (or `val`), and
            such subfolders in both; or a set of images.
        held_out: Share of each class that is not learned from, chosen by the seed; or the images themselves.
            A folder with `test` or `val` needs neither.
        recipe: How it is trained, `FineTuning()` by default; a batch never has more images than there are.
        resolution: Side of the images in pixels; by default that of the network's weights, or its own.
        device: Where to train; the accelerator if there is one.
        seed: Of what is held out, of order and augmentation, 0 or more.
        folder: Where to keep state and results; None keeps nothing.
        skip_broken: Leave out pictures that cannot be read, with a warning for each.
        progress: Told a row every few steps, and one with the test results after each epoch.
        watch: Told the share done; asked often whether to stop.

    Returns:
        The trained network, its rows, and in `evaluation` its accuracy with an interval, the confusion matrix
        and the worst mistakes.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: An argument is outside its range, a picture or a class is broken, or `folder` holds
            another training.
        MemoryError: The device has too little memory.
        Cancelled: `watch` said so.
    """
    if not isinstance(network, EfficientNet):
        raise ValueError(
            f"The network is of type {type(network).__name__}; fine_tune takes an ee.EfficientNet."
        )
    known, place = preprocessing_of(network), as_device(device)
    side = check_resolution(network.spec, known.resolution if known and resolution is None else resolution)
    train_images, test_images = _parts(pictures, held_out, side, seed, skip_broken, Watch(watch.is_cancelled))
    recipe = FineTuning() if recipe is None else recipe
    recipe = replace(recipe, batch_size=min(recipe.batch_size, len(train_images)))
    blank = with_classifier(network, train_images.num_classes)
    # Whatever does not fit together is said before anything is computed.
    how = Plan.make(blank, train_images, test_images, recipe, side, seed, Processes()).preprocessing
    file = None if folder is None else Path(folder, "classifier.safetensors")
    tensors = {"images": train_images.images, "labels": train_images.labels}
    key = digest({**blank.state_dict(), **tensors}, watch)
    found = _kept(file, key)
    if found is None:
        fitted = fit_classifier(
            network, train_images, resolution=side, device=place, watch=watch.part(0, _FROZEN)
        )
        # On a CPU it answers in a third less time with channels last.
        fitted.to(place).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        logits = answers(fitted, test_images.resized(side, watch).images, how, watch.part(_FROZEN, 0))
        right = float((logits.argmax(1) == test_images.labels).double().mean())
        found = {name: tensor.cpu() for name, tensor in fitted.classifier.state_dict().items()}, right
        if file is not None and not (file.parent / "configuration.json").exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, save(found[0], {"of": key, "accuracy": json.dumps(right)}))
    blank.classifier.load_state_dict(found[0])
    run = train(
        _with_kept_statistics(blank),
        train_images,
        test_images,
        recipe,
        resolution=side,
        device=place,
        seed=seed,
        folder=folder,
        progress=progress,
        watch=watch.part(_FROZEN, 1 - _FROZEN - _LAST),
    )
    pictures_seen = test_images.resized(side, watch)
    logits = answers(run.network.to(place), pictures_seen.images, how, watch.part(1 - _LAST, _LAST))
    run.network.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    row = published_weights(network)
    evaluation = Evaluation(
        pictures=pictures_seen,
        probabilities=logits.softmax(1),
        classifier_accuracy=found[1],
        calibration=train_images.subset(min(_CALIBRATION, len(train_images)), seed).resized(side).images,
        origin=_origin(row) if row else "",
    )
    if folder is not None:
        write_evaluation(evaluation, Path(folder, "evaluation.safetensors"))
    return replace(run, evaluation=evaluation)


def _parts(
    pictures: LabelledImages | str | os.PathLike[str],
    held_out: float | LabelledImages,
    side: int,
    seed: int,
    skip_broken: bool,
    watch: Watch,
) -> tuple[LabelledImages, LabelledImages]:
    """Return what is learned from, and what is held out."""
    if not isinstance(pictures, LabelledImages):
        root = as_path(pictures)
        tests = [root / name for name in ("test", "val") if (root / name).is_dir()]
        if len(tests) == 2 and (root / "train").is_dir():
            raise ValueError(f"{root} has both test and val; leave one of them there.")
        if tests and (root / "train").is_dir():
            train_images, test_images = (
                image_folder(part, side, skip_broken=skip_broken, watch=watch)
                for part in (root / "train", tests[0])
            )
            return replace(train_images, name=f"{root.resolve().name}/train"), test_images
        pictures = image_folder(root, side, skip_broken=skip_broken, watch=watch)
    if isinstance(held_out, LabelledImages):
        return pictures, held_out
    return pictures.split(held_out, seed)


def _origin(row: PublishedWeights) -> str:
    """The weights and their licence, with the registry's note where the licence alone does not say enough."""
    note = f" {row.note}" if row.licence == "UNKNOWN" else ""
    return f"{row.network}, {row.name} (licence: {row.licence}){note}"


def _with_kept_statistics(network: EfficientNet) -> EfficientNet:
    """Make `train` keep the statistics of batch norm, and let it run in a third less time on a CPU."""
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return network


def _kept(file: Path | None, key: str) -> tuple[dict[str, Tensor], float] | None:
    """Return the classifier that an earlier start fitted to the same images, and its accuracy."""
    if file is None:
        return None
    try:
        tensors, about = tensors_and_notes(file)
        return (tensors, float(json.loads(about["accuracy"]))) if about["of"] == key else None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
