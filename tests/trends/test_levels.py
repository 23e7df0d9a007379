"""Rates by level and window, breaks, forecasts on the past: the frontier's sentences."""

import pytest

from econ.trends.fits import fit_trend
from econ.trends.levels import (
    breaks_frame,
    forecasts_frame,
    quarterly_frame,
    rates_frame,
)


def test_rates_are_those_of_lines_through_quarters():
    rows = rates_frame((0.66,), ("2025-01-01",), ("token",))
    fit = fit_trend(quarterly_frame(0.66), "purchasable", interval="t")
    assert rows["fall_per_year"].item() == pytest.approx(fit.fall_per_year)
    assert rows["low"].item() < rows["fall_per_year"].item() < rows["high"].item()


def test_one_rate_does_not_exist():
    """Over the whole window the levels' rates differ by more than their widest interval's foot."""
    rows = rates_frame(windows=("2025-01-01",), pers=("token",))
    assert rows["fall_per_year"].max() > 5 * rows["fall_per_year"].min()
    low = rows.set_index("level_frac")
    assert low.loc[0.30, "high"] < low.loc[0.75, "low"]  # the intervals do not even touch


def test_the_last_year_is_slower_than_the_whole_window_at_the_middle_levels():
    rows = rates_frame((0.54, 0.66, 0.75), pers=("token",)).set_index(["level_frac", "start"])
    for level in (0.54, 0.66, 0.75):
        whole, recent = rows.loc[level]["fall_per_year"]
        assert recent < whole / 2
    assert rows.loc[(0.54, "2026-01-01"), "low"] < 1  # it may not have fallen at all


def test_the_breaks_are_earned_at_the_upper_levels():
    rows = breaks_frame().set_index("level_frac")
    assert rows.loc[[0.66, 0.75], "earned"].all()
    assert not rows.loc[0.30, "earned"]
    bent = rows[rows["earned"]]
    assert (bent["before_per_year"] < bent["after_per_year"]).all()  # steep first


def test_no_change_forecast_better_than_the_trend_at_the_upper_levels():
    rows = forecasts_frame().set_index("level_frac")
    assert (rows.loc[[0.54, 0.66, 0.75], "better"] == "no change").all()
    assert (rows[["trend_off", "no_change_off"]] >= 1).all(axis=None)


def test_two_points_are_no_rate():
    rows = rates_frame((0.66,), ("2026-10-01", "2027-01-01"), ("token",))
    assert rows["fall_per_year"].isna().all()
    assert rows["reason"].str.contains("no trend").all()
