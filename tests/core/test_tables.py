"""Values that show themselves."""

from __future__ import annotations

from loihiconv.core.tables import Shown, Table, counted, together

TABLE = Table("Layers <b>", ("name", "size", "rate"), (("a|b", "1,024", "3.1 %"), ("longer", "7", "")))


def test_text_is_aligned_and_numbers_stand_to_the_right() -> None:
    assert TABLE.text().splitlines() == [
        "Layers <b>",
        "name     size   rate",
        "------  -----  -----",
        "a|b     1,024  3.1 %",
        "longer      7",
    ]


def test_long_cells_take_several_lines() -> None:
    table = Table("", ("name", "why", "size"), (("a", "too many synapses of one neuron", "1"), ("b", "", "12,345")))
    assert table.text(24).splitlines() == [
        "name why            size",
        "---- ------------ ------",
        "a    too many          1",
        "     synapses of",
        "     one neuron",
        "b                 12,345",
    ]
    assert table.text().count("\n") == 3


def test_html_and_markdown_escape_what_would_be_markup() -> None:
    assert "Layers &lt;b&gt;" in TABLE.html()
    assert '<td style="text-align:right;padding:0.2em 0.7em">1,024</td>' in TABLE.html()
    assert TABLE.markdown().splitlines()[2] == "| a\\|b | 1,024 | 3.1 % |"


def test_a_row_of_markdown_is_a_line() -> None:
    assert Table("", ["a", "b"], [("1\n2", "3\r4\u20285|6")]).markdown().splitlines()[2:] == ["| 1 2 | 3 4 5\\|6 |"]


def test_a_value_shows_its_tables_and_remarks() -> None:
    class Two(Shown):
        def tables(self) -> tuple[Table, ...]:
            return TABLE, TABLE

        def remarks(self) -> tuple[str, ...]:
            return ("take care & look",)

    assert Two().summary().count("Layers") == 2
    assert Two().summary().endswith("\n\ntake care & look")
    assert Two()._repr_html_().endswith("<p>take care &amp; look</p>")


def test_words() -> None:
    assert counted(["dense", "convolution", "dense"]) == "2 dense + convolution"
    assert together(["a: padded", "b: padded", "slow"]) == ["a, b: padded", "slow"]
