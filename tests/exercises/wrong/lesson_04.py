SETUP = """
class Gate(nn.Module):
    def __init__(self, channels, squeeze_channels, bias=True, activation=F.silu):
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeeze_channels, 1, bias=bias)
        self.restore = nn.Conv2d(squeeze_channels, channels, 1, bias=bias)
        self.activation = activation

    def gates(self, x):
        squeezed = x.mean((2, 3), keepdim=True)
        return torch.sigmoid(self.restore(self.activation(self.reduce(squeezed))))

    def forward(self, x):
        return x * self.gates(x)


def changed(**methods):
    return type("Changed", (Gate,), methods)
"""

#: What wrong answers to class_share use, where there is no torch, too.
HELPERS = """
from statistics import mean


def of_class(gates, labels):
    return {one: mean(g for g, other in zip(gates, labels) if other == one) for one in set(labels)}


def squares(gates):
    return sum((gate - mean(gates)) ** 2 for gate in gates)
"""
SETUP += HELPERS

WRONG = {
    "squeeze_excite_block": [
        ("lambda c, s: Gate(c, s, activation=F.relu)", "stands a ReLU"),
        ("lambda c, s: Gate(c, s, activation=lambda x: x)", "only one matrix"),
        ("lambda c, s: Gate(c, s, activation=torch.sigmoid)", "stands a sigmoid"),
        ("changed(forward=lambda self, x: x + x * self.gates(x))", "no shortcut of its own"),
        (
            "changed(forward=lambda self, x: x * torch.sigmoid(self.restore(F.silu(self.reduce(x.mean())))))",
            "A mean without axes",
        ),
        ("lambda c, s: Gate(c, s, bias=False)", "lack their bias"),
        ("lambda c, s: Gate(c, c // 4)", "parameters"),
        ("lambda c, s: Gate(s, c)", "swapped"),
        (
            "changed(forward=lambda self, x: x * torch.sigmoid("
            "self.restore(F.silu(self.reduce(x.mean((2, 3)))))))",
            "a convolution does not read",
        ),
        (
            "changed(forward=lambda self, x: x * self.gates(x)[:, :, 0, 0])",
            "`gates[:, :, None, None]` adds them",
        ),
        (
            "changed(forward=lambda self, x: x * torch.sigmoid("
            "self.restore(F.silu(self.reduce(x.mean(1, keepdim=True))))))",
            "runs over the channels",
        ),
        ("lambda c, s: Gate(c, s).double()", "torch.float64 on the device 'cpu'"),
        ("lambda c, s: Gate(c, s).to('meta')", "on the device 'meta'"),
        ("changed(forward=lambda self, x: (x * self.gates(x)).double())", "returns torch.float64"),
        ("changed(forward=lambda self, x: (x * self.gates(x)).to('meta'))", "on the device 'meta'"),
        ("changed(forward=lambda self, x: x + self.gates(x))", "multiplies its channel"),
        ("changed(forward=lambda self, x: self.gates(x).expand_as(x))", "returns the gates"),
        ("changed(forward=lambda self, x: self.gates(x))", "returns the shape"),
        ("changed(forward=lambda self, x: x.mul_(self.gates(x.clone())))", "in place"),
        ("changed(forward=lambda self, x: x * self.gates(x.flatten(2)))", "IndexError"),
        ("ee.SqueezeExcitation", "stops with TypeError"),
        ("lambda c, s: ee.SqueezeExcitation(c, s, 'silu')", "the library's own"),
        ("Gate(8, 2)", "wants the class itself"),
    ],
    "widest_squeeze": [
        ("lambda c_mid, budget: budget // (2 * c_mid)", "biases are missing"),
        ("lambda c_mid, budget: budget // (2 * c_mid + 1)", "subtract them first"),
        ("lambda c_mid, budget: round((budget - c_mid) / (2 * c_mid + 1))", "then round down"),
        ("lambda c_mid, budget: max(0, (budget - c_mid) // (2 * c_mid))", "has a bias, too"),
        ("lambda c_mid, budget: (budget - c_mid) // (2 * c_mid + 1)", "a width below 0"),
        ("lambda c_mid, budget: budget // (c_mid + 1)", "first convolution alone"),
        ("lambda c_mid, budget: max(0, (budget - 3 * c_mid) // (2 * c_mid + 3))", "batch norm"),
        ("lambda c_mid, budget: max(0, (budget - c_mid) / (2 * c_mid + 1))", "only a whole number"),
        ("lambda c_mid, budget: c_mid // 4", "agrees on"),
    ],
    "extra_parameters": [
        ("ee.cost('efficientnet_b4').parameters", "less than that"),
        ("'12 thousand'", "more than that"),
        (
            "sum((2 * b.channels_hidden + 1) * (b.channels_hidden // 4 - b.squeeze_channels) "
            "for b in ee.resolve(ee.spec('efficientnet_b0')))",
            "what it adds to B0",
        ),
        (
            "sum(b.channels_hidden * (b.channels_hidden // 4 - b.squeeze_channels) "
            "for b in ee.resolve(ee.spec('efficientnet_b4')))",
            "half of it",
        ),
        (
            "sum(2 * b.channels_hidden * (b.channels_hidden // 4) "
            "for b in ee.resolve(ee.spec('efficientnet_b4')))",
            "Subtract what the right one has",
        ),
    ],
    "class_share": [
        (
            "lambda gates, labels: sum((of_class(gates, labels)[n] - mean(gates)) ** 2 for n in labels)"
            " / squares(gates) / len(gates)",
            "once too often",
        ),
        (
            "lambda gates, labels: 1 - sum((of_class(gates, labels)[n] - mean(gates)) ** 2 for n in labels)"
            " / squares(gates)",
            "share within the classes",
        ),
        (
            "lambda gates, labels: sum((one - mean(gates)) ** 2 for one in of_class(gates, labels).values())"
            " / squares(gates)",
            "counts each class once",
        ),
        (
            "lambda gates, labels: sum((of_class(gates, labels)[one] - mean(gates)) ** 2 for one in labels)",
            "Divide by `total`",
        ),
        ("lambda gates, labels: 0.5", "is right"),
        ("lambda gates, labels: gates", "returns a list"),
    ],
}
