"""The small trained network that comes with the course."""

from pathlib import Path

from effnet_edu.checkpoints.files import read_tensors
from effnet_edu.model.network import EfficientNet
from effnet_edu.studies import record
from effnet_edu.studies.networks import small_network
from effnet_edu.studies.study import IN_CHANNELS

_MAX_BYTES = 2**20


def trained_network(folder: Path = record.RESULTS) -> tuple[EfficientNet, tuple[str, ...]]:
    """Return the trained network of the study `small_network`, and the names of its classes.

    Its input is `effnet_edu.training.augmentation.to_floats` of pixels, 32 x 32 in colour; its ten classes
    are glyphs. In evaluation mode, on the CPU.

    Args:
        folder: Where results are kept; those that came with the course by default.

    Raises:
        FileNotFoundError: The study was not recorded.
        RecordError: Its file is damaged.
        UnreadableCheckpointError: The weights are damaged.
    """
    (run,) = record.read("small_network", folder).data["runs"]
    class_names = tuple(run["class_names"])
    found = EfficientNet(small_network(), len(class_names), IN_CHANNELS)
    found.load_state_dict(read_tensors(folder / "small_network.safetensors", _MAX_BYTES))
    return found.eval(), class_names
