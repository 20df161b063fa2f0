from effnet_edu.exercises import get
from effnet_edu.exercises.exercise import BLANK

SETUP = "import statistics"


def choose(none="-1", late="late > 0.05", better="gained - lost > 2 * math.sqrt(gained + lost)"):
    """Return the solution of `choice_to_defend` with other answers in its blanks."""
    head, *pieces = get("choice_to_defend").template.split(BLANK)
    return head + "".join(map("".join, zip((none, late, better), pieces, strict=True)))


WRONG = {
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
    "batch_to_serve": [
        ("lambda times, budget: max((n for n in times if times[n] <= budget), default=0)", "largest batch"),
        (
            "lambda times, budget: min([n for n in times if times[n] <= budget], key=times.get, default=0)",
            "done first",
        ),
        (
            "lambda times, budget: max(times, key=lambda n: n / times[n], default=0)",
            "never looks at the budget",
        ),
        (
            "lambda times, budget: max([n for n in times if times[n] < budget], "
            "key=lambda n: n / times[n], default=0)",
            "`<=`, not `<`",
        ),
        (
            "lambda times, budget: max([n for n in times if times[n] <= budget], key=lambda n: n / times[n])",
            "nothing to choose from",
        ),
        (
            "lambda times, budget: max([n for n in times if times[n] <= budget], "
            "key=lambda n: times[n] / n, default=0)",
            "time of one image",
        ),
        (
            "lambda times, budget: max([n / t for n, t in times.items() if t <= budget], default=0)",
            "only a whole number",
        ),
        ("64", "wants the function itself"),
    ],
    "fair_lead": [
        ("lambda ours, theirs: max(ours.values()) - max(theirs.values())", "best recipe of each"),
        (
            "lambda ours, theirs: statistics.mean(ours.values()) - statistics.mean(theirs.values())",
            "over all recipes",
        ),
        (
            "lambda ours, theirs: statistics.mean(theirs[r] - ours[r] for r in ours if r in theirs)",
            "sign is turned around",
        ),
        ("lambda ours, theirs: sum(ours[r] - theirs[r] for r in ours if r in theirs)", "This is the sum"),
        (
            "lambda ours, theirs: max(ours[r] - theirs[r] for r in ours if r in theirs)",
            "suits ours best",
        ),
        ("lambda ours, theirs: statistics.mean(ours[r] - theirs[r] for r in ours)", "Leave those out first"),
        (
            "lambda ours, theirs: statistics.mean(ours[r] - theirs[r] for r in set(ours) | set(theirs))",
            "Keep those that both had",
        ),
        ("lambda ours, theirs: [ours[r] - theirs[r] for r in ours if r in theirs]", "returns a list"),
    ],
    "choice_to_defend": [
        (choose(late="statistics.median(times[n]) > budget"), "half of all answers may be late"),
        (choose(late="statistics.mean(times[n]) > budget"), "whose mean is in time"),
        (choose(late="late > 0"), "single late run"),
        (choose(late="late >= 0.05"), "exactly 5% is allowed"),
        (choose(late="False"), "No network is left out"),
        (choose(late="late > 5"), "No network is left out"),
        (choose(late="late <= 0.05"), "is right"),
        (choose(late="..."), "leaves every network out"),
        (choose(better="gained > lost"), "One picture more"),
        (choose(better="gained - lost > math.sqrt(gained + lost)"), "Ask for twice"),
        (choose(better="gained - lost > 2 * (gained + lost)"), "square root is missing"),
        (choose(none="None"), "returns nothing"),
    ],
}
