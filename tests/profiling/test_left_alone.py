"""Whoever looks at a network leaves it as it was, and torch as well."""

import threading
from collections.abc import Callable

import pytest
import torch
from torch import nn

import effnet_edu as ee
from effnet_edu.labs.v2.photographs import _randaugmented
from effnet_edu.profiling.batches import largest_batch
from effnet_edu.profiling.ceilings import _arithmetic
from effnet_edu.profiling.counts import count_module
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.layers import profile_layers
from effnet_edu.profiling.module import time_module
from effnet_edu.profiling.training_cost import profile_training

CPU = torch.device("cpu")
LOOKS: dict[str, Callable[[ee.EfficientNet], object]] = {
    "profile": lambda net: profile(net, 1, 64, seconds=0.01),
    "profile_bf16": lambda net: profile(net, 1, 64, "bf16", seconds=0.01),
    "profile_layers": lambda net: profile_layers(net, 1, 64, seconds=0.01),
    "profile_training": lambda net: profile_training(net, 2, 64, seconds=0.01),
    "largest_batch": lambda net: largest_batch(net, 64, device="cpu"),
    "count_module": lambda net: count_module(net, (1, 3, 64, 64)),
    "time_module": lambda net: time_module(net, 3, 64, seconds=0.01),
    "time_module_training": lambda net: time_module(net, 3, 64, 2, training=True, seconds=0.01),
}
#: Those that look at no network, but draw.
DRAWS: dict[str, Callable[[], object]] = {
    "spec": lambda: profile("efficientnet_lite0", 1, 64, device="cpu", seconds=0.01),
    "peer": lambda: profile("resnet50", 1, 64, device="cpu", seconds=0.01),
    "training": lambda: profile_training("efficientnet_lite0", 2, 64, device="cpu", seconds=0.01),
    "augmented examples": lambda: _randaugmented(7),
    "ceilings": lambda: [one.prepare() for one in list(_arithmetic(CPU, torch.float32))[:3]],
}


def look_at(net: nn.Module) -> dict[str, object]:
    """Return all that must be as it was."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "modes": [part.training for part in net.modules()],
        "hooks": [list(getattr(part, kind).values()) for part in net.modules() for kind in hooks],
        "parts": [type(part) for part in net.modules()],
        "weights": {
            name: (one.dtype, one.stride(), one.data_ptr()) for name, one in net.state_dict().items()
        },
        "sums": {name: one.double().sum().item() for name, one in net.state_dict().items()},
        "frozen": [one.requires_grad for one in net.parameters()],
        "gradients": [None if one.grad is None else one.grad.sum().item() for one in net.parameters()],
        "random": torch.get_rng_state().tolist(),
        "flags": (
            torch.get_default_dtype(),
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
            torch.are_deterministic_algorithms_enabled(),
        ),
    }


@pytest.mark.parametrize("name", LOOKS)
def test_a_network_is_as_it_was(name: str) -> None:
    net = ee.create("efficientnet_lite0").train().to(memory_format=torch.channels_last)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()  # as a careful person fine-tunes
    net.stem.requires_grad_(False)
    net.head.register_forward_hook(lambda *_: None)
    net.stages[1].register_forward_pre_hook(lambda *_: None)
    net(torch.zeros(2, 3, 64, 64)).sum().backward()
    before = look_at(net)
    LOOKS[name](net)
    after = look_at(net)
    for what, was in before.items():
        assert after[what] == was, what


def draws(amount: int, meanwhile: threading.Event | None = None) -> torch.Tensor:
    """Draw as a seeded training does, step by step; go on until the other thread is done."""
    torch.manual_seed(0)
    drawn = [torch.rand(4) for _ in range(amount)]
    while meanwhile is not None and not meanwhile.wait(0.001):
        drawn.append(torch.rand(4))
    return torch.stack(drawn)


@pytest.mark.parametrize("name", DRAWS)
def test_another_thread_draws_what_it_draws_alone(name: str) -> None:
    done = threading.Event()

    def measure() -> None:
        try:
            DRAWS[name]()
        finally:
            done.set()

    with torch.random.fork_rng(devices=[]):
        other = threading.Thread(target=measure)
        torch.manual_seed(0)
        other.start()
        beside = draws(10, done)
        other.join()
        assert torch.equal(beside, draws(len(beside)))
