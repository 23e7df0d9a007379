"""Prices at constant quality: the frontier by two datings, and the published fits from the rows."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import table
from econ.trends import prices
from econ.trends.fits import fit_trend
from econ.trends.prices import PRICE


@pytest.mark.parametrize("basis", prices.BASES)
@pytest.mark.parametrize(("measure", "level"), [("mmlu", 0.648), ("mmlu", 0.86), ("gpqa", 0.5)])
def test_a_frontier_holds_able_models_at_falling_prices(measure, level, basis):
    rows = prices.frontier_frame(measure, level, basis)
    assert (rows["score_frac"] >= level - 1e-9).all()
    assert rows[PRICE].is_monotonic_decreasing
    assert rows["date"].is_monotonic_increasing
    able = prices.able_frame(measure, level, basis)
    assert rows[PRICE].min() == able[PRICE].min()


def test_a_higher_level_is_never_cheaper():
    for basis in prices.BASES:
        lows = [prices.able_frame("gpqa", q, basis)[PRICE].min() for q in (0.3, 0.5, 0.7)]
        assert lows == sorted(lows)


def test_dated_lists_fall_more_slowly_than_the_study_says():
    for benchmark, level in (("mmlu", 0.648), ("mmlu", 0.86), ("gpqa", 0.5)):
        falls = [
            fit_trend(prices.frontier_frame(benchmark, level, b), PRICE, interval="t").fall_per_year
            for b in prices.BASES
        ]
        assert falls[1] < falls[0]


def test_the_published_fits_agree_with_the_rows_that_are_here():
    fits = table("price_trend_fits")
    for id, benchmark, level in (
        ("mmlu-gpt-3-5", "mmlu", 0.648),
        ("mmlu-gpt-4-0314", "mmlu", 0.86),
        ("gpqa-gpt-4-turbo", "gpqa", 0.50),
    ):
        ours = fit_trend(prices.frontier_frame(benchmark, level), PRICE, interval="t")
        assert ours.fall_per_year == pytest.approx(fits.loc[id, "fall_per_year"], rel=1e-3)
        assert ours.n_points == fits.loc[id, "n_points"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: prices.frontier_frame("mmlu-pro", 0.5), "unknown benchmark 'mmlu-pro'"),
        (lambda: prices.frontier_frame("mmlu", 0.5, "lists"), "basis 'lists'; nearest: list"),
        (lambda: prices.frontier_frame("mmlu", 64.8), "a share, not a percentage"),
        (lambda: prices.frontier_frame("gpqa", 0.99), "no model with a price"),
        (lambda: prices.blended_usd_per_mtok(1, 2, 3), "input_frac = 3"),
    ],
)
def test_what_is_not_there_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# -- record lows -------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0.01, 100)), min_size=1, max_size=30))
def test_record_lows_fall_and_bound_all_that_came_before(offers):
    dates = [f"{2000 + q // 4}-{1 + 3 * (q % 4):02}" for q, _ in offers]
    frame = pd.DataFrame({"date": dates, "value": [v for _, v in offers]})
    lows = prices.record_lows(frame)
    assert lows["value"].is_monotonic_decreasing
    assert lows["value"].is_unique
    assert lows["date"].is_unique
    assert lows["value"].iloc[-1] == frame["value"].min()
    for row in frame.itertuples():
        assert row.value >= lows.loc[lows["date"] <= row.date, "value"].min()
