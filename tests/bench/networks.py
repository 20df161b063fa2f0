"""Ours and the peers' networks with the same weights, which are checked to give the same logits."""

from collections.abc import Callable

import efficientnet_pytorch
import geffnet
import torch
from torch import nn

import effnet_edu as ee
from effnet_edu.checkpoints.layouts import find_layout
from tests.checkpoints.parity import built_empty, empty_network, randomise, relative_error
from tests.peers import import_torchvision

torchvision = import_torchvision()
import timm  # noqa: E402 - it imports torchvision itself

OURS = "ours"
#: How far logits of the same weights may be apart, in float32.
ROUNDING = 1e-5
SIDE_OF_CHECK = 64
#: What all train with; some peers would leave it out unless told.
DROPOUT = DROP_PATH = 0.2


def peers(name: str) -> dict[str, Callable[[], nn.Module]]:
    """Return how each library that has this network with symmetric padding builds it."""
    eps = ee.spec(name).torchvision.norm_eps
    theirs = name.replace("efficientnetv2", "efficientnet_v2")
    # Only timm and torchvision have V2; geffnet's eps is that of B0 to B4.
    makers = {
        "torchvision": lambda: getattr(torchvision.models, theirs)(),
        "timm": lambda: timm.create_model(name, bn_eps=eps, drop_rate=DROPOUT, drop_path_rate=DROP_PATH),
    }
    if hasattr(geffnet, name) and eps == ee.spec("efficientnet_b0").torchvision.norm_eps:
        makers["geffnet"] = lambda: getattr(geffnet, name)(
            pretrained=False, drop_rate=DROPOUT, drop_connect_rate=DROP_PATH
        )
    return makers


def same_weights(name: str, only: tuple[str, ...] = ()) -> dict[str, nn.Module]:
    """Return ours and its peers in evaluation mode, after checking that their logits agree.

    Args:
        name: A published network.
        only: Libraries to compare with; all that have the network if empty.
    """
    spec = ee.spec(name)
    ours = empty_network(name, spec.torchvision)
    randomise(ours.state_dict().items())
    networks: dict[str, nn.Module] = {OURS: ours}
    reference = ours
    for library, build in peers(name).items():
        if not only or library in only:
            networks[library] = _filled(build, ours, library)
    # efficientnet_pytorch pads like TensorFlow, so its logits are those of our network that does, too.
    if not only and name.removeprefix("efficientnet_") in {f"b{number}" for number in range(8)}:
        library = "efficientnet_pytorch"
        dashed = name.replace("_", "-")
        networks[library] = _filled(
            lambda: efficientnet_pytorch.EfficientNet.from_name(dashed, image_size=SIDE_OF_CHECK),
            ours,
            library,
        )
        reference = empty_network(name, spec.tensorflow)
        reference.load_state_dict(ours.state_dict())
    check_same_logits(networks, {"efficientnet_pytorch": reference})
    return networks


def _filled(build: Callable[[], nn.Module], ours: nn.Module, library: str) -> nn.Module:
    net = built_empty(build)
    net.load_state_dict(ee.export_state_dict(ours, find_layout(library).name))
    return net


def check_same_logits(networks: dict[str, nn.Module], references: dict[str, nn.Module]) -> None:
    """Raise if a network does not compute what ours, or its own reference, computes."""
    x = torch.randn(2, 3, SIDE_OF_CHECK, SIDE_OF_CHECK, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for library, net in networks.items():
            error = relative_error(references.get(library, networks[OURS])(x), net(x))
            if not error <= ROUNDING:
                raise ArithmeticError(f"{library} computes something else than ours: off by {error:.1e}.")
