"""ResNet-50, the yardstick that the paper and every reader measure EfficientNet against."""

import torch
from torch import Tensor, nn

from effnet_edu.ground.checks import whole_number

#: Channels of the bottleneck and number of blocks of each stage; a block's output is four times as wide.
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1 down, 3x3, 1x1 up, and a shortcut; the stride is on the 3x3, as every library builds it today.

    Args:
        c_in: Channels in.
        c_mid: Channels of the bottleneck; `4 * c_mid` come out.
        stride: Stride of the 3x3 convolution.

    Source: He et al., Deep Residual Learning, arXiv:1512.03385, figure 5.
    """

    def __init__(self, c_in: int, c_mid: int, stride: int) -> None:
        super().__init__()
        c_out = EXPANSION * c_mid
        self.reduce = nn.Conv2d(c_in, c_mid, 1, bias=False)
        self.reduce_norm = nn.BatchNorm2d(c_mid)
        self.spatial = nn.Conv2d(c_mid, c_mid, 3, stride, padding=1, bias=False)
        self.spatial_norm = nn.BatchNorm2d(c_mid)
        self.restore = nn.Conv2d(c_mid, c_out, 1, bias=False)
        self.restore_norm = nn.BatchNorm2d(c_out)
        self.activation = nn.ReLU(inplace=True)
        self.shortcut = (
            nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
            if stride > 1 or c_in != c_out
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:  # (N, c_in, H, W) -> (N, 4 * c_mid, H / stride, W / stride)
        """Return the block's output.

        Args:
            x: Feature maps.
        """
        inner = self.activation(self.reduce_norm(self.reduce(x)))
        inner = self.activation(self.spatial_norm(self.spatial(inner)))
        restored: Tensor = self.restore_norm(self.restore(inner))
        output: Tensor = self.activation(restored + self.shortcut(x))
        return output


class ResNet50(nn.Module):
    """ResNet-50 with random weights: something to count and to time, not to classify with.

    Args:
        num_classes: Outputs of the classifier.

    Source: He et al., Deep Residual Learning, arXiv:1512.03385, table 1.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        classes = whole_number("num_classes", num_classes)
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, padding=1),
        )
        blocks: list[nn.Module] = []
        channels = 64
        for stage, (c_mid, layers) in enumerate(STAGES):
            for index in range(layers):
                blocks.append(Bottleneck(channels, c_mid, 2 if stage and index == 0 else 1))
                channels = EXPANSION * c_mid
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W) -> (N, num_classes)
        """Return the logits.

        Args:
            x: Normalised images.
        """
        features: Tensor = self.blocks(self.stem(x))
        logits: Tensor = self.classifier(torch.mean(features, dim=(2, 3)))
        return logits
