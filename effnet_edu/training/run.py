"""What a training gave."""

from dataclasses import dataclass

from effnet_edu.model.network import EfficientNet
from effnet_edu.training.recipe import Recipe
from effnet_edu.training.rows import Row


@dataclass(frozen=True)
class TrainingRun:
    """What a training gave.

    Attributes:
        rows: One an epoch.
        network: The trained network in evaluation mode, on the CPU: the moving average where there is one.
            Its input is `effnet_edu.training.augmentation.to_floats` of the pixels.
        recipe: How it was trained.
        resolution: Side of the test images in pixels.
        seed: Of weights, order and augmentation.
        seconds: Spent on training steps; evaluation and saving do not count.
        peak_memory_bytes: The most memory that a step took, with all that is kept between steps.
        device: Type of the device.
        device_name: What its maker calls it.
        torch_version: Version of torch.
        processes: How many processes took part.
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

    @property
    def accuracy(self) -> float:
        """Share of the test images that are classified rightly after the last epoch."""
        return self.rows[-1].test_accuracy or 0.0

    def __str__(self) -> str:
        epochs = f"{self.recipe.epochs} epoch{'' if self.recipe.epochs == 1 else 's'}"
        return (
            f"{self.network.spec.name}, {self.resolution} px, {epochs} on "
            f"{self.device_name}: accuracy {self.accuracy:.1%}, {self.seconds:.1f} s, "
            f"{self.peak_memory_bytes / 2**20:,.0f} MiB, seed {self.seed}"
        )
