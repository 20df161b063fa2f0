"""EfficientNet as a module, built from its spec."""

import math
from typing import Any

import psutil
import torch
from torch import Tensor, nn

from effnet_edu.model.blocks import ConvNormAct, Convolution, FusedMBConv, MBConv
from effnet_edu.model.checks import whole_number
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import BlockSpec, Conventions, NetworkSpec, resolve, strided
from effnet_edu.model.variants import as_spec

_BLOCKS = {"mbconv": MBConv, "fused_mbconv": FusedMBConv}


class EfficientNet(nn.Module):
    """The network of a spec: stem, stages, head, pooling, dropout, classifier.

    Args:
        spec: The network as data.
        num_classes: Outputs of the classifier, 1 or more.
        in_channels: Channels of the input, 1 or more.
        conventions: Padding and batch-norm constants; by default those that the authors released.
        device: Where the weights are; `"meta"` allocates nothing.
        dtype: Type of the weights.

    Raises:
        ValueError: A count is below 1.

    Sources: arXiv:1905.11946v5 (B0 to B7), arXiv:2104.00298v3 (V2), tensorflow/tpu, google/automl.
    """

    #: What published weights brought along, set by `create`; None where the weights are random.
    published: object | None = None

    def __init__(
        self,
        spec: NetworkSpec,
        num_classes: int = 1000,
        in_channels: int = 3,
        conventions: Conventions | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.num_classes = whole_number("num_classes", num_classes)
        self.in_channels = whole_number("in_channels", in_channels)
        self.conventions = conventions or spec.tensorflow
        # First without memory: otherwise each layer would draw weights that `initialize` draws again.
        factory: dict[str, Any] = {"device": "meta", "dtype": dtype}
        self.stem = ConvNormAct(
            self.in_channels, spec.stem_channels, self.conventions, 3, 2, 1, spec.activation, **factory
        )
        self.stages = nn.ModuleList(nn.Sequential() for _ in spec.stages)
        for block in resolve(spec):
            module = _BLOCKS[block.operation](block, self.conventions, spec.activation, **factory)
            self.stages[block.stage].append(module)  # type: ignore[operator]
        self.head = ConvNormAct(
            spec.stages[-1].channels,
            spec.head_channels,
            self.conventions,
            activation=spec.activation,
            **factory,
        )
        self.dropout = nn.Dropout(spec.dropout)
        self.classifier = nn.Linear(spec.head_channels, self.num_classes, **factory)
        place = torch.get_default_device() if device is None else torch.device(device)
        if place.type != "meta":
            self.to_empty(device=place).initialize()

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights anew, as the released code does, and reset the statistics of batch norm.

        Args:
            generator: Where the weights are drawn from; torch's default generator if None.

        Source: `dense_kernel_initializer` (for the classifier) in tensorflow/tpu efficientnet_model.py.
        """
        for module in self.modules():
            if isinstance(module, Convolution):
                module.draw_weights(generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
        bound = 1 / math.sqrt(self.num_classes)
        nn.init.uniform_(self.classifier.weight, -bound, bound, generator)
        nn.init.zeros_(self.classifier.bias)

    @property
    def blocks(self) -> tuple[BlockSpec, ...]:
        """The blocks as data, at the network's own resolution."""
        return resolve(self.spec)

    def features_by_stage(self, x: Tensor) -> list[Tensor]:
        """Return the feature map after each stage.

        Args:
            x: Images, normalised as the weights expect.  # (N, C, H, W)

        Returns:
            One map a stage, the last with the lowest resolution.  # (N, channels, H / stride, W / stride)

        Raises:
            ValueError: The input has the wrong shape, or is too small.
            TypeError: The input is no tensor, or holds no floating-point numbers.
        """
        self._check(x)
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, num_classes)
        """Return the logits.

        Args:
            x: Images, normalised as the weights expect.  # (N, C, H, W)

        Raises:
            ValueError: The input has the wrong shape, or is too small.
            TypeError: The input is no tensor, or holds no floating-point numbers.
        """
        self._check(x)
        x = self.stem(x)  # (N, 3, 224, 224) -> (N, 32, 112, 112) in B0
        for stage in self.stages:
            x = stage(x)
        x = self.head(x)  # -> (N, 1280, 7, 7)
        x = x.mean((2, 3))  # -> (N, 1280)
        logits: Tensor = self.classifier(self.dropout(x))
        return logits

    def _check(self, x: Tensor) -> None:
        # A compiled or exported program holds for many sizes; a check would tie it to one side of it.
        if torch.compiler.is_compiling():
            return
        if not isinstance(x, Tensor):
            raise TypeError(f"The input is of type {type(x).__name__}; it must be a torch.Tensor.")
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"The input has shape {tuple(x.shape)}; {self.spec.name} takes "
                f"(batch, {self.in_channels}, height, width)."
            )
        if not x.is_floating_point():
            raise TypeError(
                f"The input is {x.dtype}; it must hold floating-point numbers, "
                "normalised as the weights expect."
            )
        stride, (height, width) = self.spec.stride, x.shape[2:]
        if min(height, width) < stride:
            raise ValueError(
                f"The input is {height} x {width} pixels; {self.spec.name} needs {stride} x {stride} or more."
            )
        values = x.shape[0] * strided(height, stride) * strided(width, stride)
        if self.training and values == 1:
            raise ValueError(
                f"A batch of 1 at {height} x {width} leaves batch norm one value per channel at the last "
                "stage, which has no variance; in training use a batch of 2 or more, "
                f"or {stride + 1} pixels or more."
            )


def available_memory(device: torch.device) -> int:
    """Return how many bytes could be allocated on the device now.

    Args:
        device: A CPU or an accelerator. One that does not tell shares the machine's memory, as on MPS.
    """
    module = torch.get_device_module(device)
    if hasattr(module, "mem_get_info"):
        return int(module.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def check_memory(
    spec: NetworkSpec, num_classes: int, device: torch.device, bytes_per_element: int = 4
) -> None:
    """Raise if the weights alone would not fit on the device.

    Args:
        spec: The network.
        num_classes: Outputs of its classifier.
        device: Where it is to be built; nothing is needed on `meta`.
        bytes_per_element: 4 for fp32.

    Raises:
        MemoryError: They would not fit.
    """
    if device.type == "meta":
        return
    counted = cost(spec, num_classes=num_classes)
    needed, free = bytes_per_element * (counted.parameters + counted.buffers), available_memory(device)
    if needed > free:
        raise MemoryError(
            f"{spec.name} needs {needed / 2**30:,.1f} GiB for its weights and {device} has "
            f"{free / 2**30:,.1f} GiB free; choose a smaller network (a smaller phi), or build it "
            'without weights on device="meta".'
        )


def build(
    network: str | NetworkSpec,
    num_classes: int = 1000,
    conventions: str | Conventions | None = None,
    device: torch.device | str | None = None,
    in_channels: int = 3,
    generator: torch.Generator | None = None,
) -> EfficientNet:
    """Build a network with random weights, in training mode.

    Args:
        network: A name from `list_variants()`, or a spec (from `compound`, say).
        num_classes: Outputs of the classifier, 1 or more.
        conventions: `"tensorflow"`, `"torchvision"`, conventions of your own, or None for the authors'.
        device: Where to build it; the CPU by default, and `"meta"` allocates nothing.
        in_channels: Channels of the input, 1 or more.
        generator: Where the weights are drawn from; torch's default generator if None.

    Raises:
        ValueError: A name is unknown or a number outside its range.
        MemoryError: The weights would not fit on the device.
    """
    spec = as_spec(network)
    place = torch.device(device or "cpu")
    check_memory(spec, whole_number("num_classes", num_classes), place)
    net = EfficientNet(spec, num_classes, in_channels, spec.conventions(conventions), "meta")
    if place.type != "meta":
        net.to_empty(device=place).initialize(generator)
    return net
