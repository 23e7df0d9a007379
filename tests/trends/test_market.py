"""The simulated market: its truth, what a short look makes of it, and its limits."""

import numpy as np
import pytest

from econ.trends import market


def middle(**kwargs) -> float:
    """The middle study of many."""
    return market.market_frame(n_markets=150, **kwargs)["fall_per_year"].median()


def test_without_scatter_or_chase_a_long_look_is_near_and_never_far_above():
    fits = market.market_frame(years=3, scatter_factor=1.0)["fall_per_year"]
    assert 4 < fits.median() < market.TRUE_FALL_PER_YEAR
    assert fits.quantile(0.95) < 1.5 * market.TRUE_FALL_PER_YEAR


def test_many_models_bring_the_rate_to_the_truth(monkeypatch):
    """The shortfall of the long look is that no model sits exactly at the level."""
    few = middle(years=3, scatter_factor=1.0)
    monkeypatch.setattr(market, "N_MODELS", 3000)
    many = market.market_frame(years=3, scatter_factor=1.0, n_markets=30)["fall_per_year"].median()
    assert few < many
    assert many == pytest.approx(market.TRUE_FALL_PER_YEAR, rel=0.2)


def test_a_short_look_at_scattered_prices_finds_far_too_much():
    assert middle(years=0.75, scatter_factor=2.0) > 1.8 * market.TRUE_FALL_PER_YEAR
    short, long = (
        market.market_frame(years=y, scatter_factor=2.0)["fall_per_year"] for y in (0.75, 3)
    )
    spread = [np.log(f.quantile(0.95) / f.quantile(0.05)) for f in (short, long)]
    assert spread[0] > 2 * spread[1]


def test_chasing_raises_the_rate_however_long_one_looks(monkeypatch):
    calm, chased = (middle(years=3, scatter_factor=1.3, chase_frac=c) for c in (0, 0.4))
    assert chased > 2 * calm
    assert chased > market.TRUE_FALL_PER_YEAR
    # with many models: scores ahead by c of a year's progress add 10 ** (GROWTH * c) a year
    monkeypatch.setattr(market, "N_MODELS", 3000)
    fits = market.market_frame(years=2, scatter_factor=1.0, chase_frac=0.2, n_markets=30)
    expected = market.TRUE_FALL_PER_YEAR * 10 ** (market.GROWTH * 0.2)
    assert fits["fall_per_year"].median() == pytest.approx(expected, rel=0.25)


def test_the_histogram_counts_every_study():
    fits = market.market_frame()
    frame = market.histogram_frame(fits)
    assert frame["n"].sum() == len(fits)
    assert (frame["low"] < frame["high"]).all()
    assert frame["p5"].iloc[0] <= frame["median"].iloc[0] <= frame["p95"].iloc[0]


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [({"years": 5}, "years = 5"), ({"scatter_factor": 0.5}, "scatter_factor = 0.5"),
     ({"chase_frac": -1}, "chase_frac = -1"), ({"n_markets": 0}, "n_markets = 0")],
)  # fmt: skip
def test_ranges_are_held(kwargs, says):
    with pytest.raises(ValueError, match=says):
        market.market_frame(**kwargs)


def test_no_study_is_no_histogram():
    with pytest.raises(ValueError, match="watch longer"):
        market.histogram_frame(market.market_frame().head(0))
