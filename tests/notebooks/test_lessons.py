"""What every lesson must be, read from its file: fresh, whole, readable, and right in its numbers."""

import ast
import re
from html.parser import HTMLParser
from statistics import mean

import pytest

import effnet_edu as ee
from effnet_edu.studies.device import layer_profile
from tests.notebooks.book import (
    KEY,
    LESSONS,
    WIDGET,
    cell_fingerprints,
    code_cells,
    effective_code,
    is_compared,
    lesson_files,
    library_fingerprint,
    prose_cells,
    read,
)

FILES = lesson_files()
SECTIONS = (
    "## Exercises",
    "## What the evidence says, and what it does not",
    "## Quiz",
    "## Three takeaways",
    "## Primary sources",
    "## Next",
)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def book(path):
    return read(path)


def prose(book):
    return "\n\n".join(cell.source for cell in prose_cells(book))


def outputs(book):
    return [(cell, output) for cell in code_cells(book) for output in cell.outputs]


def section(text, heading):
    start = text.index(heading) + len(heading)
    return re.split(r"^## ", text[start:], maxsplit=1, flags=re.MULTILINE)[0]


def test_there_are_lessons():
    assert [path.stem for path in FILES][:1] == ["00_start_here"]
    assert len(FILES) >= 2


# Fresh


def test_every_cell_was_run_as_it_stands(book):
    stored = book.metadata[KEY]["cells"]
    edited = [name for name, digest in cell_fingerprints(book).items() if stored.get(name) != digest]
    assert not edited, f"edited and not run again: {edited}; run `make outputs`"
    assert set(stored) == {cell.id for cell in code_cells(book)}
    assert [cell.execution_count for cell in code_cells(book)] == list(range(1, len(code_cells(book)) + 1))


def test_the_library_is_the_one_whose_numbers_are_shown(book, path):
    assert book.metadata[KEY]["library"] == library_fingerprint(book, path.stem[:2]), (
        "code or tables that this lesson shows numbers of changed after its outputs were stored; "
        "run `make outputs`"
    )


def test_a_comment_or_docstring_does_not_make_outputs_stale():
    plain = "def f(x):\n    return x + 1\n"
    talkative = '"""A module."""\n\n# why\ndef f(x):\n    """Add.\n\n    More.\n    """\n\n    return x + 1\n'
    assert effective_code(talkative) == effective_code(plain)
    assert effective_code(plain.replace("+ 1", "+ 2")) != effective_code(plain)


def test_nothing_volatile_and_nothing_wrong_is_stored(book):
    assert set(book.metadata) == {"kernelspec", "language_info", KEY}
    assert book.metadata.kernelspec.name == "python3"
    for cell, output in outputs(book):
        assert output.output_type != "error", cell.id
        assert output.get("name") != "stderr", f"{cell.id} wrote to stderr: {output.get('text')}"
        assert WIDGET not in output.get("data", {}), cell.id
    for cell in code_cells(book):
        assert set(cell.metadata) <= {"tags", "exercise"}, cell.id
    ids = [cell.id for cell in book.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]{3,64}", name) for name in ids)


# Whole


def test_the_first_cell_says_what_a_learner_must_know(book, path):
    first = book.cells[0].source
    number = path.stem[:2]
    assert first.startswith(f"# {number} ")
    claim = re.search(r"\*\*The claim\.\*\* (.+)", first)
    assert claim
    objectives = section_list(first, "**After this lesson you can**")
    assert 4 <= len(objectives) <= 6
    assert "**Before:**" in first
    time = re.search(r"\*\*Time:\*\* reader (\d+) minutes, CPU (\d+) seconds, GPU (\d+) seconds\.", first)
    assert time
    assert int(time[2]) <= 60
    assert int(time[3]) <= 60


def section_list(text, heading):
    return re.findall(r"^\d\. .+", text.split(heading)[1].split("**Before")[0], flags=re.MULTILINE)


def test_every_section_is_there_in_order(book):
    places = [prose(book).index(heading) for heading in SECTIONS]
    assert places == sorted(places)
    assert len(re.findall(r"^\d\. ", section(prose(book), "## Three takeaways"), flags=re.MULTILINE)) == 3
    links = re.findall(r"\]\((https://[^)]+)\)", section(prose(book), "## Primary sources"))
    assert 3 <= len(set(links)) <= 6


def test_it_opens_with_something_surprising_made_by_code(book):
    kinds = [cell.cell_type for cell in book.cells[:5]]
    assert kinds[:4] == ["markdown", "code", "markdown", "code"]
    assert book.cells[3].outputs


def test_the_reader_predicts_and_tries(book):
    text = prose(book)
    assert len(re.findall(r"\*\*Predict", text)) >= 3
    lab = [cell for cell in code_cells(book) if "ee.labs." in cell.source]
    assert lab
    assert "**Three things to try**" in text
    assert len(re.findall(r"^\d\. ", text.split("**Three things to try**")[1][:900], flags=re.MULTILINE)) >= 3


def test_sizes(book, path):
    words = sum(len(cell.source.split()) for cell in prose_cells(book))
    assert 40 <= len(book.cells) <= 70
    assert 1300 <= words <= 3000
    assert path.stat().st_size <= 300 * 1024
    lines = [len(cell.source.splitlines()) for cell in code_cells(book)]
    assert mean(lines) <= 8
    assert max(lines) <= 30


def test_exercises_stand_as_card_stub_and_check(book, path):
    cells = code_cells(book)
    named = [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata]
    assert named == ee.exercises.list_exercises(path.stem)
    assert 3 <= len(named) <= 5
    for index, cell in enumerate(cells):
        if name := cell.metadata.get("exercise"):
            assert cells[index - 1].source == f'ee.exercises.get("{name}")'
            assert cell.source == ee.exercises.get(name).stub()
            assert cells[index + 1].source == f'ee.exercises.get("{name}").check({name})'
            assert "Not attempted." in str(cells[index + 1].outputs)


def test_the_quiz_is_the_lessons_own(book, path):
    assert any(cell.source == f'ee.exercises.quiz("{path.stem}")' for cell in code_cells(book))
    assert 4 <= len(ee.exercises.quiz_of(path.stem).questions) <= 6


def test_it_uses_the_library_by_its_public_names(book):
    for cell in code_cells(book):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("effnet_edu"), cell.id
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_"), cell.id


def test_what_depends_on_the_device_is_not_compared(book):
    for cell in code_cells(book):
        timed = re.search(r"ee\.profile\(|check_machine|\.wait\(|sweep\[|ee\.labs\.", cell.source)
        assert not (timed and is_compared(cell)), (
            f"{cell.id} shows something of the device: tag it nbval-ignore-output"
        )


# Readable


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_every_image_has_alt_text_caption_and_numbers(book):
    for cell, output in outputs(book):
        data = output.get("data", {})
        assert not {"image/png", "image/jpeg"} & set(data), (
            f"{cell.id}: JupyterLab drops the alt text of a bare image"
        )
        parser = Tags()
        parser.feed("".join(data.get("text/html", "")))
        tags = [tag for tag, _ in parser.found]
        for tag, attributes in parser.found:
            if tag == "img":
                assert len(attributes.get("alt", "").split()) >= 8, cell.id
                assert attributes["src"].startswith("data:image/"), cell.id
                assert {"figcaption", "caption"} & set(tags), cell.id
                assert {"details", "table"} & set(tags), cell.id  # the same numbers in words
            if tag == "svg":
                assert {"aria-label", "aria-hidden"} & set(attributes), cell.id
    assert "![" not in prose(book)


def test_no_widget_is_without_a_still_picture(book):
    for cell in code_cells(book):
        if re.search(r"^(lab|ee\.exercises\.quiz\(.*\))$", cell.source, flags=re.MULTILINE):
            assert any("text/html" in output.get("data", {}) for output in cell.outputs), cell.id


def test_links_inside_the_course_resolve(book):
    for target in re.findall(r"\]\(([^)]+)\)", prose(book)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        assert (LESSONS / name).is_file(), target
        assert not anchor, "anchors differ between JupyterLab and GitHub"


def test_lessons_that_are_not_written_have_no_link():
    text = prose(read(LESSONS / "00_start_here.ipynb"))
    rows = re.findall(r"^\| (.+?) \| .+ \| (to come|ready|you are here) \|$", text, flags=re.MULTILINE)
    assert len(rows) == 8
    ready = {path.stem for path in FILES}
    for name, state in rows:
        number = re.search(r"\d\d", name)[0]
        written = any(stem.startswith(number) for stem in ready)
        assert (state != "to come") == written, f"the course map calls {name} {state!r}"
        assert ("](" in name) == (state == "ready")


# Right


def known_numbers():
    """Return every decimal number that prose may use, as text: from tables, the formula and exact counts."""
    known = set()
    for name in ee.published.list_tables():
        for row in ee.published.read(name):
            known |= {f"{value:g}" for value in row.values() if isinstance(value, float)}
            known |= {f"{value}" for value in row.values() if isinstance(value, float)}
    known |= {f"{ee.cost_factor():.2f}"}
    table = ee.published.read("effnet_coefficients")
    for row in table[1:8]:
        fitted = ee.fit_phi(ee.Multipliers(row["depth"], row["width"], row["resolution"] / 224))
        built = ee.spec(f"efficientnet_{row['network'].lower()}").layers / ee.spec("efficientnet_b0").layers
        for value in (fitted.depth, fitted.width, fitted.resolution, built):
            known |= {f"{value:.1f}", f"{value:.2f}"}
    return known


def stated_numbers(text):
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|\$[^$]*\$", " ", text)
    return re.findall(r"(?<![\w.:])\d+\.\d+(?![\w.]*\d)", text)


#: Decimal numbers in prose that are choices of the lesson and no results.
CHOICES = {"02_compound_scaling": {"0.05", "0.9", "0.1", "1.0", "0.5", "2.0"}, "00_start_here": set()}


def test_decimal_numbers_in_prose_stand_in_a_table_or_are_counted(book, path):
    stated = set(stated_numbers(prose(book))) - CHOICES.get(path.stem, set())
    assert stated <= known_numbers(), sorted(stated - known_numbers())


def test_a_wrong_number_in_prose_would_be_noticed():
    assert stated_numbers("from 6.2 to 7.3, `1.5`, v1.2.3, arXiv:1905.11946") == ["6.2", "7.3"]
    assert "6.2" in known_numbers()
    assert "6.4" not in known_numbers()


def test_what_lesson_02_says_in_words_is_so():
    """Whole numbers and comparisons that its prose states, counted again."""
    text = prose(read(LESSONS / "02_compound_scaling.ipynb"))
    b0 = ee.spec("efficientnet_b0")
    macs = {number: ee.cost(f"efficientnet_b{number}").macs for number in range(8)}

    assert "costs about a hundred times as much as B0" in text
    assert macs[7] / macs[0] == pytest.approx(100, rel=0.05)

    assert "Blocks jump from 16 to 23 at once; channels stay" in text
    nudged = ee.compound(0.1)
    assert (b0.layers, nudged.layers) == (16, 23)
    assert [stage.channels for stage in nudged.stages] == [stage.channels for stage in b0.stages]

    assert "B1 and B2 even have the same blocks" in text
    assert ee.spec("efficientnet_b1").layers == ee.spec("efficientnet_b2").layers

    assert "The first step costs far more than the rule says, and later steps cost less" in text
    steps = [ee.cost(ee.compound(phi + 1)).macs / ee.cost(ee.compound(phi)).macs for phi in range(7)]
    assert steps[0] > 2.4
    assert max(steps[1:]) < steps[0]
    assert sum(step < ee.cost_factor() for step in steps[1:]) >= 4

    assert "From B4 on, depth lags behind" in text
    table = ee.published.read("effnet_coefficients")
    for row in table[1:8]:
        phi = ee.fit_phi(ee.Multipliers(row["depth"], row["width"], row["resolution"] / 224))
        behind = min(phi.width, phi.resolution) - phi.depth
        assert (behind > 0.25) == (row["network"] in {"B4", "B5", "B6", "B7"}), row["network"]

    assert "B4 and B5 differ by 4 to 5 percent" in text
    for number, published in ((4, 4.2), (5, 9.9)):
        assert 1.035 <= macs[number] / (published * 1e9) <= 1.05

    assert "From phi 0 to phi 2, MACs grow about five times" in text
    assert ee.cost(ee.compound(2)).macs / macs[0] == pytest.approx(5, rel=0.1)


def front(points):
    """Return the keys of what no other beats, given as (cost, accuracy, key)."""
    kept = []
    for cost, top1, key in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or top1 > kept[-1][1]:
            kept.append((cost, top1, key))
    return kept


def test_what_lesson_06_says_in_words_is_so():
    text = prose(read(LESSONS / "06_benchmarks.ipynb"))
    papers, timm = ee.published.results("papers"), ee.published.results("timm")

    assert "From 5 to 120 million parameters, EfficientNets of both versions hold the front alone" in text
    leaders = front((result.parameters, result.top1, result.key) for result in papers)
    assert all(key.startswith("efficientnet") for cost, _, key in leaders if 5.2 < cost <= 120)
    assert leaders[-1][0] > 120

    assert "Does any ConvNeXt reach the front?" in text
    leaders = front((result.macs, result.top1, result.key) for result in papers if result.macs)
    assert [key for _, _, key in leaders if "convnext" in key] == ["convnext_small"]

    assert "On none. Fewest MACs chose B3, and ConvNeXt-T with more than twice as many is faster" in text
    good = [result for result in timm if result.top1 >= 82]
    lightest = min(good, key=lambda result: result.macs)
    assert lightest.key == "efficientnet_b3"
    for device in ("Core i9-10940X", "RTX 3090", "RTX 4090", "RTX 5090"):
        rates = {result: ee.published.speed_of(result, device).images_per_second for result in good}
        fastest = max(rates, key=rates.get)
        assert fastest.key == "convnext_tiny"
        assert fastest.macs > 2 * lightest.macs

    assert "Over throughput on this GPU none of its eight networks is on the front" in text
    speed = {result: ee.published.speed_of(result, "RTX 4090").images_per_second for result in timm}
    leaders = [key for _, _, key in front((-rate, result.top1, result.key) for result, rate in speed.items())]
    assert not any(key.startswith("efficientnet_b") for key in leaders)
    upper = leaders[leaders.index("resnet50") + 1 :]
    assert {key.split("_")[0] for key in upper} == {"convnext", "efficientnetv2"}

    assert "Those of B4 and B5 are about 4 to 5 percent above what is printed" in text
    table = ee.published.read("effnet_table2")
    for number in range(8):
        row = table.row(network=f"EfficientNet-B{number}")
        counted = ee.cost(f"efficientnet_b{number}")
        assert abs(counted.parameters / row["parameters_millions"] / 1e6 - 1) < 0.0201
        off = counted.macs / row["macs_billions"] / 1e9 - 1
        assert (0.035 < off < 0.05) if number in (4, 5) else abs(off) < 0.0205

    assert "One MACs ratio, of PNASNet, is not what its own columns give" in text
    groups = {row["comparison_group"]: row for row in table if row["parameters_ratio"] == 1}
    for row in table:
        if row["macs_ratio"] is not None:
            again = row["macs_billions"] / groups[row["comparison_group"]]["macs_billions"]
            assert (abs(row["macs_ratio"] / again - 1) > 0.05) == (row["network"] == "PNASNet")

    assert "more than two points before any layer was touched" in text
    steps = ee.published.read("convnext_modernized").where(roadmap="ResNet-50 -> ConvNeXt-T")
    assert steps[1]["top1_percent"] - steps[0]["top1_percent"] > 2
    assert steps[1]["macs_billions"] == steps[0]["macs_billions"]

    assert "depthwise convolutions took about a quarter of B0's time for 9 percent of its MACs" in text
    assert "took another quarter for no MACs at all" in text
    assert "ran more than three times as many MACs a second as B0's expansions" in text
    recorded = ee.studies.recorded_devices()["amd_epyc_2_threads"]["layers"].data["rows"]
    b0, v2_s = (
        layer_profile(next(row for row in recorded if (row["network"], row["batch_size"]) == (name, 1)))
        for name in ("efficientnet_b0", "efficientnetv2_s")
    )
    depthwise = [layer for layer in b0.layers if layer.role == "depthwise" and layer.macs]
    assert round(sum(layer.macs for layer in depthwise) / b0.macs, 2) == 0.09
    assert 0.2 < sum(layer.seconds for layer in depthwise) / b0.total_seconds < 0.3
    assert 0.2 < sum(layer.seconds for layer in b0.layers if not layer.macs) / b0.total_seconds < 0.32

    def rate(layers):
        return sum(layer.macs for layer in layers) / sum(layer.seconds for layer in layers)

    fused = [layer for layer in v2_s.layers if layer.role == "fused" and layer.macs]
    assert rate(fused) > 3 * rate([layer for layer in b0.layers if layer.role == "expand" and layer.macs])

    assert "more than 10 times the MACs of B0, ConvNeXt-T more than 11 times" in text
    b0_macs = ee.cost("efficientnet_b0").macs
    assert ee.peer_counts("resnet50")[1] > 10 * b0_macs
    assert ee.peer_counts("convnext_tiny")[1] > 11 * b0_macs
