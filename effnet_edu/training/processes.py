"""Several processes that train one network: who takes part, and batch norm over all of them.

torchrun starts the processes and tells each its number in the environment. Each takes its share of every
batch; DistributedDataParallel averages the gradients. Batch norm uses the mean and variance of the whole
batch, so that the number of processes changes the time, and the random numbers of augmentation and dropout.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from effnet_edu.model.network import EfficientNet


@dataclass(frozen=True)
class Processes:
    """Who takes part in a training.

    Attributes:
        rank: Number of this process, from 0.
        count: How many there are.
    """

    rank: int = 0
    count: int = 1

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over all processes.

        Args:
            values: The same shape in every process.
        """
        if self.count > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def agree(self, here: bool, is_meeting: bool) -> bool:
        """Return whether something is so in any process; all return the same.

        Args:
            here: Whether it is so in this one, such as its clock or somebody who presses a key.
            is_meeting: Whether all processes are asked now, which takes time; if not, the answer is no. One
                process alone answers at once.
        """
        if self.count == 1:
            return here
        if not is_meeting:
            return False
        found: list[bool | None] = [None] * self.count
        dist.all_gather_object(found, here)
        return True in found

    def check_equal(self, name: str, value: int) -> None:
        """Raise unless a number is the same in all processes.

        Args:
            name: What it is.
            value: The number here.

        Raises:
            ValueError: It is not.
        """
        if self.count == 1:
            return
        found: list[int | None] = [None] * self.count
        dist.all_gather_object(found, value)
        if len(set(found)) > 1:
            raise ValueError(
                f"The processes found the {name}s {found}; the folder must be one that all of them see."
            )

    def share(self, batch: Tensor) -> Tensor:  # (N,) -> (N / count,)
        """Return what of a batch this process takes.

        Args:
            batch: Indices of images.  # (N,)
        """
        return batch.tensor_split(self.count)[self.rank]


@contextmanager
def joined(device: torch.device) -> Iterator[tuple[Processes, torch.device]]:
    """Join the processes that torchrun started; yield who takes part and the device of this one.

    Args:
        device: Type of device; processes on one machine get one accelerator each.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if dist.is_initialized():  # somebody joined before, and will leave after
        yield Processes(dist.get_rank(), dist.get_world_size()), _own(device)
    elif count == 1:
        yield Processes(), device
    else:
        own = _own(device)
        dist.init_process_group(dist.get_default_backend_for_device(own))
        try:
            yield Processes(dist.get_rank(), count), own
        finally:
            dist.destroy_process_group()


def _own(device: torch.device) -> torch.device:
    if device.type == "cpu":
        return device
    own = torch.device(device.type, int(os.environ.get("LOCAL_RANK", "0")))
    torch.accelerator.set_device_index(own.index)
    return own


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm with the mean and variance of all processes' images, where torch has none: on a CPU.

    torch.nn.SyncBatchNorm does the same on accelerators, faster.
    """

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
        """Normalise by the statistics of the whole batch in training, by the running ones in evaluation."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(x)
        count = dist.get_world_size()
        mean = _sum(x.mean((0, 2, 3), keepdim=True)) / count  # (1, C, 1, 1)
        variance = _sum((x - mean).square().mean((0, 2, 3), keepdim=True)) / count
        values = count * x.numel() // x.shape[1]
        with torch.no_grad():
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
            self.running_mean.lerp_(mean.flatten(), self.momentum or 0.0)
            self.running_var.lerp_(variance.flatten() * values / (values - 1), self.momentum or 0.0)
        scale = self.weight[:, None, None] * (variance + self.eps).rsqrt()
        return (x - mean) * scale + self.bias[:, None, None]


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        values = values.clone()
        dist.all_reduce(values)
        return values

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        return _Sum.forward(_context, gradient)


def _sum(values: Tensor) -> Tensor:
    result: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return result


def shared(network: EfficientNet, processes: Processes) -> nn.Module:
    """Return what to call in a training step: the network itself, or one whose gradients are averaged.

    The batch norms of the network are replaced in place; its weights keep their names.

    Args:
        network: The network on its device.
        processes: Who takes part.
    """
    if processes.count == 1:
        return network
    own = network.device
    if own.type == "cpu":
        _share_batch_norms(network)
        return nn.parallel.DistributedDataParallel(network)
    nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return nn.parallel.DistributedDataParallel(network, [own.index])


def _share_batch_norms(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child) is nn.BatchNorm2d:
            norm = SharedBatchNorm(child.num_features, child.eps, child.momentum, device="meta")
            for own, tensor in (*child.named_parameters(), *child.named_buffers()):
                setattr(norm, own, tensor)
            setattr(module, name, norm)
        else:
            _share_batch_norms(child)
