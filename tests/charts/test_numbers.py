"""Every chart's numbers, out of the chart itself."""

import altair as alt
import pandas as pd
import pytest

from econ.charts import figure, render, table_of
from econ.charts.numbers import MOST_ROWS, is_drawn

FRAME = pd.DataFrame({"part": ["a<b", "c"], "usd": [1234.5, 0.25], "unseen": [1, 2]})
WORDS = "Bars of a 1234.5 and c 0.25 USD."


def _bars(**more):
    return figure(
        FRAME, "usd", "part", kind="bar", form="{:g}", finding="a leads", says=WORDS, **more
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
    line = alt.Chart(FRAME.head(1)).mark_rule().encode(x="usd:Q")
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
    assert render.V5_MIME in shown[0]
    assert "The chart" in shown[1]._repr_html_()
