"""What can be given to `train` as `progress`: a bar, TensorBoard, or several at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from effnet_edu.training.rows import Row


class ProgressBar:
    """A bar over the whole training, with loss, accuracy, images/s and the time left."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __call__(self, row: Row) -> None:
        """Show a row; the bar ends with the training.

        Args:
            row: Where it stands.
        """
        if self._bar is None:
            self._bar = tqdm(
                total=row.steps, initial=row.step, bar_format="{percentage:3.0f}% {bar:20} {desc}", leave=True
            )
        self._bar.n = row.step
        self._bar.set_description_str(describe(row))  # draws the bar, too
        if row.ends_epoch and row.step == row.steps:
            self.close()

    def close(self) -> None:
        """End the bar, where a training ended before its last epoch."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def describe(row: Row) -> str:
    """Return a row as one line.

    Args:
        row: Where a training stands.
    """
    minutes, seconds = divmod(round(row.seconds_left), 60)
    test = "" if row.test_accuracy is None else f", test accuracy {row.test_accuracy:.1%}"
    return (
        f"epoch {row.epoch}/{row.epochs}, {row.side} px: loss {row.train_loss:.3f}, "
        f"accuracy {row.train_accuracy:.1%}{test}, {row.images_per_second:,.0f} images/s, "
        f"{minutes}:{seconds:02d} left"
    )


class TensorBoardLog:
    """Writes loss, accuracy, learning rate and speed of each epoch for TensorBoard.

    Args:
        folder: Where its files go.

    Raises:
        ValueError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path | str) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ValueError(
                "TensorBoard is not installed; pip install effnet-edu[tensorboard] brings it."
            ) from error
        self._make: Callable[..., Any] = SummaryWriter
        self._folder = str(folder)
        self._writer: Any = None

    def __call__(self, row: Row) -> None:
        """Write the row of an epoch's end.

        Args:
            row: Where a training stands.
        """
        if not row.ends_epoch:
            return
        if self._writer is None:  # what an interrupted run wrote from here on is to be forgotten
            self._writer = self._make(self._folder, purge_step=row.step)
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "learning_rate", "side"):
            self._writer.add_scalar(name, getattr(row, name), row.step)
        self._writer.add_scalar("images_per_second", row.images_per_second, row.step)
        self._writer.flush()


def together(*told: Callable[[Row], None]) -> Callable[[Row], None]:
    """Return one function that tells all of them.

    Args:
        *told: Each is called with every row, in this order.
    """

    def tell(row: Row) -> None:
        for each in told:
            each(row)

    return tell
