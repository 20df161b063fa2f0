"""What was measured on one device: networks, batches, memory formats, ResNet-50, and fused stages.

Each function takes the rows of the experiment of the same name in `effnet_edu.studies.devices.experiments`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import CARD, COMPOUND, FUSED, GREY, INK, SERIES
from effnet_edu.published.tables import Table

Row = Mapping[str, Any]
Rows = Sequence[Row]

_FAMILIES = {"efficientnet_b": ("V1", COMPOUND, "o"), "efficientnetv2": ("V2", FUSED, "s")}
_OTHER = ("Lite", INK, "^")


def _family(network: str) -> tuple[str, str, str]:
    return next((look for start, look in _FAMILIES.items() if network.startswith(start)), _OTHER)


def _short(network: str) -> str:
    """Return the name as the papers write it: B0, V2-S, Lite0."""
    for start, short in (("efficientnetv2_", "V2-"), ("efficientnet_", "")):
        if network.startswith(start):
            rest = network.removeprefix(start)
            return f"{short}{rest.capitalize() if rest.startswith('lite') else rest.upper()}"
    return {"resnet50": "ResNet-50"}.get(network, network)


def _ms(row: Row) -> str:
    return f"{row['median_ms']:.3g} ({row['low_ms']:.3g} to {row['high_ms']:.3g})"


def _spans(
    rows: Rows, middle: str = "median_ms", low: str = "low_ms", high: str = "high_ms"
) -> tuple[list[float], list[float]]:
    """Return how far both ends of each interval lie from its middle."""
    return [row[middle] - row[low] for row in rows], [row[high] - row[middle] for row in rows]


def _bars(axes: Axes, at: Sequence[float], rows: Rows, width: float, **look: Any) -> None:
    """Draw measured bars with their intervals."""
    medians = [row["median_ms"] for row in rows]
    axes.bar(at, medians, width, yerr=_spans(rows), capsize=3, edgecolor=CARD, **look)


def _log_axis(axes: Axes, which: str, values: Sequence[float]) -> None:
    """Make one axis logarithmic, wide enough for the values, with 1, 2, 5, 10 and so on along it."""
    low, high = min(values) / 1.5, max(values) * 1.6
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    plain_log_axis(axes, which, ticks, [f"{tick:g}" for tick in ticks])
    axes.set(**{f"{which}lim": (low, high)})


@styled
def network_times(rows: Rows, device: str) -> Picture:
    """Draw the measured time of each network over its MACs, at one batch size and precision.

    Args:
        rows: Rows of the experiment `networks`; those of its first batch size and precision are drawn.
        device: Name of the device.
    """
    batch, precision = rows[0]["batch_size"], rows[0]["precision"]
    drawn = [row for row in rows if (row["batch_size"], row["precision"]) == (batch, precision)]
    figure, (axes,) = new_figure(4.2)
    named = set()
    for row in drawn:
        family, colour, marker = _family(row["network"])
        axes.errorbar(
            row["macs"] / 1e9,
            row["median_ms"],
            yerr=_spans([row]),
            fmt=marker,
            color=colour,
            capsize=3,
            label=None if family in named else family,
        )
        named.add(family)
        axes.annotate(
            _short(row["network"]), (row["macs"] / 1e9, row["median_ms"]), (6, -3), textcoords="offset points"
        )
    fewest = min(drawn, key=lambda row: row["macs"])
    most = max(drawn, key=lambda row: row["macs"])
    axes.plot(
        [fewest["macs"] / 1e9, most["macs"] / 1e9],
        [fewest["median_ms"], fewest["median_ms"] * most["macs"] / fewest["macs"]],
        color=GREY,
        linestyle="--",
        linewidth=1.2,
        label=f"if time followed MACs, from {_short(fewest['network'])} (computed)",
    )
    _log_axis(axes, "x", [row["macs"] / 1e9 for row in drawn])
    _log_axis(axes, "y", [row["median_ms"] for row in drawn])
    axes.set_xlabel("MACs of one image, billions (computed)")
    axes.set_ylabel(f"ms for a batch of {batch} (measured)")
    axes.legend(loc="upper left")
    grown, slower = most["macs"] / fewest["macs"], most["median_ms"] / fewest["median_ms"]
    axes.set_title(
        f"From {_short(fewest['network'])} to {_short(most['network'])}: {grown:.3g} times the MACs, "
        f"{slower:.3g} times the time"
    )
    return Picture(
        figure,
        alt=f"Measured on {device}, batch {batch}, {precision}: from {_short(fewest['network'])} to "
        f"{_short(most['network'])} MACs grow {grown:.3g} times and time {slower:.3g} times.",
        caption=f"Each network at its own resolution on {device}, batch {batch}, {precision}; filled marks "
        "are measured, with their interval.",
        numbers=Numbers(
            (
                "network",
                "px",
                "batch",
                "precision",
                "MACs (computed), M",
                "median (measured), ms",
                "images/s",
            ),
            [
                (
                    _short(row["network"]),
                    str(row["resolution"]),
                    str(row["batch_size"]),
                    row["precision"],
                    f"{row['macs'] / 1e6:,.0f}",
                    _ms(row),
                    f"{1000 * row['batch_size'] / row['median_ms']:,.1f}",
                )
                for row in rows
            ],
        ),
    )


@styled
def throughput_against_batch(rows: Rows, device: str) -> Picture:
    """Draw images per second over the batch size.

    Args:
        rows: Rows of the experiment `batch_sizes`.
        device: Name of the device.
    """
    figure, (left, right) = new_figure(3.4, columns=2)
    batches = [row["batch_size"] for row in rows]
    rates = [1000 * row["batch_size"] / row["median_ms"] for row in rows]
    memory = [row["peak_memory_bytes"] / 2**20 for row in rows]
    best = max(range(len(rows)), key=rates.__getitem__)
    left.plot(batches, rates, "o-", color=INK, linewidth=1)
    left.set(
        xlabel="batch size",
        ylabel="images/s (measured)",
        title=f"Most at batch {batches[best]}: {rates[best] / rates[0]:.2f} times batch {batches[0]}",
    )
    right.plot(batches, memory, "o-", color=INK, linewidth=1)
    right.set(
        xlabel="batch size",
        ylabel="peak memory, MiB (measured)",
        title=f"Batch {batches[-1]}: {memory[-1] / memory[0]:.3g} times the memory",
    )
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(batches, [str(batch) for batch in batches])
        axes.set_ylim(0, 1.1 * axes.dataLim.ymax)
    name, px = _short(rows[0]["network"]), rows[0]["resolution"]
    return Picture(
        figure,
        alt=f"{name} at {px} px on {device}: {rates[0]:.3g} images/s at batch {batches[0]}, most at batch "
        f"{batches[best]} with {rates[best]:.3g}; memory grows from {memory[0]:,.0f} to "
        f"{memory[-1]:,.0f} MiB.",
        caption=f"{name}, {px} px, {rows[0]['precision']}, measured on {device}.",
        numbers=Numbers(
            ("batch", "median (measured), ms", "images/s", "peak memory (measured), MiB"),
            [
                (str(row["batch_size"]), _ms(row), f"{rate:,.1f}", f"{used:,.0f}")
                for row, rate, used in zip(rows, rates, memory, strict=True)
            ],
        ),
    )


def _surely(rows: Rows, first: str, second: str) -> str:
    """Return how many networks one memory format surely makes faster than another, and how many slower."""
    usual = {row["network"]: row for row in rows if row["memory_format"] == first}
    pairs = [(usual[row["network"]], row) for row in rows if row["memory_format"] == second]
    faster = sum(row["high_ms"] < other["low_ms"] for other, row in pairs)
    slower = sum(row["low_ms"] > other["high_ms"] for other, row in pairs)
    return f"{second}: {faster} of {len(pairs)} networks surely faster, {slower} surely slower"


@styled
def memory_formats(rows: Rows, device: str) -> Picture:
    """Draw the time of each network in either memory format.

    Args:
        rows: Rows of the experiment `memory_formats`.
        device: Name of the device.
    """
    figure, (axes,) = new_figure(3.2)
    names = list(dict.fromkeys(row["network"] for row in rows))
    formats = list(dict.fromkeys(row["memory_format"] for row in rows))
    looks = ({"color": SERIES[0][0]}, {"color": SERIES[1][0], "hatch": "//"})
    medians = {(row["network"], row["memory_format"]): row["median_ms"] for row in rows}
    for index, (called, look) in enumerate(zip(formats, looks, strict=True)):
        of_format = [row for row in rows if row["memory_format"] == called]
        at = [place + 0.4 * (index - 0.5) for place in range(len(names))]
        _bars(axes, at, of_format, 0.36, label=called, **look)
    axes.set_xticks(range(len(names)), [_short(name) for name in names])
    axes.set_ylabel(f"ms for a batch of {rows[0]['batch_size']} (measured)")
    axes.set_title(_surely(rows, formats[0], formats[1]))
    axes.legend()
    said = "; ".join(
        f"{_short(name)} takes {medians[name, formats[0]]:.3g} ms {formats[0]} and "
        f"{medians[name, formats[1]]:.3g} ms {formats[1]}"
        for name in names
    )
    return Picture(
        figure,
        alt=f"On {device}, {said}.",
        caption=f"The same network with weights and input in either memory format, fp32, on {device}.",
        numbers=Numbers(
            ("network", "px", "batch", "memory format", "median (measured), ms"),
            [
                (
                    _short(row["network"]),
                    str(row["resolution"]),
                    str(row["batch_size"]),
                    row["memory_format"],
                    _ms(row),
                )
                for row in rows
            ],
        ),
    )


def _ratios(rows: Rows) -> list[tuple[str, float, float]]:
    """Return, for each setting, how many times fewer MACs and how many times faster B0 is than ResNet-50."""
    found = []
    for mine in (row for row in rows if row["network"] == "efficientnet_b0"):
        setting = (mine["batch_size"], mine["memory_format"])
        theirs = next(
            row
            for row in rows
            if row["network"] == "resnet50" and (row["batch_size"], row["memory_format"]) == setting
        )
        name = f"batch {setting[0]}, {setting[1]}"
        found.append((name, theirs["macs"] / mine["macs"], theirs["median_ms"] / mine["median_ms"]))
    return found


@styled
def against_resnet50(rows: Rows, published: Table, device: str) -> Picture:
    """Draw how much faster B0 is than ResNet-50, beside how many fewer MACs it has.

    Args:
        rows: Rows of the experiment `resnet50`.
        published: The table `timm_speed_against_macs`.
        device: Name of the device.
    """
    figure, (axes,) = new_figure(3.6)
    measured = _ratios(rows)
    printed = [
        (f"{row['device']}, {row['mode']}", 1 / row.number("macs_ratio_to_resnet50"),
         row.number("speed_ratio_to_resnet50"))
        for row in published.where(network="efficientnet_b0")
    ]  # fmt: skip
    fewer = measured[0][1]
    names = [name for name, _, _ in (*measured, *printed)]
    at = list(range(len(names)))[::-1]
    axes.axvline(fewer, color=GREY, linestyle="--", linewidth=1.2)
    axes.annotate(
        f"{fewer:.1f} times fewer MACs (computed)",
        (fewer, at[0]),
        (-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
    )
    axes.plot([ratio for _, _, ratio in measured], at[: len(measured)], "o", color=INK, label="measured here")
    axes.plot(
        [ratio for _, _, ratio in printed],
        at[len(measured) :],
        "o",
        markerfacecolor="none",
        markeredgecolor=GREY,
        markeredgewidth=1.6,
        label="published by timm",
    )
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.set_yticks(at, names)
    axes.set_xlim(0, 1.08 * fewer)
    axes.set_xlabel("B0 over ResNet-50: times as fast")
    axes.legend(loc="center", bbox_to_anchor=(0.7, 0.35))
    best, worst = max(measured, key=lambda each: each[2]), min(measured, key=lambda each: each[2])
    axes.set_title(f"{fewer:.1f} times fewer MACs, measured {worst[2]:.2f} to {best[2]:.2f} times as fast")
    return Picture(
        figure,
        alt=f"B0 has {fewer:.1f} times fewer MACs than ResNet-50. On {device} it is {worst[2]:.2f} times "
        f"({worst[0]}) to {best[2]:.2f} times ({best[0]}) as fast.",
        caption=f"Filled: measured on {device}, {rows[0]['resolution']} px, fp32. Hollow: ratios of timm's "
        "published throughputs (its results files, Apache-2.0).",
        numbers=Numbers(
            ("setting", "kind", "MACs of ResNet-50 over B0's", "times as fast"),
            [
                *((name, "measured", f"{macs:.2f}", f"{speed:.2f}") for name, macs, speed in measured),
                *((name, "published", f"{macs:.2f}", f"{speed:.2f}") for name, macs, speed in printed),
            ],
        ),
    )


@styled
def fused_blocks(rows: Rows, device: str) -> Picture:
    """Draw, for each stage, how many times as fast the Fused-MBConv is as the MBConv of the same shape.

    Stages are counted from 1, as the paper does.

    Args:
        rows: Rows of the experiment `fused_blocks`.
        device: Name of the device.
    """
    found = {(row["stage"], row["operation"], row["training"]): row for row in rows}
    stages = sorted({row["stage"] for row in rows})

    def ratio(stage: int, training: bool) -> float:
        both = [found[stage, operation, training]["median_ms"] for operation in ("mbconv", "fused_mbconv")]
        return float(both[0] / both[1])

    figure, (axes,) = new_figure(3.8)
    for training, colour, hatch, shift, label in (
        (False, GREY, "", -0.19, "forward"),
        (True, FUSED, "//", 0.19, "forward and backward"),
    ):
        heights = [ratio(stage, training) for stage in stages]
        places = [stage + shift for stage in stages]
        bars = axes.bar(places, heights, 0.36, color=colour, hatch=hatch, edgecolor=CARD, label=label)
        axes.bar_label(bars, fmt="%.2f", padding=2, bbox={"color": CARD, "pad": 0.5})
    axes.axhline(1, color=GREY, linewidth=1)
    axes.set_xticks(stages, [f"stage {stage + 1}" for stage in stages])
    axes.set_ylabel("Fused-MBConv: times as fast\nas MBConv (recorded)")
    axes.legend()
    axes.margins(y=0.12)
    wins = [stage + 1 for stage in stages if ratio(stage, True) > 1]
    said = f"in stages {' and '.join(map(str, wins))}" if wins else "in no stage"
    axes.set_title(f"Forward and backward, the fused block is the faster one {said}")
    network, batch = _short(rows[0]["network"]), rows[0]["batch_size"]
    return Picture(
        figure,
        alt=f"Blocks of {network} on {device}, batch {batch}: with its backward pass, the Fused-MBConv is "
        f"the faster one {said}; in stage {stages[-1] + 1} it is {ratio(stages[-1], True):.2f} times as "
        "fast.",
        caption=f"Above 1 the fused block is faster. One block of each stage of {network}, same shapes, "
        f"batch {batch}, fp32, on {device}; the MBConv has squeeze-and-excitation, the fused block has none.",
        numbers=Numbers(
            ("stage", "block", "pass", "MACs (computed), M", "median (measured), ms"),
            [
                (
                    str(row["stage"] + 1),
                    row["block"],
                    "forward and backward" if row["training"] else "forward",
                    f"{row['macs'] / 1e6:,.1f}",
                    _ms(row),
                )
                for row in sorted(rows, key=lambda row: (row["stage"], row["training"], row["operation"]))
            ],
        ),
    )


#: How many stages are fused in each row of the paper's table 3, in its order.
_FUSED = (0, 3, 5, 7)


def _engines_said(ms: Mapping[str, Mapping[str, float]]) -> str:
    """Return in how many engines V2-B0 is faster than B0, and which engine wins most often."""
    engines = list(next(iter(ms.values())))
    best = [min(times, key=times.__getitem__) for times in ms.values()]
    first = max(engines, key=best.count)
    fastest = f"{first} is fastest for {best.count(first)} of {len(ms)}"
    if not {"efficientnet_b0", "efficientnetv2_b0"} <= set(ms):
        return fastest[0].upper() + fastest[1:]
    quicker = [
        engine for engine in engines if ms["efficientnetv2_b0"][engine] < ms["efficientnet_b0"][engine]
    ]
    named = {0: "no engine", len(engines): "every engine"}
    share = named.get(len(quicker), f"{len(quicker)} of {len(engines)} engines")
    return f"V2-B0 is faster than B0 in {share}; {fastest}"


@styled
def network_engines(rows: Rows, device: str) -> Picture:
    """Draw the time of one image in every engine: a line for each network.

    Args:
        rows: Rows of the experiment `engines`.
        device: Name of the device.
    """
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    by_network: dict[str, list[Row]] = {}
    for row in rows:
        by_network.setdefault(row["network"], []).append(row)
    figure, (axes,) = new_figure(4.0)
    for network, of_network in by_network.items():
        _, colour, marker = _family(network)
        medians = [row["median_ms"] for row in of_network]
        axes.errorbar(
            range(len(engines)), medians, _spans(of_network), fmt=f"{marker}-", color=colour, capsize=3
        )
        axes.annotate(
            _short(network),
            (len(engines) - 1, medians[-1]),
            (8, -3),
            textcoords="offset points",
            color=colour,
        )
    axes.set_xticks(range(len(engines)), engines)
    axes.set_xlim(-0.3, len(engines) - 0.4)
    _log_axis(axes, "y", [row["median_ms"] for row in rows])
    axes.set_ylabel("ms for one image (measured)")
    ms = {name: {row["engine"]: row["median_ms"] for row in found} for name, found in by_network.items()}
    said = _engines_said(ms)
    axes.set_title(said)
    each = "; ".join(
        f"{_short(name)} " + ", ".join(f"{engine} {time:.3g} ms" for engine, time in times.items())
        for name, times in ms.items()
    )
    return Picture(
        figure,
        alt=f"Time of one image on {device} by engine: {each}. {said}.",
        caption=f"Each network at its own resolution on {device}, batch 1, fp32; marks are medians, with "
        "their interval. The engines of a network took turns.",
        numbers=Numbers(
            (
                "network",
                "px",
                "MACs (computed), M",
                "engine",
                "median (measured), ms",
                "times as fast as torch",
            ),
            [
                (
                    _short(row["network"]),
                    str(row["resolution"]),
                    f"{row['macs'] / 1e6:,.0f}",
                    f"{row['engine']} {row['version']}".strip(),
                    _ms(row),
                    f"{ms[row['network']]['torch'] / row['median_ms']:.2f}",
                )
                for row in rows
            ],
        ),
    )


def _rounds(rows: Rows) -> tuple[list[float], list[float]]:
    return _spans(rows, "speed", "lowest_speed", "highest_speed")


def _fused(row: Row) -> str:
    """Return how many stages are fused, and with which kernel where it is not their own."""
    kernel = row.get("kernel")
    return f"{row['stages_fused']}{f' with {kernel} x {kernel} kernels' if kernel else ''}"


@styled
def fused_networks(rows: Rows, published: Table, device: str) -> Picture:
    """Draw training throughput by how many stages are fused, beside the paper's table 3.

    Args:
        rows: Rows of the experiment `fused_networks`.
        published: The table `v2_table3_fused`.
        device: Name of the device.
    """
    figure, (axes,) = new_figure(3.8)
    own = [row for row in rows if row.get("kernel") is None]
    curves = [[row["speed"] for row in own]]
    axes.errorbar(
        _FUSED, curves[0], _rounds(own), fmt="D-", color=INK, capsize=3, label=f"recorded on {device}"
    )
    for row in (row for row in rows if row not in own):
        label = f"with {row['kernel']} x {row['kernel']} kernels there"
        axes.errorbar(
            row["stages_fused"] + 0.15,
            row["speed"],
            _rounds([row]),
            fmt="v",
            color=INK,
            capsize=3,
            label=label,
        )
    for column, name, colour, marker in (
        ("training_images_per_second_v100", "V100 (published)", GREY, "s"),
        ("training_images_per_second_tpu_core", "TPU core (published)", GREY, "^"),
    ):
        printed = [row.number(column) for row in published]
        curves.append([rate / printed[0] for rate in printed])
        axes.plot(
            _FUSED,
            curves[-1],
            marker=marker,
            markerfacecolor="none",
            color=colour,
            linewidth=1,
            linestyle=":",
            label=name,
        )
    axes.axhline(1, color=GREY, linewidth=0.8)
    axes.set_xticks(_FUSED, ["none", "first 3", "first 5", "all 7"])
    axes.set(xlabel="stages fused", ylabel="training throughput,\nrelative to none fused")
    axes.set_ylim(bottom=0)
    axes.legend()
    best = [_FUSED[max(range(len(rates)), key=rates.__getitem__)] for rates in curves]
    row = next(row for row in own if row["stages_fused"] == best[0])
    ours = f"{'none or ' * (row['lowest_speed'] <= 1)}{best[0]}" if best[0] else "none"
    here = device.partition(",")[0]
    axes.set_title(
        f"Fastest fused stages: {best[1]} on the V100, {best[2]} on the TPU core, {ours} on {here}"
    )
    network = _short(rows[0]["network"].partition(",")[0])
    said = "; ".join(
        f"with {_fused(row)}, {row['speed']:.2f} ({row['lowest_speed']:.2f} to {row['highest_speed']:.2f})"
        for row in rows[1:]
    )
    return Picture(
        figure,
        alt=f"{network} on {device}, training throughput over that with no stage fused: {said}.",
        caption=f"{network} at {rows[0]['resolution']} px, batch {rows[0]['batch_size']}, fp32, on {device}. "
        f"Filled marks: median of {rows[0]['rounds']} rounds in which all took turns, with lowest and "
        "highest. Hollow: EfficientNetV2, arXiv:2104.00298v3, table 3, for B4 at its own resolution.",
        numbers=Numbers(
            (
                "stages fused",
                "parameters (computed), M",
                "parameters (published), M",
                "MACs (computed), B",
                "MACs (published), B",
                "training step (measured), ms",
                "relative throughput",
                "lowest to highest",
            ),
            [
                (
                    _fused(row),
                    f"{row['parameters'] / 1e6:.1f}",
                    f"{printed['parameters_millions']}",
                    f"{row['macs'] / 1e9:.2f}",
                    f"{printed['macs_billions']}",
                    f"{row['step_ms']:,.1f}",
                    f"{row['speed']:.2f}",
                    f"{row['lowest_speed']:.2f} to {row['highest_speed']:.2f}",
                )
                for row in rows
                for printed in (published[_FUSED.index(row["stages_fused"])],)
            ],
        ),
    )
