from tests.notebooks.book import LESSONS, read

_CELLS = {cell.id: cell.source for cell in read(LESSONS / "07_capstone.ipynb").cells}
#: What the notebook defines above the exercises, and the library's own parts where the learner's come in.
SETUP = "\n\n".join(
    [_CELLS[name] for name in ("imports", "padding-table", "padding-class", "conv-norm")]
    + ["ACTIVATIONS = {'silu': nn.SiLU, 'relu6': nn.ReLU6}"]
    + ["SqueezeExcite, Block = ee.SqueezeExcitation, ee.MBConv"]
)


def _squeeze(
    reduce="1", restore="1", gate="self.restore(self.act(self.reduce(m))).sigmoid()", result="x * g"
):
    return (
        "class OwnSqueezeExcite(nn.Module):\n"
        "    def __init__(self, channels, squeeze_channels, activation):\n"
        "        super().__init__()\n"
        f"        self.reduce = nn.Conv2d(channels, squeeze_channels, {reduce})\n"
        "        self.act = ACTIVATIONS[activation]()\n"
        f"        self.restore = nn.Conv2d(squeeze_channels, channels, {restore})\n"
        "    def forward(self, x):\n"
        "        m = x.mean((2, 3), keepdim=True)\n"
        f"        g = {gate}\n"
        f"        return {result}\n"
    )


def _block(
    shortcut="block.stride == 1 and c_in == c_out",
    groups="c_mid",
    width="block.squeeze_channels",
    project="self.project(y)",
    result="x + y if self.has_shortcut else y",
    order=("depthwise", "squeeze"),
):
    steps = {
        "depthwise": "        y = self.act(self.depthwise(y))\n",
        "squeeze": "        y = y if self.se is None else self.se(y)\n",
    }
    return (
        "class OwnBlock(nn.Module):\n"
        "    def __init__(self, block, conventions, activation):\n"
        "        super().__init__()\n"
        "        c_in, c_mid, c_out = block.channels_in, block.channels_hidden, block.channels_out\n"
        f"        self.has_shortcut = {shortcut}\n"
        "        self.expand = conv_norm(c_in, c_mid, conventions) if block.expansion > 1 else None\n"
        "        self.depthwise = conv_norm("
        f"c_mid, c_mid, conventions, block.kernel, block.stride, groups={groups})\n"
        f"        self.se = SqueezeExcite(c_mid, {width}, activation) if block.squeeze_channels else None\n"
        "        self.project = conv_norm(c_mid, c_out, conventions)\n"
        "        self.act = ACTIVATIONS[activation]()\n"
        "    def forward(self, x):\n"
        "        y = x if self.expand is None else self.act(self.expand(x))\n"
        f"{''.join(steps[step] for step in order)}"
        f"        y = {project}\n"
        f"        return {result}\n"
    )


def _network(
    stride="2", head="self.act(self.head(x))", pooled="x.mean((2, 3))", stem="self.act(self.stem(x))"
):
    return (
        "class OwnNetwork(nn.Module):\n"
        "    def __init__(self, spec, conventions, num_classes=1000):\n"
        "        super().__init__()\n"
        "        blocks = ee.resolve(spec)\n"
        f"        self.stem = conv_norm(3, spec.stem_channels, conventions, kernel=3, stride={stride})\n"
        "        self.blocks = nn.Sequential(*(Block(b, conventions, spec.activation) for b in blocks))\n"
        "        self.head = conv_norm(blocks[-1].channels_out, spec.head_channels, conventions)\n"
        "        self.classifier = nn.Linear(spec.head_channels, num_classes)\n"
        "        self.act = ACTIVATIONS[spec.activation]()\n"
        "    def forward(self, x):\n"
        f"        x = self.blocks({stem})\n"
        f"        x = {head}\n"
        f"        x = {pooled}\n"
        "        return self.classifier(x)\n"
    )


def _name(
    expand="_bn0", depthwise="_bn1", project="_bn2", result="f'_blocks.{number}.{roles[role]}.{tensor}'"
):
    return (
        "def published_name(key):\n"
        "    ends = {'stem.conv': '_conv_stem', 'stem.norm': '_bn0', 'head.conv': '_conv_head',\n"
        "            'head.norm': '_bn1', 'classifier': '_fc'}\n"
        "    roles = {'expand.conv': '_expand_conv', 'depthwise.conv': '_depthwise_conv',\n"
        "             'project.conv': '_project_conv', 'squeeze_excite.reduce': '_se_reduce',\n"
        "             'squeeze_excite.restore': '_se_expand',\n"
        f"             'expand.norm': '{expand}', 'depthwise.norm': '{depthwise}',\n"
        f"             'project.norm': '{project}'}}\n"
        "    part, tensor = key.rsplit('.', 1)\n"
        "    if part in ends:\n"
        "        return f'{ends[part]}.{tensor}'\n"
        "    _, number, role = part.split('.', 2)\n"
        f"    return {result}\n"
    )


def _prepared(side="256 / min(photograph.size)", cut="left, top = (w - 224) // 2, (h - 224) // 2", end=""):
    return (
        "def prepared(photograph):\n"
        f"    scale = {side}\n"
        "    w, h = (int(side * scale) for side in photograph.size)\n"
        "    photograph = photograph.resize((w, h), Image.Resampling.BICUBIC)\n"
        f"    {cut}\n"
        "    x = torch.from_numpy(np.array(photograph))[top : top + 224, left : left + 224]\n"
        f"    return {end or '((x.permute(2, 0, 1).float() - 127) / 128)[None]'}\n"
    )


WRONG = {
    "OwnSqueezeExcite": [
        (_squeeze(gate="self.restore(self.act(self.reduce(m)))"), "no sigmoid"),
        (_squeeze(gate="self.restore(self.reduce(m)).sigmoid()"), "Nothing stands between"),
        (_squeeze(result="g"), "gate alone"),
        (
            _squeeze()
            .replace("channels, squeeze_channels, 1)", "squeeze_channels, channels, 1)", 1)
            .replace(
                "restore = nn.Conv2d(squeeze_channels, channels",
                "restore = nn.Conv2d(channels, squeeze_channels",
            ),
            "swapped",
        ),
        (_squeeze().replace("ACTIVATIONS[activation]()", "nn.SiLU()"), "always uses SiLU"),
        (_squeeze().replace("ACTIVATIONS[activation]()", "nn.ReLU6()"), "always uses ReLU6"),
        (_squeeze(result="x + g"), "A gate multiplies"),
        (_squeeze(reduce="3, padding=1"), "parameters; 220 are right"),
        (_squeeze(reduce="1, bias=False"), "Missing: weights of shape (4,)"),
        (_squeeze(gate="self.restore(self.act(self.reduce(x.amax((2, 3), True)))).sigmoid()"), "is off by"),
        (_squeeze().replace(", keepdim=True", ""), "`keepdim=True` keeps the two sides"),
        (_squeeze().replace("(2, 3), keepdim", "(1, 2), keepdim"), "reads 24 channels and gets 1"),
        (_squeeze().replace("x.mean((2, 3), keepdim=True)", "x"), "does not squeeze"),
        (_squeeze(result="x * g.flatten(1)"), "so that they fit onto it"),
        ("ee.SqueezeExcitation", "library's own `SqueezeExcitation`"),
        (_squeeze(result="x * gates"), "NameError"),
    ],
    "OwnBlock": [
        (_block(result="y"), "The shortcut is missing"),
        (_block(project="self.act(self.project(y))"), "The end of the block is linear"),
        (_block(width="c_mid // 4"), "a quarter of c_mid"),
        (_block(groups="1"), "parameters;"),
        (
            _block()
            .replace(" if block.expansion > 1 else None", "")
            .replace("self.se", "self.squeeze_excite"),
            "`expand.norm.weight` of shape",
        ),
        (_block(shortcut="block.stride == 1"), "The channels must agree as well"),
        (_block(shortcut="c_in == c_out"), "The stride must be 1 as well"),
        (_block(order=("squeeze", "depthwise")), "is off by"),
        (_block(order=("squeeze",)), "is off by"),
        (_block(shortcut="True"), "to an output of another shape"),
        (_block(project="self.act(self.expand(y))"), "another layer belongs there"),
        (
            _block().replace("conv_norm(c_mid, c_out", "conv_norm(c_out, c_mid"),
            "numbers of channels are swapped",
        ),
        (_block().replace("kernel, block.stride", "kernel, 1"), "stride 1, where 2 is right"),
        (_block().replace("kernel, block.stride", "stride, block.kernel"), "kernel 1 and stride 3"),
        (_block().replace(" if block.squeeze_channels else None", ""), "for 0 channels"),
        (_block().replace("y if self.se is None else ", ""), "Ask `is None` first"),
        (_block().replace("ACTIVATIONS[activation]()", "nn.SiLU()"), "always uses SiLU"),
        (_block().replace("ACTIVATIONS[activation]()", "nn.ReLU6()"), "always uses ReLU6"),
        ("ee.MBConv", "library's own `MBConv`"),
    ],
    "OwnNetwork": [
        (_network(head="self.head(x)"), "no activation after the head"),
        (_network(stem="self.stem(x)"), "no activation after the stem"),
        (_network(stride="1"), "its stride is 2"),
        (_network(pooled="x.amax((2, 3))"), "Take the average"),
        (_network(pooled="x.flatten(1)"), "every pixel to the classifier"),
        (_network(pooled="x.mean((2, 3), keepdim=True)"), "leave `keepdim` out"),
        (_network(pooled="x.mean(1)"), "average over height and width first"),
        (_network(pooled="x.mean((1, 2))"), "reads 64 channels and gets 4"),
        (_network().replace("channels_out, spec", "channels_in, spec"), "`head.conv` reads 24 channels and"),
        (_network().replace("nn.Sequential(*(", "list(("), "is a plain list"),
        (_network().replace("nn.Sequential(*(", "nn.Sequential(list("), "Write a star"),
        (_network().replace("ACTIVATIONS[spec.activation]()", "nn.SiLU()"), "always uses SiLU"),
        (_network().replace("ACTIVATIONS[spec.activation]()", "nn.ReLU6()"), "always uses ReLU6"),
        (_network().replace("head_channels, num_classes", "head_channels, 1000"), "always has 1000 classes"),
        ("lambda spec, conventions, num_classes: ee.EfficientNet(spec, num_classes)", "library's own"),
    ],
    "published_name": [
        (_name("_bn1", "_bn2", "_bn3"), "counted from 0"),
        (_name(expand="_bn2", project="_bn0"), "Expansion and projection are swapped"),
        (_name(depthwise="_bn2", project="_bn1"), "Depthwise and projection are swapped"),
        (_name(result="f'blocks.{number}.{roles[role]}.{tensor}'"), "The underscore before `blocks`"),
        (_name(result="f'_blocks.{int(number) + 1}.{roles[role]}.{tensor}'"), "numbers the blocks from 1"),
        (_name(result="f'_block.{number}.{roles[role]}.{tensor}'"), "the file says '_blocks.0."),
        (_name(result="f'_blocks.{number}.{roles[part]}.{tensor}'"), "KeyError"),
        (_name(result="None"), "returns nothing"),
        ("lambda key: key", "names are right"),
    ],
    "prepared": [
        (_prepared(end="((x.permute(2, 0, 1).float() - 127) / 128)"), "batch is missing"),
        (_prepared(end="x.permute(2, 0, 1).float()[None]"), "still 0 to 255"),
        (_prepared(end="x.permute(2, 0, 1)[None]"), "returns torch.uint8"),
        (_prepared(end="(x.permute(2, 0, 1).float() / 255)[None]"), "from 0 to 1"),
        (_prepared(end="((x.float() - 127) / 128)[None]"), "The channels are still last"),
        (_prepared(end="((x.permute(2, 1, 0).float() - 127) / 128)[None]"), "lies on its side"),
        (_prepared(cut="left, top = 0, 0"), "upper left corner"),
        (_prepared(cut="left, top = w - 224, h - 224"), "lower right corner"),
        (_prepared(end="((x.reshape(3, 224, 224).float() - 127) / 128)[None]"), "are shuffled"),
        (_prepared(end="((x.permute(2, 0, 1) - 127) / 128)[None]"), "Write `.float()` first"),
        (_prepared(cut="top, left = (w - 224) // 2, (h - 224) // 2"), "`left` and `top` are swapped"),
        (_prepared(side="224 / min(photograph.size)"), "It becomes 256 first"),
        (_prepared(end="((x.permute(2, 0, 1).double() - 127) / 128)[None]"), "returns torch.float64"),
        (_prepared(end="((x.permute(2, 0, 1).float() - 127) / 128)[None].to('meta')"), "device 'meta'"),
    ],
}
