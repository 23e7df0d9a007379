"""Annuity, straight line and present value against closed forms, each other and published cases."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from econ import tco
from econ.tco import finance
from econ.tco.finance import annuity_usd_per_month, annuity_usd_per_year, present_value_usd

RATES = st.floats(-0.5, 3.0)
LIVES = st.integers(1, 40)


def test_a_published_server_to_the_cent():
    assert annuity_usd_per_month(361_255, 0.1025, 6) == pytest.approx(6738.18, abs=0.005)


def test_the_names_of_the_front_door_are_the_functions():
    assert tco.annuity_usd_per_month is annuity_usd_per_month


@example(rate=-0.5, years=37, residual=1.0)
@given(rate=RATES, years=LIVES, residual=st.floats(0, 1))
def test_payments_and_residual_are_worth_the_price(rate, years, residual):
    paid = annuity_usd_per_month(1000.0, rate, years, residual)
    flows = np.full(12 * years + 1, paid)
    flows[0] = 0.0
    flows[-1] += 1000.0 * residual
    # at rates below zero the terms are large and of either sign: their sum keeps their rounding
    terms_usd = present_value_usd(np.abs(flows), rate, 12)
    assert present_value_usd(flows, rate, 12) == pytest.approx(1000.0, abs=1e-12 * terms_usd)


@example(rate=-0.5, years=37, residual=1.0)
@given(rate=RATES, years=LIVES, residual=st.floats(0, 1))
def test_the_payment_is_the_exact_one_to_the_last_digits(rate, years, residual):
    """In fractions, without rounding; with all got back, only the interest is paid."""
    i, n = Fraction(rate) / 12, 12 * years
    assume(abs(rate) > 1e-12)
    growth = (1 + i) ** n
    exact = 1000 * i * (growth - Fraction(residual)) / (growth - 1)
    scale = float(1000 * abs(i) + 1000 * abs(i / (growth - 1)))
    paid = annuity_usd_per_month(1000.0, rate, years, residual)
    assert paid == pytest.approx(float(exact), rel=1e-13, abs=1e-13 * scale)
    if residual == 1.0:
        assert paid == pytest.approx(1000 * rate / 12, rel=1e-15)


@given(rate=RATES, years=LIVES, residual=st.floats(0, 1))
def test_the_balance_runs_down_to_the_residual(rate, years, residual):
    """Month by month with interest on what is owed: a second route without a power in it."""
    paid, owed = annuity_usd_per_month(1000.0, rate, years, residual), 1000.0
    for _ in range(12 * years):
        owed = owed * (1 + rate / 12) - paid
    scale = max(1.0, (1 + rate / 12) ** (12 * years))
    assert owed == pytest.approx(1000.0 * residual, abs=1e-8 * 1000 * scale)


@given(years=LIVES, residual=st.floats(0, 1))
def test_without_interest_it_is_the_straight_line(years, residual):
    line = finance.straight_line_usd_per_month(1000.0, years, residual)
    assert annuity_usd_per_month(1000.0, 0.0, years, residual) == pytest.approx(line)
    near = annuity_usd_per_month(1000.0, 1e-9, years, residual)
    assert near == pytest.approx(line, rel=1e-6, abs=1e-6)


@given(rate=st.floats(0.001, 1.0), years=LIVES)
def test_shortcuts_keep_their_side(rate, years):
    month = finance.capital_usd_per_month(1.0, rate, years)
    assert finance.capital_usd_per_month(1.0, rate, years, method="straight line") < month
    assert annuity_usd_per_year(1.0, rate, years) > 12 * month * (1 - 1e-12)


def test_arrays_equal_numbers():
    rates = np.array([-0.2, 0.0, 0.1, 5.0])
    got = annuity_usd_per_month(100.0, rates, 5)
    assert got.tolist() == [annuity_usd_per_month(100.0, r, 5) for r in rates]


@pytest.mark.parametrize("rate", [1e-300, 1e-13, 1e6, -0.7])
def test_extreme_rates_stay_finite(rate):
    assert 0 < annuity_usd_per_month(100.0, rate, 900) < math.inf


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ((100, -1.0, 5), "rate_per_year = -1.0"),
        ((100, math.nan, 5), "rate_per_year = nan"),
        ((100, 0.1, 0), "years = 0"),
        ((100, 0.1, -3), "years = -3"),
        ((-1, 0.1, 5), "capital_usd = -1"),
        ((math.inf, 0.1, 5), "capital_usd = inf"),
        ((100, 0.1, 5, 25), "residual_frac = 25"),
        ((100, np.array([0.1, -2.0]), 5), r"rate_per_year\[1\] = -2.0"),
        ((100, "ten", 5), "rate_per_year = 'ten'"),
    ],
)
def test_bad_numbers_are_named(case, says):
    with pytest.raises(ValueError, match=says):
        annuity_usd_per_month(*case)


def test_a_life_too_short_for_a_number_is_refused():
    with pytest.raises(ValueError, match="years = 5e-324"):
        annuity_usd_per_month(0, 0.0, 5e-324)


def test_an_unknown_method_lists_the_known():
    with pytest.raises(ValueError, match="nearest: straight line"):
        finance.capital_usd_per_month(1.0, 0.1, 5, method="straightline")


@pytest.mark.parametrize("flows", [[1.0, math.nan], [[1.0]], [math.inf]])
def test_present_value_wants_numbers(flows):
    with pytest.raises(ValueError, match="flows_usd"):
        present_value_usd(flows, 0.1, 1)
