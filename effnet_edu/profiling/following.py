"""Which module is running: told at each beginning and each end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from torch import nn


@contextmanager
def following(
    modules: Mapping[str, nn.Module],
    enter: Callable[[str, tuple[object, ...]], object],
    leave: Callable[[], object],
) -> Iterator[None]:
    """Call `enter` with the name and the inputs of each module that begins, and `leave` when it ends."""
    handles = []
    for name, module in modules.items():

        def begin(_module: nn.Module, inputs: tuple[object, ...], name: str = name) -> None:
            enter(name, inputs)

        def end(*_: object) -> None:
            leave()

        # First in and last out: what the caller's own hooks do belongs to the layer that has them.
        handles.append(module.register_forward_pre_hook(begin, prepend=True))
        handles.append(module.register_forward_hook(end))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
