"""Rates between dates, and what demand makes of a price: by hand, inverse, refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.trends import rates as trends

FACTORS = st.floats(0.01, 100)


# -- rates between dates -----------------------------------------------------------------------
def test_the_headline_by_hand():
    assert trends.annual_factor(20 / 0.07, 23 / 12) == pytest.approx(19.12, abs=0.01)
    assert trends.years_between("2022-11-30", "2024-10-03") * 12 == pytest.approx(23)
    assert trends.years_to(0.5, 0.7) == pytest.approx(1.943, abs=1e-3)
    assert trends.years_to(2, 1.3) == pytest.approx(2.642, abs=1e-3)
    assert trends.years_to(1, 0.7) == 0


@given(FACTORS, st.floats(0.1, 30))
def test_a_rate_and_its_years_are_inverse(total, years):
    rate = trends.annual_factor(total, years)
    assert rate**years == pytest.approx(total)
    if abs(math.log(total)) > 1e-6:
        assert trends.years_to(total, rate) == pytest.approx(years)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: trends.annual_factor(0, 1), "total_factor = 0"),
        (lambda: trends.annual_factor(10, 0), "years = 0"),
        (lambda: trends.annual_factor(10, -1), "years = -1"),
        (lambda: trends.annual_factor(math.nan, 1), "total_factor = nan"),
        (lambda: trends.annual_factor(10, 1e-4), "too short a span"),
        (lambda: trends.years_to(0.5, 1.2), "never leads"),
        (lambda: trends.years_to(0.5, 1.0), "never leads"),
        (lambda: trends.year_of(["2024-13"]), "2024-13"),
        (lambda: trends.years_between("soon", "2024"), "soon"),
    ],
)
def test_what_has_no_rate_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# -- demand ------------------------------------------------------------------------------------
@given(st.floats(0.01, 100), st.floats(-5, 0))
def test_spend_is_price_times_volume(price_ratio, elasticity):
    spend = trends.spend_ratio(price_ratio, elasticity)
    volume = trends.volume_ratio(price_ratio, elasticity)
    assert spend == pytest.approx(price_ratio * volume)
    if abs(math.log(price_ratio)) > 1e-3:
        found = trends.implied_elasticity(price_ratio, volume)
        assert found == pytest.approx(elasticity, abs=1e-9)


@given(st.floats(0.01, 0.99))
def test_the_bill_turns_at_minus_one(price_ratio):
    assert trends.spend_ratio(price_ratio, -1) == pytest.approx(1)
    assert trends.spend_ratio(price_ratio, -1.1) > 1 > trends.spend_ratio(price_ratio, -0.9)


def test_demand_does_not_rise_with_price():
    with pytest.raises(ValueError, match=r"elasticity = 1\.4"):
        trends.spend_ratio(0.1, 1.4)
    with pytest.raises(ValueError, match="price_ratio = 0"):
        trends.spend_ratio(0, -1)
    with pytest.raises(ValueError, match="did not move"):
        trends.implied_elasticity(1, 2)
