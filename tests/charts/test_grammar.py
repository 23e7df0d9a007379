"""Every kind of figure: described, drawn in both Vega-Lites, its arithmetic in the drawn rows."""

import base64

import numpy as np
import pandas as pd
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from econ.charts import figure, finish, overlay, render, words
from econ.charts.live import live_spec, records

TWO = pd.DataFrame(
    [
        {"batch": b, "tpot_ms": 10 + k * b**0.5, "low": 8.0 + b, "high": 13.0 + b, "kind": name,
         "measured_ms": 11 + k * b**0.5, "peak": b == 8}
        for name, k in (("measured", 2.0), ("memory bound", 1.0))
        for b in (1, 8, 64)
    ]
)  # fmt: skip
ONE = TWO[TWO["kind"] == "measured"]
COST = pd.DataFrame(
    {"part": ["chips", "power", "discount"], "usd": [3.0, 0.5, -1.2], "sort": ["a", "b", "a"]}
)
SHARES = pd.DataFrame(
    {
        "job": ["chat", "chat", "rag", "rag"],
        "part": ["in", "out"] * 2,
        "share": [0.2, 0.8, 0.7, 0.3],
    }
)
AREAS = pd.DataFrame(
    {"n_requests": [1e3, 1e3, 1e6, 1e6], "part": ["a", "b"] * 2, "share": [0.2, 0.8, 0.7, 0.3]}
)
RANGES = pd.DataFrame(
    {"input": ["rent", "power"], "usd": [3.0, 3.0], "low": [1.0, 2.5], "high": [6.0, 3.4]}
)
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
CASES = {
    "line": (TWO, "batch", "tpot_ms", {"by": "kind", "log": "x", "points": True}),
    "path": (ONE, "tpot_ms", "low", {"label": "batch"}),
    "bar": (COST, "usd", "part", {}),
    "column": (TWO, "batch", "tpot_ms", {"by": "kind"}),
    "area": (AREAS, "n_requests", "share", {"by": "part", "log": "x"}),
    "point": (TWO, "tpot_ms", "low", {"by": "kind", "log": "xy"}),
    "range": (RANGES, "usd", "input", {"low": "low", "high": "high", "log": "x"}),
    "histogram": (ONE, "low", "batch", {"high": "high"}),
    "waterfall": (COST, "usd", "part", {}),
    "heat": (GRID, "batch", "chip", {"by": "usd", "log": "by"}),
    "gap": (LEDGER, "ours", "name", {"against": "published", "tolerance": "tol"}),
    "parity": (TWO, "measured_ms", "tpot_ms", {"by": "kind"}),
}


def draw(kind, **more):
    """One figure of a kind."""
    frame, x, y, options = CASES[kind]
    return figure(frame, x, y, kind=kind, finding="A finding", **(options | more))


@pytest.mark.parametrize("kind", CASES)
def test_it_says_its_numbers_and_draws_in_both_vega_lites(kind):
    chart = draw(kind)
    assert any(c.isdigit() for c in chart.description)
    assert records(chart.data)
    if kind != "path":  # a path adds its order to the table
        assert live_spec(chart)["data"] == {"name": "live"}
    for version in ("5.8", "6.4"):  # JupyterLab's generation and Altair's own
        svg = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=version)
        assert svg.count("<path") >= 3


def test_titles_and_units_come_from_the_names():
    spec = draw("line").to_dict()["layer"][0]["encoding"]
    assert spec["x"]["title"] == "Batch (log)"
    assert spec["y"]["title"] == "Time per output token (ms)"
    own = draw("line", y_title="Wait (ms)").to_dict()["layer"][0]["encoding"]
    assert own["y"]["title"] == "Wait (ms)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"finding": " "}, "needs a finding"),
        ({"by": "kinds"}, "nearest: kind"),
        ({"frame": TWO.head(0)}, "no rows"),
        ({"says": "too short"}, "needs a description"),
    ],
)
def test_what_says_nothing_is_refused(change, message):
    call = {"frame": TWO, "x": "batch", "y": "tpot_ms", "finding": "A finding", **change}
    with pytest.raises(ValueError, match=message):
        figure(call.pop("frame"), call.pop("x"), call.pop("y"), **call)


def test_lines_that_end_together_are_named_in_a_legend():
    apart = vl_convert.vegalite_to_svg(draw("line").to_dict())
    assert "role-legend" not in apart
    close = TWO.assign(tpot_ms=TWO["tpot_ms"].where(TWO["kind"] != "measured", 18.1))
    chart = figure(close, "batch", "tpot_ms", by="kind", finding="A finding")
    assert "role-legend" in vl_convert.vegalite_to_svg(chart.to_dict())


def test_a_long_finding_is_broken_into_lines():
    finding = "One finding that is so long that it would run far beyond the picture's right edge"
    chart = figure(TWO, "batch", "tpot_ms", by="kind", finding=finding)
    assert " ".join(chart.title.text) == finding


def test_bands_dots_marks_rules_and_guesses():
    chart = figure(ONE, "batch", "tpot_ms", low="low", high="high", dots="measured_ms",
                   mark="peak", rule_y=12.0, guess=15.0, finding="A finding")  # fmt: skip
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    assert "your guess" in svg
    assert svg.count("stroke-dasharray") == 2
    plain = vl_convert.vegalite_to_svg(draw("line").to_dict())
    assert "your guess" not in plain


def test_one_picture_for_each_value_of_a_facet():
    chart = draw("line", facet="kind", dots="measured_ms")
    assert len(chart.hconcat) == 2
    assert "measured: Lines" in chart.description


def test_figures_lie_over_each_other_under_one_finding():
    both = overlay(draw("line"), draw("point"), finding="Both at once")
    assert both.title.text == "Both at once"
    assert "Lines of" in both.description
    assert "points of" in both.description


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_steps_meet_and_end_at_the_sum(amounts):
    frame = pd.DataFrame({"part": [f"p{i}" for i in range(len(amounts))], "usd": amounts})
    steps = figure(frame, "usd", "part", kind="waterfall", finding="Steps").data
    body, total = steps.iloc[:-1], steps.iloc[-1]
    assert body["start"].to_numpy()[1:] == pytest.approx(body["end"].to_numpy()[:-1], abs=1e-6)
    assert total["end"] == pytest.approx(sum(amounts), abs=1e-6)
    assert total["kind"] == "total"
    assert set(body["kind"]) <= {"adds", "takes off"}


def test_a_saving_is_told_from_a_cost_in_the_legend():
    assert ">takes off<" in vl_convert.vegalite_to_svg(draw("waterfall").to_dict())
    plain = figure(COST.head(2), "usd", "part", kind="waterfall", finding="Steps")
    assert ">adds<" not in vl_convert.vegalite_to_svg(plain.to_dict())


def test_a_cell_without_a_number_says_so_and_ink_follows_the_ground():
    chart = draw("heat")
    cells = chart.data.set_index(["chip", "batch"])
    assert cells.loc[("l4", 64), "label"] == "–"
    assert cells.loc[("h100", 1), "label"] == "90"
    assert cells.loc[("h100", 1), "ink"] == "#ffffff"  # the darkest cell
    assert cells.loc[("h100", 64), "ink"] != "#ffffff"
    assert "1 of 6 cells have no answer" in chart.description


def test_a_gap_is_ours_over_published():
    rows = draw("gap").data
    assert rows["gap_percent"].tolist() == pytest.approx([2.4, 5.0])
    assert rows["label"].tolist() == ["512 · 500", "0.021 · 0.02"]


def test_the_line_of_equals_is_drawn_once():
    svg = vl_convert.vegalite_to_svg(draw("parity").to_dict())
    assert svg.count("stroke-dasharray") == 1


def test_words_come_from_the_table():
    assert words.describe(LEDGER, "ours", "name", "") == "a 512; b 0.021"
    many = pd.concat([GRID] * 3)
    assert words.describe(many.assign(usd=np.nan), "usd", "chip") == "no value"
    assert words.describe(many, "usd", "chip") == (
        "15 values from 1.41 USD (h100) to 90 USD (h100)"
    )


def test_a_chart_without_words_is_refused():
    frame = pd.DataFrame({"a": [1.0], "b": ["x"]})
    with pytest.raises(ValueError, match="needs a description"):
        finish(figure(frame, "a", "b", kind="bar", finding="t"), title="t", description="short")
    with pytest.raises(ValueError, match="without a description"):
        render.bundle_of({"mark": "bar"})


def test_the_bundle_for_a_reader_and_for_committing(monkeypatch):
    spec = draw("bar").to_dict()
    monkeypatch.delenv("ECON_STATIC", raising=False)
    live, words = render.bundle_of(spec)
    assert live[render.V5_MIME]["$schema"] == render.V5_SCHEMA
    assert words["image/png"]["alt"] == spec["description"] == live["text/plain"]
    monkeypatch.setenv("ECON_STATIC", "1")
    still, _ = render.bundle_of(spec)
    assert set(still) == {"text/plain", "image/png"}
    assert base64.b64decode(still["image/png"]).startswith(b"\x89PNG")
    assert render.bundle_of(spec)[0] == still


def _texts(chart) -> list[dict]:
    layers = chart.to_dict(validate=False)["layer"]
    return [layer for layer in layers if layer["mark"].get("type") == "text"]


def test_the_label_of_a_bar_left_of_zero_stands_on_the_free_side():
    rows = pd.DataFrame({"launch": ["a", "b"], "change_percent": [-48.0, 113.0]})
    (text,) = _texts(figure(rows, "change_percent", "launch", kind="bar", finding="It moved"))
    assert text["encoding"]["x"]["field"] == "beyond"
    right = rows.assign(change_percent=[48.0, 113.0])
    (text,) = _texts(figure(right, "change_percent", "launch", kind="bar", finding="It rose"))
    assert text["encoding"]["x"]["field"] == "change_percent"


def test_a_lines_name_stands_where_the_line_ends_and_not_where_its_dots_do():
    rows = pd.DataFrame({"year": [2024.0, 2025.0, 2026.0] * 2, "chip": ["a"] * 3 + ["b"] * 3,
                         "usd": [1.0, 2.0, None, 8.0, 9.0, None],
                         "ours": [None, None, 3.0, None, None, 8.0]})  # fmt: skip
    (text,) = _texts(figure(rows, "year", "usd", by="chip", dots="ours", finding="They rose"))
    assert "isValid" in str(text["transform"])


def test_bars_stand_in_the_order_that_a_list_names():
    rows = pd.DataFrame({"way": ["rent", "own"], "usd": [2.0, 1.0]})
    chart = figure(
        rows, "usd", "way", kind="bar", sort=["own", "rent"], finding="Owning costs less"
    )
    assert chart.to_dict(validate=False)["layer"][0]["encoding"]["y"]["sort"] == ["own", "rent"]
