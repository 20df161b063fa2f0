"""EfficientNet as a module, built from its spec."""

import copy
import math
from collections.abc import Iterable
from typing import Any

import psutil
import torch
from torch import Tensor, nn

from effnet_edu.ground.checks import quoted, whole_number
from effnet_edu.model.blocks import ConvNormAct, FusedMBConv, MBConv, draw_weights
from effnet_edu.model.cost import cost
from effnet_edu.model.features import FeatureExtractor
from effnet_edu.model.inputs import check_input
from effnet_edu.model.specs import BlockSpec, Conventions, NetworkSpec, resolve
from effnet_edu.model.variants import as_spec

_BLOCKS = {"mbconv": MBConv, "fused_mbconv": FusedMBConv}


class EfficientNet(nn.Module):
    """The network of a spec: stem, stages, head, pooling, dropout, classifier.

    Its layers are torch's own classes, so that tools which look at exact types (thop, ptflops, eager fusing)
    know them, and `torch.jit.trace`, `torch.fx.symbolic_trace`, `torch.export` and `torch.compile` can follow
    the whole; `torch.jit.script` cannot. It computes the same with gradients and without, and writes into
    nothing that it was given.
    Another `classifier` may be put in: `num_classes` is what that one has.

    Args:
        spec: The network as data.
        num_classes: Outputs of the classifier, or 0 for none: the answer is then the pooled features.
        in_channels: Channels of the input, 1 or more.
        conventions: Padding and batch-norm constants; by default those that the authors released.
        device: Where the weights are; `"meta"` allocates nothing.
        dtype: Type of the weights.

    Raises:
        ValueError: A count is below 1, or this is no spec.

    Sources: arXiv:1905.11946v5 (B0 to B7), arXiv:2104.00298v3 (V2), tensorflow/tpu, google/automl.
    """

    #: What published weights brought along, set by `create`; None where the weights are random.
    published: object | None = None
    #: What `train` trained it on, or None.
    trained_on: object | None = None
    #: Whether weights were loaded into it that nobody published: how their images were prepared is not known.
    has_foreign_weights: bool = False

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
        if not isinstance(spec, NetworkSpec):
            raise ValueError(
                f"spec is {quoted(spec)}; it must be a NetworkSpec, as from ee.spec. ee.create takes a name."
            )
        self.spec = spec
        whole_number("num_classes", num_classes, 0)
        self.conventions = conventions or spec.tensorflow
        # First without memory: otherwise each layer would draw weights that `initialize` draws again.
        factory: dict[str, Any] = {"device": "meta", "dtype": dtype}
        self.stem = ConvNormAct(
            whole_number("in_channels", in_channels),
            spec.stem_channels,
            self.conventions,
            3,
            2,
            1,
            spec.activation,
            **factory,
        )
        self.stages = nn.Sequential(*(nn.Sequential() for _ in spec.stages))
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
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(spec.dropout)
        self.classifier: nn.Module = (
            nn.Linear(spec.head_channels, num_classes, **factory) if num_classes else nn.Identity()
        )
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
            if isinstance(module, nn.Conv2d):
                draw_weights(module, generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
            elif isinstance(module, nn.Linear):
                bound = 1 / math.sqrt(module.out_features)
                nn.init.uniform_(module.weight, -bound, bound, generator)
                nn.init.zeros_(module.bias)

    @property
    def num_classes(self) -> int:
        """Outputs of the classifier that is there now; 0 where no layer of it tells, as in `nn.Identity`."""
        told = _told(reversed(list(self.classifier.modules())), "out_features", "out_channels")
        return told and (_outputs(self.classifier, self.spec.head_channels) or told)

    @property
    def in_channels(self) -> int:
        """Channels that the stem that is there now takes."""
        return _told(self.stem.modules(), "in_channels")

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Type of its weights."""
        return next(self.parameters()).dtype

    @property
    def blocks(self) -> tuple[BlockSpec, ...]:
        """The blocks as data, at the network's own resolution."""
        return resolve(self.spec)

    def features_by_stage(self, x: Tensor) -> list[Tensor]:
        """Return the feature map after each stage; `features_only()` gives one of each size.

        Args:
            x: Images, normalised as the weights expect.  # (N, C, H, W)

        Returns:
            One map a stage, with the channels `spec.stages[i].channels` and the side of the input over
            `spec.reductions[i]`, rounded up.  # (N, channels, H / reduction, W / reduction)

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

    def features_only(self) -> FeatureExtractor:
        """Return a network of the same weights that answers with a list of maps, the last of each size.

        What stands on such maps (a feature pyramid, a decoder) asks its `feature_info.channels()` and
        `feature_info.reduction()`, as with timm's `features_only=True`.
        """
        return FeatureExtractor(self)

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
        x = self.stages(x)  # -> (N, 320, 7, 7)
        return self.logits_from_features(x)

    def logits_from_features(self, x: Tensor) -> Tensor:
        """Return the logits for the map of the last stage.

        Args:
            x: The map.  # (N, channels, H / stride, W / stride)
        """
        x = self.head(x)  # (N, 320, 7, 7) -> (N, 1280, 7, 7) in B0
        x = self.pool(x)  # -> (N, 1280)
        logits: Tensor = self.classifier(self.dropout(x))
        return logits

    def _check(self, x: Tensor) -> None:
        check_input(x, self.spec, self.in_channels, is_training=self.training)


def _outputs(classifier: nn.Module, features: int) -> int:
    """Return how many numbers a classifier answers with, asked without its values, or 0 where that fails.

    The layer that is defined last need not be the one that runs last.
    """
    if isinstance(classifier, nn.Linear):
        return classifier.out_features
    try:
        weights = (*classifier.parameters(), *classifier.buffers())
        without_values = {id(weight): torch.empty_like(weight, device="meta") for weight in weights}
        asked = copy.deepcopy(classifier, without_values).eval()
        for part in asked.modules():
            part._forward_hooks.clear()
            part._forward_pre_hooks.clear()
        with torch.no_grad():
            answer = asked(torch.empty(2, features, device="meta", dtype=weights[0].dtype))
    except Exception:  # somebody's module may raise anything, and keeps what it told
        return 0
    return answer.shape[1] if isinstance(answer, Tensor) and answer.ndim == 2 else 0


def _told(modules: Iterable[nn.Module], *names: str) -> int:
    """Return the first whole number that a module has under one of these names, or 0."""
    found = (getattr(module, name, None) for module in modules for name in names)
    return next((number for number in found if isinstance(number, int)), 0)


def available_memory(device: torch.device) -> int:
    """Return how many bytes could be allocated on the device now."""
    module = torch.get_device_module(device)
    if hasattr(module, "mem_get_info"):
        return int(module.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)  # also where a device does not tell: MPS shares it


def check_memory(
    spec: NetworkSpec, num_classes: int, device: torch.device, bytes_per_element: int = 4
) -> None:
    """Raise MemoryError if the weights alone would not fit on the device."""
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
        num_classes: Outputs of the classifier, or 0 for none.
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
    check_memory(spec, whole_number("num_classes", num_classes, 0), place)
    net = EfficientNet(spec, num_classes, in_channels, spec.conventions(conventions), "meta")
    if place.type != "meta":
        net.to_empty(device=place).initialize(generator)
    return net
