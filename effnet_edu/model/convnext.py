"""ConvNeXt-T, what a ResNet became after EfficientNet, to be counted and timed beside it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from effnet_edu.ground.checks import whole_number

#: Channels and number of blocks of each stage.
STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
EXPANSION = 4
#: Every branch of a new network adds this little.
LAYER_SCALE = 1e-6
EPSILON = 1e-6


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel.

    Args:
        channels: Channels of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPSILON)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name in torch  # (N, C, H, W) -> the same
        """Return the normalised map.

        Args:
            input: Feature maps.
        """
        rows = F.layer_norm(
            input.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps
        )
        return rows.permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """A 7x7 depthwise convolution, then an expansion by 4 and a projection, with a shortcut around them.

    It is an inverted residual whose depthwise convolution moved to the narrow side.

    Args:
        channels: Channels in and out.

    Source: Liu et al., A ConvNet for the 2020s, arXiv:2201.03545v2, figure 4.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=EPSILON)
        self.expand = nn.Linear(channels, EXPANSION * channels)
        self.project = nn.Linear(EXPANSION * channels, channels)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> the same
        """Return the block's output.

        Args:
            x: Feature maps.
        """
        rows = self.norm(self.depthwise(x).permute(0, 2, 3, 1))  # (N, H, W, C)
        rows = self.project(F.gelu(self.expand(rows)))
        output: Tensor = x + self.scale * rows.permute(0, 3, 1, 2)
        return output


class ConvNeXtTiny(nn.Module):
    """ConvNeXt-T with random weights: something to count and to time, not to classify with.

    Args:
        num_classes: Outputs of the classifier.

    Source: Liu et al., A ConvNet for the 2020s, arXiv:2201.03545v2, section 3 and table 9.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        classes = whole_number("num_classes", num_classes)
        first, last = STAGES[0][0], STAGES[-1][0]
        parts: list[nn.Module] = [nn.Conv2d(3, first, 4, 4), ChannelNorm(first)]
        channels = first
        for width, layers in STAGES:
            if width != channels:
                parts += [ChannelNorm(channels), nn.Conv2d(channels, width, 2, 2)]
            parts += [ConvNeXtBlock(width) for _ in range(layers)]
            channels = width
        self.blocks = nn.Sequential(*parts)
        self.norm = nn.LayerNorm(last, eps=EPSILON)
        self.classifier = nn.Linear(last, classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W) -> (N, num_classes)
        """Return the logits.

        Args:
            x: Normalised images.
        """
        pooled = torch.mean(self.blocks(x), dim=(2, 3))
        logits: Tensor = self.classifier(self.norm(pooled))
        return logits
