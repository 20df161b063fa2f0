"""Parts of a network with one likely mistake each, which the checks of lesson 07 recognise."""

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor, nn

from effnet_edu.model.blocks import MBConv, SqueezeExcitation, activation_layer
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import Activation, BlockSpec, Conventions, NetworkSpec


class GateWithoutSigmoid(SqueezeExcitation):
    """Squeeze-and-excitation whose gate may be any number."""

    def gate(self, x: Tensor) -> Tensor:
        """Return the weight of each channel without bounds."""
        gate: Tensor = self.restore(self.activation(self.reduce(x.mean((2, 3), keepdim=True))))
        return gate


class GateWithoutActivation(SqueezeExcitation):
    """Squeeze-and-excitation with nothing between its two convolutions."""

    def gate(self, x: Tensor) -> Tensor:
        """Return the weight of each channel, between 0 and 1."""
        gate: Tensor = self.restore(self.reduce(x.mean((2, 3), keepdim=True))).sigmoid()
        return gate


class GateAlone(SqueezeExcitation):
    """Squeeze-and-excitation that forgets the map."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, 1, 1)
        """Return the gate."""
        return self.gate(x)


class GateAdded(SqueezeExcitation):
    """Squeeze-and-excitation that adds where it should multiply."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
        """Add the gate to the map."""
        return x + self.gate(x)


class BlockWithoutShortcut(MBConv):
    """MBConv that never adds its input."""

    def forward(self, x: Tensor) -> Tensor:
        """Compute the branch alone."""
        return self.branch(x)


class BlockWithActiveEnd(MBConv):
    """MBConv whose projection ends in an activation.

    Args:
        block: The block with all its numbers.
        conventions: Padding and batch-norm constants.
        activation: Activation of all parts.
    """

    def __init__(self, block: BlockSpec, conventions: Conventions, activation: Activation) -> None:
        super().__init__(block, conventions, activation)
        self.project.activation = activation_layer(activation)


class BlockWithLinearDepthwise(MBConv):
    """MBConv without an activation after its depthwise convolution.

    Args:
        block: The block with all its numbers.
        conventions: Padding and batch-norm constants.
        activation: Activation of the expansion.
    """

    def __init__(self, block: BlockSpec, conventions: Conventions, activation: Activation) -> None:
        super().__init__(block, conventions, activation)
        self.depthwise.activation = None


def squeezed_from_hidden(block: BlockSpec, conventions: Conventions, activation: Activation) -> MBConv:
    """Return an MBConv whose squeeze width is a quarter of c_mid.

    Args:
        block: The block with all its numbers.
        conventions: Padding and batch-norm constants.
        activation: Activation of all but the projection.
    """
    width = block.channels_hidden // 4 if block.squeeze_channels else 0
    return MBConv(replace(block, squeeze_channels=width), conventions, activation)


def padded_evenly(block: BlockSpec, conventions: Conventions, activation: Activation) -> MBConv:
    """Return an MBConv that pads all sides alike.

    Args:
        block: The block with all its numbers.
        conventions: Batch-norm constants.
        activation: Activation of all but the projection.
    """
    return MBConv(block, replace(conventions, padding="symmetric"), activation)


NetworkMaker = Callable[[NetworkSpec, Conventions, int], nn.Module]


def network_of(kind: type[EfficientNet]) -> NetworkMaker:
    """Return a function that builds a class of networks from spec, conventions and number of classes.

    Args:
        kind: The class.
    """
    return lambda spec, conventions, num_classes: kind(spec, num_classes, conventions=conventions)


def network_without_activation(part: str) -> NetworkMaker:
    """Return a function that builds a network without one of its activations.

    Args:
        part: `"stem"` or `"head"`.
    """

    def make(spec: NetworkSpec, conventions: Conventions, num_classes: int) -> nn.Module:
        net = EfficientNet(spec, num_classes, conventions=conventions)
        getattr(net, part).activation = None
        return net

    return make


class MaximumPooled(EfficientNet):
    """EfficientNet that takes the largest value of each channel instead of the average."""

    def logits_from_features(self, x: Tensor) -> Tensor:
        """Return the logits for the map of the last stage.

        Args:
            x: The map.
        """
        logits: Tensor = self.classifier(self.head(x).amax((2, 3)))
        return logits


class WithLargeStem(EfficientNet):
    """EfficientNet whose stem does not halve the image."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits.

        Args:
            x: Images.
        """
        self.stem.conv.stride = (1, 1)
        return super().forward(x)
