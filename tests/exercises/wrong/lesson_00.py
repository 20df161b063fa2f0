WRONG = {
    "lite0_macs": [
        ("4_652_008", "its parameters"),
        ("2 * 385_195_456", "counted multiplications and additions apart"),
        ("'503 million'", "at 256 pixels"),
        ("385", "means 385 MACs"),
        ("'385 M parameters'", "not in MACs"),
        ("'many'", "cannot be read as a number"),
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
        ("lambda side, strides: side // stride", "NameError"),
        ("lambda side, strides: [side]", "returns a list"),
    ],
    "prepared_pixel": [
        ("lambda x: x / 255", "scales to 0..1"),
        ("lambda x: x - 127 / 128", "brackets"),
        ("lambda x: (x - 128) / 128", "subtracts 128"),
        ("lambda x: x / 127.5 - 1", "exactly -1..1"),
        ("lambda x: None", "returns nothing"),
    ],
}
