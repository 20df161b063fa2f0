"""Checking a module: it gets the weights of the library's own and must compute the same."""

import contextlib
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from effnet_edu.exercises.functions import AnswerCheck, wrong
from effnet_edu.exercises.learner import Refused, Runner, Stopped, written
from effnet_edu.exercises.misfits import misfit, other_numbers, unseen_modules
from effnet_edu.exercises.outcome import not_attempted
from effnet_edu.exercises.tensors import near, plain_tensor

_LARGEST_LISTED = 3
Weights = list[tuple[str, Tensor]]


@dataclass(frozen=True)
class ModuleCheck(AnswerCheck):
    """Checks a class of modules against one that the library knows to be right.

    For each case both are built. The learner's module gets the weights of the library's: of equal shape, in
    the order in which the layers run, whatever their names. Then both see the same random inputs, in
    evaluation and in training, and in training the gradient with respect to the input is compared as well.
    A likely mistake is recognised by what it computes, or by the exception that it raises.

    Attributes:
        reference: Builds the right module. Whatever it draws at random in its forward must be switched off.
        cases: Arguments for building, a tuple a case.
        arguments: Names of the arguments.
        shape: Returns the shape of the input of a case, from its arguments.
        mistakes: What builds a module with a likely mistake, and its cause in a sentence.
        own: The library's classes that are no answer, as they are what the learner is to write.
        tolerance: Largest difference, relative to the largest value, that still counts as right.
        seed: Seed of weights and inputs.
    """

    kind = "class"

    reference: Callable[..., nn.Module]
    cases: tuple[tuple[Any, ...], ...]
    arguments: tuple[str, ...]
    shape: Callable[..., tuple[int, ...]]
    mistakes: tuple[tuple[Callable[..., nn.Module], str], ...] = ()
    own: tuple[type[nn.Module], ...] = ()
    tolerance: float = 1e-4
    seed: int = 0

    def judge(self, answer: Callable[..., Any], run: Runner) -> None:
        """Raise Refused unless the class is right."""
        if isinstance(answer, nn.Module):
            raise wrong(f"The check wants the class itself, without brackets: `{type(answer).__name__}`.")
        if isinstance(answer, type) and not issubclass(answer, nn.Module):
            name = answer.__name__
            raise wrong(f"`{name}` is no module: write `class {name}(nn.Module):`.")
        with _as_torch_starts():
            built = []
            for case in self.cases:
                torch.manual_seed(self.seed)
                try:
                    built.append(self._judge_case(answer, case, run))
                except Stopped as stop:
                    self._recognise(stop.error, case)
                    raise
            self._refuse_own(built[0])

    def _judge_case(self, answer: Callable[..., Any], case: tuple[Any, ...], run: Runner) -> nn.Module:
        """Return the learner's module of one case, if it is right."""
        given = written(self.arguments, case)
        x = torch.randn(self.shape(*case))
        seen = f"{given} and an input of shape {tuple(x.shape)}"
        mine = run(answer, *copy.deepcopy(case), given=given, where="`__init__`")
        _refuse_odd_module(mine, given)
        reference = self.reference(*case)
        try:
            mine_weights = run(_in_order_of_use, mine, x, given=seen, where="`forward`")
        except Stopped as stop:
            self._recognise(stop.error, case)

            def forward() -> None:
                run(_in_order_of_use, mine, x, given=seen, where="`forward`")

            if said := misfit(mine, reference, stop.error, forward):
                raise wrong(said) from None
            raise
        weights = _in_order_of_use(reference, x)
        _draw(weights)
        right = _both_modes(reference, x, seen)
        surplus, missing = _copy(weights, mine_weights)
        fits = not surplus and not missing
        if not fits:
            _draw(mine_weights)
        results = run(_both_modes, mine, x, seen, given=seen, where="`forward`")
        if fits and self._same(results, right):
            _refuse_in_place(mine, x)
            return cast("nn.Module", mine)
        for make, cause in self.mistakes:
            # One that cannot be built or run is not what this module does.
            with contextlib.suppress(RuntimeError, IndexError, TypeError, ZeroDivisionError):
                made = make(*case)
                if not any(_copy(mine_weights, _in_order_of_use(made, x))) and self._same(
                    results, _both_modes(made, x, seen)
                ):
                    raise wrong(cause)
        if not fits:
            raise wrong(unseen_modules(mine) or _other_weights(given, mine, reference, surplus, missing))
        raise wrong(
            self._other_eps(mine, reference, x)
            or other_numbers(mine, reference)
            or self._other_values(seen, results, right)
        )

    def _recognise(self, error: Exception, case: tuple[Any, ...]) -> None:
        """Refuse with the cause of a mistake that stops with the same words."""
        for make, cause in self.mistakes:
            try:
                make(*case).eval()(torch.randn(self.shape(*case)))
            except Exception as other:
                # In any order: `x + y` and `y + x` say the same of two shapes that do not fit.
                if (type(error), sorted(str(error).split())) == (type(other), sorted(str(other).split())):
                    raise wrong(cause) from None

    def _refuse_own(self, mine: nn.Module) -> None:
        """Refuse a module that is right in all cases because it is the library's own."""
        for part in mine.modules():
            if isinstance(part, self.own):
                raise wrong(
                    f"It computes the right thing, but by the library's own `{type(part).__name__}`. Build "
                    "it from the layers in `torch.nn`."
                )

    def _same(self, results: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
        return all(near(results[what], right[what], self.tolerance) for what in right)

    def _other_values(self, seen: str, results: dict[str, Tensor], right: dict[str, Tensor]) -> str:
        what = next(what for what in right if not near(results[what], right[what], self.tolerance))
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
        if not self._same(_both_modes(mine, x, ""), _both_modes(with_theirs, x, "")):
            return ""
        return (
            f"All is right but the `eps` of its batch norms: it is {eps:g}, and {wanted[0].eps:g} in the "
            "released network."
        )


@contextlib.contextmanager
def _as_torch_starts() -> Iterator[None]:
    """Compute on the CPU, in float32 and with gradients; random numbers and defaults stay as they were."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.random.fork_rng(devices=[]), torch.device("cpu"), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(dtype)


def _refuse_odd_module(mine: Any, given: str) -> None:
    """Refuse what is no module, or not finished, or elsewhere than its input."""
    if not isinstance(mine, nn.Module):
        raise wrong(f"With {given} it builds a {type(mine).__name__}; a module is expected.")
    if dots := [name for part in mine.modules() for name, value in vars(part).items() if value is ...]:
        raise Refused(not_attempted(f"`self.{dots[0]}`"))
    for part in mine.modules():
        for name, tensor in _own_weights(part):
            if tensor.device.type != "cpu" or tensor.dtype != torch.float32:
                raise wrong(
                    f"With {given} its `{name}` is {tensor.dtype} on the device {str(tensor.device)!r}. The "
                    "check gives it inputs of torch.float32 on 'cpu': build it there, and move it where it "
                    "is used."
                )


def _refuse_in_place(mine: nn.Module, x: Tensor) -> None:
    """Refuse a module that computes what is right and spoils its input."""
    before = x.clone()
    with torch.no_grad():
        mine.eval()(x)
    if not torch.equal(before, x):
        raise wrong(
            "Its result is right, but it changes its input in place, and a shortcut around it would add "
            "the changed one. Write `x * y` for `x.mul_(y)` and `x + y` for `x += y`."
        )


def _both_modes(module: nn.Module, x: Tensor, seen: str) -> dict[str, Tensor]:
    """Return what a module computes in evaluation and in training, and there the gradient of its input."""
    with torch.no_grad():
        evaluated = _result(module.eval()(x.clone()), seen)
    kept = {name: buffer.clone() for name, buffer in module.named_buffers()}
    leaf = x.clone().requires_grad_()
    trained = _result(module.train()(leaf * 1), seen, detach=False)
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


def _result(result: Any, seen: str, *, detach: bool = True) -> Tensor:
    """Return what a forward computed; refuse what is no tensor like its input."""
    if result is ...:
        raise Refused(not_attempted("`forward`"))
    if result is None:
        raise wrong("Its `forward` returns nothing: is there a `return` at its end?")
    plain = plain_tensor(result, seen)
    if plain.dtype != torch.float32:
        raise wrong(f"With {seen} it returns {plain.dtype}; torch.float32, as its input has, is right.")
    return plain if detach else cast("Tensor", result)


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
    """Return sentences about weights of shapes that the library's module has not, or has more of."""
    counts = [sum(parameter.numel() for parameter in module.parameters()) for module in (mine, reference)]
    parts = [f"With {given} it has {counts[0]:,} parameters; {counts[1]:,} are right."]
    if surplus:
        parts.append(f"Not expected: {_listed(_of_parts_too_many(mine, reference, surplus))}.")
    if missing:
        shapes = Counter(tuple(tensor.shape) for _, tensor in missing)
        listed = [f"{shape}{f' ({count} times)' * (count > 1)}" for shape, count in shapes.items()]
        parts.append(f"Missing: weights of shape {', '.join(listed[:_LARGEST_LISTED])}.")
    return " ".join([_likely_cause(surplus, missing), *parts]).lstrip()


def _of_parts_too_many(mine: nn.Module, reference: nn.Module, surplus: Weights) -> Weights:
    """Return the weights of the parts that the library's module has not, if they are what is too much.

    Weights are matched by shape, so those of a part too many may stand where another's should.
    """
    expected = {name.split(".")[0] for name in reference.state_dict()}
    others = [
        (name, tensor)
        for name, tensor in mine.state_dict().items()
        if tensor.is_floating_point() and name.split(".")[0] not in expected
    ]
    is_all = Counter(_shape(tensor) for _, tensor in others) == Counter(
        _shape(tensor) for _, tensor in surplus
    )
    return others if is_all else surplus


def _likely_cause(surplus: Weights, missing: Weights) -> str:
    """Return what such weights come from, where two forgotten things are told by their shapes."""
    lacking = [tuple(tensor.shape) for _, tensor in missing]
    for name, tensor in surplus:
        if tensor.dim() == 4 and tensor.shape[1] > 1 and (tensor.shape[0], 1, *tensor.shape[2:]) in lacking:
            return (
                f"Its `{name.removesuffix('.weight')}` mixes the channels: a depthwise convolution has "
                "`groups`, as many as channels."
            )
    # Four of one length; the bias that stands in for the norm may have taken the place of one.
    if any(len(shape) == 1 and lacking.count(shape) in (3, 4) for shape in lacking):
        return "A batch norm seems to be missing after one of its convolutions."
    return ""


def _listed(weights: Weights) -> str:
    named = [f"`{name}` of shape {tuple(tensor.shape)}" for name, tensor in weights[:_LARGEST_LISTED]]
    more = len(weights) - len(named)
    return ", ".join(named) + f" and {more} more" * (more > 0)
