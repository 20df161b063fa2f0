"""What might make a module faster, each with what its layers, timed alone, promise."""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse
from torch.utils._pytree import tree_leaves

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.watch import Watch
from effnet_edu.model.inference import optimize_for_inference
from effnet_edu.model.network import EfficientNet, available_memory
from effnet_edu.profiling.device import stopwatch
from effnet_edu.profiling.engines import in_engine, is_installed, module_in_openvino
from effnet_edu.profiling.layer_time import LayerTime
from effnet_edu.profiling.layers import LayerProfile
from effnet_edu.profiling.module_layers import ModuleRow
from effnet_edu.profiling.roof_lines import Ceilings
from effnet_edu.profiling.threads import computing_with
from effnet_edu.profiling.workload import ACTIVATION_COPIES, SCRATCH_BYTES, Workload

#: A change whose answers differ by more than this share of the largest has changed them.
SAME_ANSWER = 1e-4
#: Runs of a layer alone, of which the fastest counts, after one that does not.
PROBES = 3
#: So many images at once amortise what a layer pays once.
LARGE_BATCH = 16

#: What can be folded into the convolution before it.
BATCH_NORM = nn.modules.batchnorm._NormBase

Inputs = tuple[Tensor, ...]
Run = Callable[[], Any]


@dataclass(frozen=True)
class Audited:
    """What is known of a module before anything is changed.

    Attributes:
        work: What is measured, with its name, batch and device.
        net: A copy of the module, in evaluation mode.
        inputs: What it is called with.
        answer: What it answers.
        rows: Its layers, counted.
        profile: The same layers, timed.
        ceilings: What the device can do at most.
    """

    work: Workload
    net: nn.Module
    inputs: Inputs
    answer: Any
    rows: tuple[ModuleRow, ...]
    profile: LayerProfile
    ceilings: Ceilings


@dataclass(frozen=True)
class Candidate:
    """A change that could be tried.

    Attributes:
        name: In a few words.
        how: The line of Python that makes it.
        predicted: How many times as fast it should be, for one image.
        prepare: Makes it, and returns what runs it.
        batches: How many of the given batches one run takes.
        threads: Threads it computes with; 0 for as many as before.
    """

    name: str
    how: str
    predicted: float
    prepare: Callable[[], Run]
    batches: int = 1
    threads: int = 0


@dataclass(frozen=True)
class LeftOut:
    """A change that was not tried, and why not."""

    name: str
    reason: str


@dataclass(frozen=True)
class _Form:
    """How weights and maps lie in memory, their type, how many batches run at once, and threads."""

    memory_format: torch.memory_format = torch.preserve_format
    dtype: torch.dtype | None = None
    batches: int = 1
    threads: int = 0

    def module(self, net: nn.Module) -> nn.Module:
        made = copy.deepcopy(net).to(dtype=self.dtype)
        if self.memory_format is torch.preserve_format:
            return made
        return made.to(memory_format=self.memory_format)  # type: ignore[call-overload, no-any-return]

    def tensor(self, x: Tensor) -> Tensor:
        if self.dtype and x.is_floating_point():
            x = x.to(self.dtype)
        if self.memory_format is torch.channels_last and x.dim() == 4:
            x = x.contiguous(memory_format=self.memory_format)
        return x

    def run(self, net: nn.Module, inputs: Inputs) -> Run:
        made = self.module(net)
        batch = tuple(x.repeat(self.batches, *[1] * (x.dim() - 1)) for x in inputs)
        return lambda: made(*map(self.tensor, batch))


AS_IT_IS = _Form()


class _Prediction:
    """Times each layer alone in one form or another, and adds up what the network would take."""

    def __init__(self, of: Audited, watch: Watch) -> None:
        self._of, self._watch = of, watch
        self._probed: dict[tuple[object, ...], float] = {}

    def gain(
        self,
        form: _Form,
        gone: frozenset[str] = frozenset(),
        instant: tuple[str, ...] = (),
        is_engine: bool = False,
    ) -> float:
        """Return how many times as fast an image should be, without some layers or some kinds of them.

        An engine goes from layer to layer by itself: what lies between them now is gone as well.
        """
        kept = sum(
            self._best(timed) * self.ratio(row, form)
            for row, timed in zip(self._of.rows, self._of.profile.layers, strict=True)
            if row.cost.name not in gone and row.cost.kind not in instant
        )
        layers = sum(map(self._best, self._of.profile.layers))
        # Timed layer by layer they may take longer than all of them at once; what is beyond them is Python's.
        between = 0.0 if is_engine else max(0.0, self.now - layers)
        return form.batches * self.now / (between + kept * min(1.0, self.now / layers))

    @property
    def now(self) -> float:
        """Seconds of the network as it is, in its best pass, as all that a prediction is made of."""
        return min(self._of.profile.whole.seconds)

    @staticmethod
    def _best(timed: LayerTime) -> float:
        return min(timed.timing.seconds)

    def ratio(self, row: ModuleRow, form: _Form) -> float:
        """Return how many times as long as now a layer takes in a form."""
        if form == AS_IT_IS:
            return 1.0
        if not row.shapes:
            return float(form.batches)
        return self._alone(row, form) / self._alone(row, AS_IT_IS)

    def _alone(self, row: ModuleRow, form: _Form) -> float:
        key = (str(row.module), row.shapes, form)
        if key not in self._probed:
            self._probed[key] = self._probe(row, form)
        return self._probed[key]

    def _probe(self, row: ModuleRow, form: _Form) -> float:
        self._watch.check()
        device, dtype = self._of.work.device, self._of.work.dtype
        inputs = [torch.ones(n * form.batches, *rest, device=device, dtype=dtype) for n, *rest in row.shapes]
        module, formed = form.module(row.module), [form.tensor(x) for x in inputs]
        clock = stopwatch(device)
        with computing_with(form.threads):
            return min([clock.time(lambda: module(*formed)) for _ in range(1 + PROBES)][1:])


def difference(answer: Any, right: Any) -> float:
    """Return the largest difference of a number from the right one, as a share of the largest right one."""
    pairs = zip(tree_leaves(answer), tree_leaves(right), strict=True)
    found = [
        (float((a[: len(b)].double() - b.double()).abs().max()), float(b.double().abs().max()))
        for a, b in pairs
        if isinstance(b, Tensor) and b.numel()
    ]
    return max(off for off, _ in found) / (max(largest for _, largest in found) or 1.0)


def candidates(of: Audited, watch: Watch) -> tuple[list[Candidate], list[LeftOut]]:
    """Return the changes that could be tried, the most promising first, and those that cannot, with why."""
    prediction = _Prediction(of, watch)
    found: list[Candidate] = []
    left_out: list[LeftOut] = []
    for name, make in _CHANGES.items():
        watch.doing(f"what {name} would bring")
        try:
            made = make(of, prediction)
        except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            made = f"it does not run so: {quoted(str(error))}"
        if isinstance(made, str):
            left_out.append(LeftOut(name, made))
        else:
            found += made
    return sorted(found, key=lambda one: -one.predicted), left_out


def _folding(of: Audited, prediction: _Prediction) -> list[Candidate] | str:
    if not any(isinstance(row.module, BATCH_NORM) for row in of.rows):
        return "it has no batch norm"
    if isinstance(of.net, EfficientNet):
        how = "ee.optimize_for_inference(net, channels_last=False, slices=False)"
        folded: nn.Module = optimize_for_inference(of.net, channels_last=False, slices=False)
    else:
        how = "torch.fx.experimental.optimization.fuse(net.eval())"
        try:
            folded = fuse(of.net)
        except Exception as error:  # tracing runs the module's own code
            return f"torch.fx cannot trace it: {quoted(str(error))}"
    kept = dict(folded.named_modules())
    gone = frozenset(
        row.cost.name for row in of.rows if row.cost.kind == "norm" and row.cost.name not in kept
    )
    if not gone:
        return "torch.fx finds no batch norm right after a convolution"
    off = difference(folded(*of.inputs), of.answer)
    if not off <= SAME_ANSWER:
        return f"it would change the answers by {off:.1%} of the largest"
    predicted = prediction.gain(AS_IT_IS, gone)
    return [Candidate("fold batch norm", how, predicted, lambda: lambda: folded(*of.inputs))]


def _channels_last(of: Audited, prediction: _Prediction) -> list[Candidate] | str:
    weights = [row.module.weight for row in of.rows if isinstance(row.module, nn.Conv2d)]
    if not weights:
        return "it has no 2D convolutions"
    if not any(weight.is_contiguous() and min(weight.shape[1:3]) > 1 for weight in weights):
        return "its weights lie so already"
    form = _Form(memory_format=torch.channels_last)
    predicted = prediction.gain(form)
    how = "net.to(memory_format=torch.channels_last), and the images as well"
    return [Candidate("channels last", how, predicted, lambda: form.run(of.net, of.inputs))]


def _bf16(of: Audited, prediction: _Prediction) -> list[Candidate] | str:
    arithmetic = of.ceilings.arithmetic
    if of.work.precision != "fp32":
        return f"it computes in {of.work.precision} already"
    if "bf16" not in arithmetic:
        return "this device does not multiply in it"
    rate = arithmetic["bf16"].per_second / arithmetic["fp32"].per_second
    if rate < 1:
        return f"this device multiplies in it at {rate:.2f} times the rate of fp32"
    form = _Form(dtype=torch.bfloat16)
    predicted = prediction.gain(form)
    how = "net.to(torch.bfloat16), and the input as well"
    return [Candidate("bf16", how, predicted, lambda: form.run(of.net, of.inputs))]


def fits(rows: tuple[ModuleRow, ...], batch_size: int, work: Workload) -> bool:
    """Return whether the maps of the largest layer fit into memory, on the safe side."""
    widest = max(row.cost.map_elements for row in rows)
    need = batch_size * work.dtype.itemsize * ACTIVATION_COPIES * widest + SCRATCH_BYTES
    return need <= available_memory(work.device)


def _larger_batch(of: Audited) -> _Form | str:
    """Return the form with more images at once, or why it cannot be tried."""
    batch = of.work.batch_size
    if batch >= LARGE_BATCH:
        return f"it is {batch} already"
    if any(
        x.shape[0] != batch for x in tree_leaves((of.inputs, of.answer)) if isinstance(x, Tensor) and x.dim()
    ):
        return "not everything that it reads and answers has the batch as first dimension"
    form = _Form(batches=LARGE_BATCH // batch)
    return form if fits(of.rows, batch * form.batches, of.work) else "a larger one would not fit into memory"


def _batch(of: Audited, prediction: _Prediction) -> list[Candidate] | str:
    if isinstance(form := _larger_batch(of), str):
        return form
    predicted = prediction.gain(form)
    images = of.work.batch_size * form.batches
    how = f"{images} images at once: each waits for all, and more are done in a second"
    return [
        Candidate(f"batch of {images}", how, predicted, lambda: form.run(of.net, of.inputs), form.batches)
    ]


def _threads(of: Audited, prediction: _Prediction) -> list[Candidate] | str:
    used, usable = torch.get_num_threads(), _usable_cores()
    if of.work.device.type != "cpu":
        return "the device is no CPU"
    if used >= usable:
        return f"all {usable} cores are used"
    form = _Form(threads=usable)
    predicted = prediction.gain(form)
    how = f"torch.set_num_threads({usable})"
    run = AS_IT_IS.run
    return [Candidate(f"{usable} threads", how, predicted, lambda: run(of.net, of.inputs), threads=usable)]


def _usable_cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(allowed, psutil.cpu_count(logical=False) or allowed)


def _engines(of: Audited, prediction: _Prediction) -> list[Candidate] | str:
    net, x = of.net, of.inputs[0]
    last = _Form(memory_format=torch.channels_last)
    on_cpu_in_fp32 = of.work.device.type == "cpu" and of.work.precision == "fp32"
    if not isinstance(net, EfficientNet):
        if not on_cpu_in_fp32:
            return "OpenVINO runs it in fp32 on the CPU alone"
        if not is_installed("openvino"):
            return "openvino is not installed: pip install 'effnet-edu[engines]'"
        how = "openvino.convert_model(net, example_input=input), which fixes the input's shape"
        return [Candidate("openvino", how, _promised(of, prediction), lambda: _foreign_engine(of))]
    made = [
        Candidate(
            "optimize_for_inference",
            "ee.optimize_for_inference(net)",
            prediction.gain(last, instant=("norm",)),
            lambda: _engine("optimised", net, x),
        )
    ]
    if not (on_cpu_in_fp32 and x.shape[-1] == x.shape[-2]):
        return made
    fused = _promised(of, prediction)
    return made + [
        Candidate(engine, f'ee.export_onnx(net, "net.onnx") for {engine}', fused, _later(engine, net, x))
        for engine in ("onnxruntime", "openvino")
        if is_installed(engine)
    ]


def _promised(of: Audited, prediction: _Prediction) -> float:
    """Return how many times as fast an engine should be that folds, fuses and starts kernels by itself.

    It readies them once, when it reads the network; torch does so at each start, or once for a large batch.
    """
    many = form if isinstance(form := _larger_batch(of), _Form) else AS_IT_IS
    folded = frozenset(row.cost.name for row in of.rows if isinstance(row.module, BATCH_NORM))
    return prediction.gain(many, folded, instant=("activation",), is_engine=True)


def _foreign_engine(of: Audited) -> Run:
    run = module_in_openvino(of.net, of.inputs)
    answered, right = len(run(*of.inputs)), len(tree_leaves(of.answer))
    if answered != right:
        raise ValueError(f"OpenVINO answers with {answered} tensors, and the module with {right}")
    return lambda: run(*of.inputs)


def _engine(engine: str, net: nn.Module, x: Tensor) -> Run:
    run = in_engine(engine, net, tuple(x.shape))
    return lambda: run(x)


def _later(engine: str, net: nn.Module, x: Tensor) -> Callable[[], Run]:
    return lambda: _engine(engine, net, x)


_CHANGES: dict[str, Callable[[Audited, _Prediction], list[Candidate] | str]] = {
    "fold batch norm": _folding,
    "channels last": _channels_last,
    "bf16": _bf16,
    "a larger batch": _batch,
    "more threads": _threads,
    "another engine": _engines,
}
