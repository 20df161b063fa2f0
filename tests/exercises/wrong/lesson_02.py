from effnet_edu.exercises import get
from effnet_edu.exercises.exercise import BLANK


def _judge(phi="math.log(multiplier) / math.log(base)", decides="max(phis) - min(phis) <= slack"):
    """Return the solution of `implied_phi` with other answers in its blanks."""
    return get("implied_phi").template.replace(BLANK, phi, 1).replace(BLANK, decides)


def _channels(rounded="max(8, int(scaled + 4) // 8 * 8)", whole="scaled", lost="rounded < 0.9 * {}"):
    """Return the solution of `scaled_channels` with one thing done otherwise."""
    lifted = f"rounded + 8 if {lost.format(whole)} else rounded"
    return get("scaled_channels").template.replace(BLANK, rounded, 1).replace(BLANK, lifted)


WRONG = {
    "implied_phi": [
        (_judge("math.log(multiplier)"), "logarithm of the multiplier alone"),
        (_judge("multiplier / base"), "divide their logarithms"),
        (_judge("math.log(base) / math.log(multiplier)"), "upside down"),
        (_judge("math.log(multiplier / base)"), "logarithm of a quotient"),
        (_judge(decides="max(phis) - min(phis) < slack"), "exactly `slack`"),
        (_judge(decides="True"), "calls every network compound"),
        (_judge(decides="max(p[0] for p in pairs) - min(p[0] for p in pairs) <= slack"), "compare the phis"),
        (_judge(decides="max(phis) - min(phis) >= slack"), "turned around"),
        (_judge(decides="abs(phis[0] - phis[1]) <= slack"), "agrees on"),
        (_judge(decides="None"), "agrees on"),
        ("lambda multiplier: math.log(multiplier)", "TypeError"),
        ("3.0", "wants the function itself"),
    ],
    "blocks_after_scaling": [
        ("lambda layers, depth: math.ceil(depth * sum(layers))", "rounds up once, at the end"),
        ("lambda layers, depth: sum(round(depth * n) for n in layers)", "rounds to the nearest"),
        ("lambda layers, depth: sum(math.floor(depth * n) for n in layers)", "rounds down in every stage"),
        ("lambda layers, depth: sum(n * math.ceil(depth) for n in layers)", "rounds the multiplier up"),
        ("lambda layers, depth: sum(int(depth * n) + 1 for n in layers)", "nothing to round up"),
        ("lambda layers, depth: [math.ceil(depth * n) for n in layers]", "returns a list"),
        ("lambda layers, depth: depth * sum(layers)", "only a whole number"),
    ],
    "scaled_channels": [
        ("lambda channels, width: max(8, int(channels * width + 4) // 8 * 8)", "last step is missing"),
        ("lambda channels, width: max(8, 8 * round(channels * width / 8))", "even neighbour"),
        (_channels("max(8, 8 * round(scaled / 8))"), "52 becomes 48"),
        (_channels(whole="channels"), "before scaling"),
        (_channels(lost="scaled - rounded > 0.1 * rounded"), "a tenth of `rounded`"),
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
        ("math.log2(2e9 / ee.cost('efficientnet_b0').macs)", "2 in place of 1.92"),
        ("2.23", "One hundredth too far"),
        ("2.2", "largest phi in tenths"),
        ("222", "number of the step"),
        ("max(n / 100 for n in range(400) if ee.cost(ee.compound(n / 100)).macs <= 1e9)", "One MAC is both"),
        (
            "max(n / 100 for n in range(500) if ee.cost(ee.compound(n / 100), 224).macs <= 2e9)",
            "images of B0",
        ),
        ("2.0", "more than that"),
        ("lambda: 2.2", "function"),
    ],
}
