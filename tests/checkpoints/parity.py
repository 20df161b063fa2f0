"""What every parity test needs: peers with random weights, and the comparison with our network."""

import gc
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from effnet_edu.checkpoints.layouts import find_layout
from effnet_edu.checkpoints.load import export_state_dict, load_checkpoint
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import Conventions
from effnet_edu.model.variants import spec

#: An even and an odd side; at 65 every map on the way (33, 17, 9, 5, 3) is odd.
RESOLUTIONS = (64, 65)
LARGEST_ERROR = 1e-5
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


def image(resolution: int) -> Tensor:
    return torch.randn(2, 3, resolution, resolution, generator=torch.Generator().manual_seed(resolution))


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    # Were all images answered alike, the comparison would only have seen the classifier's bias.
    assert (theirs[0] - theirs[1]).norm() > 1e-2 * theirs.norm()
    return float((ours - theirs).norm() / theirs.norm())


def empty_network(name: str, conventions: Conventions) -> EfficientNet:
    net = EfficientNet(spec(name), conventions=conventions, device="meta").to_empty(device="cpu").eval()
    return net


def check_torch_peer(
    name: str,
    peer: nn.Module,
    conventions: Conventions,
    layout: str,
    same_peer_at: Callable[[int], nn.Module],
) -> None:
    """Load a peer's random weights, compare logits, and give the same weights back.

    Args:
        name: Our name of the network.
        peer: The publisher's network.
        conventions: The peer's conventions.
        layout: The layout that should be recognised.
        same_peer_at: Returns the peer for images of a side, with the same weights.
    """
    state = peer.state_dict()
    randomise((row.ours, state[row.theirs]) for row in find_layout(layout).rows(spec(name)))
    net = empty_network(name, conventions)
    report = load_checkpoint(net, state)
    assert report.layout == find_layout(layout).name
    assert not report.new
    errors = {}
    with torch.no_grad():
        for resolution in RESOLUTIONS:
            x = image(resolution)
            errors[resolution] = relative_error(net(x), same_peer_at(resolution)(x))
    assert max(errors.values()) <= LARGEST_ERROR, errors
    back = export_state_dict(net, layout)
    assert list(back) == list(state)
    assert all(torch.equal(back[key], value) for key, value in state.items())
    del net, back, state
    gc.collect()


def conventions_of(peer: nn.Module, padding: str) -> Conventions:
    norm = next(module for module in peer.modules() if isinstance(module, nn.BatchNorm2d))
    return Conventions(padding, norm.eps, 0.1)
