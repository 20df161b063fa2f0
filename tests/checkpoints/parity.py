"""What every parity test needs: peers with random weights, and the comparison with our network.

Networks of up to `MOST_PARAMETERS` must answer an image with the same logits. The larger ones repeat the
blocks of these, wider and more often; moving their weights takes long and shows nothing new. They must have
the same names and shapes, and do the same with the same weights in the same order, on the device meta, where
nothing is computed.
"""

import gc
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from effnet_edu.checkpoints.layouts import find_layout
from effnet_edu.checkpoints.load import export_state_dict, load_checkpoint
from effnet_edu.model.cost import cost
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import Conventions
from effnet_edu.model.variants import spec

#: Height and width: one even and one odd all the way down (32, 16, 8, 4, 2 and 33, 17, 9, 5, 3), where
#: padding differs; so a network that takes one for the other is seen, too.
SIDES = (64, 65)
LARGEST_ERROR = 1e-5
MOST_PARAMETERS = 60_000_000
_PRIME = 1_000_003  # the length of the repeated noise shares no factor with any shape


def built_empty(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network without drawing its own random weights, which takes long for the large ones."""
    with torch.device("meta"):
        net = build()
    return net.to_empty(device="cpu").eval()


def randomise(state: Iterable[tuple[str, Tensor]], seed: int = 0) -> None:
    """Fill weights and batch-norm statistics in place with noise that neither dies nor explodes with depth.

    A random network of 88 blocks would blow a difference of 1e-7 up to one of 1 if each block weighed as
    much as its shortcut; in trained networks it does not, and here it weighs a tenth.

    Args:
        state: Our keys with tensors.
        seed: Of the noise.
    """
    noise = torch.randn(_PRIME, generator=torch.Generator().manual_seed(seed))
    for number, (key, tensor) in enumerate(state):
        if not tensor.is_floating_point():
            tensor.fill_(number)
            continue
        start = number * 7919 % _PRIME
        end = start + tensor.numel()
        values = noise.repeat(-(-end // _PRIME))[start:end] if end > _PRIME else noise[start:end].clone()
        if tensor.ndim > 1:
            gain = 4.0 if ".project." in key else 2.0
            values.mul_((gain / tensor[0].numel()) ** 0.5)
        elif key.endswith("running_var"):
            values.mul_(0.1).abs_().add_(0.9)
        elif key.endswith(("running_mean", "bias")):
            values.mul_(0.1)
        else:
            in_branch = (
                key.endswith(("project.norm.weight", "fused.norm.weight")) and key.split(".")[2] != "0"
            )
            values.mul_(0.2).add_(1).mul_(0.1 if in_branch else 1)
        tensor.copy_(values.view(tensor.shape))


def image() -> Tensor:
    return torch.randn(2, 3, *SIDES, generator=torch.Generator().manual_seed(0))


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    # Were all images answered alike, the comparison would only have seen the classifier's bias.
    assert (theirs[0] - theirs[1]).norm() > 1e-2 * theirs.norm()
    return float((ours - theirs).norm() / theirs.norm())


def empty_network(name: str, conventions: Conventions) -> EfficientNet:
    return EfficientNet(spec(name), conventions=conventions, device="meta").to_empty(device="cpu").eval()


def is_large(name: str) -> bool:
    return cost(name).parameters > MOST_PARAMETERS


def check_torch_peer(
    name: str, build_peer: Callable[[], nn.Module], layout: str, conventions: Conventions | None = None
) -> None:
    """Compare a peer with our network.

    Args:
        name: Our name of the network.
        build_peer: Builds the publisher's network.
        layout: The layout that should be recognised.
        conventions: The peer's; by default symmetric padding and the eps that its batch norm has.
    """
    with torch.device("meta"):  # drawing random weights takes long
        peer = build_peer().eval()
    if conventions is None:
        norm = next(module for module in peer.modules() if isinstance(module, nn.BatchNorm2d))
        conventions = Conventions("symmetric", norm.eps, 0.1)
    if is_large(name):
        _check_operations(name, peer, layout, conventions)
    else:
        _check_logits(name, peer.to_empty(device="cpu"), layout, conventions)
    gc.collect()


def _check_logits(name: str, peer: nn.Module, layout: str, conventions: Conventions) -> None:
    """Load a peer's random weights, compare logits, and give the same weights back."""
    state = peer.state_dict()
    randomise((row.ours, state[row.theirs]) for row in find_layout(layout).rows(spec(name)))
    net = empty_network(name, conventions)
    report = load_checkpoint(net, state)
    assert report.layout == find_layout(layout).name
    assert not report.new
    with torch.no_grad():
        assert relative_error(net(image()), peer(image())) <= LARGEST_ERROR
    back = export_state_dict(net, layout)
    assert list(back) == list(state)
    assert all(torch.equal(back[key], value) for key, value in state.items())


def _check_operations(name: str, peer: nn.Module, layout: str, conventions: Conventions) -> None:
    """Compare names, shapes and what is done with them, of two networks on meta."""
    net = EfficientNet(spec(name), conventions=conventions, device="meta").eval()
    ours, theirs = export_state_dict(net, layout), peer.state_dict()
    assert list(ours) == list(theirs)
    assert [tensor.shape for tensor in ours.values()] == [tensor.shape for tensor in theirs.values()]
    our_names = {row.theirs: row.ours for row in find_layout(layout).rows(spec(name))}
    expected = operations(peer, our_names)
    assert len(expected) > 100
    assert operations(net, {key: key for key in our_names.values()}) == expected


def operations(net: nn.Module, names: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Return what a forward pass on meta does: each convolution, batch norm and sum, with weights and sizes.

    Args:
        net: The network.
        names: Our name for each of its tensors.
    """
    tensors = net.state_dict(keep_vars=True)
    with torch.no_grad(), _Operations({id(tensors[key]): ours for key, ours in names.items()}) as seen:
        net(torch.empty(2, 3, *SIDES, device="meta"))
    return seen.rows


class _Operations(TorchDispatchMode):
    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__()
        self.names = names
        self.rows: list[tuple[Any, ...]] = []
        self.padded: tuple[Tensor | None, list[int]] = (None, [])

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        kind = func.overloadpacket.__name__.rstrip("_")
        if kind == "constant_pad_nd":
            self.padded = (out, args[1])
        elif kind == "convolution":
            x, weight, bias, stride, padding, dilation, _, _, groups = args
            # Where padding begins, and how large the map is: what stands beyond its end is not read.
            left, _, top, _ = self.padded[1] if x is self.padded[0] else (0, 0, 0, 0)
            start = (top + padding[0], left + padding[1])
            weights = [self.names[id(tensor)] for tensor in (weight, bias) if tensor is not None]
            self.rows.append((kind, weights, stride, start, dilation, groups, out.shape))
        elif "batch_norm" in kind:
            eps = args[-1]
            self.rows.append((kind, [self.names[id(tensor)] for tensor in args[1:5]], eps, out[0].shape))
        elif kind in ("add", "addmm", "hardtanh", "mean", "mul", "sigmoid"):
            self.rows.append((kind, out.shape[:2] if kind == "mean" else out.shape))
        elif kind == "silu":  # which some peers write out
            self.rows += [("sigmoid", out.shape), ("mul", out.shape)]
        else:
            assert kind in ("empty", "t", "view"), kind
        return out
