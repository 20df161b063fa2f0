"""Why a learner's module stops, in a sentence: the layer that it stopped in, and what did not fit there."""

from collections.abc import Callable

from torch import Tensor, nn

from effnet_edu.exercises.learner import Refused


def misfit(mine: nn.Module, reference: nn.Module, error: Exception, forward: Callable[[], object]) -> str:
    """Return what does not fit where a module stops, or nothing where nobody can say.

    Args:
        mine: The learner's module.
        reference: The right one, which was built from the same numbers.
        error: What it stopped with.
        forward: Runs it once more, in the same way.
    """
    if isinstance(error, TypeError) and "'NoneType' object is not callable" in str(error):
        return (
            "It calls a part that is None here, because this block has none. Ask `is None` first, and go on "
            "with what came before."
        )
    stopped = _stopped_in(mine, forward)
    said = "" if stopped is None else _unlike_its_input(*stopped)
    return said or unseen_modules(mine) or other_numbers(mine, reference)


def _stopped_in(module: nn.Module, forward: Callable[[], object]) -> tuple[str, nn.Module, Tensor] | None:
    """Return the layer in which a module stops, with its name and its input."""
    names = {part: name for name, part in module.named_modules()}
    entered: list[tuple[str, nn.Module, Tensor]] = []

    def enter(part: nn.Module, given: tuple[Tensor, ...]) -> None:
        if given and isinstance(given[0], Tensor):
            entered.append((names[part], part, given[0]))

    def leave(part: nn.Module, _given: object, _result: object) -> None:
        while entered and entered.pop()[1] is not part:
            pass

    hooks = [part.register_forward_pre_hook(enter) for part in names]
    hooks += [part.register_forward_hook(leave) for part in names]
    try:
        forward()
    except Refused:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return entered[-1] if entered else None


def _unlike_its_input(name: str, layer: nn.Module, x: Tensor) -> str:
    """Return what a convolution or a linear layer expected and did not get."""
    shape = tuple(x.shape)
    is_grouped = False
    if isinstance(layer, nn.Conv2d):
        is_grouped = layer.groups > 1
        if len(shape) != 4:
            more = {
                0: " A mean without axes is a single number: average over axes 2 and 3, with `keepdim=True`.",
                2: " `keepdim=True` keeps the two sides of a mean as 1.",
            }.get(len(shape), "")
            return f"Its `{name}` gets the shape {shape}, and a convolution reads (N, C, H, W).{more}"
        reads, writes, gets = layer.in_channels, layer.out_channels, shape[1]
    elif isinstance(layer, nn.Linear):
        reads, writes, gets = layer.in_features, layer.out_features, shape[-1]
        if len(shape) > 2:
            return (
                f"Its `{name}` gets the shape {shape}. A linear layer reads the last axis, so it wants "
                "(N, C): average over height and width first, without `keepdim`."
            )
    else:
        return ""
    if reads == gets:
        return ""
    if gets == 1:
        cause = "A mean over height and width keeps the channels: its axes are 2 and 3."
    elif gets == writes and not is_grouped:
        cause = "Either its two numbers of channels are swapped, or another layer belongs there."
    else:
        cause = "How many channels are there at this point?"
    return f"Its `{name}` reads {reads} channels and gets {gets}, in the shape {shape}. {cause}"


def other_numbers(mine: nn.Module, reference: nn.Module) -> str:
    """Return a sentence if a convolution with the right channels has another kernel or stride.

    Args:
        mine: The learner's module.
        reference: The right one.
    """
    pairs = zip(_convolutions(mine).items(), _convolutions(reference).values(), strict=False)
    for (name, one), other in pairs:
        if (one.in_channels, one.out_channels, one.groups) != (
            other.in_channels, other.out_channels, other.groups,
        ):  # fmt: skip
            return ""
        if one.kernel_size != other.kernel_size:
            return (
                f"Its convolution `{name}` has kernel {one.kernel_size[0]} and stride {one.stride[0]}, where "
                f"{other.kernel_size[0]} and {other.stride[0]} are right."
            )
        if one.stride != other.stride:
            return f"Its convolution `{name}` has stride {one.stride[0]}, where {other.stride[0]} is right."
    return ""


def _convolutions(module: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: part for name, part in module.named_modules() if isinstance(part, nn.Conv2d)}


def unseen_modules(mine: nn.Module) -> str:
    """Return a sentence if a module keeps others in a plain list, where torch does not see them.

    Args:
        mine: The learner's module.
    """
    for part in mine.modules():
        for name, value in vars(part).items():
            if isinstance(value, list | tuple) and any(isinstance(one, nn.Module) for one in value):
                return (
                    f"Its `{name}` is a plain {type(value).__name__}, and torch does not see the modules in "
                    "it: neither their weights nor `eval()` reach them. Use `nn.Sequential`."
                )
    return ""
