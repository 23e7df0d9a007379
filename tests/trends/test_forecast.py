"""Forecasts: exact where the past is, wide where it scatters, refused where nothing is known."""

import numpy as np
import pandas as pd
import pytest

from econ.trends import forecast


def series(values, start="2020-01-01") -> pd.DataFrame:
    """Quarterly values."""
    dates = pd.date_range(start, periods=len(values), freq="QS").strftime("%Y-%m-%d")
    return pd.DataFrame({"date": dates, "value": values})


HALVING = series([16 * 0.5 ** (i / 4) for i in range(16)])


def test_a_steady_fall_is_forecast_and_no_change_is_off_by_it():
    tested = forecast.backtest_frame(HALVING)
    assert len(tested) == 9
    np.testing.assert_allclose(tested["trend_off"], 1, rtol=0.01)
    np.testing.assert_allclose(tested["no_change_off"], 2, rtol=0.01)


def test_a_trend_that_ended_is_worse_than_no_change():
    tested = forecast.backtest_frame(series([8, 4, 2, 1, *[0.5] * 8]))
    assert (tested["no_change_off"].iloc[1:] == 1).all()
    assert (tested["trend_off"].iloc[1:] > 2).all()


def test_the_past_of_a_forecast_knows_nothing_of_its_future():
    changed = HALVING.copy()
    changed.loc[12:, "value"] = 100.0
    a, b = (forecast.backtest_frame(f).set_index("origin") for f in (HALVING, changed))
    early = [o for o in a.index if o < "2022-12"]
    assert len(early) > 3
    np.testing.assert_array_equal(a.loc[early, "trend"], b.loc[early, "trend"])


def test_too_short_a_past_says_so():
    with pytest.raises(ValueError, match="nothing to test on"):
        forecast.backtest_frame(HALVING.head(5))
    with pytest.raises(ValueError, match="n_known = 2"):
        forecast.backtest_frame(HALVING, n_known=2)


def test_scenarios_start_at_the_last_value_and_go_at_their_rate():
    ahead = forecast.scenarios_frame(HALVING, 2, {"up": 1.3, "flat": 1.0, "down": 0.8})
    for name, rate in {"up": 1.3, "flat": 1.0, "down": 0.8}.items():
        one = ahead[ahead["scenario"] == name]
        assert one["value"].iloc[0] == pytest.approx(HALVING["value"].iloc[-1])
        assert one["low"].iloc[0] == one["high"].iloc[0] == pytest.approx(one["value"].iloc[0])
        assert one["value"].iloc[-1] == pytest.approx(HALVING["value"].iloc[-1] * rate**2)
        width = np.log(one["high"] / one["low"]).to_numpy()
        assert (np.diff(width) > 0).all()
        assert width[-1] == pytest.approx(width[4] * np.sqrt(2))  # grows with the root of time


def test_the_band_is_nine_of_ten_of_a_random_walk():
    rng = np.random.default_rng(1)
    walks = np.exp(np.cumsum(0.1 * rng.standard_normal((200, 24)), axis=1))
    hits = 0
    for walk in walks:
        one = forecast.scenarios_frame(series(walk[:20]), 1, {"flat": 1.0}).iloc[-1]
        hits += one["low"] <= walk[23] <= one["high"]
    assert 0.84 <= hits / len(walks) <= 0.95


def test_rates_are_deciles_of_what_a_year_did():
    rates = forecast.yearly_rates([HALVING])
    assert rates["up"] == pytest.approx(0.5, rel=0.01)
    assert rates["down"] == pytest.approx(0.5, rel=0.01)
    assert rates["flat"] == 1
    with pytest.raises(ValueError, match="too few for deciles"):
        forecast.yearly_rates([HALVING.head(6)])


def test_a_bill_is_price_times_volume():
    frame = forecast.bill_frame(-0.5, -1.4, 3).pivot_table(
        index="year", columns="what", values="index"
    )
    np.testing.assert_allclose(frame["spend"], frame["price of a token"] * frame["tokens bought"])
    assert frame["price of a token"].loc[3.0] == pytest.approx(0.125)
    assert frame["spend"].loc[3.0] == pytest.approx(8**0.4)


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [({"change_per_year": -1}, "change_per_year = -1"), ({"years": 0}, "years = 0"),
     ({"elasticity": 0.5}, "elasticity = 0.5")],
)  # fmt: skip
def test_impossible_bills_are_refused(kwargs, says):
    with pytest.raises(ValueError, match=says):
        forecast.bill_frame(**kwargs)
