"""What runs a network: torch as it is, torch optimised or compiled, or another engine with its ONNX graph."""

import copy
import warnings
from collections.abc import Callable
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from effnet_edu.model.export import graph_with_weights
from effnet_edu.model.inference import check_compiler, optimize_for_inference
from effnet_edu.model.network import EfficientNet
from effnet_edu.profiling.names import CPU_ENGINES

#: What runs a batch of images.  # (N, C, H, W) -> (N, classes)
Runner = Callable[[Tensor], Any]


def is_installed(engine: str) -> bool:
    """Return whether this machine has what the engine needs."""
    if engine == "compiled":
        try:
            check_compiler()
        except RuntimeError:
            return False
    return engine not in CPU_ENGINES or find_spec(engine) is not None


def version(engine: str) -> str:
    """Return the version of an engine that is a package of its own, or an empty text: torch tells its own."""
    return metadata.version(engine) if engine in CPU_ENGINES else ""


def check_engine(engine: str, network: object, precision: str, device: torch.device) -> None:
    """Raise if an engine cannot run a network here, before anything is built.

    Args:
        engine: One of `ENGINES`.
        network: A module, a spec, or the class of a peer.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where it is to run.

    Raises:
        ValueError: The engine does not run such a network, precision or device.
        ModuleNotFoundError: Its package is not installed.
        RuntimeError: There is no compiler.
    """
    if engine == "compiled" and device.type == "cpu":
        check_compiler()
    is_other = isinstance(network, nn.Module) and not isinstance(network, EfficientNet)
    if engine in ("optimised", *CPU_ENGINES) and (is_other or isinstance(network, type)):
        raise ValueError(
            f'engine="{engine}" runs EfficientNets of this library alone; "torch" and "compiled" run others.'
        )
    if engine not in CPU_ENGINES:
        return
    if precision != "fp32" or device.type != "cpu":
        raise ValueError(f'engine="{engine}" runs in fp32 on the CPU; this is {precision} on {device}.')
    if not is_installed(engine):
        raise ModuleNotFoundError(
            f'engine="{engine}" needs {engine}; install it with: pip install "effnet-edu[engines]"'
        )


def in_engine(engine: str, network: nn.Module, shape: tuple[int, ...]) -> Runner:
    """Return what runs a network's batches of one shape in an engine that `check_engine` let pass.

    Args:
        engine: One of `ENGINES`.
        network: In evaluation mode; it stays as it is.
        shape: Of the input, (N, C, H, W); the sides are equal.

    Raises:
        ValueError: The network was changed, or optimised before, and the engine needs it as its spec says.
    """
    if engine == "torch":
        return network
    if engine == "compiled":
        return torch.compile(network, dynamic=False)
    assert isinstance(network, EfficientNet)  # noqa: S101 - check_engine refused others
    if engine == "optimised":
        return optimize_for_inference(network)
    graph = graph_with_weights(network, side=shape[-1], batch_size=shape[0])
    return {"onnxruntime": onnxruntime_runner, "openvino": _in_openvino}[engine](graph)


def onnxruntime_runner(graph: bytes) -> Runner:
    """Return what runs an ONNX graph on the CPU with as many threads as torch has.

    Args:
        graph: A file's content, with one input `images`.
    """
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"images": images.numpy()})[0])

    return run


def _in_openvino(graph: bytes) -> Runner:
    run = _on_the_cpu(import_module("openvino").Core().read_model(graph))
    return lambda images: run(images)[0]


def module_in_openvino(module: nn.Module, inputs: tuple[Tensor, ...]) -> Callable[..., tuple[Tensor, ...]]:
    """Return what runs any module in OpenVINO, for inputs of these shapes, and answers with all its tensors.

    The module is traced: what it decides by the numbers in its input stays decided as for these inputs.

    Args:
        module: In evaluation mode; a copy of it is traced.
        inputs: What it is called with, on the CPU.

    Raises:
        ValueError: OpenVINO cannot read it.
    """
    openvino = import_module("openvino")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing names every number that becomes a constant
        try:
            shapes = [list(x.shape) for x in inputs]
            model = openvino.convert_model(copy.deepcopy(module), example_input=inputs, input=shapes)
        except Exception as error:  # its own classes, and whatever the module's code raises when traced
            raise ValueError(f"OpenVINO cannot read it: {' '.join(str(error).split())[:160]}") from error
    return _on_the_cpu(model)


def _on_the_cpu(model: Any) -> Callable[..., tuple[Tensor, ...]]:
    # Without the second line it rounds to bf16 wherever the processor can, and says nothing.
    how = {
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = import_module("openvino").Core().compile_model(model, "CPU", how)

    def run(*inputs: Tensor) -> tuple[Tensor, ...]:
        found = compiled([x.numpy() for x in inputs])
        return tuple(torch.from_numpy(found[n].copy()) for n in range(len(found)))

    return run
