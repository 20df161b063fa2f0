import inspect
import math
from statistics import fmean

import effnet_edu as ee
from effnet_edu.ground.onnxruntime_web import PACKAGE_BYTES
from effnet_edu.studies.pretrained import findings as pretrained
from effnet_edu.studies.quantisation import findings
from effnet_edu.studies.statistics import paired_ratio
from effnet_edu.training.share import wilson_interval

LITE0 = ee.spec("efficientnet_lite0")
HELD_OUT = inspect.signature(ee.fine_tune).parameters["held_out"].default
STUDY = ee.studies.read("quantisation")
PRETRAINED = ee.studies.read("pretrained")


def _eight_of_eight() -> bool:
    arms = findings.arms(STUDY)
    return len(arms) == 8 and all(arm.changes[8].lies_within(findings.BOUND) for arm in arms)


def _two_thirds_to_nearly_all() -> bool:
    """The answer to the first question of the quiz."""
    low, high = wilson_interval(11, 12)
    return abs(low - 2 / 3) < 0.03 and high > 0.98


def _price_of_all_layers() -> float:
    seconds = [PRETRAINED.values("processor_seconds", way=way, pictures=100) for way in ("all", "frozen")]
    return paired_ratio(*seconds).mean


def _all_layers_lead() -> bool:
    """With 100 pictures the frozen network does not lead any more, and all layers lead both."""
    over = [pretrained.gains(PRETRAINED, "all", other)[100] for other in ("frozen", "scratch")]
    left = pretrained.gains(PRETRAINED, "frozen", "scratch")[100]
    return not (left.decides_sign and left.mean > 0) and min(one.low for one in over) > 0


def _times_the_noise_of_silu():
    decibels = {name: fmean(STUDY.values("snr_int8_channel", activation=name)) for name in ("relu6", "silu")}
    return 10 ** ((decibels["relu6"] - decibels["silu"]) / 10)


FACTS = {
    "EfficientNet-Lite0 knows the 1000 classes of ImageNet": lambda: [
        ee.create(LITE0.name, device="meta").num_classes
    ],
    "Lite0 turns a picture into 1280 numbers, and its last layer turns these into 1000 logits": lambda: [
        LITE0.head_channels,
        ee.create(LITE0.name, device="meta").num_classes,
    ],
    "the 1280 numbers describe": lambda: [LITE0.head_channels],
    "With 10 pictures of each, Lite0 frozen is 14 points ahead": lambda: [
        10,
        100 * pretrained.gains(PRETRAINED, "frozen", "scratch")[10].mean,
    ],
    "With 100 that lead is gone, and training all layers beats both": _all_layers_lead,
    "at 18 times the cost of the classifier": lambda: [_price_of_all_layers()],
    "Move the slider to 1, 3, 10 and 30": lambda: [1, 3, 10, 30],
    "each stage before it at 0.7 times the rate of the next": lambda: [ee.FineTuning().layer_decay],
    "After two epochs without a lower loss on the held-out pictures": lambda: ee.FineTuning().patience == 2,
    "the same regression on 768 plain pixels": lambda: [3 * 16**2],
    "you took 40 scenes, three times each, and then hold out a random fifth of the 120 pictures": lambda: [
        40,
        3 * 40,
    ],
    "of our drawn pictures that map has only 3 x 3 places": lambda: (
        [math.ceil(96 / LITE0.reductions[-1])] * 2
    ),
    "an engine for browsers (33 MB)": lambda: [PACKAGE_BYTES / 1e6],
    "Whether gates add noise is not decided": lambda: not findings.noise_effects(STUDY)["gate"].decides_sign,
    "all 8 cases stay within half a point": _eight_of_eight,
    "SiLU makes the noise 2.9 times as strong": lambda: [_times_the_noise_of_silu()],
    "In 5 bits SiLU costs 2.3 points": lambda: [
        5,
        -100 * findings.change_effects(STUDY, 5)["activation"].mean,
    ],
    "Five questions. Choose": lambda: (
        len(ee.exercises.quiz_of("08_your_own_photographs").questions) == 5 and _two_thirds_to_nearly_all()
    ),
}
CHOICES = {
    "10": "pictures of each class to learn from",
    "30": "photographs of each class, which are enough to begin with",
    "32": "bits of a float",
    "95": "percent of an interval",
    "256": "numbers that eight bits hold",
    "120": "examples that the course draws",
    "40": "scenes",
}
