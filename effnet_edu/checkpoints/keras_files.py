"""Tensors out of the two kinds of HDF5 files that Keras writes."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_hdf5(path: Path, max_bytes: int) -> dict[str, Tensor]:
    """Return the tensors of a Keras file of weights, with the axes as Keras stores them.

    In the legacy format a key is layer/variable, without the suffix `:0` and with `kernel` for
    `depthwise_kernel`; in `.weights.h5` it is the path in the file, as in `layers/conv2d_1/vars/0`.

    Args:
        path: The file.
        max_bytes: The largest size that all tensors together may take.

    Raises:
        ModuleNotFoundError: h5py is not installed.
        ValueError: A tensor is too large, or its values are outside the file.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{path} is a Keras file, and h5py, which reads it, is not installed; "
            "install it with: pip install 'effnet-edu[keras]'"
        ) from None
    tensors: dict[str, Tensor] = {}
    total = 0

    def read(name: str, item: Any) -> None:
        nonlocal total
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fi":
            return
        if item.is_virtual or item.external:
            raise ValueError(f"{name!r} in {path} takes its values from outside the file.")
        total += item.nbytes
        if total > max_bytes:
            raise ValueError(
                f"{path} announces more than the {max_bytes:,} bytes that these weights can have."
            )
        key = _key(name)
        if key in tensors:
            raise ValueError(f"{path} holds {key!r} twice.")
        tensors[key] = torch.from_numpy(np.array(item[()]))

    with h5py.File(path, "r") as file:
        file.visititems(read)  # hard links alone: it never leaves the file and meets each object once
    return tensors


def _key(name: str) -> str:
    layer, *_, variable = name.split("/")
    if layer == "layers":
        return name
    variable = variable.partition(":")[0]
    return f"{layer}/{'kernel' if variable == 'depthwise_kernel' else variable}"
