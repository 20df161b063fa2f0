"""What is timed: the contestants of each case, and the bars that hold between them."""

import copy
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import fvcore.nn
import torch
import torchinfo
from torch import Tensor, nn
from torch.nn import functional as F

import effnet_edu as ee
from effnet_edu.ground.openmp import BOUNDED
from effnet_edu.profiling.engines import Runner, in_engine
from tests.bench.networks import OURS, efficientnet_pytorch, geffnet, same_weights, timm, torchvision

B0 = "efficientnet_b0"
PEERS = ("torchvision", "timm", "geffnet", "efficientnet_pytorch")
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
OFF = {"fold": False, "channels_last": False, "slices": False}
STEPS = {
    "no step": OFF,
    "fold alone": OFF | {"fold": True},
    "channels_last alone": OFF | {"channels_last": True},
    "slices alone": OFF | {"slices": True},
    "fold and channels_last": OFF | {"fold": True, "channels_last": True},
    "all": {},
}
#: One run; what it returns is ignored, unless it is `Seconds`.
Run = Callable[[], object]


@dataclass(frozen=True)
class Seconds:
    """What a run took, where it took the time itself."""

    value: float


@dataclass(frozen=True)
class Case:
    """Contestants that take turns; `warm_ups` and `rounds` count turns of each."""

    name: str
    runs: dict[str, Run]
    rounds: int
    warm_ups: int = 1


@dataclass(frozen=True)
class Bar:
    """Ours may take at most `ratio` times as long as the fastest of the peers."""

    case: str
    ours: str
    peers: tuple[str, ...]
    ratio: float = 1.0


@dataclass(frozen=True)
class Size:
    """How much work a benchmark does; the small one only shows that it runs."""

    resolution: int = 224
    batches: tuple[int, ...] = (1, 16)
    counted: str = "efficientnet_b7"
    most_rounds: int = 15


QUICK = Size(32, (1, 2), B0, 2)


def in_format(library: str, memory_format: str) -> str:
    return f"{library}, {memory_format}"


def forward_cases(size: Size) -> list[Case]:
    """Evaluation of B0 by ours and by the peers, in both memory formats, and each step of ours."""
    networks, cases = same_weights(B0), []
    formatted = {
        in_format(library, name): (copy.deepcopy(net).to(memory_format=memory_format), memory_format)
        for library, net in networks.items()
        for name, memory_format in FORMATS.items()
    }
    steps = {
        f"optimize_for_inference, {name}": ee.optimize_for_inference(networks[OURS], **chosen)
        for name, chosen in STEPS.items()
    }
    for batch in size.batches:
        images = random_images(batch, size)
        runs: dict[str, Run] = {
            name: partial(evaluate, net, images.contiguous(memory_format=memory_format))
            for name, (net, memory_format) in formatted.items()
        }
        runs |= {name: partial(evaluate, net, images) for name, net in steps.items()}
        cases.append(
            Case(forward_name(batch), runs, size.most_rounds if batch == 1 else min(4, size.most_rounds))
        )
    return cases


def forward_name(batch: int) -> str:
    return f"forward B0, batch {batch}"


def forward_bars(size: Size) -> list[Bar]:
    bars = []
    for batch in size.batches:
        for name in FORMATS:
            rivals = tuple(in_format(peer, name) for peer in PEERS)
            bars.append(Bar(forward_name(batch), in_format(OURS, name), rivals))
    largest = forward_name(max(size.batches))
    default = in_format("torchvision", "contiguous")
    best = tuple(in_format(peer, name) for peer in PEERS for name in FORMATS)
    optimised = [f"optimize_for_inference, {name}" for name in STEPS]
    bars += [Bar(largest, step, (default,)) for step in optimised[:-1]]
    bars.append(Bar(largest, optimised[-1], (default,), 1 / 2.5))
    bars += [Bar(forward_name(batch), optimised[-1], best) for batch in size.batches]
    # The plain network writes into nothing that it was given; this is what working in place saves.
    plain = (in_format(OURS, "contiguous"),)
    bars += [Bar(forward_name(batch), optimised[0], plain) for batch in size.batches]
    return bars


def engine_cases(size: Size) -> list[Case]:
    """Evaluation of B0 by ours, optimised, and by other engines, which run the graph that we export."""
    net = same_weights(B0)[OURS]
    cases = []
    for batch in size.batches:
        images = random_images(batch, size)
        runs: dict[str, Run] = {}
        for engine in ENGINES:
            with torch.inference_mode():
                run = in_engine(engine, net, tuple(images.shape))
            runs[engine] = partial(second_run, run, images)
        cases.append(
            Case(engines_name(batch), runs, size.most_rounds if batch == 1 else min(4, size.most_rounds))
        )
    return cases


ENGINES = ("optimised", "onnxruntime", "openvino")


def engines_name(batch: int) -> str:
    return f"engines B0, batch {batch}"


def engine_bars(size: Size) -> list[Bar]:
    one, many = min(size.batches), max(size.batches)
    return [
        Bar(engines_name(one), "optimised", ("onnxruntime", "openvino")),
        Bar(engines_name(many), "optimised", ("onnxruntime",)),
    ]


def training_cases(size: Size) -> list[Case]:
    """One step of SGD with momentum on B0: forward, loss, backward, update."""
    networks, cases = same_weights(B0), []
    batch = max(size.batches)
    labels = torch.arange(batch)
    for name, memory_format in FORMATS.items():
        images = random_images(batch, size).contiguous(memory_format=memory_format)
        runs: dict[str, Run] = {}
        for library, original in networks.items():
            net = copy.deepcopy(original).to(memory_format=memory_format).train()
            optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
            runs[library] = partial(train, net, optimizer, images, labels)
        cases.append(Case(training_name(name), runs, min(3, size.most_rounds)))
    return cases


def training_name(memory_format: str) -> str:
    return f"training step B0, {memory_format}"


def training_bars(_size: Size) -> list[Bar]:
    return [Bar(training_name(name), OURS, PEERS) for name in FORMATS]


def tool_cases(size: Size) -> list[Case]:
    """Counting, building and importing."""
    spec = ee.spec(size.counted)
    net = ee.create(spec, device="meta").eval()
    # fvcore traces the network, which torch no longer does on meta.
    real = ee.create(spec).eval()
    shape = (1, 3, spec.resolution, spec.resolution)
    counting: dict[str, Run] = {
        OURS: lambda: ee.cost(spec).macs,
        "torchinfo": lambda: torchinfo.summary(
            net, shape, device="meta", verbose=0, cache_forward_pass=False
        ),
        "fvcore": lambda: count_with_fvcore(real, torch.zeros(shape)),
    }
    building: dict[str, Run] = {
        OURS: lambda: ee.create(B0, device="meta"),
        "torchvision": partial(build_on_meta, torchvision.models.efficientnet_b0),
        "timm": partial(build_on_meta, lambda: timm.create_model(B0)),
        "geffnet": partial(build_on_meta, lambda: geffnet.efficientnet_b0(pretrained=False)),
        "efficientnet_pytorch": partial(
            build_on_meta, lambda: efficientnet_pytorch.EfficientNet.from_name("efficientnet-b0")
        ),
    }
    waiting: dict[str, Run] = {
        BOUNDED_SPIN: partial(seconds_of_b0, spin=BOUNDED["GOMP_SPINCOUNT"]),
        "spin without a bound": partial(seconds_of_b0, spin="infinity"),
    }
    importing: dict[str, Run] = {"effnet_edu": seconds_to_import, LIMIT: lambda: Seconds(0.05)}
    few = min(3, size.most_rounds)
    return [
        Case(COUNT, counting, few),
        Case(BUILD, building, size.most_rounds),
        Case(IMPORT, importing, few),
        Case(SPIN, waiting, few),
    ]


SPIN, BOUNDED_SPIN = "forward B0, how threads wait", "bounded spin"
COUNT, BUILD, IMPORT, LIMIT = "count MACs", "build B0 on meta", "import after torch", "a limit of 50 ms"


def tool_bars(_size: Size) -> list[Bar]:
    return [
        Bar(COUNT, OURS, ("torchinfo", "fvcore"), 0.01),
        Bar(BUILD, OURS, PEERS),
        Bar(IMPORT, "effnet_edu", (LIMIT,)),
        Bar(SPIN, BOUNDED_SPIN, ("spin without a bound",), 1.1),
    ]


@dataclass(frozen=True)
class Group:
    """Cases that are measured in the same processes, of which there are `processes`."""

    cases: Callable[[Size], list[Case]]
    bars: Callable[[Size], list[Bar]]
    processes: int


GROUPS = {
    "forward": Group(forward_cases, forward_bars, 5),
    "engines": Group(engine_cases, engine_bars, 5),
    "training": Group(training_cases, training_bars, 3),
    "tools": Group(tool_cases, tool_bars, 3),
}


def random_images(batch: int, size: Size) -> Tensor:
    generator = torch.Generator().manual_seed(batch)
    return torch.randn(batch, 3, size.resolution, size.resolution, generator=generator)


def evaluate(net: nn.Module, images: Tensor) -> None:
    with torch.inference_mode():
        net(images)


def second_run(run: Runner, images: Tensor) -> Seconds:
    """Time the second of two runs: the engine before may still wait for work on the cores in the first."""
    with torch.inference_mode():
        run(images)
        begun = time.perf_counter()
        run(images)
        return Seconds(time.perf_counter() - begun)


def train(net: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> None:
    optimizer.zero_grad()
    F.cross_entropy(net(images), labels).backward()
    optimizer.step()


def count_with_fvcore(net: nn.Module, images: Tensor) -> float:
    with torch.no_grad():
        analysis = fvcore.nn.FlopCountAnalysis(net, images)
        return float(analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())


def build_on_meta(build: Callable[[], nn.Module]) -> None:
    with torch.device("meta"):
        build()


def seconds_of_b0(spin: str) -> Seconds:
    """Time B0 in a process of its own, whose threads wait for each other as long as `spin` says."""
    program = (
        "import statistics, time, torch, effnet_edu as ee\n"
        "net, x, times = ee.create('efficientnet_b0').eval(), torch.zeros(1, 3, 224, 224), []\n"
        "with torch.inference_mode():\n"
        "    for _ in range(30):\n"
        "        begun = time.perf_counter(); net(x); times.append(time.perf_counter() - begun)\n"
        "print(statistics.median(times[5:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "GOMP_SPINCOUNT": spin}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Seconds(float(done.stdout))


def seconds_to_import() -> Seconds:
    """Import the library in a new process that has just imported torch."""
    timed = "start = time.perf_counter(); import effnet_edu; print(time.perf_counter() - start)"
    code = f"import time, torch; {timed}"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return Seconds(float(done.stdout))
