SETUP = "import statistics"
WRONG = {
    "images_per_second": [
        ("lambda milliseconds, batch_size: 1000 / milliseconds", "counts batches in a second"),
        ("lambda milliseconds, batch_size: batch_size / milliseconds", "images in a millisecond"),
        ("lambda milliseconds, batch_size: milliseconds / batch_size", "time of one image"),
        ("lambda milliseconds, batch_size: 1000 / milliseconds / batch_size", "belongs above the line"),
        ("lambda milliseconds, batch_size: 1000 * batch_size", "agrees on"),
        ("50", "wants the function itself"),
    ],
    "fair_time": [
        ("lambda times, warmup: statistics.median(times)", "first runs are still in it"),
        ("lambda times, warmup: sum(times[warmup:]) / len(times[warmup:])", "This is the mean"),
        ("lambda times, warmup: min(times)", "luckiest run"),
        (
            "lambda times, warmup: statistics.median(sorted(times)[: len(times) - warmup])",
            "leaves out the slowest runs",
        ),
        ("lambda times, warmup: statistics.median(times[: len(times) - warmup])", "leaves out the last runs"),
        ("lambda times, warmup: min(times[warmup:])", "luckiest run after warming up"),
        (
            "lambda times, warmup: statistics.median(sorted(times)[warmup:])",
            "sorts before leaving out",
        ),
        ("lambda times, warmup: sorted(times[warmup:])[len(times[warmup:]) // 2]", "an even number"),
        ("lambda times, warmup: times[warmup:]", "returns a list"),
    ],
    "best_within": [
        (
            "lambda networks, budget: max([t for ms, t in networks if ms < budget], default=0)",
            "`<=`, not `<`",
        ),
        ("lambda networks, budget: max(t for ms, t in networks)", "best of all networks"),
        (
            "lambda networks, budget: min([n for n in networks if n[0] <= budget], default=(0, 0))[1]",
            "the fastest network",
        ),
        (
            "lambda networks, budget: max([n for n in networks if n[0] <= budget], default=(0, 0))[1]",
            "slowest network that fits",
        ),
        ("lambda networks, budget: max(t for ms, t in networks if ms <= budget)", "nothing to choose from"),
        ("lambda networks, budget: max([t for ms, t in networks], default=0)", "best of all networks"),
    ],
    "same_recipe_speedup": [
        ("139 / 13", "hours of table 7"),
        ("11", "less than that"),
        ("13 / 54", "upside down"),
        ("170 / 57", "inference"),
        ("41", "hours saved"),
        ("'4.2 hours'", "is not in plain numbers"),
    ],
}
