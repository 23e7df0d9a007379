"""Panels without a browser: controls move the readout, the model's refusals are shown."""

import json

import numpy as np
import pandas as pd
import pytest

from econ.charts import figure
from econ.charts.live import live_spec
from econ.charts.panels import panel, slider
from econ.latency.bound import reality_frame
from econ.lessons import l00_start, l01_tokens
from econ.scenario import Scenario


@pytest.fixture
def bill():
    """The panel of notebook 00."""
    return l00_start.bill_panel(Scenario.default(), reality_frame()["slowdown"].median())


@pytest.fixture
def growth():
    """The panel of notebook 01."""
    return l01_tokens.growth_panel()


def test_a_control_moves_rows_and_words(bill):
    rows, words = bill._live.rows, bill.readout
    bill.controls["batch"].value = 200
    assert bill.readout != words
    assert bill._live.rows != rows
    assert bill._live.rows[0]["label"].startswith("$")


def test_the_last_of_a_flood_wins(growth):
    for turns in [*range(2, 101), *range(100, 6, -1)]:
        growth.controls["turns"].value = turns
    assert "After 7 turns" in growth.readout
    assert max(row["turn"] for row in growth._live.rows) == 7


def test_what_the_model_refuses_is_said(bill):
    bill.set(batch=5000)
    assert "GB missing" in bill.error
    assert bill.readout.startswith("Not possible")
    assert bill._live.rows == []
    bill.set(batch=50)
    assert bill.error == ""
    assert "A thousand answers cost" in bill.readout


def test_an_unknown_control_names_the_nearest(bill):
    with pytest.raises(ValueError, match="nearest: batch"):
        bill.set(batsh=3)


def test_the_static_twin_describes_its_presets(growth):
    twin = growth.static()
    for turns in (5, 20, 80):
        assert f"{turns} turns: After {turns} turns" in twin.description


def test_a_panel_shows_its_twin_when_outputs_are_kept(growth, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setenv("ECON_STATIC", "1")
    growth._ipython_display_()
    monkeypatch.delenv("ECON_STATIC")
    growth._ipython_display_()
    assert shown[0].description == growth.static().description
    assert shown[1] is growth.widget


def test_a_live_chart_draws_one_table():
    batches = l00_start.batches_frame(Scenario.default())
    two = figure(batches, "batch", "answer_s", guess=5.0, finding="A finding and a guess")
    with pytest.raises(ValueError, match="one table"):
        live_spec(two)


def test_a_logarithmic_slider_stops_at_one_two_five():
    made = slider(1, 1000, value=40, log=True)
    assert [v for _, v in made.options] == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    assert made.value == 50


def _follows(model, control):
    """A panel of one control over a chart whose title, words and lines come from the rows."""

    def chart(frame):
        top = frame["y"].max()
        return figure(frame, "x", "y", by="kind", legend=True, finding=f"The top is {top:g}",
                      says=f"Lines that end at {top:g}, nothing more.")  # fmt: skip

    return panel(model, chart, n=control, presets={})


def _steps(n):
    kinds = ["low"] if n < 5 else ["low", "high"]
    return pd.DataFrame([{"x": x, "y": x * n, "kind": k} for x in (0.0, 1.0) for k in kinds])


def test_a_title_follows_in_place_and_other_shapes_are_drawn_anew():
    steps = _follows(_steps, slider(1, 9, value=2))
    first = steps._live.spec
    steps.set(n=3)
    assert steps._live.title == "The top is 3"
    assert steps._live.spec is first
    steps.set(n=7)  # a second line: another colour domain
    assert steps._live.spec is not first
    assert "high" in str(steps._live.spec)
    assert steps.readout == "Lines that end at 7, nothing more."


def test_rows_cross_the_wire_whatever_the_model_gave():
    gaps = _steps(3).assign(y=[1.0, np.nan], more=[np.inf, np.int64(3)])
    rows = _follows(lambda n: gaps, slider(1, 9, value=2))._live.rows
    assert json.loads(json.dumps(rows, allow_nan=False))[1]["y"] is None
    assert rows[0]["more"] is None
    assert rows[1]["more"] == 3


@pytest.mark.parametrize("error", [ValueError("n = 7 is too much"), ZeroDivisionError("by zero")])
def test_no_refusal_is_a_traceback(error):
    def model(n):
        if n == 7:
            raise error
        return _steps(n)

    steps = _follows(model, slider(1, 9, value=2)).set(n=7)
    assert steps.readout == f"Not possible: {error}"
    assert steps._live.rows == []
    assert steps.set(n=2).readout == "Lines that end at 2, nothing more."


def test_a_value_the_control_does_not_have_is_refused_and_nothing_moves(growth, bill):
    with pytest.raises(ValueError, match="turns = 500 is outside its range: 2 to 100"):
        growth.set(user=100, turns=500)
    assert growth.controls["user"].value == 60
    with pytest.raises(ValueError, match=r"nearest: llama-3\.1-8b"):
        bill.set(model="llama-3-8b")


def test_too_many_rows_are_refused():
    many = pd.concat([_steps(3)] * 251)
    with pytest.raises(ValueError, match="at most 500 rows; this chart has 502"):
        _follows(lambda n: many, slider(1, 9, value=2))


def test_the_ghost_leaves_the_legend_as_it_is():
    frame = pd.DataFrame({"batch": [1, 2], "time_ms": [1.0, 2.0], "part": ["a", "b"]})
    chart = figure(frame, "batch", "time_ms", by="part", kind="column", finding="Parts")
    *views, faint = live_spec(chart)["layer"]
    assert faint["encoding"]["color"]["legend"] is None
    assert views[0]["encoding"]["color"].get("legend", {}) is not None
