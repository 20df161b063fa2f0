def _growth(depth="min(m, p, f)", width="min(m ** 0.5, p ** 0.5, f)", resolution="min(m, f) ** 0.5"):
    return (
        "lambda dimension, m, p, f: "
        f"{depth} if dimension == 'depth' else {width} if dimension == 'width' else {resolution}"
    )


def _keeps(before="curve[choice]", price="math.log2", pays=">=", otherwise="pass"):
    return (
        "def network_to_keep(curve, least):\n"
        "    choice = 0\n"
        "    for number in range(1, len(curve)):\n"
        f"        doublings = {price}(curve[number][0] / {before}[0])\n"
        f"        if curve[number][1] - {before}[1] {pays} least * doublings:\n"
        "            choice = number\n"
        "        else:\n"
        f"            {otherwise}\n"
        "    return choice"
    )


WRONG = {
    "conv_macs": [
        ("lambda k, a, b, side, stride: k**2 * a * b * side**2", "pixels of the map read"),
        ("lambda k, a, b, side, stride: k**2 * a * b * (side // stride) ** 2", "rounds the side down"),
        ("lambda k, a, b, side, stride: k**2 * a * b * (side // stride + 1) ** 2", "adds one even where"),
        ("lambda k, a, b, side, stride: k * a * b * math.ceil(side / stride) ** 2", "k rows and k columns"),
        ("lambda k, a, b, side, stride: k**2 * a * b * math.ceil(side / stride)", "rows and columns"),
        ("lambda k, a, b, side, stride: 2 * k**2 * a * b * math.ceil(side / stride) ** 2", "One MAC is both"),
        ("lambda k, a, b, side, stride: k**2 * (a + b) * math.ceil(side / stride) ** 2", "they do not add"),
        ("lambda k, a, b, side, stride: k**2 * a * b * ((side - k) // stride + 1) ** 2", "without padding"),
        ("lambda k, a, b, side, stride: k**2 * a * b * round(side / stride) ** 2", "42.5 down to 42"),
        ("lambda k, a, b, side, stride: k**2 * a * math.ceil(side / stride) ** 2", "counts one channel out"),
        ("lambda k, a, b, side, stride: k**2 * a * b * (side / stride) ** 2", "only a whole number"),
        ("lambda k, a, b, side: k**2 * a * b * side**2", "TypeError"),
    ],
    "growth_allowed": [
        (_growth(resolution="min(m, p, f) ** 0.5"), "lets the parameters stop resolution"),
        (_growth(resolution="min(m ** 0.5, p, f ** 0.5)"), "lets the parameters stop resolution"),
        (_growth("min(m, p)", "min(m, p) ** 0.5", "m ** 0.5"), "leaves the maps out"),
        (_growth(width="min(m, p, f) ** 0.5"), "root of `maps` for width"),
        (_growth(resolution="min(m ** 0.5, f)"), "root of `maps` for resolution"),
        (_growth(width="min(m ** 0.5, p, f)"), "root of `parameters` for width"),
        (_growth(width="min(m, p, f)", resolution="min(m, f)"), "takes no roots"),
        (_growth(depth="min(m, p)"), "forgets the maps for depth"),
        (_growth(width="min(m / 4, p / 4, f / 2)", resolution="min(m, f) / 4"), "what one doubling costs"),
        ("lambda dimension, m, p, f: min(m, p, f)", "as depth"),
        (_growth("max(m, p, f)", "max(m ** 0.5, p ** 0.5, f)", "max(m, f) ** 0.5"), "stops you last"),
        (_growth("m", "m ** 0.5", "m ** 0.5"), "looks at the MACs alone"),
        (_growth("m ** (1 / 3)", "m ** (1 / 3)", "m ** (1 / 3)"), "agrees on"),
        ("lambda dimension, m, p: 1", "TypeError"),
    ],
    "network_to_keep": [
        (_keeps("curve[number - 1]"), "compares neighbours"),
        (_keeps("curve[0]"), "compares with the first network"),
        (_keeps(otherwise="break"), "stops at the first network that does not pay"),
        (_keeps(price=""), "ratio of the MACs for the doublings"),
        (_keeps(price="0.5 * "), "halves the ratio"),
        (_keeps(price="1.0 or "), "in all. They are asked for each doubling"),
        (_keeps(price="math.log"), "factors of 2.718"),
        (_keeps(price="-math.log2"), "upside down"),
        (_keeps(pays=">"), "exactly `least` points"),
        ("lambda curve, least: max(range(len(curve)), key=lambda n: curve[n][1])", "whatever it costs"),
        ("lambda curve, least: len(curve)", "agrees on"),
        ("lambda curve, least: curve[0]", "returns a tuple"),
    ],
    "deepest_network": [
        ("2e9 / ee.cost('efficientnet_b0').macs * 16", "divides the budget by what B0 costs"),
        ("82", "divides the budget by what B0 costs"),
        ("87", "already over the budget"),
        ("5", "depth multiplier"),
        ("64", "more than that"),
        ("[ee.spec('efficientnet_b0')]", "an object of type `list`. A number is expected here, in blocks"),
        ("lambda: 80", "function"),
    ],
}
