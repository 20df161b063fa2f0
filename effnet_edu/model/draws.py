"""Random numbers of one's own: torch's own generator belongs to every thread of the process."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from effnet_edu.model.blocks import DropPath

_DRAWS = {
    *(torch.rand, torch.randn, torch.randint, torch.randperm, torch.normal, torch.bernoulli),
    *(Tensor.uniform_, Tensor.normal_, Tensor.bernoulli_, Tensor.random_, Tensor.exponential_),
    *(nn.init.kaiming_uniform_, nn.init.kaiming_normal_, nn.init.uniform_, nn.init.normal_),
}


class DrawsFrom(TorchFunctionMode):
    """While it is active, this thread draws from a generator where no other is named.

    Dropout names none and cannot.

    Args:
        generator: On the device of what is drawn.
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.generator = generator

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call a function of torch, with the generator if it draws."""
        kwargs = kwargs or {}
        if func in _DRAWS and kwargs.get("generator") is None:
            kwargs = {**kwargs, "generator": self.generator}
        return func(*args, **kwargs)


def draw_from(net: nn.Module, generator: torch.Generator) -> None:
    """Let a network, which is somebody's copy, draw its dropped paths and values from a generator.

    Args:
        net: It changes.
        generator: On the network's device.
    """
    for part in net.modules():
        if isinstance(part, DropPath):
            part.generator = generator
        for name, child in part.named_children():
            if isinstance(child, nn.Dropout):
                setattr(part, name, _Dropout(child.p, generator))


class _Dropout(nn.Module):
    """Keeps for the backward pass what torch's dropout keeps: on a CPU its factors, elsewhere yes or no."""

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.keep, self.generator = 1 - p, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.keep == 1:
            return x
        on_cpu = x.device.type == "cpu"
        kept = torch.empty_like(x, dtype=x.dtype if on_cpu else torch.bool)
        kept.bernoulli_(self.keep, generator=self.generator)
        return x * kept.div_(self.keep) if on_cpu else x * kept / self.keep
