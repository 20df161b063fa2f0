"""The small trained network, stopped at the gates of one block and run on with any others."""

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import torch
from torch import Tensor

from effnet_edu.images.glyphs import glyphs
from effnet_edu.labs.squeeze_excite.numbers import EXAMPLES
from effnet_edu.labs.squeeze_excite.recorded_gates import ClassGates, recorded_gates
from effnet_edu.model.blocks import MBConv
from effnet_edu.model.network import EfficientNet
from effnet_edu.profiling.threads import computing_with
from effnet_edu.studies.small_network.trained import trained_network
from effnet_edu.training.augmentation import to_floats

#: Maps this small are done by one thread before several are awake.
_THREADS = 1


@dataclass(frozen=True, eq=False)
class Halt:
    """One picture in front of the gates of a block.

    Attributes:
        before: What the block was given.  # (1, c_in, H, W)
        ungated: The map that the gates multiply.  # (1, c_mid, H, W)
        gates: The gates that the block computes from it.  # (c_mid,)
        logits: What the network answers with these.  # (num_classes,)
    """

    before: Tensor
    ungated: Tensor
    gates: Tensor
    logits: Tensor


@dataclass(frozen=True, eq=False)
class GatedNetwork:
    """The trained network of the study `small_network`, with what is known about it.

    Attributes:
        network: The network in evaluation mode, on the CPU.
        class_names: Its classes, in the order of its outputs.
        by_block: What the study kept of each block with gates, from the first to the last.
        tested: Over how many test pictures that was counted.
    """

    network: EfficientNet
    class_names: tuple[str, ...]
    by_block: dict[str, ClassGates]
    tested: int

    def channels(self, block: str) -> int:
        """Return how many gates a block has."""
        return len(self.by_block[block].means[0])

    def picture(self, label: int, example: int) -> Tensor:  # -> (3, side, side)
        """Return one of the test pictures that were drawn for the study, uint8."""
        return _pictures(self.class_names, self.network.spec.resolution)[
            label + example * len(self.class_names)
        ]

    def logit_range(self) -> tuple[float, float]:
        """Return the lowest and the highest logit that any of the pictures gets."""
        return _logit_range(self)

    @computing_with(_THREADS)
    @torch.inference_mode()
    def halt(self, picture: Tensor, block: str) -> Halt:
        """Run a picture up to the gates of a block."""
        x = self.network.stem(to_floats(picture[None]))
        for module in self._until(block):
            x = module(x)
        halting = self._block(block)
        ungated = halting.depthwise(x if halting.expand is None else halting.expand(x))
        assert halting.squeeze_excite is not None  # noqa: S101 - only such blocks are in by_block
        gates = halting.squeeze_excite.gate(ungated).flatten()
        return Halt(x, ungated, gates, self.logits(x, ungated, gates, block))

    @computing_with(_THREADS)
    @torch.inference_mode()
    def logits(self, before: Tensor, ungated: Tensor, gates: Tensor, block: str) -> Tensor:
        """Run on from the gates of a block to the end.

        Args:
            before: What the block was given.  # (1, c_in, H, W)
            ungated: The map in front of its gates.  # (1, c_mid, H, W)
            gates: Any gates, or several choices of them.  # (c_mid,) or (N, c_mid)
            block: Its name.

        Returns:
            The answer to each.  # (num_classes,) or (N, num_classes)
        """
        halted = self._block(block)
        x = halted.project(ungated * gates.view(-1, gates.shape[-1], 1, 1))
        if halted.has_shortcut:
            x = x + before
        for module in self._after(block):
            x = module(x)
        logits = self.network.logits_from_features(x)
        return logits if gates.ndim == 2 else logits[0]

    def has_shortcut(self, block: str) -> bool:
        """Return whether a block adds its input, which passes its gates by."""
        return self._block(block).has_shortcut

    @cached_property
    def _blocks(self) -> dict[str, MBConv]:
        return {name: module for name, module in self.network.named_modules() if isinstance(module, MBConv)}

    def _block(self, name: str) -> MBConv:
        return self._blocks[name]

    def _until(self, name: str) -> list[MBConv]:
        return list(self._blocks.values())[: list(self._blocks).index(name)]

    def _after(self, name: str) -> list[MBConv]:
        return list(self._blocks.values())[list(self._blocks).index(name) + 1 :]


@cache
def gated_network() -> GatedNetwork:
    """Return the trained network that comes with the course, read once."""
    network, class_names = trained_network()
    recorded = recorded_gates()
    return GatedNetwork(network, class_names, recorded.by_block, recorded.tested)


@lru_cache(maxsize=1)
def _pictures(class_names: tuple[str, ...], side: int) -> Tensor:  # -> (N, 3, side, side)
    return glyphs("test", EXAMPLES * len(class_names), side, "".join(class_names)).images


@lru_cache(maxsize=1)
@torch.inference_mode()
def _logit_range(known: GatedNetwork) -> tuple[float, float]:
    logits = known.network(to_floats(_pictures(known.class_names, known.network.spec.resolution)))
    return float(logits.min()), float(logits.max())
