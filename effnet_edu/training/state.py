"""Everything that a training is at one moment, as tensors and JSON; so that it can stop and go on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from effnet_edu.model.network import EfficientNet
from effnet_edu.training.optimizers import build_optimizer
from effnet_edu.training.recipe import Recipe
from effnet_edu.training.rows import Meter, Row, lowest_loss
from effnet_edu.training.schedules import average_decay


@dataclass
class TrainingState:
    """A training at the end of one step.

    There is no state of a random generator: the random numbers of each step follow from the seed and the
    step's position (`derived_seed`).

    Attributes:
        network: The network that is trained.
        average: The moving average of its weights and batch-norm statistics, if there is one.
        optimizer: With its momentum.
        scaler: Scale of the loss in fp16; passes everything through in other precisions.
        epoch: Index of the epoch, from 0.
        step: Steps done in this epoch.
        meter: Sums over these steps.
        seconds: Time that the steps of all earlier epochs took.
        peak_memory_bytes: The most memory that a step took, with all that is kept between steps.
        rows: One row for each epoch that is done.
        patience: Epochs without a lower test loss after which training ends, or None.
        best: With a patience, the weights of the epoch with the lowest test loss, on the CPU.
    """

    network: EfficientNet
    average: AveragedModel | None
    optimizer: Optimizer
    scaler: torch.amp.GradScaler
    epoch: int = 0
    step: int = 0
    meter: Meter = field(default_factory=Meter)
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    rows: list[Row] = field(default_factory=list)
    patience: int | None = None
    best: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def start(cls, network: EfficientNet, recipe: Recipe) -> "TrainingState":
        """Return the state before the first step.

        Args:
            network: The network on its device, ready for several processes.
            recipe: How it is trained.
        """
        device = network.device.type
        return cls(
            network,
            None if recipe.ema_decay is None else averaged(network, recipe.ema_decay),
            build_optimizer(network, recipe),
            torch.amp.GradScaler(device, enabled=recipe.precision == "fp16"),
            patience=recipe.patience,
        )

    @property
    def best_network(self) -> EfficientNet:
        """The network to evaluate and to keep: the average where there is one."""
        if self.average is None:
            return self.network
        return cast("EfficientNet", self.average.module)

    @property
    def weights(self) -> dict[str, Tensor]:
        """What to keep of the training as it stands."""
        return self.best or self.best_network.state_dict()

    @property
    def has_stalled(self) -> bool:
        """Whether the test loss has not become lower for as many epochs as the recipe's patience."""
        return bool(
            self.patience is not None
            and self.rows
            and len(self.rows) - 1 - lowest_loss(self.rows) >= self.patience
        )

    def to_tensors(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all tensors by name, and all else as a dictionary for JSON."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        if self.average is not None:
            tensors |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        numbers: dict[str, dict[str, Any]] = {}
        for index, entries in self.optimizer.state_dict()["state"].items():
            for name, value in entries.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer.{index}.{name}"] = value
                else:
                    numbers.setdefault(str(index), {})[name] = value
        position = {
            "epoch": self.epoch,
            "step": self.step,
            "meter": self.meter.as_dict(),
            "seconds": self.seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
            "rows": [asdict(row) for row in self.rows],
            "optimizer": numbers,
            "scaler": self.scaler.state_dict(),
        }
        return tensors, position

    def note_memory(self, grown: int) -> None:
        """Keep the highest memory.

        Args:
            grown: Bytes by which the memory in use grew during one step.
        """
        kept = sum(tensor.nbytes for tensor in self.network.state_dict().values())
        self.peak_memory_bytes = max(self.peak_memory_bytes, kept + grown)

    def end_epoch(self, row: Row) -> None:
        """Go on to the next epoch.

        Args:
            row: Results of this one.
        """
        self.rows.append(row)
        if self.patience is not None and lowest_loss(self.rows) == len(self.rows) - 1:
            now = self.best_network.state_dict()
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in now.items()}
        self.seconds += self.meter.seconds
        self.epoch, self.step, self.meter = self.epoch + 1, 0, Meter()

    def load(self, tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> None:
        """Go back to a state that `to_tensors` returned."""
        self.network.load_state_dict(_under("network.", tensors))
        if self.average is not None:
            self.average.load_state_dict(_under("average.", tensors))
        self.best = _under("best.", tensors)
        entries: dict[int, dict[str, Any]] = {int(i): dict(v) for i, v in position["optimizer"].items()}
        for name, tensor in _under("optimizer.", tensors).items():
            index, _, key = name.partition(".")
            entries.setdefault(int(index), {})[key] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": entries, "param_groups": groups})
        for parameter, found in self.optimizer.state.items():
            for key, value in found.items():  # in the order of the weights: others might round otherwise
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    found[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        self.scaler.load_state_dict(position["scaler"])
        self.epoch, self.step = position["epoch"], position["step"]
        self.meter = Meter(**position["meter"])
        self.seconds, self.peak_memory_bytes = position["seconds"], position["peak_memory_bytes"]
        self.rows = [Row(**row) for row in position["rows"]]


_Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged(network: EfficientNet, decay: float) -> AveragedModel:
    """Return a moving average of a network's weights and of its batch-norm statistics.

    Args:
        network: The network to follow.
        decay: The final decay; at first it is smaller (see `average_decay`).
    """

    def update(averages: _Tensors, values: _Tensors, count: Tensor | int) -> None:
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, 1 - average_decay(decay, int(count)))
        else:  # how many batches a batch norm has seen
            torch._foreach_copy_(averages, values)

    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def as_json(value: Any) -> Any:
    """Return what a value is after a way through JSON: tuples become lists, for comparisons.

    Args:
        value: Of numbers, text, lists and dictionaries.
    """
    return json.loads(json.dumps(value))
