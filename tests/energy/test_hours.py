"""The hours of an average day: the year's mean, the sun by day, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.energy.hours import (
    day_frame,
    hourly_carbon_g_per_kwh,
    solar_shape,
)


@given(st.floats(0, 2000), st.floats(0, 0.3))
def test_a_day_has_the_years_mean(carbon, solar):
    hours = hourly_carbon_g_per_kwh(carbon, solar)
    assert hours.mean() == pytest.approx(carbon, abs=1e-9)
    assert (hours >= 0).all()
    assert hours[12] <= hours[0] + 1e-9


def test_the_sun_shines_by_day():
    shape = solar_shape()
    assert shape.sum() == pytest.approx(1)
    assert shape[:6].sum() == shape[18:].sum() == 0
    assert shape.argmax() in (11, 12)


def test_more_sun_than_demand_is_refused():
    with pytest.raises(ValueError, match="noon has more sun than demand"):
        hourly_carbon_g_per_kwh(100, 0.5)


def test_an_unknown_share_of_solar_leaves_the_mean():
    frame = day_frame("us-virginia")
    assert not frame["known"].any()
    assert (frame["carbon_g_per_kwh"] == 244.8).all()
    spain = day_frame("spain")["carbon_g_per_kwh"]
    assert spain[12] < spain[0]
