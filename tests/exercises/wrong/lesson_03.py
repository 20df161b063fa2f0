from tests.notebooks.book import LESSONS, code_cells, read

#: The lesson's own cell that defines what the exercises build on.
SETUP = next(
    cell.source for cell in code_cells(read(LESSONS / "03_mbconv.ipynb")) if cell.id == "strides-conv-norm"
)

_CLASS = """
class mbconv_block(nn.Module):
    def __init__(self, c_in, c_out, expansion, kernel, stride, squeeze_excite=None, activation=nn.SiLU):
        super().__init__()
        c_mid = c_in * expansion
        self.expand = ConvNorm(c_in, c_mid) if expansion > 1 else None
        self.depthwise = ConvNorm(c_mid, c_mid, kernel, stride, groups=c_mid)
        self.squeeze_excite, self.activation = squeeze_excite, activation()
        self.project = ConvNorm(c_mid, c_out)
        self.has_shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else self.activation(self.expand(x))
        y = self.activation(self.depthwise(y))
        y = y if self.squeeze_excite is None else self.squeeze_excite(y)
        y = self.project(y)
        return x + y if self.has_shortcut else y
"""


def _but(old: str, new: str) -> str:
    assert old in _CLASS
    return _CLASS.replace(old, new)


WRONG = {
    "channels_to_save": [
        ("lambda k, f: 0 if k * k < f else math.ceil(f * k * k / (k * k - f))", "stays below it"),
        (
            "lambda k, f: next((c for c in range(1, 10**4) if k * k * c > f * (k * k + c)), 0)",
            "adds one even where",
        ),
        ("lambda k, f: math.ceil(f * k * k / (k * k - f))", "It never returns 0"),
        ("lambda k, f: 0 if k * k <= f else f * k * k // (k * k - f)", "one channel too few"),
        ("lambda k, f: 0 if k * k <= f else f * k * k // (k * k - f) + 1", "adds one even where"),
        ("lambda k, f: 0 if k * k <= f else round(f * k * k / (k * k - f))", "rounds to the nearest"),
        ("lambda k, f: 0 if k <= f else math.ceil(f * k / (k - f))", "not `kernel`"),
        ("lambda k, f: f if k * k > f else 0", "leaves out the 1x1"),
        ("lambda k, f: 0 if k * k <= f else f * k * k / (k * k - f)", "only a whole number"),
        ("72", "wants the function itself"),
    ],
    "receptive_field": [
        ("lambda kernels, strides: 1 + sum(kernel - 1 for kernel in kernels)", "does not use the strides"),
        ("lambda kernels, strides: sum(kernels)", "agrees on"),
        (
            "def receptive_field(kernels, strides):\n"
            "    field, step = 1, 1\n"
            "    for kernel, stride in zip(kernels, strides):\n"
            "        step = step * stride\n"
            "        field = field + (kernel - 1) * step\n"
            "    return field",
            "before it is used",
        ),
        (
            "def receptive_field(kernels, strides):\n"
            "    field, step = 1, 1\n"
            "    for kernel, stride in zip(kernels, strides):\n"
            "        field = field + kernel * step\n"
            "        step = step * stride\n"
            "    return field",
            "adds the whole kernel",
        ),
        (
            "lambda kernels, strides: functools.reduce(\n"
            "    lambda field, layer: (field - 1) * layer[1] + layer[0], zip(kernels, strides), 1\n"
            ")",
            "from the last convolution to the first",
        ),
        (
            "def receptive_field(kernels, strides):\n"
            "    field, step = 1, 1\n"
            "    for kernel, stride in zip(kernels, strides):\n"
            "        field, step = field + (kernel - 1) * step, step + stride\n"
            "    return field",
            "adds the strides up",
        ),
        (
            "lambda kernels, strides: 1 + sum((k - 1) * s for k, s in zip(kernels, strides))",
            "by the stride of the layer itself",
        ),
        ("lambda kernels, strides: kernels", "returns a list"),
        (
            "def receptive_field(kernels, strides):\n"
            "    field, step = 1, 1\n"
            "    for kernel, stride in zip(kernels, strides):\n"
            "        field, step = field + kernel // 2 * step, step * stride\n"
            "    return field",
            "adds half a kernel",
        ),
    ],
    "mbconv_macs": [
        (
            "lambda i, o, e, k, s, n: (i * i * e * (e > 1) + k * k * i * e + i * e * o)"
            " * math.ceil(n / s) ** 2",
            "expansion after the stride",
        ),
        (
            "lambda i, o, e, k, s, n: (i * i * e * (e > 1) + k * k * i * e + i * e * o) * n ** 2",
            "The stride has no effect",
        ),
        (
            "lambda i, o, e, k, s, n: (i * i * e * (e > 1) + k * k * i * e) * n ** 2"
            " + i * e * o * math.ceil(n / s) ** 2",
            "depthwise convolution before the stride",
        ),
        (
            "lambda i, o, e, k, s, n: i * i * e * n ** 2 + (k * k * i * e + i * e * o)"
            " * math.ceil(n / s) ** 2",
            "With expansion 1 it counts",
        ),
        (
            "lambda i, o, e, k, s, n: i * i * e * (e > 1) * n ** 2"
            " + (k * k * (i * e) ** 2 + i * e * o) * math.ceil(n / s) ** 2",
            "middle convolution mixes channels",
        ),
        (
            "lambda i, o, e, k, s, n: i * i * e * (e > 1) * n ** 2"
            " + (k * k * i * e + i * e * o) * (n // s) ** 2",
            "rounds the side down",
        ),
        (
            "lambda i, o, e, k, s, n: i * i * e * (e > 1) * n ** 2"
            " + (k * k * i * e + i * e * o) * (n / s) ** 2",
            "is right. It agrees on",
        ),
        (
            "lambda i, o, e, k, s, n: i * i * e * (e > 1) * n"
            " + (k * k * i * e + i * e * o) * math.ceil(n / s)",
            "the pixels of one line",
        ),
        (
            "lambda i, o, e, k, s, n: (i * i * e + k * k * i * e) * n ** 2"
            " + i * e * o * math.ceil(n / s) ** 2",
            "it returns 8,341,760; 2,148,160 is right",
        ),
    ],
    "mbconv_block": [
        (_but("y = self.project(y)", "y = self.activation(self.project(y))"), "An activation follows"),
        (_but("self.activation(self.depthwise(y))", "self.depthwise(y)"), "No activation follows"),
        (_but("x + y if self.has_shortcut else y", "y"), "never adds the input"),
        (
            _but("y = y if self.squeeze_excite is None else self.squeeze_excite(y)", "pass"),
            "does not use `squeeze_excite`",
        ),
        (_but(", groups=c_mid", ""), "`depthwise.conv` mixes the channels"),
        (
            _but("ConvNorm(c_mid, c_mid, kernel", "nn.Conv2d(c_mid, c_mid, kernel").replace(
                "stride, groups", "stride, kernel // 2, groups"
            ),
            "A batch norm seems to be missing",
        ),
        (_but("c_mid = c_in * expansion", "c_mid = c_out * expansion"), "reads 96 channels and gets 144"),
        (_but("ConvNorm(c_mid, c_out)", "ConvNorm(c_out, c_mid)"), "`project.conv` reads 16 channels and"),
        (_but("kernel, stride, groups", "stride, kernel, groups"), "kernel 1 and stride 3"),
        (_but("stride == 1 and c_in == c_out", "True"), "to an output of another shape"),
        (_but("stride == 1 and c_in == c_out", "expansion > 1"), "to an output of another shape"),
        (_but(" if expansion > 1 else None", ""), "parameters"),
        (_but("stride == 1 and c_in == c_out", "stride == 1"), "The channels must agree as well"),
        (_but("stride == 1 and c_in == c_out", "c_in == c_out"), "The stride must be 1 as well"),
        (_but("kernel, stride, groups", "kernel, groups"), "The stride has no effect"),
        (
            _but("kernel, stride, groups", "kernel, groups").replace(
                "ConvNorm(c_mid, c_out)", "ConvNorm(c_mid, c_out, stride=stride)"
            ),
            "Its stride is on the projection",
        ),
        (_but("x + y if", "x * y if"), "is off by up to"),
        (
            _but("ConvNorm(c_in, c_mid) if", "ConvNorm(c_in, c_mid, stride=stride) if").replace(
                "kernel, stride, groups", "kernel, 1, groups"
            ),
            "Its stride is on the expansion",
        ),
        (
            "class mbconv_block(nn.Module):\n"
            "    def __init__(self, i, o, e, k, s, gate=None, act=nn.SiLU):\n"
            "        super().__init__()\n"
            "        c = i * e\n"
            "        def part(a, b, k=1, s=1, g=1):\n"
            "            conv = nn.Conv2d(a, b, k, s, k // 2, groups=g, bias=False)\n"
            "            return nn.Sequential(conv, nn.BatchNorm2d(b, eps=1e-3))\n"
            "        layers = [part(i, c), act()] if e > 1 else []\n"
            "        layers += [part(c, c, k, s, c), act()] + ([gate] if gate is not None else [])\n"
            "        self.branch = nn.Sequential(*layers, part(c, o))\n"
            "        self.add = s == 1 and i == o\n"
            "    def forward(self, x):\n"
            "        return x + self.branch(x) if self.add else self.branch(x)",
            "pads the same on both sides",
        ),
    ],
    "most_saved": [
        ("lambda macs, moving, took: moving / 2 / took", "forgets the MACs"),
        ("lambda macs, moving, took: 1 - max(macs, moving / 2) / max(macs, moving)", "share of the floor"),
        ("lambda macs, moving, took: 1 - max(macs, moving / 2) / took", "fall to its new floor"),
        ("lambda macs, moving, took: max(macs, moving) - max(macs, moving / 2)", "milliseconds"),
        ("lambda macs, moving, took: max(macs, moving / 2) / took", "the new floor as a share"),
        (
            "lambda macs, moving, took: 100 * (max(macs, moving) - max(macs, moving / 2)) / took",
            "in percent",
        ),
        ("lambda macs, moving, took: 0.5", "wait for them"),
        ("lambda macs, moving, took: max(macs, moving) / 2 / took", "halves the floor"),
        ("lambda macs, moving, took: (macs + moving / 2) / took", "agrees on"),
    ],
}
