"""The panels of notebook 06 follow their controls; its charts say the numbers they draw."""

import pytest

from econ.lessons import chart_machines, chart_trends, trend_cases
from econ.trends import hardware
from econ.trends.forecast import backtest_frame, scenarios_frame
from econ.trends.prices import PRICE


@pytest.mark.parametrize(
    ("name", "control", "value"),
    [("frontier", "level", "GPT-4o on GPQA"), ("market", "years", 2.0), ("bill", "change", 10)],
)
def test_panels_follow_their_controls(name, control, value):
    panel = getattr(chart_trends, f"{name}_panel")()
    before = panel.readout
    panel.set(**{control: value})
    assert panel.error == ""
    assert panel.readout != before
    assert len(panel.static().description) > 200


@pytest.mark.parametrize("dates", chart_trends.BASES)
@pytest.mark.parametrize("level", chart_trends.LEVELS)
def test_every_level_has_a_trend(level, dates):
    panel = chart_trends.frontier_panel().set(level=level, dates=dates)
    assert panel.error == ""


def test_the_bill_says_which_way_it_goes():
    panel = chart_trends.bill_panel()
    for elasticity, word in ((-0.5, "shrinks"), (-1.0, "stays"), (-1.5, "grows")):
        assert panel.set(elasticity=elasticity).readout.endswith(f"the bill {word}.")


def test_a_guess_is_drawn_and_the_extremes_are_told():
    fits = trend_cases.fits_frame()
    chart = chart_trends.fits_chart(fits, guess=20.0)
    assert "your guess" in chart.to_json()
    assert "851" in chart.description


def test_descriptions_hold_the_frames_numbers():
    boards = chart_machines.hardware_chart(hardware.hardware_frame())
    assert "-30 %" in boards.description
    rents = chart_machines.rents_chart(hardware.rents_frame())
    assert "H100" in rents.description
    assert "3.85" in rents.description
    lows = trend_cases.to_today_frame("mmlu", trend_cases.LEVEL_GPT_3_5)
    tested = backtest_frame(lows, n_known=3, value=PRICE)
    assert "13.3" in chart_machines.backtest_chart(tested).description


def test_scenarios_are_told_with_their_bands():
    rents = hardware.rents_frame(("h100-sxm",))[["date", "usd_per_gpu_hour"]]
    ahead = scenarios_frame(rents, 1, {"flat": 1.0}, "usd_per_gpu_hour")
    last = ahead.iloc[-1]
    words = chart_machines.scenarios_chart(rents, ahead).description
    assert f"flat {last['value']:.2f} ({last['low']:.2f} to {last['high']:.2f})" in words
