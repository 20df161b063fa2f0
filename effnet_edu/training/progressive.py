"""Progressive learning: small images and weak regularisation first, both stronger from stage to stage."""

from collections.abc import Sequence
from dataclasses import dataclass

from effnet_edu.ground.checks import choice, rate_below_one, real_number, whole_number


@dataclass(frozen=True)
class Stage:
    """What holds during one stage of a training.

    Attributes:
        side: Side of the training images in pixels.
        randaugment: Magnitude of RandAugment, 0 for none.
        mixup: alpha of mixup, 0 for none.
        cutmix: alpha of cutmix, 0 for none.
        dropout: Rate before the classifier; None for that of the recipe or network.

    Raises:
        ValueError: A field is outside its range.
    """

    side: int
    randaugment: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    dropout: float | None = None

    def __post_init__(self) -> None:
        whole_number("side", self.side)
        real_number("randaugment", self.randaugment, 0, 29.999)
        real_number("mixup", self.mixup, 0, 1e3)
        real_number("cutmix", self.cutmix, 0, 1e3)
        if self.dropout is not None:
            rate_below_one("dropout", self.dropout)

    def __str__(self) -> str:
        dropout = "own" if self.dropout is None else f"{self.dropout:.3g}"
        return (
            f"{self.side} px, RandAugment {self.randaugment:.3g}, mixup {self.mixup:.3g}, "
            f"cutmix {self.cutmix:.3g}, dropout {dropout}"
        )


@dataclass(frozen=True)
class ProgressiveSchedule:
    """Stages of equal length, one row each; print it to read it.

    Attributes:
        stages: The rows, in order.
        source: Where they come from.

    Raises:
        ValueError: There is no stage.
    """

    stages: tuple[Stage, ...]
    source: str

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("A progressive schedule has no stages; it needs one or more.")

    def stage(self, epoch: int, epochs: int) -> Stage:
        """Return the stage of an epoch; stages are as equal in length as whole epochs allow.

        Args:
            epoch: From 0 to below `epochs`.
            epochs: Length of the training.
        """
        return self.stages[epoch * len(self.stages) // epochs]

    def __str__(self) -> str:
        rows = [f"  stage {number}: {stage}" for number, stage in enumerate(self.stages, 1)]
        return "\n".join([self.source, *rows])

    @classmethod
    def linear(
        cls,
        first: Stage,
        last: Stage,
        count: int = 4,
        multiple: int = 1,
        source: str = "linear from the first to the last stage",
    ) -> "ProgressiveSchedule":
        """Return stages in which everything changes in equal steps, as in the paper's algorithm 1.

        Args:
            first: The first stage.
            last: The last stage. Both have a dropout, or neither.
            count: How many stages, 2 or more.
            multiple: Sides in between are rounded to a multiple of this.
            source: Where the schedule comes from.

        Raises:
            ValueError: There are fewer than 2 stages, or one end has a dropout and the other has none.

        Source: arXiv:2104.00298v3, algorithm 1.
        """
        whole_number("count", count, 2)
        whole_number("multiple", multiple)
        if (first.dropout is None) != (last.dropout is None):
            raise ValueError("One end of the schedule has a dropout; give one to both ends, or to neither.")

        def between(start: float, end: float) -> list[float]:
            return [start + (end - start) * index / (count - 1) for index in range(count)]

        return _schedule(
            [_nearest(side, multiple) for side in between(first.side, last.side)],
            between(first.randaugment, last.randaugment),
            between(first.mixup, last.mixup),
            between(first.cutmix, last.cutmix),
            None if first.dropout is None or last.dropout is None else between(first.dropout, last.dropout),
            source,
        )

    @classmethod
    def efficientnet_v2(cls, size: str = "s", variant: str = "released") -> "ProgressiveSchedule":
        """Return the schedule of EfficientNetV2; the paper and the authors' code disagree about it.

        The paper starts at 128 pixels and lets dropout grow. The code starts a quarter of the way up (171
        pixels for S), keeps dropout constant, adds cutmix, and uses weaker RandAugment. Magnitudes are the
        authors' numbers; their scale calls 10 what kornia calls 30, so the same number is gentler here.

        Args:
            size: `"s"`, `"m"` or `"l"`.
            variant: `"released"` or `"paper"`.

        Raises:
            ValueError: There is no such size or variant.

        Source: arXiv:2104.00298v3, table 6; google/automl efficientnetv2, effnetv2_configs.py and main.py at
            6a54c87.
        """
        choice("size", size, tuple(_PAPER))
        if choice("variant", variant, ("released", "paper")) == "paper":
            return cls.linear(*_PAPER[size], source=f"V2-{size.upper()}, arXiv:2104.00298v3, table 6")
        side, randaugment, mix, dropout = _RELEASED[size]
        quarters = [index / (_STAGES - 1) for index in range(_STAGES)]
        return _schedule(
            [int(_FIRST_SIDE + (side - _FIRST_SIDE) * (index + 1) / _STAGES) for index in range(_STAGES)],
            [5 + (randaugment - 5) * share for share in quarters],
            [mix * share for share in quarters],
            [mix * share for share in quarters],
            [dropout] * _STAGES,
            f"V2-{size.upper()}, google/automl efficientnetv2 at 6a54c87",
        )

    def scaled_to(self, side: int, multiple: int = 8) -> "ProgressiveSchedule":
        """Return the same schedule for small images: sides in proportion, all else as it is.

        Args:
            side: Side of the last stage in pixels.
            multiple: Sides are rounded to a multiple of this, and never to 0.
        """
        whole_number("side", side)
        largest = self.stages[-1].side
        stages = tuple(
            Stage(
                side if stage.side == largest else _nearest(stage.side * side / largest, multiple),
                stage.randaugment,
                stage.mixup,
                stage.cutmix,
                stage.dropout,
            )
            for stage in self.stages
        )
        return ProgressiveSchedule(stages, f"{self.source}, scaled to {side} px")

    def without_adaptive_regularisation(self) -> "ProgressiveSchedule":
        """Return the schedule with growing images and the last stage's regularisation throughout."""
        last = self.stages[-1]
        stages = tuple(
            Stage(row.side, last.randaugment, last.mixup, last.cutmix, last.dropout) for row in self.stages
        )
        return ProgressiveSchedule(stages, f"{self.source}, regularisation constant")


_STAGES, _FIRST_SIDE = 4, 128

# size: (first stage, last stage), as table 6 of the paper prints them.
_PAPER = {
    "s": (Stage(128, 5, 0, 0, 0.1), Stage(300, 15, 0, 0, 0.3)),
    "m": (Stage(128, 5, 0, 0, 0.1), Stage(380, 20, 0.2, 0, 0.4)),
    "l": (Stage(128, 5, 0, 0, 0.1), Stage(380, 25, 0.4, 0, 0.5)),
}
# size: (side, RandAugment, alpha of mixup and cutmix, dropout) of the last stage, as in effnetv2_configs.py.
_RELEASED = {"s": (300, 10, 0.0, 0.2), "m": (384, 15, 0.2, 0.3), "l": (384, 20, 0.5, 0.4)}


def _nearest(side: float, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)


def _schedule(
    sides: Sequence[int],
    randaugment: Sequence[float],
    mixup: Sequence[float],
    cutmix: Sequence[float],
    dropout: Sequence[float] | None,
    source: str,
) -> ProgressiveSchedule:
    dropouts: Sequence[float | None] = dropout or [None] * len(sides)
    rows = zip(sides, randaugment, mixup, cutmix, dropouts, strict=True)
    return ProgressiveSchedule(tuple(Stage(*row) for row in rows), source)
