"""Tables, tokens and sentences as HTML and as text; a chart's numbers, out of the chart itself."""

import altair as alt
import pandas as pd
import pytest

from econ.charts import Pieces, Say, Table, figure, render, table_of, three
from econ.charts.tables import MOST_ROWS, is_drawn

FRAME = pd.DataFrame({"part": ["a<b", "c"], "usd": [1234.5, float("nan")]})


def test_numbers_right_words_left_and_markup_escaped():
    html = Table(FRAME, usd="${:,.2f}")._repr_html_()
    assert '<td style="text-align:left">a&lt;b</td>' in html
    assert '<td style="text-align:right"><span>&#36;</span>1,234.50</td>' in html
    assert '<td style="text-align:right"></td>' in html


def test_the_text_is_plain():
    assert repr(Table(FRAME, usd="${:,.2f}")).split() == ["part", "usd", "a<b", "$1,234.50", "c"]


def test_pieces_keep_every_character():
    made = Pieces(["a", " <b>", "\n"])
    assert repr(made) == "a| <b>|\n"
    assert "&lt;b&gt;" in made._repr_html_()
    assert "(3 tokens)" in made._repr_html_()


def test_numbered_points_start_their_own_lines():
    said = Say("1. One\n   goes on.\n2. Costs $2 to $3.")
    assert repr(said) == "1. One goes on.\n2. Costs $2 to $3."
    assert said._repr_markdown_().count("<span>&#36;</span>") == 2


def test_three_digits_without_powers():
    assert [three(v) for v in (0, 12.345, 999.9, 1e6, 4.8e-6)] == [
        "0",
        "12.3",
        "1000",
        "1,000,000",
        "0.0000048",
    ]


# -- the numbers of a chart
DRAWN = pd.DataFrame({"part": ["a<b", "c"], "usd": [1234.5, 0.25], "unseen": [1, 2]})
WORDS = "Bars of a 1234.5 and c 0.25 USD."


def _bars(**more):
    return figure(
        DRAWN, "usd", "part", kind="bar", form="{:g}", finding="a leads", says=WORDS, **more
    )


def test_the_numbers_of_a_chart_open_beneath_it():
    html = table_of(_bars(), usd="${:.2f}")._repr_html_()
    assert html.startswith("<details><summary>The chart&#x27;s numbers (2 rows)</summary>")
    assert "a&lt;b" in html
    assert "1234.50" in html
    assert "unseen" not in html
    assert repr(table_of(_bars())).split() == (
        ["part", "usd", "label", "a<b", "1,234", "1234.5", "c", "0.25", "0.25"]
    )


def test_each_table_of_a_chart_once():
    made = table_of(_bars(guess=7.0))
    assert [len(t.text) for t in made.tables] == [2, 1]  # the guess is a table of its own
    line = alt.Chart(DRAWN.head(1)).mark_rule().encode(x="usd:Q")
    (only,) = table_of(alt.layer(_bars(), line)).tables  # a piece of the first is not
    assert list(only.text) == ["part", "usd", "label"]
    side = alt.hconcat(_bars(), _bars(guess=7.0))
    assert [len(t.text) for t in table_of(side).tables] == [2, 1]


def test_a_long_table_is_cut_and_says_so():
    long = pd.DataFrame({"x": range(MOST_ROWS + 1), "y": 1.0})
    made = table_of(figure(long, "x", "y", finding="A line"))
    assert len(made.tables[0].text) == MOST_ROWS
    assert "1,001 rows, the first 1,000" in made.summary


@pytest.mark.parametrize("words", ['"field": "n"', "datum.n > 0", "datum['n']"])
def test_a_field_or_a_formula_names_a_column(words):
    assert is_drawn("n", words)
    assert not is_drawn("no", words)


def test_a_reader_gets_the_numbers_and_the_test_run_does_not(monkeypatch):
    from IPython.core.interactiveshell import InteractiveShell

    shown = []
    shell = InteractiveShell.instance()
    formatter = shell.display_formatter.ipython_display_formatter
    monkeypatch.setattr(render, "display", lambda *a, **k: shown.append(a[0]))
    try:
        monkeypatch.setenv("ECON_STATIC", "1")
        render.setup()
        assert not formatter(_bars())
        monkeypatch.delenv("ECON_STATIC")
        render.setup()
        assert formatter(_bars())
    finally:
        formatter.pop(alt.TopLevelMixin, None)
        InteractiveShell.clear_instance()
    assert "max-width" in shown[0].data  # said once, by the setup
    assert render.V5_MIME in shown[1]
    assert "The chart" in shown[2]._repr_html_()
