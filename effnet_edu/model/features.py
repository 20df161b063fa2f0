"""A network as a backbone: a list of maps, one of each size, as detection and segmentation take it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from effnet_edu.model.inputs import check_input

if TYPE_CHECKING:
    from effnet_edu.model.network import EfficientNet


@dataclass(frozen=True)
class FeatureInfo:
    """What maps a backbone gives.

    Attributes:
        stages: The stage that each map comes from; -1 is the stem.
        num_channels: Channels of each map.
        reductions: How many input pixels, along one side, one pixel of each map stands for.
    """

    stages: tuple[int, ...]
    num_channels: tuple[int, ...]
    reductions: tuple[int, ...]

    def channels(self) -> list[int]:
        """Return the channels of each map, under the name that decoders ask for."""
        return list(self.num_channels)

    def reduction(self) -> list[int]:
        """Return the reduction of each map, under the name that decoders ask for."""
        return list(self.reductions)


class FeatureExtractor(nn.Module):
    """Stem and stages of a network, shared with it; answers with the map before each stride, and the last.

    A stride that `output_stride` turned into dilation still begins a new map, as in timm: B0 gives five.

    Args:
        network: The network.
    """

    def __init__(self, network: "EfficientNet") -> None:
        super().__init__()
        self.stem, self.stages = network.stem, network.stages
        spec = network.spec
        self.spec, self.in_channels = spec, network.in_channels
        strides = [stage.stride for stage in spec.stages]
        kept = (*(at - 1 for at, stride in enumerate(strides) if stride > 1), len(strides) - 1)
        channels, reductions = [stage.channels for stage in spec.stages], spec.reductions
        self.feature_info = FeatureInfo(
            kept,
            tuple(spec.stem_channels if at < 0 else channels[at] for at in kept),
            tuple(2 if at < 0 else reductions[at] for at in kept),
        )

    def forward(self, x: Tensor) -> list[Tensor]:  # (N, C, H, W) -> (N, channels, side / reduction, ...)
        """Return the maps, the largest first.

        Args:
            x: Images, normalised as the weights expect.  # (N, C, H, W)

        Raises:
            ValueError: The input has the wrong shape, or is too small.
            TypeError: The input is no tensor, or holds no floating-point numbers.
        """
        check_input(x, self.spec, self.in_channels, is_training=self.training)
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return [maps[at + 1] for at in self.feature_info.stages]
