WRONG = {
    "lite0_macs": [
        ("4_652_008", "its parameters"),
        ("2 * 385_195_456", "counted multiplications and additions apart"),
        ("'503 million'", "at 256 pixels"),
        ("385", "means 385 MACs"),
        ("'385 M parameters'", "not in MACs"),
        ("'many'", "cannot be read as a number"),
        (
            "ee.cost('efficientnet_lite0')",
            "an object of type `NetworkCost`. A number is expected here, in MACs",
        ),
        ("100e6", "more than that"),
    ],
    "feature_side": [
        (
            "lambda side, strides: [side := side // stride for stride in strides][-1]",
            "rounds down at each stride",
        ),
        ("lambda side, strides: side // math.prod(strides)", "rounds down at each stride"),
        (
            "lambda side, strides: functools.reduce(lambda a, b: round(a / b), strides, side)",
            "12.5 down to 12",
        ),
        ("lambda side, strides: side / math.prod(strides)", "only a whole number"),
        (
            "lambda side, strides: functools.reduce(lambda a, b: a // b + 1, strides, side)",
            "divides the side exactly",
        ),
        ("lambda side, strides: -(-side // strides[0])", "stops after the first stride"),
        (
            "lambda side, strides: functools.reduce(lambda a, b: math.ceil(a / 2), strides, side)",
            "at every layer. Divide",
        ),
        ("lambda side, strides: functools.reduce(lambda a, b: a // 2, strides, side)", "and rounds down"),
        (
            "lambda side, strides: functools.reduce(lambda a, b: (a + 1) // b, strides, side)",
            "add `stride - 1`",
        ),
        ("lambda side, strides: side // stride", "NameError"),
        ("lambda side, strides: decimal.Decimal(side)", "Run `import decimal` first"),
        ("lambda side, strides: [side]", "returns a list"),
    ],
    "seen_as": [
        ("lambda x: x / 255", "Which pixel does it take"),
        ("lambda x: (x - 127) / 128", "should have been given"),
        ("lambda x: (x / 255 + 127) * 128", "adds before it multiplies"),
        ("lambda x: x / 255 * 127 + 128", "exchanges 127 and 128"),
        ("lambda x: (x - 127) / 128 * 255", "the other way"),
        ("lambda x: x * 128 + 127", "divide it by 255"),
        ("lambda x: x / 255 * 128 - 127", "going back adds it"),
        ("lambda x: x / 255 * 255", "returns x itself"),
        ("lambda x: round(x / 255 * 128 + 127)", "rounds to a whole pixel"),
        ("lambda x: x / 2 + 127", "agrees on"),
        ("lambda x: None", "returns nothing"),
    ],
}
