WRONG = {
    "implied_phi": [
        ("lambda multiplier, base: math.log(multiplier)", "logarithm of the multiplier alone"),
        ("lambda multiplier, base: multiplier / base", "divide their logarithms"),
        ("lambda multiplier, base: math.log(base) / math.log(multiplier)", "upside down"),
        ("lambda multiplier, base: math.log(multiplier / base)", "quotient of two logarithms"),
        ("lambda multiplier, base: base ** multiplier", "raises the base once more"),
        ("lambda multiplier: math.log(multiplier)", "TypeError"),
        ("3.0", "wants the function itself"),
    ],
    "blocks_after_scaling": [
        ("lambda layers, depth: math.ceil(depth * sum(layers))", "rounds up once, at the end"),
        ("lambda layers, depth: sum(round(depth * n) for n in layers)", "rounds to the nearest"),
        ("lambda layers, depth: sum(math.floor(depth * n) for n in layers)", "rounds down in every stage"),
        ("lambda layers, depth: sum(n * math.ceil(depth) for n in layers)", "rounds the multiplier up"),
        ("lambda layers, depth: [math.ceil(depth * n) for n in layers]", "returns a list"),
        ("lambda layers, depth: depth * sum(layers)", "only a whole number"),
    ],
    "scaled_channels": [
        ("lambda channels, width: max(8, int(channels * width + 4) // 8 * 8)", "last step is missing"),
        ("lambda channels, width: max(8, 8 * round(channels * width / 8))", "even neighbour"),
        ("lambda channels, width: math.ceil(channels * width / 8) * 8", "always rounds up"),
        ("lambda channels, width: channels * width // 8 * 8", "always rounds down"),
        ("lambda channels, width: int(channels * width)", "multiple of 8 at all"),
        ("lambda channels, width: channels + 8", "agrees on"),
    ],
    "largest_phi": [
        (
            "math.log(2e9 / ee.cost('efficientnet_b0').macs) / math.log(ee.cost_factor())",
            "smooth rule promises",
        ),
        ("2.52", "smooth rule promises"),
        ("2.23", "One hundredth too far"),
        ("2.0", "more than that"),
        ("lambda: 2.2", "function"),
    ],
}
