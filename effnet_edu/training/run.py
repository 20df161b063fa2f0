"""What a training gave."""

from dataclasses import dataclass

from effnet_edu.model.network import EfficientNet
from effnet_edu.training.evaluation import Evaluation
from effnet_edu.training.recipe import Recipe
from effnet_edu.training.rows import Row, lowest_loss


@dataclass(frozen=True)
class TrainingRun:
    """What a training gave.

    Attributes:
        rows: One an epoch.
        network: The trained network in evaluation mode, on the CPU: the moving average where there is one.
            It knows its classes and how pictures are prepared for it, so that `ee.classify` can ask it.
        recipe: How it was trained.
        resolution: Side of the test images in pixels.
        seed: Of weights, order and augmentation.
        seconds: Spent on training steps; evaluation and saving do not count.
        peak_memory_bytes: The most memory that a step took, with all that is kept between steps.
        device: Type of the device.
        device_name: What its maker calls it.
        torch_version: Version of torch.
        processes: How many processes took part.
        evaluation: What a fine-tuned network answered for the pictures that were held out; None of `train`.
    """

    rows: tuple[Row, ...]
    network: EfficientNet
    recipe: Recipe
    resolution: int
    seed: int
    seconds: float
    peak_memory_bytes: int
    device: str
    device_name: str
    torch_version: str
    processes: int
    evaluation: Evaluation | None = None

    @property
    def accuracy(self) -> float:
        """Share of the test images that the network that was kept classifies correctly."""
        kept = -1 if self.recipe.patience is None else lowest_loss(self.rows)
        return self.rows[kept].test_accuracy or 0.0

    def __str__(self) -> str:
        epochs = f"{len(self.rows)} epoch{'' if len(self.rows) == 1 else 's'}"
        return (
            f"{self.network.spec.name}, {self.resolution} px, {epochs} on "
            f"{self.device_name}: accuracy {self.accuracy:.1%}, {self.seconds:.1f} s, "
            f"{self.peak_memory_bytes / 2**20:,.0f} MiB, seed {self.seed}"
        )
