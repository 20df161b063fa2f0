WRONG = {
    "fused_macs": [
        ("lambda i, o, e, k, side: k * k * i * e * i * side**2", "projection is missing"),
        ("lambda i, o, e, k, side: (k * k + o) * e * i * side**2", "first convolution is depthwise"),
        ("lambda i, o, e, k, side: (i + k * k + o) * e * i * side**2", "three convolutions of an MBConv"),
        ("lambda i, o, e, k, side: k * k * (i + o) * e * i * side**2", "1 x 1 kernel"),
        ("lambda i, o, e, k, side: (k * k * i + o) * e * i * side", "side times side"),
        ("lambda i, o, e, k, side: (k * k * i * e + e * o) * side**2", "agrees on"),
        ("lambda i, o: i * o", "TypeError"),
    ],
    "fused_b4_macs": [
        ("ee.cost(ee.fuse_stages(ee.spec('efficientnet_b4'), [1, 2, 3])).macs", "which has index 0"),
        ("ee.cost('efficientnet_b4').macs", "nothing fused"),
        ("ee.cost(ee.fuse_stages(ee.spec('efficientnet_b4'), [0, 1, 2]), 224).macs", "at 224 pixels"),
        ("ee.cost(ee.fuse_stages(ee.spec('efficientnet_b4'), [0, 1, 2])).parameters", "its parameters"),
        ("9.65", "means 9.65 MACs"),
        ("'21.3 billion'", "less than that"),
    ],
    "stage_side": [
        ("lambda stage, first, last, n: int(first + (last - first) * (stage + 1) / n)", "released code"),
        ("lambda stage, first, last, n: round(first + (last - first) * stage / n)", "n - 1 steps"),
        ("lambda stage, first, last, n: first + (last - first) * stage // (n - 1)", "cuts the fraction"),
        ("lambda stage, first, last, n: first + stage * round((last - first) / (n - 1))", "errors add up"),
        ("lambda stage, first, last, n: first + (last - first) * stage / (n - 1)", "only a whole number"),
    ],
    "schedule_share": [
        ("lambda sides: sum(sides) / len(sides) / sides[-1]", "square is missing"),
        ("lambda sides: (sum(sides) / len(sides) / sides[-1]) ** 2", "squares the mean side"),
        ("lambda sides: sum((side / sides[-1]) ** 2 for side in sides)", "adds the stages up"),
        ("lambda sides: sum((side / sides[0]) ** 2 for side in sides) / len(sides)", "with the first stage"),
        ("lambda sides: [(side / sides[-1]) ** 2 for side in sides]", "returns a list"),
    ],
    "accuracy_needed": [
        ("lambda accuracy, slowdown: accuracy * slowdown**-0.07", "sign is turned"),
        ("lambda accuracy, slowdown: accuracy * slowdown**0.05", "exponent of the parameters"),
        ("lambda accuracy, slowdown: accuracy * (1 + 0.07 * (slowdown - 1))", "not a straight line"),
        ("lambda accuracy, slowdown: slowdown**0.07", "Multiply the accuracy"),
    ],
}
