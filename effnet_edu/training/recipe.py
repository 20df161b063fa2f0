"""How a network is trained, as data: one frozen recipe, and the recipes of the two papers."""

from dataclasses import dataclass, replace
from typing import Literal

from effnet_edu.ground.checks import choice, quoted, rate_below_one, real_number, whole_number
from effnet_edu.training.progressive import ProgressiveSchedule, Stage

Optimizer = Literal["sgd", "adamw", "rmsprop"]
Decay = Literal["cosine", "exponential"]
Precision = Literal["fp32", "bf16", "fp16"]
OPTIMIZERS: tuple[str, ...] = ("sgd", "adamw", "rmsprop")
DECAYS: tuple[str, ...] = ("cosine", "exponential")
PRECISIONS: tuple[str, ...] = ("fp32", "bf16", "fp16")

#: Batch size that `base_learning_rate` is for.
BASE_BATCH_SIZE = 256
#: kornia counts magnitudes of RandAugment from 0 to below this; the released code of V2 counts to 10.
RANDAUGMENT_LIMIT = 30


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the network, the images and the seed.

    The defaults are for small images (28 to 64 pixels) and small networks: a run of minutes on a CPU.

    Attributes:
        epochs: Passes over the training images, 1 or more.
        batch_size: Images in one step of the optimizer, over all processes.
        accumulation: In how many parts a process takes its share of a batch; gradients are added up, so
            that a batch may be larger than memory. Batch norm sees one part at a time.
        optimizer: `"sgd"` (with Nesterov's momentum), `"adamw"` or `"rmsprop"`.
        base_learning_rate: Highest learning rate for a batch of 256. It grows linearly with the batch:
            `learning_rate` is the one that is used.
        momentum: Of `"sgd"` and `"rmsprop"`, 0 to below 1.
        weight_decay: On the weights of convolutions and of the classifier alone; biases and batch norm have
            none. Added to the gradient (an L2 penalty), but for `"adamw"`, which shrinks the weights itself.
        warmup_epochs: Epochs in which the learning rate rises from 0, at each step.
        decay: After that, `"cosine"` goes to 0 at the end, `"exponential"` multiplies by `decay_rate` every
            `decay_epochs`.
        decay_rate: Factor of the exponential decay, above 0 to 1.
        decay_epochs: Epochs between two such factors.
        label_smoothing: Share of each target that is spread over all classes, 0 to 1.
        ema_decay: Decay of the moving average of the weights (0 to below 1), or None for no average. As in
            the released code it starts low: update t uses min(decay, (1 + t) / (10 + t)).
        precision: `"fp32"`, or `"bf16"` or `"fp16"` in the parts that can take it (autocast).
        clip_norm: Longest gradient that is allowed, by its L2 norm over all weights; None for any.
        norm_momentum: Weight of the newest batch in the running statistics of batch norm; None for the
            network's own, which for V1 (0.01) is too slow for runs of a few hundred steps.
        dropout: Rate before the classifier; None for the network's own.
        drop_path_rate: Stochastic depth after the last block; None for the network's own.
        flip: Probability that an image is mirrored left to right.
        min_crop_area: Smallest share of an image that a random crop keeps; 1 for no crop.
        randaugment: Magnitude of RandAugment's two operations, on kornia's scale from 0 (none) to below 30.
        mixup: alpha of mixup: the share of the second image is drawn from Beta(alpha, alpha); 0 for none.
        cutmix: alpha of cutmix; 0 for none. Where both are above 0, each batch gets one of the two.
        progressive: How image size and regularisation grow in the run; None for constant ones.

    Raises:
        ValueError: A field is outside its range.

    Sources: Goyal et al., arXiv:1706.02677, section 2.1 (linear scaling of the learning rate); He et al.,
        arXiv:1812.01187, section 3.1 (no weight decay on biases and batch norm).
    """

    epochs: int = 10
    batch_size: int = 64
    accumulation: int = 1
    optimizer: Optimizer = "sgd"
    base_learning_rate: float = 0.4
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: float = 1.0
    decay: Decay = "cosine"
    decay_rate: float = 0.97
    decay_epochs: float = 2.4
    label_smoothing: float = 0.1
    ema_decay: float | None = 0.99
    precision: Precision = "fp32"
    clip_norm: float | None = None
    norm_momentum: float | None = 0.1
    dropout: float | None = None
    drop_path_rate: float | None = None
    flip: float = 0.0
    min_crop_area: float = 1.0
    randaugment: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    progressive: ProgressiveSchedule | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulation"):
            whole_number(name, getattr(self, name))
        choice("optimizer", self.optimizer, OPTIMIZERS)
        choice("decay", self.decay, DECAYS)
        choice("precision", self.precision, PRECISIONS)
        for name, lowest, highest in _RANGES:
            value = getattr(self, name)
            if value is not None:
                real_number(name, value, lowest, highest)
        for name in ("momentum", "ema_decay", "dropout", "drop_path_rate"):
            if getattr(self, name) is not None:
                rate_below_one(name, getattr(self, name))
        if self.randaugment >= RANDAUGMENT_LIMIT:
            raise ValueError(
                f"randaugment is {quoted(self.randaugment)}; it must be a number from 0 to below 30."
            )
        if self.progressive is not None and self.epochs < len(self.progressive.stages):
            raise ValueError(
                f"epochs is {self.epochs}; a progressive schedule of {len(self.progressive.stages)} stages "
                "needs one epoch a stage or more."
            )

    @property
    def layer_decay(self) -> float:
        """Factor of the learning rate from each layer to the one before it; `FineTuning` sets another."""
        return 1.0

    @property
    def balanced(self) -> bool:
        """Whether classes weigh the same in the loss, however many images they have; `FineTuning` sets it."""
        return False

    @property
    def patience(self) -> int | None:
        """Epochs without a lower test loss after which training ends; `FineTuning` sets a number."""
        return None

    @property
    def learning_rate(self) -> float:
        """The highest learning rate: `base_learning_rate`, scaled linearly with the batch size."""
        return self.base_learning_rate * self.batch_size / BASE_BATCH_SIZE

    def stage(self, epoch: int, side: int, dropout: float) -> Stage:
        """Return image size and regularisation in one epoch.

        Args:
            epoch: From 0 to below `epochs`.
            side: Side of the images in pixels where there is no schedule.
            dropout: Rate before the classifier where neither recipe nor schedule has one.
        """
        fixed = Stage(
            side=side,
            randaugment=self.randaugment,
            mixup=self.mixup,
            cutmix=self.cutmix,
            dropout=dropout if self.dropout is None else self.dropout,
        )
        if self.progressive is None:
            return fixed
        stage = self.progressive.stage(epoch, self.epochs)
        return stage if stage.dropout is not None else replace(stage, dropout=fixed.dropout)

    @classmethod
    def efficientnet_v1(cls) -> "Recipe":
        """Return the recipe of EfficientNet for ImageNet: B0 to B7, with the network's own dropout.

        Two things are not the paper's: RandAugment stands in for AutoAugment, and RMSprop is torch's, made to
        start and divide as TensorFlow's does (see `effnet_edu.training.optimizers`). The paper's rate of
        0.256 is the code's 0.016 for each 256 images of a batch of 4096; by default the code has 2048.

        Source: arXiv:1905.11946v5, section 5.2; batch size, epochs, warm-up, moving average, label smoothing
            and crops from tensorflow/tpu efficientnet (main.py, utils.py, preprocessing.py).
        """
        return cls(
            epochs=350,
            batch_size=4096,
            optimizer="rmsprop",
            base_learning_rate=0.016,
            momentum=0.9,
            weight_decay=1e-5,
            warmup_epochs=5,
            decay="exponential",
            decay_rate=0.97,
            decay_epochs=2.4,
            label_smoothing=0.1,
            ema_decay=0.9999,
            norm_momentum=None,
            flip=0.5,
            min_crop_area=0.08,
            randaugment=9,
        )

    @classmethod
    def efficientnet_v2(cls, size: str = "s", variant: str = "released") -> "Recipe":
        """Return the recipe of EfficientNetV2 for ImageNet, with its progressive schedule.

        Args:
            size: `"s"`, `"m"` or `"l"`.
            variant: `"released"` for the schedule of the authors' code, `"paper"` for the printed one.

        Raises:
            ValueError: There is no such size or variant.

        Source: arXiv:2104.00298v3, section 5.1 and table 6; google/automl efficientnetv2 at 6a54c87.
        """
        return replace(
            cls.efficientnet_v1(),
            randaugment=0,
            progressive=ProgressiveSchedule.efficientnet_v2(size, variant),
        )


@dataclass(frozen=True)
class FineTuning(Recipe):
    """How a trained network goes on with few images of other classes: other defaults, and three fields more.

    Attributes:
        layer_decay: The classifier learns at the full rate; head, last stage and so on down to the stem each
            at this factor of the rate above it, above 0 to 1. The first layers fit any picture already.
        balanced: Whether each class weighs the same in the loss, however many images it has.
        patience: Epochs without a lower test loss after which training ends, 1 or more; the weights of the
            epoch with the lowest one are kept. None for the weights after the last epoch.

    Raises:
        ValueError: A field is outside its range.

    Source: Howard and Ruder, arXiv:1801.06146, section 3.2, for rates by layer.
    """

    epochs: int = 3
    batch_size: int = 16
    optimizer: Optimizer = "adamw"
    base_learning_rate: float = 5e-3
    weight_decay: float = 0.05
    norm_momentum: float | None = None
    flip: float = 0.5
    min_crop_area: float = 0.5
    layer_decay: float = 0.7
    balanced: bool = True
    patience: int | None = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        real_number("layer_decay", self.layer_decay, 1e-3, 1)
        if self.patience is not None:
            whole_number("patience", self.patience)


_RANGES = (
    ("base_learning_rate", 0, 1e6),
    ("weight_decay", 0, 1e6),
    ("warmup_epochs", 0, 1e6),
    ("decay_rate", 1e-6, 1),
    ("decay_epochs", 1e-6, 1e6),
    ("label_smoothing", 0, 1),
    ("clip_norm", 1e-12, 1e12),
    ("norm_momentum", 0, 1),
    ("flip", 0, 1),
    ("min_crop_area", 0.01, 1),
    ("randaugment", 0, RANDAUGMENT_LIMIT),
    ("mixup", 0, 1e3),
    ("cutmix", 0, 1e3),
)
