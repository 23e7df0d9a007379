"""The further shapes: their arithmetic in the drawn rows, their words, drawn in both Vega-Lites."""

import numpy as np
import pandas as pd
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from econ.charts import shapes
from econ.charts.live import live_spec, records

WORDS = "Words of at least twenty characters, 1 of them a number."
COST = pd.DataFrame({"part": ["chips", "power", "discount"], "usd": [3.0, 0.5, -1.2]})
GRID = pd.DataFrame(
    [
        {"batch": b, "chip": c, "usd": np.nan if c == "l4" and b == 64 else usd / b}
        for c, usd in (("h100", 90.0), ("l4", 20.0))
        for b in (1, 8, 64)
    ]
)
LEDGER = pd.DataFrame(
    {"name": ["a", "b"], "ours": [512.0, 0.021], "published": [500.0, 0.02], "tol": [0.05, 0.1]}
)
PAIRS = pd.DataFrame({"m": [1.0, 10.0, 80.0], "p": [1.1, 9.0, 100.0], "chip": ["x", "y", "x"]})
HOURS = pd.DataFrame(
    [{"h": h, "w": w, "part": p} for p, w in (("idle", 100.0), ("busy", 250.0)) for h in (0, 12)]
)
CASES = {
    "waterfall": lambda: shapes.waterfall(
        COST, "usd", "part", x_title="USD", title="t", description=WORDS
    ),
    "heat": lambda: shapes.heat(
        GRID, "batch", "chip", "usd", x_title="Batch", y_title="Chip", value_title="USD",
        title="t", description=WORDS, log=True,
    ),
    "gaps": lambda: shapes.gaps(
        LEDGER, "name", "ours", "published", tolerance_frac="tol", title="t", description=WORDS
    ),
    "parity": lambda: shapes.parity(
        PAIRS, "m", "p", x_title="Measured (ms)", y_title="Predicted (ms)", color="chip",
        title="t", description=WORDS,
    ),
    "areas": lambda: shapes.areas(
        HOURS, "h", "w", "part", x_title="Hour", y_title="Power (W)", title="t", description=WORDS
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_draws_one_table_in_both_vega_lites(name):
    chart = CASES[name]()
    assert live_spec(chart)["data"] == {"name": "live"}
    assert records(chart.data)
    for version in ("5.8", "6.4"):  # JupyterLab's generation and Altair's own
        svg = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=version)
        assert svg.count("<path") > len(chart.data)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_steps_meet_and_end_at_the_sum(amounts):
    frame = pd.DataFrame({"part": [f"p{i}" for i in range(len(amounts))], "usd": amounts})
    steps = shapes.waterfall(frame, "usd", "part", x_title="USD", title="t", description=WORDS).data
    body, total = steps.iloc[:-1], steps.iloc[-1]
    assert body["start"].to_numpy()[1:] == pytest.approx(body["end"].to_numpy()[:-1], abs=1e-6)
    assert total["end"] == pytest.approx(sum(amounts), abs=1e-6)
    assert total["kind"] == "total"
    assert set(body["kind"]) <= {"adds", "takes off"}


def test_a_saving_is_told_from_a_cost_in_the_legend():
    assert ">takes off<" in vl_convert.vegalite_to_svg(CASES["waterfall"]().to_dict())
    plain = shapes.waterfall(
        COST.head(2), "usd", "part", x_title="USD", title="t", description=WORDS
    )
    assert ">adds<" not in vl_convert.vegalite_to_svg(plain.to_dict())


def test_a_cell_without_a_number_says_so_and_ink_follows_the_ground():
    cells = CASES["heat"]().data.set_index(["chip", "batch"])
    assert cells.loc[("l4", 64), "label"] == "–"
    assert cells.loc[("h100", 1), "label"] == "90"
    assert cells.loc[("h100", 1), "ink"] == "#ffffff"  # the darkest cell
    assert cells.loc[("h100", 64), "ink"] != "#ffffff"


def test_a_gap_is_ours_over_published():
    rows = CASES["gaps"]().data
    assert rows["gap_percent"].tolist() == pytest.approx([2.4, 5.0])
    assert rows["label"].tolist() == ["512 · 500", "0.021 · 0.02"]


def test_the_line_of_equals_is_drawn_once():
    svg = vl_convert.vegalite_to_svg(CASES["parity"]().to_dict())
    assert svg.count("stroke-dasharray") == 1


def test_words_come_from_the_table():
    assert shapes.describe(LEDGER, "ours", "name") == "a 512; b 0.021"
    assert shapes.describe(GRID, "usd", "batch", "USD").startswith("1 90 USD; ")
    many = pd.concat([GRID] * 3)
    assert shapes.describe(many.assign(usd=np.nan), "usd", "chip") == "no value"
    assert shapes.describe(many, "usd", "chip", "USD") == (
        "15 values from 1.41 USD (h100) to 90 USD (h100)"
    )


def test_no_words_no_chart():
    with pytest.raises(ValueError, match="needs a description"):
        shapes.areas(
            HOURS, "h", "w", "part", x_title="Hour", y_title="W", title="t", description=""
        )
