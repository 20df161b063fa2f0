"""What a training tells: a row now and then, and one at the end of each epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from effnet_edu.training.processes import Processes


@dataclass(frozen=True)
class Row:
    """Where a training stands.

    Attributes:
        epoch: The epoch it is in, from 1.
        epochs: How many there will be.
        step: Steps of the optimizer so far.
        steps: How many there will be.
        side: Side of the training images in pixels.
        learning_rate: Of the last step.
        train_loss: Mean over this epoch's steps so far.
        train_accuracy: Share of this epoch's training images, as augmented, whose largest target was found.
        test_loss: Cross-entropy over all test images, at the end of an epoch; None before.
        test_accuracy: Share of test images classified correctly, at the end of an epoch; None before.
        images_per_second: Training images, over this epoch so far.
        seconds: Spent on training steps so far; evaluation and saving do not count.
        seconds_left: Estimate for the steps to come, from their number and the size of their images.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    side: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    test_loss: float | None
    test_accuracy: float | None
    images_per_second: float
    seconds: float
    seconds_left: float

    @property
    def ends_epoch(self) -> bool:
        """Whether this is the last row of its epoch, with the results on the test images."""
        return self.test_accuracy is not None


def lowest_loss(rows: Sequence[Row]) -> int:
    """Return the index of the row with the lowest test loss, the first of them.

    Args:
        rows: Of the ends of epochs, one or more.
    """
    return min(range(len(rows)), key=lambda index: rows[index].test_loss or 0.0)


@dataclass
class Meter:
    """Adds up the steps of one epoch; asks the device for their results only now and then.

    Attributes:
        loss: Sum of the losses of the steps so far, the pending ones excluded.
        correct: Training images that were classified correctly.
        steps: How many steps were added up.
        seconds: Time that this epoch's steps took.
    """

    loss: float = 0.0
    correct: int = 0
    steps: int = 0
    seconds: float = 0.0
    _part: Tensor = field(default_factory=lambda: torch.zeros(()), repr=False)
    _pending: list[Tensor] = field(default_factory=list, repr=False)

    def add(self, loss: Tensor, correct: Tensor, ends_step: bool) -> None:
        """Note the results of one part of a step; they stay on the device.

        Args:
            loss: The part's share of the mean loss over this process's images.  # ()
            correct: How many of its images were classified correctly.  # ()
            ends_step: Whether it is the last part.
        """
        self._part = self._part + torch.stack((loss.detach().float(), correct.float()))
        if ends_step:
            self._pending.append(self._part)
            self._part = torch.zeros(())

    @property
    def pending(self) -> int:
        """Steps that were noted and not added up."""
        return len(self._pending)

    def settle(self, processes: Processes) -> int | None:
        """Add the pending steps up, over all processes; return the index of the first without a finite loss.

        Args:
            processes: Who takes part.

        Returns:
            Index among the epoch's steps, from 0, or None if every loss is a number.
        """
        if not self._pending:
            return None
        results = processes.sum(torch.stack(self._pending)).cpu()  # (steps, 2)
        self._pending.clear()
        for loss, correct in results.tolist():
            if not math.isfinite(loss):
                return self.steps
            # One by one and in order: the sum must not depend on when it was asked for.
            self.loss += loss / processes.count
            self.correct += int(correct)
            self.steps += 1
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return the sums, for a checkpoint; nothing may be pending."""
        return {"loss": self.loss, "correct": self.correct, "steps": self.steps, "seconds": self.seconds}
