"""Trends: recovered where known, reproduced where published, refused where there is none."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ import trends
from econ.trends.fits import quantile

SHARED = Path(__file__).resolve().parents[3] / "shared" / "sources" / "epoch_price_trends"
FACTORS = st.floats(0.01, 100)
quantile(0.9, 5)  # loads scipy before hypothesis looks at the clock


def exact(factor_per_year: float, level: float = 3.0, n: int = 8) -> pd.DataFrame:
    """Points without scatter, three months apart."""
    dates = pd.date_range("2020-01-01", periods=n, freq="QS").strftime("%Y-%m-%d")
    years = trends.year_of(dates)
    return pd.DataFrame(
        {"date": dates, "value": level * factor_per_year ** (years - years[0])}
    )  # fmt: skip


# -- fits --------------------------------------------------------------------------------------
@given(FACTORS, st.floats(1e-3, 1e3))
def test_points_on_a_line_give_the_line(factor, level):
    fit = trends.fit_trend(exact(factor, level))
    assert fit.factor_per_year == pytest.approx(factor, rel=1e-9)
    assert fit.low_per_year == pytest.approx(factor, rel=1e-6)
    assert fit.high_per_year == pytest.approx(factor, rel=1e-6)
    assert fit.at("2020-01-01") == pytest.approx(level, rel=1e-9)
    assert fit.fall_per_year == pytest.approx(1 / factor)


@given(st.floats(1e-6, 1e6), st.permutations(range(6)))
def test_a_rate_knows_neither_the_unit_nor_the_order(scale, order):
    frame = exact(0.4, n=6).assign(value=[3, 2.1, 2.4, 1.2, 1.3, 0.5])
    fit = trends.fit_trend(frame)
    other = trends.fit_trend(frame.assign(value=frame["value"] * scale).iloc[list(order)])
    assert other.factor_per_year == pytest.approx(fit.factor_per_year)
    assert other.high_per_year == pytest.approx(fit.high_per_year)


def test_the_line_agrees_with_scipy():
    from scipy import stats

    frame = exact(0.4, n=6).assign(value=[3, 2.1, 2.4, 1.2, 1.3, 0.5])
    fit = trends.fit_trend(frame, interval="t")
    line = stats.linregress(trends.year_of(frame["date"]), np.log(frame["value"]))
    width = stats.t.ppf(0.95, 4) * line.stderr
    assert math.log(fit.factor_per_year) == pytest.approx(line.slope)
    assert math.log(fit.high_per_year) == pytest.approx(line.slope + width)
    assert fit.explained_frac == pytest.approx(line.rvalue**2)


@pytest.mark.parametrize(("interval", "n"), [("t", 5), ("t", 20), ("bootstrap", 20)])
def test_nine_of_ten_intervals_hold_the_truth(interval, n):
    """Coverage over simulated series; pairs of few points make a bootstrap somewhat too narrow."""
    rng = np.random.default_rng(3)
    frame, hits, rounds = exact(0.5, n=n), 0, 150
    for _ in range(rounds):
        noisy = frame.assign(value=frame["value"] * np.exp(0.5 * rng.standard_normal(n)))
        fit = trends.fit_trend(noisy, interval=interval)
        hits += fit.low_per_year <= 0.5 <= fit.high_per_year
    assert 0.80 <= hits / rounds <= 0.97


def test_the_band_holds_nine_of_ten_new_values():
    rng = np.random.default_rng(4)
    frame, hits, rounds = exact(0.5, n=8), 0, 300
    for _ in range(rounds):
        noisy = frame.assign(value=frame["value"] * np.exp(0.3 * rng.standard_normal(8)))
        low, high = trends.fit_trend(noisy).band("2023-01-01")
        hits += low <= 3 * 0.5 ** (1096 / 365) * np.exp(0.3 * rng.standard_normal()) <= high
    assert 0.85 <= hits / rounds <= 0.95


def test_auto_takes_t_for_few_points():
    assert trends.fit_trend(exact(0.5, n=9)).interval == "t"
    assert trends.fit_trend(exact(0.5, n=10)).interval == "bootstrap"


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (exact(0.5).head(0), "0 dated points are no trend"),
        (exact(0.5).head(1), "1 dated point is no trend"),
        (exact(0.5).head(2), "2 dated points are no trend"),
        (exact(0.5).assign(date="2024-05"), "all 8 points have the date 2024-05"),
        (exact(0.5).assign(value=[1, 2, 0, 4, 5, 6, 7, 8]), "value = 0 in row 2"),
        (exact(0.5).assign(value=-1.0), "value = -1.0 in row 0"),
        (exact(0.5).assign(value=np.inf), "value = inf in row 0"),
        (exact(0.5).assign(value=np.nan), "value = nan in row 0"),
        (exact(0.5).assign(value="cheap"), "value = cheap in row 0"),
        (exact(0.5).assign(date=["2024", "x", *["2025"] * 6]), "'x' in row 1"),
        (exact(0.5).rename(columns={"value": "valu"}), "unknown column 'value'; nearest: valu"),
    ],
)
def test_what_is_no_trend_says_why(frame, says):
    with pytest.raises(ValueError, match=says):
        trends.fit_trend(frame)


def test_a_jump_within_days_has_no_rate_per_year():
    days = pd.DataFrame({"date": ["2024-01-01", "2024-01-01", "2024-01-02"], "value": [1, 1, 1e9]})
    with pytest.raises(ValueError, match="no finite rate"):
        trends.fit_trend(days)


def test_an_unknown_interval_names_the_known_and_confidence_has_a_range():
    with pytest.raises(ValueError, match="unknown interval 'bootstap'; nearest: bootstrap"):
        trends.fit_trend(exact(0.5), interval="bootstap")
    with pytest.raises(ValueError, match="confidence_frac = 90"):
        trends.fit_trend(exact(0.5), confidence_frac=90)


def test_all_published_fits_of_the_study_to_the_last_digit():
    if not SHARED.exists():
        pytest.skip("the study's rows are not here")
    points = pd.read_csv(SHARED / "lowest_price_models_data.csv")
    results = pd.read_csv(SHARED / "lowest_price_models_results.csv")
    assert len(results) == 21
    for row in results.itertuples():
        same = (points["bench"] == row.bench) & (points["threshold_model"] == row.threshold_model)
        fit = trends.fit_trend(
            points[same], "USD per 1M Tokens", "Release Date", interval="t"
        )  # fmt: skip
        low, high = map(float, row.price_reduction_factor_per_year_90_ci.strip("[]").split(","))
        assert fit.n_points == row.sample_size
        assert fit.fall_per_year == pytest.approx(row.price_reduction_factor_per_year, rel=1e-6)
        assert 1 / fit.high_per_year == pytest.approx(low, rel=1e-5)
        assert 1 / fit.low_per_year == pytest.approx(high, rel=1e-5)


# -- bends -------------------------------------------------------------------------------------
def test_a_bend_is_found_where_it_is():
    frame = exact(0.5, n=12)
    years = trends.year_of(frame["date"])
    after = np.maximum(years - years[6], 0)
    bend = trends.fit_break(frame.assign(value=frame["value"] * 3.0**after))
    assert bend.at == frame["date"][6]
    assert bend.before_per_year == pytest.approx(0.5, rel=1e-6)
    assert bend.after_per_year == pytest.approx(1.5, rel=1e-6)
    assert bend.earned


def test_a_straight_line_seldom_earns_a_bend():
    rng = np.random.default_rng(8)
    frame = exact(0.5, n=16)
    earned = [
        trends.fit_break(
            frame.assign(value=frame["value"] * np.exp(0.3 * rng.standard_normal(16)))
        ).earned
        for _ in range(60)
    ]
    assert np.mean(earned) < 0.15


def test_five_points_carry_no_bend():
    with pytest.raises(ValueError, match="5 points carry no bend"):
        trends.fit_break(exact(0.5, n=5))
