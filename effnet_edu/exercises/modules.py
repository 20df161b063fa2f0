"""Checking a module: it gets the weights of the library's own and must compute the same."""

import copy
import reprlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from effnet_edu.exercises.learner import stopped, written
from effnet_edu.exercises.outcome import Outcome, not_attempted

_LARGEST_LISTED = 3
Weights = list[tuple[str, Tensor]]


@dataclass(frozen=True)
class WrongModule:
    """What a likely mistake builds.

    Attributes:
        make: Builds it from the same arguments as the right one.
        cause: The mistake, in a sentence.
    """

    make: Callable[..., nn.Module]
    cause: str

    def example(self) -> Callable[..., nn.Module]:
        """Return an answer with this mistake."""
        return self.make


@dataclass(frozen=True)
class ModuleCheck:
    """Checks a class of modules against one that the library knows to be right.

    For each case both are built. The learner's module gets the weights of the library's: of equal shape, in
    the order in which the layers run, whatever their names. Then both see the same random inputs, in
    evaluation and in training, and in training the gradient with respect to the input is compared as well.

    Attributes:
        reference: Builds the right module. Whatever it draws at random in its forward must be switched off.
        cases: Arguments for building, a tuple a case.
        arguments: Names of the arguments.
        shape: Returns the shape of the input of a case, from its arguments.
        mistakes: Modules that likely mistakes build.
        own: The library's classes that are no answer, as they are what the learner is to write.
        tolerance: Largest difference, relative to the largest value, that still counts as right.
        seed: Seed of weights and inputs.
    """

    reference: Callable[..., nn.Module]
    cases: tuple[tuple[Any, ...], ...]
    arguments: tuple[str, ...]
    shape: Callable[..., tuple[int, ...]]
    mistakes: tuple[WrongModule, ...] = ()
    own: tuple[type[nn.Module], ...] = ()
    tolerance: float = 1e-4
    seed: int = 0

    def __call__(self, answer: Any) -> Outcome:
        """Return whether the class is right, and if not, the likely cause.

        Args:
            answer: The learner's class, or a function that builds the module.
        """
        if answer is ...:
            return not_attempted("the class")
        if isinstance(answer, nn.Module):
            return Outcome(
                "wrong", f"The check wants the class itself, without brackets: `{type(answer).__name__}`."
            )
        if not callable(answer):
            return Outcome("wrong", f"The check wants a class of modules; it got {reprlib.repr(answer)}.")
        if isinstance(answer, type) and not issubclass(answer, nn.Module):
            return Outcome(
                "wrong", f"`{answer.__name__}` is no module: write `class {answer.__name__}(nn.Module):`."
            )
        with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers stay as they were
            for case in self.cases:
                torch.manual_seed(self.seed)
                outcome = self._judge(answer, case)
                if outcome.state != "right":
                    return outcome
            return self._by_other_means(answer(*copy.deepcopy(self.cases[0])))

    def _judge(self, answer: Callable[..., Any], case: tuple[Any, ...]) -> Outcome:
        """Return the outcome of one case."""
        given = written(self.arguments, case)
        try:
            mine = answer(*copy.deepcopy(case))
        except Exception as error:  # whatever a learner's code raises is shown with the input that caused it
            return stopped(error, given, "`__init__`")
        if not isinstance(mine, nn.Module):
            return Outcome("wrong", f"With {given} it builds a {type(mine).__name__}; a module is expected.")
        if dots := [name for part in mine.modules() for name, value in vars(part).items() if value is ...]:
            return not_attempted(f"`self.{dots[0]}`")
        x = torch.randn(self.shape(*case))
        seen = f"{given} and an input of shape {tuple(x.shape)}"
        try:
            mine_weights = _in_order_of_use(mine, x)
        except Exception as error:
            return stopped(error, seen, "`forward`")

        reference = self.reference(*case)
        weights = _in_order_of_use(reference, x)
        _draw(weights)
        right = _both_modes(reference, x)
        unmatched = _copy(weights, mine_weights)
        if any(unmatched):
            _draw(mine_weights)
        try:
            results = _both_modes(mine, x)
        except _NotATensorError as wrong:
            return wrong.outcome(seen)
        except Exception as error:
            return stopped(error, seen, "`forward`")

        if not any(unmatched) and self._same(results, right):
            return self._finished(mine, x)
        for mistake in self.mistakes:
            made = mistake.make(*case)
            if not any(_copy(mine_weights, _in_order_of_use(made, x))) and self._same(
                results, _both_modes(made, x)
            ):
                return Outcome("wrong", mistake.cause)
        if any(unmatched):
            return Outcome("wrong", _other_weights(given, mine, reference, *unmatched))
        return Outcome(
            "wrong", self._other_eps(mine, reference, x) or self._other_values(seen, results, right)
        )

    def _by_other_means(self, mine: nn.Module) -> Outcome:
        """Return the outcome of a module that is right in all cases, unless it is the library's own."""
        for part in mine.modules():
            if isinstance(part, self.own):
                return Outcome(
                    "wrong",
                    f"It computes the right thing, but by the library's own `{type(part).__name__}`. Build "
                    "it from the layers in `torch.nn`.",
                )
        return Outcome("right", "")

    def _finished(self, mine: nn.Module, x: Tensor) -> Outcome:
        """Return the outcome of a module that computes what is right, unless it spoils its input."""
        before = x.clone()
        with torch.no_grad():
            mine.eval()(x)
        if not torch.equal(before, x):
            return Outcome(
                "wrong",
                "Its result is right, but it changes its input in place, and a shortcut around it would add "
                "the changed one. Write `x * y` for `x.mul_(y)` and `x + y` for `x += y`.",
            )
        return Outcome("right", "")

    def _near(self, one: Tensor, other: Tensor) -> bool:
        if one.shape != other.shape:
            return False
        return bool((one - other).abs().max() <= self.tolerance * other.abs().max())

    def _same(self, results: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
        return all(self._near(results[what], right[what]) for what in right)

    def _other_values(self, seen: str, results: dict[str, Tensor], right: dict[str, Tensor]) -> str:
        what = next(what for what in right if not self._near(results[what], right[what]))
        one, other = results[what], right[what]
        if one.shape != other.shape:
            return f"With {seen} it returns the shape {tuple(one.shape)}; {tuple(other.shape)} is right."
        return (
            f"With {seen} and the library's weights, its {what} is off by up to "
            f"{(one - other).abs().max():.2g}, where the right values reach {other.abs().max():.2g}. Its "
            "weights have the right shapes, so look at what happens between the layers: the activations and "
            "their places, and what is multiplied or added."
        )

    def _other_eps(self, mine: nn.Module, reference: nn.Module, x: Tensor) -> str:
        """Return a sentence if nothing but the eps of batch norms is different."""
        found = {norm.eps for norm in mine.modules() if isinstance(norm, nn.BatchNorm2d)}
        wanted = [norm for norm in reference.modules() if isinstance(norm, nn.BatchNorm2d)]
        if len(found) != 1 or not wanted or (eps := found.pop()) == wanted[0].eps:
            return ""
        with_theirs = copy.deepcopy(reference)
        for norm in with_theirs.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.eps = eps
        _copy(_in_order_of_use(reference, x), _in_order_of_use(with_theirs, x))
        if not self._same(_both_modes(mine, x), _both_modes(with_theirs, x)):
            return ""
        return (
            f"All is right but the `eps` of its batch norms: it is {eps:g}, and {wanted[0].eps:g} in the "
            "released network."
        )


class _NotATensorError(Exception):
    """A forward returned something else than a tensor."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def outcome(self, seen: str) -> Outcome:
        """Return the outcome for the learner."""
        if self.result is ...:
            return not_attempted("`forward`")
        if self.result is None:
            return Outcome("wrong", "Its `forward` returns nothing: is there a `return` at its end?")
        return Outcome(
            "wrong", f"With {seen} it returns a {type(self.result).__name__}; a tensor is expected."
        )


def _both_modes(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Return what a module computes in evaluation and in training, and there the gradient of its input."""
    with torch.no_grad():
        evaluated = _tensor(module.eval()(x.clone()))
    kept = {name: buffer.clone() for name, buffer in module.named_buffers()}
    leaf = x.clone().requires_grad_()
    trained = _tensor(module.train()(leaf * 1))
    gradient = None
    if trained.requires_grad:
        torch.manual_seed(0)
        weighted = (trained * torch.randn(trained.shape)).sum()
        (gradient,) = torch.autograd.grad(weighted, leaf, allow_unused=True)
    for name, buffer in module.named_buffers():
        buffer.copy_(kept[name])
    module.eval()
    return {
        "result in evaluation": evaluated,
        "result in training": trained.detach(),
        "gradient in training": torch.zeros_like(x) if gradient is None else gradient,
    }


def _tensor(result: Any) -> Tensor:
    """Return a plain tensor; a subclass could compare itself as it likes."""
    if type(result) is not Tensor:
        raise _NotATensorError(result)
    return result


def _in_order_of_use(module: nn.Module, x: Tensor) -> Weights:
    """Return parameters and floating buffers with their names, those of the layers that run first first."""
    used: dict[nn.Module, None] = {}
    hooks = [
        part.register_forward_pre_hook(lambda part, _: used.setdefault(part)) for part in module.modules()
    ]
    with torch.no_grad():
        module.eval()(x.clone())
    for hook in hooks:
        hook.remove()
    names = {part: name for name, part in module.named_modules()}
    unused = (part for part in names if part not in used)
    return [
        (f"{names[part]}.{name}".removeprefix("."), tensor)
        for part in (*used, *unused)
        for name, tensor in _own_weights(part)
    ]


def _own_weights(part: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from part.named_parameters(recurse=False)
    yield from (
        (name, buffer) for name, buffer in part.named_buffers(recurse=False) if buffer.is_floating_point()
    )


def _shape(tensor: Tensor) -> tuple[int, ...]:
    """Return a shape without ones at its end: a linear layer does what a 1x1 convolution does."""
    shape = tuple(tensor.shape)
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _draw(weights: Weights) -> None:
    """Draw all weights anew, such that no layer is without effect and every variance is positive."""
    with torch.no_grad():
        for _, tensor in weights:
            if tensor.dim() > 1:
                tensor.normal_(0, (tensor[0].numel()) ** -0.5)
            else:
                tensor.uniform_(0.1, 1.5)


def _copy(source: Weights, target: Weights) -> tuple[Weights, Weights]:
    """Copy weights of equal shape in their order; return those of the target and of the source left over."""
    left = list(source)
    surplus = []
    with torch.no_grad():
        for name, tensor in target:
            place = next((n for n, (_, other) in enumerate(left) if _shape(other) == _shape(tensor)), None)
            if place is None:
                surplus.append((name, tensor))
            else:
                tensor.copy_(left.pop(place)[1].reshape(tensor.shape))
    return surplus, left


def _other_weights(
    given: str, mine: nn.Module, reference: nn.Module, surplus: Weights, missing: Weights
) -> str:
    """Return a sentence about weights of shapes that the library's module has not, or has more of."""
    counts = [sum(parameter.numel() for parameter in module.parameters()) for module in (mine, reference)]
    parts = [f"With {given} it has {counts[0]:,} parameters; {counts[1]:,} are right."]
    if surplus:
        parts.append(f"Not expected: {_listed(surplus)}.")
    if missing:
        shapes = Counter(tuple(tensor.shape) for _, tensor in missing)
        listed = [f"{shape}{f' ({count} times)' * (count > 1)}" for shape, count in shapes.items()]
        parts.append(f"Missing: weights of shape {', '.join(listed[:_LARGEST_LISTED])}.")
    return " ".join(parts)


def _listed(weights: Weights) -> str:
    named = [f"`{name}` of shape {tuple(tensor.shape)}" for name, tensor in weights[:_LARGEST_LISTED]]
    more = len(weights) - len(named)
    return ", ".join(named) + f" and {more} more" * (more > 0)
