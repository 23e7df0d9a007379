"""What capital costs per month: the annuity, and the shortcuts that stand in for it.

The price of a machine is spread over its life. An annuity pays back the price and the cost of
capital on what is still owed; a straight line forgets the second. All functions take numbers or
arrays.

>>> round(annuity_usd_per_month(361_255, 0.1025, 6), 2)        # a published H200 server
6738.18
>>> round(straight_line_usd_per_month(361_255, 6), 2)
5017.43
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from econ.catalog.guard import each, fraction, in_range, not_negative, one_of, positive
from econ.catalog.units import MONTHS_PER_YEAR

Amount: TypeAlias = Any  # a number, or an array of numbers (samples, rows of a table)

MOST_YEARS = 1_000.0
FLAT_RATE = 1e-14  # below this rate per period the interest is lost in rounding


def annuity_usd_per_month(
    capital_usd: Amount, rate_per_year: Amount, years: Amount, residual_frac: Amount = 0.0
) -> Amount:
    """The level payment at each month's end that repays a price with its cost of capital.

    Parameters
    ----------
    capital_usd : float or array
        The price, e.g. 361,255 for a server of eight H200.
    rate_per_year : float or array
        Cost of capital, nominal, as lenders quote it, e.g. 0.1025; at 0 this is the straight line.
    years : float or array
        Life, e.g. 6.
    residual_frac : float or array
        Share of the price that is got back at the end: only its interest is paid.

    Returns
    -------
    float or array
        USD per month.

    Raises
    ------
    ValueError
        For a rate of −100 % or below, a life of zero, a residual outside 0 to 1.

    Notes
    -----
    With i = rate/12 and n = 12 · years, payment = C · (i + (1 − R) · i / ((1 + i)ⁿ − 1)).

    Examples
    --------
    >>> round(annuity_usd_per_month(1200, 0.0, 1), 6)
    100.0
    >>> round(annuity_usd_per_month(1200, 0.12, 1, residual_frac=1.0), 6)    # interest only
    12.0
    >>> annuity_usd_per_month(1200, 0.1, 0)
    Traceback (most recent call last):
        ...
    ValueError: years = 0 is outside its range: above 0, up to 1000
    """
    return _level_payment_usd(capital_usd, rate_per_year, years, residual_frac, MONTHS_PER_YEAR)


def annuity_usd_per_year(
    capital_usd: Amount, rate_per_year: Amount, years: Amount, residual_frac: Amount = 0.0
) -> Amount:
    """The level payment at each year's end: the capital recovery factor of engineering texts.

    Parameters are those of `annuity_usd_per_month`. A month's end comes earlier than a year's end,
    so twelve monthly payments sum to less.

    Examples
    --------
    >>> round(annuity_usd_per_year(1000, 0.10, 2), 2)          # 1000 · 0.1 / (1 − 1.1⁻²)
    576.19
    """
    return _level_payment_usd(capital_usd, rate_per_year, years, residual_frac, 1.0)


def straight_line_usd_per_month(
    capital_usd: Amount, years: Amount, residual_frac: Amount = 0.0
) -> Amount:
    """Price less residual over the months of life, without a cost of capital.

    Parameters are those of `annuity_usd_per_month`.

    Examples
    --------
    >>> straight_line_usd_per_month(370_000, 3, residual_frac=0.1)
    9250.0
    """
    each(not_negative, "capital_usd", capital_usd)
    each(positive, "years", years, MOST_YEARS)
    each(fraction, "residual_frac", residual_frac)
    return plain(capital_usd) * (1 - plain(residual_frac)) / (plain(years) * MONTHS_PER_YEAR)


def average_balance_usd_per_month(
    capital_usd: Amount, rate_per_year: Amount, years: Amount, residual_frac: Amount = 0.0
) -> Amount:
    """Straight line plus interest on the mean of price and residual: a common approximation.

    Parameters are those of `annuity_usd_per_month`.

    Notes
    -----
    C · (1 − R)/n + C · (1 + R)/2 · rate/12; below the annuity at long lives and high rates.

    Examples
    --------
    >>> round(average_balance_usd_per_month(250_000, 0.08, 5), 2)
    5000.0
    """
    _rate("rate_per_year", rate_per_year)
    line = straight_line_usd_per_month(capital_usd, years, residual_frac)
    mean_usd = plain(capital_usd) * (1 + plain(residual_frac)) / 2
    return line + mean_usd * plain(rate_per_year) / MONTHS_PER_YEAR


def _yearly(
    capital_usd: Amount, rate_per_year: Amount, years: Amount, residual_frac: Amount
) -> Amount:
    return annuity_usd_per_year(capital_usd, rate_per_year, years, residual_frac) / MONTHS_PER_YEAR


def _line(
    capital_usd: Amount, rate_per_year: Amount, years: Amount, residual_frac: Amount
) -> Amount:
    return straight_line_usd_per_month(capital_usd, years, residual_frac)


METHODS: dict[str, Callable[[Amount, Amount, Amount, Amount], Amount]] = {
    "annuity": annuity_usd_per_month,
    "annual annuity": _yearly,
    "average balance": average_balance_usd_per_month,
    "straight line": _line,
}


def capital_usd_per_month(
    capital_usd: Amount,
    rate_per_year: Amount,
    years: Amount,
    residual_frac: Amount = 0.0,
    method: str = "annuity",
) -> Amount:
    """The monthly cost of capital by a named method.

    Parameters are those of `annuity_usd_per_month`; ``method`` is one of `METHODS`, of which all
    but ``annuity`` are shortcuts of others.

    Examples
    --------
    >>> [round(capital_usd_per_month(1e6, 0.1, 5, method=m)) for m in METHODS]
    [21247, 21983, 20833, 16667]
    """
    one_of("capital method", method, METHODS)
    return METHODS[method](capital_usd, rate_per_year, years, residual_frac)


def present_value_usd(flows_usd: Amount, rate_per_year: float, periods_per_year: float) -> float:
    """The worth today of a series of flows, the first of them today.

    Parameters
    ----------
    flows_usd : sequence of float
        One flow a period, negative for what is paid.
    rate_per_year : float
        Discount rate, nominal, e.g. 0.10.
    periods_per_year : float
        12 for months, 1 for years.

    Returns
    -------
    float
        USD.

    Raises
    ------
    ValueError
        For flows that are no list of finite numbers, or a rate by which a period loses all.

    Notes
    -----
    Σ flowₖ / (1 + r/m)ᵏ, k = 0, 1, …, with m periods a year.

    Examples
    --------
    >>> present_value_usd([-100.0, 60.0, 60.0], 0.0, 1)
    20.0
    >>> round(present_value_usd([-100.0, 60.0, 60.0], 0.10, 1), 2)
    4.13
    """
    flows = np.asarray(flows_usd, dtype=float)
    if flows.ndim != 1 or not np.isfinite(flows).all():
        raise ValueError("flows_usd is outside its range: a list of finite numbers")
    _rate("rate_per_year", rate_per_year)
    positive("periods_per_year", periods_per_year)
    rate = rate_per_year / periods_per_year
    if rate <= -1:
        raise ValueError(
            f"rate_per_year = {rate_per_year!r} is outside its range: above "
            f"-{periods_per_year:g}, or a period loses more than all"
        )
    return float(np.sum(flows * np.exp(-np.arange(len(flows)) * np.log1p(rate))))


def _rate(name: str, value: Amount) -> None:
    def check(name: str, value: float) -> float:
        says = "above -1 (-100 % a year) and finite"
        return in_range(name, value, -1.0, open_low=True, says=says)

    each(check, name, value)


def plain(value: Amount) -> Amount:
    """Lists as arrays; numbers and pandas objects as they are."""
    return np.asarray(value, dtype=float) if isinstance(value, list | tuple) else value


def _level_payment_usd(
    capital_usd: Amount,
    rate_per_year: Amount,
    years: Amount,
    residual_frac: Amount,
    periods_per_year: float,
) -> Amount:
    each(not_negative, "capital_usd", capital_usd)
    _rate("rate_per_year", rate_per_year)
    each(positive, "years", years, MOST_YEARS)
    each(fraction, "residual_frac", residual_frac)
    rate = plain(rate_per_year) / periods_per_year
    n = plain(years) * periods_per_year
    residual = plain(residual_frac)
    flat = np.abs(rate) < FLAT_RATE
    safe = np.where(flat, 1.0, rate)
    # two forms of one formula, each without loss of digits on its side of zero
    with np.errstate(over="ignore", invalid="ignore"):  # a life without end: growth is infinite
        growth = np.exp(n * np.log1p(safe))
        gained = np.expm1(n * np.log1p(safe))
        above = safe * (1 + (1 - residual) / gained)
        below = safe * ((1 - residual) * growth / gained + residual)
    level = (1 - residual) * (1 / n + rate * (1 + 1 / n) / 2) + residual * rate
    paid_frac = np.where(flat, level, np.where(safe > 0, above, below))
    payment = plain(capital_usd) * paid_frac
    if np.any(np.isnan(payment)):  # 1/n is beyond the floats
        raise ValueError(f"years = {years!r} is outside its range: a payment is no number")
    return float(payment) if np.ndim(payment) == 0 else payment
