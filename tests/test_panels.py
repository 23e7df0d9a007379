"""Panels without a browser: controls move the readout, the model's refusals are shown."""

import pytest

from econ.models.envelope import batches_frame, reality_frame
from econ.models.scenario import Scenario
from econ.views import chart_start, chart_tokens
from econ.views.live import live_spec
from econ.views.panels import slider


@pytest.fixture
def bill():
    """The panel of notebook 00."""
    return chart_start.bill_panel(Scenario.default(), reality_frame()["slowdown"].median())


@pytest.fixture
def growth():
    """The panel of notebook 01."""
    return chart_tokens.growth_panel()


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
    two = chart_start.tradeoff_chart(batches_frame(Scenario.default()), guess=5.0)
    with pytest.raises(ValueError, match="one table"):
        live_spec(two)


def test_a_logarithmic_slider_stops_at_one_two_five():
    made = slider("n", "n", 1, 1000, value=40, log=True)
    assert [v for _, v in made.options] == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    assert made.value == 50
