"""Tensors out of the HDF5 files that Keras writes: weights alone, or a whole model."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from effnet_edu.ground.checks import quoted

SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: Keras nests a network in a network in a model; the groups of a hostile file cost the square of their depth.
_DEEPEST, _MOST_OBJECTS = 16, 100_000


def read_hdf5(content: bytes, name: str, max_bytes: int) -> dict[str, Tensor]:
    """Return the tensors of a Keras file, with the axes as Keras stores them.

    In the legacy format a key is layer/variable, without the suffix `:0` and with `kernel` for
    `depthwise_kernel`; in `.weights.h5` it is the path in the file, as in `layers/conv2d_1/vars/0`.

    Raises:
        ModuleNotFoundError: h5py is not installed.
        ValueError: A tensor is too large, packed, or its values are outside the file.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{name} is a Keras file, and h5py, which reads it, is not installed; "
            "install it with: pip install 'effnet-edu[keras]'"
        ) from None
    tensors: dict[str, Tensor] = {}
    total = 0
    with h5py.File(io.BytesIO(content), "r") as file:
        for place, item in _datasets(file, h5py, name):
            if item.dtype.kind not in "fi":
                continue
            if item.is_virtual or item.external:
                raise ValueError(f"{quoted(place)} in {name} takes its values from outside the file.")
            # How far a chunk unpacks is known only afterwards, and Keras packs none.
            if item.id.get_create_plist().get_nfilters():
                raise ValueError(
                    f"{quoted(place)} in {name} is compressed, as Keras never does; use h5repack -f NONE."
                )
            total += item.nbytes
            if total > max_bytes:
                raise ValueError(
                    f"{name} announces more than the {max_bytes:,} bytes that these weights can have."
                )
            key = _key(place)
            if key in tensors:
                raise ValueError(f"{name} holds {quoted(key)} twice.")
            tensors[key] = torch.from_numpy(np.array(item[()]))
    return tensors


def _datasets(file: Any, h5py: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every dataset and its path, by hard links alone: it never leaves the file or meets one twice."""
    waiting, seen = [("", file, 0)], set()
    while waiting:
        path, group, depth = waiting.pop()
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                continue
            item, place = group[key], f"{path}{key}"
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if depth > _DEEPEST or len(seen) > _MOST_OBJECTS:
                raise ValueError(f"{name} holds more groups, or deeper ones, than Keras writes.")
            if isinstance(item, h5py.Dataset):
                yield place, item
            elif isinstance(item, h5py.Group):
                waiting.append((f"{place}/", item, depth + 1))


def _key(place: str) -> str:
    """Return layer/variable for a legacy path, to which a model adds `model_weights/`, a network its name."""
    parts = place.split("/")
    if "vars" in parts or len(parts) < 2:
        return place
    layer, variable = parts[-2], parts[-1].partition(":")[0]
    return f"{layer}/{'kernel' if variable == 'depthwise_kernel' else variable}"
