"""Tables, tokens and sentences: the same numbers as HTML and as text."""

import pandas as pd

from econ.charts import Pieces, Say, Table, three

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
