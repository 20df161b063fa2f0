"""Every published checkpoint of these networks, as data: registry.csv. No torch."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

from effnet_edu.ground.checks import choice, quoted
from effnet_edu.ground.preprocessing import Fit, Interpolation, Preprocessing, TrainedOn, Triple
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import Activation, Conventions, Padding
from effnet_edu.model.variants import spec

if TYPE_CHECKING:
    from effnet_edu.model.network import EfficientNet


@dataclass(frozen=True)
class PublishedWeights:
    """One published file of weights and everything that has to travel with it.

    Attributes:
        network: The network, one of `list_variants()`.
        name: What `create` and `find_weights` call it: publisher/name.
        layout: How the file names its weights.
        url: Where the file is, or empty where an installed package ships it.
        package: The import name of the package that ships it, or empty.
        file: The file's name, in a package its path.
        mebibytes: Its size, or None where the publisher does not say.
        hashes: Accepted hashes as `algorithm:hex`, where hex may be a prefix. Empty where none is published.
        licence: As the publisher names it.
        num_classes: Outputs of the classifier.
        classes: What the outputs stand for, as in `imagenet-1k`.
        conventions: Padding and batch-norm constants that the weights were trained with.
        activation: Activation that they were trained with.
        preprocessing: What their photographs went through.
        top1: Reported ImageNet top-1 accuracy in percent, or None.
        source: Where these facts stand.
        note: What a user should know, in a sentence, or empty.
    """

    network: str
    name: str
    layout: str
    url: str
    package: str
    file: str
    mebibytes: float | None
    hashes: tuple[str, ...]
    licence: str
    num_classes: int
    classes: str
    conventions: Conventions
    activation: Activation
    preprocessing: Preprocessing
    top1: float | None
    source: str
    note: str

    @property
    def max_bytes(self) -> int:
        """The largest size that a file with these weights can have."""
        return max_checkpoint_bytes(cost(spec(self.network), num_classes=self.num_classes).parameters)

    @property
    def publisher(self) -> str:
        """Who published the file."""
        return self.name.partition("/")[0]

    def __str__(self) -> str:
        accuracy = f"top-1 {self.top1:.2f} %" if self.top1 is not None else "top-1 not reported"
        return f"{self.network}  {self.name}  {self.preprocessing.resolution} px  {accuracy}  {self.licence}"


def list_weights(network: str | None = None) -> list[PublishedWeights]:
    """Return every published checkpoint, or those of one network.

    Args:
        network: One of `list_variants()`, or None for all.

    Raises:
        ValueError: There is no network of this name.
    """
    if network is not None:
        spec(network)
    return [row for row in _registry() if network in (None, row.network)]


def find_weights(network: str, name: str) -> PublishedWeights:
    """Return the published checkpoint of this name.

    Args:
        network: One of `list_variants()`.
        name: publisher/name, as in `torchvision/IMAGENET1K_V1`.

    Raises:
        ValueError: The network has no such weights; the names of those it has are given.
    """
    available = {row.name: row for row in _registry() if row.network == network}
    if name not in available:
        known = f"it has {', '.join(map(repr, available))}" if available else "none are published for it"
        raise ValueError(f"{network} has no weights named {quoted(name)}; {known}.")
    return available[name]


def find_file(name: str) -> PublishedWeights | None:
    """Return the published checkpoint whose file has this name, if the name tells its hash; or None.

    A name without digits of the hash, such as efficientnetb0.h5, may be anybody's file.
    """
    for row in _registry():
        told = any(accepted.partition(":")[2][:8] in name for accepted in row.hashes)
        if told and PurePosixPath(row.file).name == name:
            return row
    return None


def max_checkpoint_bytes(numbers: int) -> int:
    """Return the largest file that is read for so many weights: fp32 four times over, and 16 MiB.

    Four times leaves room for a training checkpoint with a moving average and the optimizer's state.
    """
    return 4 * 4 * numbers + 2**24


def published_weights(net: "EfficientNet") -> PublishedWeights | None:
    """Return which published weights a network was created with, or None."""
    return net.published if isinstance(net.published, PublishedWeights) else None


def preprocessing_of(net: "EfficientNet") -> Preprocessing | None:
    """Return what pictures go through before a network, as its training or its published weights say."""
    if isinstance(net.trained_on, TrainedOn):
        return net.trained_on.preprocessing
    row = published_weights(net)
    return row.preprocessing if row else None


@cache
def _registry() -> tuple[PublishedWeights, ...]:
    table = files("effnet_edu.checkpoints").joinpath("registry.csv").read_text(encoding="utf-8")
    return tuple(_row(fields) for fields in csv.DictReader(table.splitlines()))


def _row(fields: dict[str, str]) -> PublishedWeights:
    return PublishedWeights(
        network=fields["network"],
        name=fields["name"],
        layout=fields["layout"],
        url=fields["url"],
        package=fields["package"],
        file=fields["file"],
        mebibytes=float(fields["mebibytes"]) if fields["mebibytes"] else None,
        hashes=tuple(fields["hashes"].split()),
        licence=fields["licence"],
        num_classes=int(fields["num_classes"]),
        classes=fields["classes"],
        conventions=Conventions(
            _one_of(Padding, fields["padding"]), float(fields["norm_eps"]), float(fields["norm_momentum"])
        ),
        activation=_one_of(Activation, fields["activation"]),
        preprocessing=Preprocessing(
            resolution=int(fields["resolution"]),
            resize=int(fields["resize"]),
            fit=_one_of(Fit, fields["fit"]),
            interpolation=_one_of(Interpolation, fields["interpolation"]),
            mean=_triple(fields["mean"]),
            std=_triple(fields["std"]),
            value_range=int(fields["value_range"]),
        ),
        top1=float(fields["top1"]) if fields["top1"] else None,
        source=fields["source"],
        note=fields["note"],
    )


def _one_of(literal: Any, value: str) -> Any:
    return choice("a field of registry.csv", value, get_args(literal))


def _triple(text: str) -> Triple:
    red, green, blue = map(float, text.split())
    return red, green, blue
