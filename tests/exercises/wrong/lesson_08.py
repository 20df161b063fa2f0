WRONG = {
    "pictures_to_hold_out": [
        ("lambda p, margin: math.ceil(1.96 * p * (1 - p) / margin)", "squares are missing"),
        ("lambda p, margin: math.ceil(1.96 * (p * (1 - p)) ** 0.5 / margin)", "root of the right number"),
        ("lambda p, margin: math.ceil(p * (1 - p) / margin**2)", "1.96 is missing"),
        ("lambda p, margin: math.ceil(1.96**2 * p / margin**2)", "1 - accuracy is missing"),
        ("lambda p, margin: math.ceil(1.96**2 * p * (1 - p) / (margin / 2) ** 2)", "the whole width"),
        ("lambda p, margin: int(1.96**2 * p * (1 - p) / margin**2)", "rounds down"),
        ("lambda p, margin: round(1.96**2 * p * (1 - p) / margin**2)", "to the nearest number"),
        ("lambda p, margin: math.ceil(1.96**2 * p * (1 - p) / margin)", "margin enters with its square"),
        ("lambda p, margin: math.ceil(1.96 * p * (1 - p) / margin**2)", "1.96 enters with its square"),
        ("lambda p, margin: 1.96**2 * p * (1 - p) / margin**2", "only a whole number"),
        ("lambda p, margin: math.ceil(2**2 * p * (1 - p) / margin**2)", "agrees on"),
        ("lambda p, margin: math.ceil((1.96 / (2 * margin)) ** 2)", "leaves the accuracy out"),
        ("138", "wants the function itself"),
    ],
    "leaked": [
        ("lambda learned, held_out: len(set(learned) & set(held_out))", "It counts occasions"),
        ("lambda learned, held_out: sum(one in held_out for one in learned)", "that were learned from"),
        ("lambda learned, held_out: sum(one not in learned for one in held_out)", "that are clean"),
        ("lambda learned, held_out: sum(learned.count(one) for one in held_out)", "counts pairs"),
        (
            "lambda learned, held_out: sum(one in learned for one in held_out) / max(len(held_out), 1)",
            "a share",
        ),
        ("lambda learned, held_out: sum(a == b for a, b in zip(learned, held_out))", "is right"),
        ("lambda learned, held_out: [one for one in held_out if one in learned]", "returns a list"),
    ],
    "balanced_accuracy": [
        (
            "lambda rows: sum(row[i] for i, row in enumerate(rows)) / sum(map(sum, rows))",
            "plain accuracy",
        ),
        (
            "lambda rows: (lambda shares: sum(shares) / len(shares))("
            "[column[i] / sum(column) for i, column in enumerate(zip(*rows)) if sum(column)])",
            "divides by the columns",
        ),
        (
            "lambda rows: sum(row[i] / max(sum(row), 1) for i, row in enumerate(rows)) / len(rows)",
            "counts as wrong here",
        ),
        (
            "lambda rows: (lambda shares: sum(shares) / len(shares))("
            "[row[i] / len(row) for i, row in enumerate(rows) if sum(row)])",
            "divides by the number of classes",
        ),
        ("lambda rows: sum(row[i] / sum(row) for i, row in enumerate(rows) if sum(row))", "Take their mean"),
        ("lambda rows: max(row[i] / sum(row) for i, row in enumerate(rows) if sum(row))", "best class"),
        (
            "lambda rows: sum(row[i] / sum(row) for i, row in enumerate(rows)) / len(rows)",
            "ZeroDivisionError",
        ),
    ],
    "rounded": [
        (
            "lambda x, low, high: low + int(min(max((x - low) / ((high - low) / 255), 0), 255))"
            " * ((high - low) / 255)",
            "cuts the fraction off",
        ),
        (
            "lambda x, low, high: low + round((min(max(x, low), high) - low) / ((high - low) / 256))"
            " * (high - low) / 256",
            "257 levels",
        ),
        (
            "lambda x, low, high: low + round((x - low) / ((high - low) / 256)) * (high - low) / 256",
            "makes 256 steps where 255",
        ),
        (
            "lambda x, low, high: low + round((x - low) / ((high - low) / 255)) * (high - low) / 255",
            "stays outside",
        ),
        (
            "lambda x, low, high: low + int((min(max(x, low), high) - low) / ((high - low) / 255))"
            " * (high - low) / 255",
            "cuts the fraction off",
        ),
        (
            "lambda x, low, high: low + round(min(max(x, low), high) / ((high - low) / 255))"
            " * (high - low) / 255",
            "count from `low`",
        ),
        (
            "lambda x, low, high: low + round((min(max(x, low), high) - low) / ((high - low) / 127))"
            " * (high - low) / 127",
            "7 bits",
        ),
        (
            "lambda x, low, high: round((min(max(x, low), high) - low) / ((high - low) / 255))",
            "number of the",
        ),
        (
            "lambda x, low, high: round((min(max(x, low), high) - low) / ((high - low) / 255))"
            " * (high - low) / 255",
            "The first level is `low`",
        ),
        ("lambda x, low, high: min(max(x, low), high)", "is right"),
    ],
}
