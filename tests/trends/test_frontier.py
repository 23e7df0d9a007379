"""The living frontier: candidates of today, laws of a cheapest price, and what a level decides."""

import pandas as pd
import pytest

from econ.catalog import offers_frame, quality_frame
from econ.trends import frontier
from econ.trends.fits import fit_trend
from econ.trends.frontier import (
    LEVELS,
    PRICE,
    WINDOW_START,
    breaks_frame,
    cheapest_frame,
    forecasts_frame,
    quarterly_frame,
    rates_frame,
    window_end,
)


def days_between(first: str, last: str) -> int:
    return (pd.Timestamp(last) - pd.Timestamp(first)).days


def test_the_newest_candidate_is_not_older_than_six_months():
    """A frontier whose candidates have ended says nothing about today, as ours once did."""
    newest = frontier.newest_candidate()
    assert days_between(newest["release"], window_end()) <= 183
    assert len(offers_frame(newest["model"], on=window_end())) > 0
    old = frontier.candidates_frame()
    old = old[old["release"] < "2025-03"]
    assert days_between(frontier.newest_candidate(old)["release"], window_end()) > 183


def test_at_least_sixty_models_stand_on_it_to_the_newest_quarter():
    rows = frontier.candidates_frame()
    assert rows["model"].nunique() >= 60
    today = frontier.on_sale_frame(0.0, window_end())
    assert today["model"].nunique() >= 60
    assert window_end() >= "2026-10-01"
    assert (rows["since"] >= "2026-07-01").any()
    assert set(rows["score_source"]) <= set(quality_frame()["source"])  # independent alone


@pytest.mark.parametrize("per", ["token", "answer"])
@pytest.mark.parametrize("level", LEVELS)
def test_today_is_never_below_the_record(level, per):
    path = cheapest_frame(level, per=per).dropna(subset=["purchasable"])
    assert (path["purchasable"] >= path["record_low"]).all()
    assert path["record_low"].is_monotonic_decreasing
    assert (path["score_frac"] >= level).all()
    assert (path["newest"] <= path["date"]).mean() > 0.9  # some lists run ahead of a release


def test_a_record_can_be_lost():
    """Some month at some level costs more than the record: lows do not survive by themselves."""
    lost = [
        (path["purchasable"] > path["record_low"] * 1.01).any()
        for path in (cheapest_frame(level) for level in (*LEVELS, 0.82))
    ]
    assert any(lost)


def test_a_higher_level_is_never_cheaper_on_the_same_day():
    lows = [frontier.on_sale_frame(level, window_end())[PRICE].min() for level in LEVELS]
    assert lows == sorted(lows)


def test_the_cheapest_by_hand():
    row = cheapest_frame(0.85).iloc[-1]
    sold = frontier.on_sale_frame(0.85, window_end())
    assert row["purchasable"] == sold[PRICE].min()
    first = sold.iloc[0]
    blend = (3 * first["input_usd_per_mtok"] + first["output_usd_per_mtok"]) / 4
    assert first[PRICE] == pytest.approx(blend)
    usd = first["input_tokens_per_question"] * first["input_usd_per_mtok"]
    usd += first["output_tokens_per_answer"] * first["output_usd_per_mtok"]
    assert first["usd_per_answer"] == pytest.approx(usd / 1e6)


def test_an_answer_fell_less_than_a_token_at_the_low_levels():
    for level in (0.30, 0.43):
        falls = {}
        for per in ("token", "answer"):
            path = cheapest_frame(level, per=per, start="2025-03-01").dropna()
            falls[per] = path["purchasable"].iloc[0] / path["purchasable"].iloc[-1]
        assert 1 < falls["token"] < 5
        assert 1 <= falls["answer"] <= falls["token"] * 1.01


def test_the_whole_frontier_rises_in_price_and_quality():
    curve = frontier.frontier_at_frame([WINDOW_START, "2026-01-01", window_end()])
    for day, part in curve.groupby("date"):
        assert part["score_frac"].is_monotonic_increasing
        assert part["score_frac"].is_unique
        assert part[PRICE].is_monotonic_increasing
        for row in part.itertuples():
            assert (
                frontier.on_sale_frame(row.score_frac, day)[PRICE].iloc[0] == row.price_usd_per_mtok
            )
    lowest = curve.groupby("date")[PRICE].min()
    assert lowest.is_monotonic_decreasing


def test_one_level_with_one_factor_is_fragile():
    falls = frontier.sensitivity_frame(0.62)
    assert falls["fall_factor"].max() > 5 * falls["fall_factor"].min()
    assert len(set(falls["model_before"])) > 1


def test_density_counts_what_the_frontier_rests_on():
    rows = frontier.density_frame(0.5)
    assert rows["date"].iloc[-1] == window_end()
    assert rows["n_models"].iloc[-1] > 5 * rows["n_models"].iloc[0] > 0
    assert (rows["n_offers"] >= rows["n_models"]).all()
    assert rows["newest_age_years"].iloc[-1] < 0.5
    sparse = frontier.density_frame(0.9)
    assert sparse["n_models"].iloc[0] == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cheapest_frame(0.99), r"level_frac = 0\.99: no offer .* the best is 0\.9"),
        (lambda: cheapest_frame(75), "level_frac = 75 is outside its range: 0 to 1"),
        (lambda: cheapest_frame(0.5, per="word"), "unknown per 'word'"),
        (lambda: cheapest_frame(0.5, thinking="on"), "unknown thinking 'on'"),
        (
            lambda: cheapest_frame(0.9, start="2025-01-01", end="2025-02-01"),
            "nothing that reaches it was for sale then",
        ),
        (lambda: frontier.on_sale_frame(0.5, "2026"), "on = '2026' is outside its range"),
    ],
)
def test_what_nobody_sells_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_thinking_off_leaves_only_short_answers():
    rows = frontier.candidates_frame("off")
    assert set(rows["reasoning"]) <= {"off", "as served"}
    served = rows[rows["reasoning"] == "as served"]
    assert (served["output_tokens_per_answer"] < 3000).all()
    assert rows["score_frac"].max() < frontier.candidates_frame()["score_frac"].max()


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
