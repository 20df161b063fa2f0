"""The same function, faster: what may change once a network only has to answer."""

import copy
import itertools
import os
import platform
import shutil
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from effnet_edu.ground.checks import choice
from effnet_edu.model.blocks import ConvNormAct, work_in_place
from effnet_edu.model.cost import cost
from effnet_edu.model.inputs import is_recorded
from effnet_edu.model.network import EfficientNet

_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

#: Bytes of the largest map of a slice. Beyond the cache every layer waits for memory, and beyond 32 MiB the C
#: library of Linux fetches each map's pages from the system anew, which costs more than the arithmetic.
SLICE_BYTES = 20 * 2**20

#: What comes after the stages, where maps are small.
_LATE = ("head", "classifier")

#: Runs before a graph is recorded: libraries choose their kernels and take their workspace in the first ones.
_WARM_UPS = 3


def optimize_for_inference(
    network: EfficientNet,
    *,
    fold: bool = True,
    channels_last: bool = True,
    slices: bool = True,
    precision: str = "fp32",
    compile: bool = False,  # noqa: A002 - the word that torch uses
    graphs: bool = False,
) -> "OptimizedEfficientNet":
    """Return a copy of the network that gives the same logits in less time, and can no longer be trained.

    Each step can be switched on alone. With all of them off, the copy only stops recording gradients and
    works in place: inside a block, activations, gates and sums take the place of the map before them, so that
    a hook which keeps such a map has to copy it. A classifier of your own stays as it is, in the new
    precision. `torch.export` and `torch.compile` of the result record one program without slices.

    Args:
        network: The network, in evaluation mode; it stays as it is.
        fold: Multiply batch norm into the weights of the convolution before it.
        channels_last: Store the channels of a pixel side by side, the order in which most fast convolutions
            read them.
        slices: On a CPU, take a large batch through the early stages in slices whose maps stay small. It
            changes nothing on an accelerator.
        precision: `"fp32"`, `"bf16"` or `"fp16"`, of weights and maps; images and logits stay as they were.
        compile: Compile the stem, each stage and the head with torch.compile, at the first images.
        graphs: On an accelerator, record the work for each shape of input once and replay it as a whole, so
            that Python is no longer in the way. The recordings share memory: call it from one stream.

    Raises:
        TypeError: This is no EfficientNet of this library.
        ValueError: The network is in training mode, was optimised before or has no weights yet, the precision
            is none of the three, or its device cannot record graphs.
        RuntimeError: It is to be compiled, and this machine has no C++ compiler.
    """
    _check_network(network)
    dtype = _PRECISIONS[choice("precision", precision, tuple(_PRECISIONS))]
    if compile:
        check_compiler()
    if graphs:
        _check_graphs(network.device)
    return OptimizedEfficientNet(network, fold, channels_last, slices, dtype, compile, graphs)


class OptimizedEfficientNet(EfficientNet):
    """A network for inference alone, made by `optimize_for_inference`, which explains the arguments."""

    def __init__(
        self,
        network: EfficientNet,
        fold: bool,
        channels_last: bool,
        slices: bool,
        dtype: torch.dtype,
        compile_parts: bool,
        graphs: bool,
    ) -> None:
        super().__init__(network.spec, network.num_classes, network.in_channels, network.conventions, "meta")
        self.published, self.trained_on = network.published, network.trained_on
        for name, part in network.named_children():
            setattr(self, name, copy.deepcopy(part))
        if fold:
            fold_batch_norm(self)
        work_in_place(self)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.to(dtype=dtype, memory_format=self.memory_format)  # type: ignore[call-overload]
        self.requires_grad_(False).eval()
        self.slices = slices
        rows = [(row.stage, row.activations) for row in cost(self.spec).layers if row.role not in _LATE]
        #: Numbers in the largest map of the stem and of each stage, for one image of the network's own size.
        self._largest_maps = [
            max(values for stage, values in rows if stage == at) for at in (None, *range(len(self.stages)))
        ]
        self.graphs = graphs
        self._recorded: dict[tuple[torch.Size, torch.dtype], Callable[[Tensor], Tensor]] = {}
        self._pool: object = None
        if compile_parts:
            for part in (self.stem, *self.stages, self.head):
                part.compile()

    def train(self, mode: bool = True) -> "OptimizedEfficientNet":
        """Refuse training mode: there is no batch norm left to train.

        Args:
            mode: False, as `eval()` says.

        Raises:
            ValueError: Training mode is asked for.
        """
        if mode:
            raise ValueError(
                "An optimised network cannot be trained; train the network that it was made from."
            )
        super().train(False)
        return self

    @torch.no_grad()
    def features_by_stage(self, x: Tensor) -> list[Tensor]:
        """Return the feature map after each stage, in this network's precision.

        Args:
            x: Images, normalised as the weights expect.  # (N, C, H, W)
        """
        self._check(x)
        return super().features_by_stage(self._prepared(x))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, num_classes)
        """Return the logits, without gradients, in the type of the images.

        Args:
            x: Images, normalised as the weights expect.  # (N, C, H, W)

        Raises:
            ValueError: The input has the wrong shape, or is too small.
            TypeError: The input is no tensor, or holds no floating-point numbers.
        """
        self._check(x)
        if not self.graphs:
            return self._logits(x)
        key = (x.shape, x.dtype)
        if key not in self._recorded:
            _check_graphs(x.device)
            self._pool = self._pool or torch.get_device_module(x.device).graph_pool_handle()
            self._recorded[key] = _record(self._logits, x, self._pool)
        return self._recorded[key](x)

    def _prepared(self, x: Tensor) -> Tensor:
        return x.to(self.dtype).contiguous(memory_format=self.memory_format)

    def _logits(self, x: Tensor) -> Tensor:
        dtype, x = x.dtype, self._prepared(x)
        for stages, images in self._segments(x):
            pieces = x.tensor_split(-(-x.shape[0] // images)) if images and x.shape[0] > images else (x,)
            maps = [_through(stages, piece) for piece in pieces]
            x = torch.cat(maps) if len(maps) > 1 else maps[0]
        return self.logits_from_features(x).to(dtype)

    def _segments(self, x: Tensor) -> Iterator[tuple[list[nn.Module], int | None]]:
        """Yield stages that follow each other, and how many images at once go through them; None for all."""
        stages = [self.stem, *self.stages]
        if not self.slices or is_recorded(x) or x.device.type != "cpu":
            yield stages, None
            return
        images = self._images_at_once(x)
        for together, group in itertools.groupby(range(len(stages)), images.__getitem__):
            yield [stages[index] for index in group], together

    def _images_at_once(self, x: Tensor) -> list[int]:
        """Return for the stem and each stage how many images keep its largest map small; powers of two."""
        area = x.shape[2] * x.shape[3] / self.spec.resolution**2
        images = [int(SLICE_BYTES / (x.element_size() * area * values)) for values in self._largest_maps]
        # No stage takes fewer than one before it: what is joined once would have to be cut again.
        least = [min(images[index:]) for index in range(len(images))]
        return [max(1, 1 << count.bit_length() >> 1) for count in least]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "OptimizedEfficientNet":
        self._recorded = {}  # a recording reads the weights where they were
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


def fold_batch_norm(network: nn.Module) -> None:
    """Make each convolution do the work of the batch norm after it, and take that out; in place.

    In evaluation batch norm multiplies each channel by one number and adds another, and so does a convolution
    whose weights and bias have been multiplied and shifted before.

    Source: Jacob et al., arXiv:1712.05877, section 3.2.
    """
    for part in network.modules():
        if not isinstance(part, ConvNormAct) or not _can_be_folded(part.conv, part.norm):
            continue
        conv = part.conv
        assert part.norm  # noqa: S101 - it can be folded
        weight, bias = folded(conv, part.norm)
        conv.weight, conv.bias = nn.Parameter(weight.to(conv.weight)), nn.Parameter(bias.to(conv.weight))
        part.norm = None


def _can_be_folded(conv: nn.Conv2d, norm: nn.Module | None) -> bool:
    """Return whether both are what the network was built with: people prune, hook and exchange parts."""
    hooked = any(
        hooks for part in (conv, norm) if part for hooks in (part._forward_hooks, part._forward_pre_hooks)
    )
    plain = type(conv) is nn.Conv2d and isinstance(conv.weight, nn.Parameter)
    is_norm = type(norm) is nn.BatchNorm2d and norm.affine and norm.running_var is not None
    return plain and is_norm and not hooked


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the convolution that does the work of both, in float64 on the CPU."""
    exact = {name: value.to("cpu", torch.float64) for name, value in norm.state_dict().items()}
    factor = exact["weight"] / (exact["running_var"] + norm.eps).sqrt()
    weight = conv.weight.detach().to("cpu", torch.float64) * factor[:, None, None, None]
    shift = 0 if conv.bias is None else conv.bias.detach().to("cpu", torch.float64)
    return weight, exact["bias"] + (shift - exact["running_mean"]) * factor


def _through(stages: list[nn.Module], x: Tensor) -> Tensor:
    for stage in stages:
        x = stage(x)
    return x


def _record(run: Callable[[Tensor], Tensor], x: Tensor, pool: object) -> Callable[[Tensor], Tensor]:
    """Record what `run` does for inputs of this shape; return a function that replays it.

    Recordings may share one pool of memory: all that a replay leaves there is logits, copied at once.
    """
    device = torch.get_device_module(x.device)
    held = x.clone()
    stream = device.Stream()
    stream.wait_stream(device.current_stream())
    with device.stream(stream):
        for _ in range(_WARM_UPS):
            run(held)
    device.current_stream().wait_stream(stream)
    graph = device.CUDAGraph()
    with device.graph(graph, pool=pool):
        logits = run(held)

    def replay(x: Tensor) -> Tensor:
        held.copy_(x)
        graph.replay()
        return logits.clone()  # the next replay writes into the same memory

    return replay


def check_has_weights(network: EfficientNet) -> None:
    """Raise if this is not an EfficientNet as it is trained, with weights."""
    if not isinstance(network, EfficientNet):
        raise TypeError(
            f"This is of type {type(network).__name__}; it must be an EfficientNet, as from create."
        )
    if isinstance(network, OptimizedEfficientNet):
        raise ValueError("This network was optimised before; start from the one that it was made from.")
    if network.device.type == "meta":
        raise ValueError(f"{network.spec.name} is on meta and has no weights; build it on a real device.")


def _check_network(network: EfficientNet) -> None:
    check_has_weights(network)
    if any(module.training for module in network.modules()):
        raise ValueError(
            f"{network.spec.name} is in training mode, where batch norm uses the statistics of each batch; "
            "call eval() on it first."
        )


def check_compiler() -> None:
    """Raise if torch.compile would find no compiler, before minutes are spent on the way there."""
    usual = {"Darwin": "clang++", "Windows": "cl"}.get(platform.system(), "g++")
    wanted = os.environ.get("CXX") or usual
    if shutil.which(wanted.split()[0]) is None:
        raise RuntimeError(
            f"torch.compile needs a C++ compiler, and {wanted} was not found; install it, "
            "set CXX to another one, or go without."
        )


def _check_graphs(device: torch.device) -> None:
    if not hasattr(torch.get_device_module(device), "CUDAGraph"):
        raise ValueError(
            f"graphs=True, and the network is on {device}, which cannot record graphs; "
            "move it to a GPU that can first, or leave graphs off."
        )
