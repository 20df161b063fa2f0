"""What training on ImageNet takes, by arithmetic on a published throughput."""

from dataclasses import dataclass

from effnet_edu.ground.checks import quoted, real_number, whole_number
from effnet_edu.published.tables import read

#: Training images of ImageNet-1k (Russakovsky et al., arXiv:1409.0575, table 2).
IMAGENET_IMAGES = 1_281_167


@dataclass(frozen=True)
class TrainingTime:
    """How long a training takes, if the devices do nothing else and share the work without loss.

    Attributes:
        network: Name of the network.
        device: What each device is.
        devices: How many there are.
        epochs: Passes over the images.
        images: Training images.
        resolution: Side of the images in pixels.
        images_per_second: Of one device (published).
        efficiency: Share of the devices' speed that several of them keep.
    """

    network: str
    device: str
    devices: int
    epochs: int
    images: int
    resolution: int
    images_per_second: float
    efficiency: float

    @property
    def device_hours(self) -> float:
        """Hours that one device would take, over the efficiency."""
        return self.images * self.epochs / self.images_per_second / 3600 / self.efficiency

    @property
    def hours(self) -> float:
        """Hours until all devices together are done."""
        return self.device_hours / self.devices

    def __str__(self) -> str:
        return (
            f"{self.network}: {self.images:,} images x {self.epochs} epochs / "
            f"({self.devices} x {self.images_per_second:,.0f} images/s) = {self.hours:,.0f} hours, "
            f"{self.device_hours:,.0f} {self.device} hours"
        )


def training_time(
    network: str, devices: int = 8, epochs: int = 350, images: int = IMAGENET_IMAGES, efficiency: float = 1.0
) -> TrainingTime:
    """Return how long a training on ImageNet takes on so many RTX 3090.

    The throughput is timm's, with mixed precision and images already in memory. Reading and augmenting the
    images, evaluation and talk between the devices come on top, so this is a lower bound.

    Args:
        network: One of `read("timm_train_throughput").column("network")`.
        devices: How many GPUs, 1 or more.
        epochs: Passes over the images; the papers' 350 by default.
        images: Training images; those of ImageNet by default.
        efficiency: Share of the GPUs' speed that several of them keep, above 0 to 1.

    Raises:
        ValueError: No throughput of this network is published here, or a number is outside its range.
    """
    table = read("timm_train_throughput")
    if network not in (known := table.column("network")):
        raise ValueError(
            f"network is {quoted(network)}; a throughput is there for {', '.join(map(str, known))}."
        )
    row = table.row(network=network)
    return TrainingTime(
        network=network,
        device=str(row["device"]),
        devices=whole_number("devices", devices),
        epochs=whole_number("epochs", epochs),
        images=whole_number("images", images),
        resolution=int(row.number("resolution_px")),
        images_per_second=row.number("images_per_second"),
        efficiency=real_number("efficiency", efficiency, 1e-3, 1),
    )
