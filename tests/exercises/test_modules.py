import pytest
import torch
from torch import nn
from torch.nn import functional

import effnet_edu as ee
from effnet_edu.exercises.modules import ModuleCheck
from effnet_edu.model.blocks import ConvNormAct, SqueezeExcitation

CONVENTIONS = ee.spec("efficientnet_b0").tensorflow


def right_gate(channels, squeeze_channels):
    return SqueezeExcitation(channels, squeeze_channels, "silu")


CHECK = ModuleCheck(
    reference=right_gate,
    cases=((24, 4), (40, 10)),
    arguments=("channels", "squeeze_channels"),
    shape=lambda channels, _: (2, channels, 5, 5),
    mistakes=(
        (lambda c, s: SqueezeExcitation(c, s, "relu6"), "It uses ReLU6 where SiLU belongs."),
        (lambda c, _: SqueezeExcitation(c, c // 4, "silu"), "Its width comes from the hidden width."),
    ),
    own=(SqueezeExcitation,),
)
NORM = ModuleCheck(
    reference=lambda c: ConvNormAct(c, c, CONVENTIONS, 3, 1, c, "silu"),
    cases=((8,),),
    arguments=("channels",),
    shape=lambda channels: (2, channels, 6, 6),
)


class Gate(nn.Module):
    """Right, with linear layers, other names, and defined in another order than used."""

    def __init__(self, channels, squeeze_channels):
        super().__init__()
        self.up = nn.Linear(squeeze_channels, channels)
        self.down = nn.Linear(channels, squeeze_channels)

    def gate(self, x):
        return torch.sigmoid(self.up(functional.silu(self.down(x.mean((2, 3))))))

    def forward(self, x):
        return x * self.gate(x)[..., None, None]


class Depthwise(nn.Module):
    eps = 1e-3

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=self.eps)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)

    def forward(self, x):
        return functional.silu(self.norm(self.conv(x)))


def test_names_order_of_definition_and_kind_of_layer_are_free():
    assert CHECK(Gate).state == "right"
    assert CHECK(lambda channels, squeeze_channels: Gate(channels, squeeze_channels)).state == "right"
    assert NORM(Depthwise).state == "right"


def variant(base, **methods):
    return type("Variant", (base,), methods)


def stop(self, x):
    raise RuntimeError("no such layer")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (
            variant(Gate, forward=lambda self, x: self.gate(x)[..., None, None]),
            "returns the shape (2, 24, 1, 1)",
        ),
        (variant(Gate, forward=lambda self, x: x + self.gate(x)[..., None, None]), "is off by up to"),
        (variant(Gate, forward=lambda self, x: x), "is off by up to"),
        (variant(Gate, forward=lambda self, x: None), "returns nothing"),
        (variant(Gate, forward=lambda self, x: [x]), "returns a list"),
        (
            variant(Gate, forward=stop),
            "input of shape (2, 24, 5, 5) it stops with RuntimeError: no such layer",
        ),
        (variant(Gate, forward=lambda self, x: x.mul_(self.gate(x)[..., None, None])), "in place"),
        (variant(Gate, __init__=lambda self, channels: None), "squeeze_channels=4 it stops with TypeError"),
        (
            variant(Gate, __init__=lambda self, c, s: Gate.__init__(self, c, 2 * s)),
            "not expected: `down.weight`",
        ),
        (lambda c, s: nn.Sequential(Gate(c, s), Gate(c, s)), "440 parameters; 220 are right"),
        (lambda c, s: nn.Identity(), "Missing: weights of shape (4, 24, 1, 1)"),
        (lambda c, s: nn.Sequential(SqueezeExcitation(c, s, "silu")), "library's own `SqueezeExcitation`"),
        (lambda c, s: 3, "builds a int"),
        (Gate(24, 4), "wants the class itself"),
        (int, "is no module"),
        (7, "wants the class itself"),
    ],
)
def test_wrong_modules_are_refused_with_their_cause(answer, cause):
    outcome = CHECK(answer)
    assert outcome.state == "wrong"
    assert cause.lower() in outcome.message.lower()


def test_likely_mistakes_are_recognised_even_with_other_shapes():
    for mistake, cause in CHECK.mistakes:
        assert CHECK(mistake).message == cause
    relu = variant(
        Gate, gate=lambda self, x: torch.sigmoid(self.up(functional.relu6(self.down(x.mean((2, 3))))))
    )
    assert CHECK(relu).message == CHECK.mistakes[0][1]
    hidden = variant(Gate, __init__=lambda self, channels, _: Gate.__init__(self, channels, channels // 4))
    assert CHECK(hidden).message == CHECK.mistakes[1][1]


def test_the_epsilon_of_batch_norm_is_named():
    assert "`eps` of its batch norms: it is 1e-05, and 0.001" in NORM(variant(Depthwise, eps=1e-5)).message


def test_what_differs_only_in_training_is_found():
    frozen = variant(Depthwise, train=lambda self, mode=True: nn.Module.train(self, False))
    assert "result in training" in NORM(frozen).message

    def cut(self, x):
        return Depthwise.forward(self, x.detach())

    assert "gradient in training" in NORM(variant(Depthwise, forward=cut)).message


def test_dots_anywhere_are_not_attempted():
    def without_layer(self, channels, squeeze_channels):
        Gate.__init__(self, channels, squeeze_channels)
        del self.up
        self.up = ...

    assert CHECK(...).state == "not attempted"
    assert "`self.up`" in CHECK(variant(Gate, __init__=without_layer)).message
    assert CHECK(variant(Gate, forward=lambda self, x: ...)).state == "not attempted"
    assert CHECK(variant(Gate, forward=lambda self, x: x * self.up(...))).state == "not attempted"
    assert CHECK(lambda c, s: nn.Sequential(...)).state == "not attempted"


class Flattering(torch.Tensor):
    """A tensor that is equal to everything."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.tensor(0.0)


def test_a_tensor_that_compares_itself_is_refused():
    flattering = variant(Gate, forward=lambda self, x: x.as_subclass(Flattering))
    assert "returns a Flattering" in CHECK(flattering).message


def test_a_check_leaves_random_numbers_and_the_answer_as_they_were():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    CHECK(Gate)
    assert torch.equal(torch.rand(2), expected)
