import ast
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path

import pytest

from effnet_edu import published

CONFIDENCES = {"verbatim", "digitised", "computed"}


def test_every_row_says_where_it_comes_from():
    for name in published.list_tables():
        table = published.read(name)
        assert table.columns[-2:] == ("source", "confidence"), name
        assert len(table) > 0, name
        for row in table:
            assert len(row) == len(table.columns), (name, row)
            assert str(row["source"]).strip(), (name, row)
            assert row["confidence"] in CONFIDENCES, (name, row)


def test_every_table_is_described_in_the_readme():
    readme = (Path(published.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in published.list_tables() if f"| `{name}` |" not in readme] == []


def test_numbers_are_parsed_and_text_is_kept():
    row = published.read("effnet_table2").row(network="ResNet-50")
    assert (row["top1_percent"], row["parameters_millions"]) == (76.0, 26)
    assert isinstance(row["parameters_millions"], int)
    assert row["cited_as"] == "He et al., 2016"
    gpipe = published.read("effnet_table2").row(network="GPipe")
    assert gpipe["macs_billions"] is None
    recipe = published.read("effnet_recipe")
    assert recipe.row(item="gamma").number("value") == 1.15
    assert recipe.row(item="weight_decay")["value"] == 1e-5
    with pytest.raises(ValueError, match="macs_billions is None"):
        gpipe.number("macs_billions")


def test_anchors_that_everybody_knows():
    table = published.read("effnet_table2")
    b7 = table.row(network="EfficientNet-B7")
    assert (b7["top1_percent"], b7["parameters_millions"], b7["macs_billions"]) == (84.3, 66, 37)
    versions = published.read("effnet_table2_versions").where(network="B0", what="Table 2")
    assert [(row["version"], row["top1_percent"]) for row in versions] == [
        ("v1 (unstamped build)", 76.3),
        ("v2", 76.3),
        ("v3", 77.3),
        ("v5", 77.1),
    ]


def test_where_keeps_order_and_slices_are_tables():
    table = published.read("effnet_table2").where(comparison_group="B1")
    assert table.column("network")[:2] == ("EfficientNet-B1", "ResNet-152")
    assert table[1:].column("network") == table.column("network")[1:]
    assert table[-1]["network"] == "Xception"


def test_rows_cannot_be_changed():
    row = published.read("effnet_table2")[0]
    assert not isinstance(row, MutableMapping)
    with pytest.raises(TypeError):
        row["top1_percent"] = 100
    with pytest.raises(TypeError):
        row._values["top1_percent"] = 100


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(ValueError, match=r"no published table named 'efnet_table_2'.*effnet_table2"):
        published.read("efnet_table_2")
    table = published.read("effnet_table2")
    with pytest.raises(KeyError, match=r"no column 'top1'.*top1_percent"):
        table[0]["top1"]
    with pytest.raises(KeyError, match=r"no column 'top1'.*top1_percent"):
        table.where(top1=1)
    with pytest.raises(KeyError, match="no column 'net'"):
        table.column("net")


def test_one_row_means_one_row():
    table = published.read("effnet_table2")
    with pytest.raises(ValueError, match="has 0 rows with network='B9'"):
        table.row(network="B9")
    with pytest.raises(ValueError, match="has 3 rows with comparison_group='B0'"):
        table.row(comparison_group="B0")


def test_html_escapes_and_shows_every_row():
    table = published.Table("t", ("a",), [published.Row("t", {"a": "<b>"}), published.Row("t", {"a": None})])
    assert table._repr_html_().count("<tr>") == 3
    assert "&lt;b&gt;" in table._repr_html_()


def test_reading_needs_neither_torch_nor_pandas():
    code = (
        "import sys, effnet_edu as ee; ee.published.read('effnet_table2'); "
        "print([name for name in ('torch', 'pandas', 'numpy', 'matplotlib') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(answer.stdout) == []
