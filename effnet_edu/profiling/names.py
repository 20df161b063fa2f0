"""What can be chosen in a measurement, known without torch: precisions with their bytes, peers, engines."""

from collections.abc import Mapping

#: Bytes of one number, of each type in `workload.PRECISIONS`.
PRECISION_BYTES: Mapping[str, int] = {"fp32": 4, "bf16": 2, "fp16": 2}
#: Networks of other papers, as in `peers.PEERS`.
PEER_NAMES = ("resnet50", "convnext_tiny")
#: Packages of their own that run a graph, on the CPU and in fp32.
CPU_ENGINES = ("onnxruntime", "openvino")
#: What runs a network, each with what it is.
ENGINES: Mapping[str, str] = {
    "torch": "torch, operation by operation",
    "optimised": "optimize_for_inference",
    "compiled": "torch.compile",
    "onnxruntime": "ONNX Runtime on the CPU",
    "openvino": "OpenVINO on the CPU",
}
