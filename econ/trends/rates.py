"""Rates between two dates, and what demand makes of a price: functions of numbers.

A rate is a constant factor per year; factors below 1 fall.

>>> round(annual_factor(280, years_between("2022-11", "2024-10")), 1)
18.9
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import in_range, positive
from econ.catalog.units import DAYS_PER_YEAR, MONTHS_PER_YEAR

EPOCH, DAY = pd.Timestamp(1970, 1, 1), pd.Timedelta(days=1)
LARGEST_LOG = math.log(np.finfo(float).max)


# -- dates and rates ---------------------------------------------------------------------------
def year_of(dates: Any) -> np.ndarray:
    """Dates (``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``) as years of 365 days since 1970.

    >>> first, last = year_of(["2023-01", "2024-01"])
    >>> float(last - first)
    1.0
    """
    values = [str(date)[:10] for date in np.atleast_1d(np.asarray(dates, dtype=object))]
    days = pd.to_datetime(pd.Series(values), format="ISO8601", errors="coerce")
    for row in np.flatnonzero(days.isna())[:1]:
        raise ValueError(
            f"date = {values[row]!r} in row {row} is not a date: give YYYY, YYYY-MM or YYYY-MM-DD"
        )
    years: np.ndarray = ((days - EPOCH) / DAY).to_numpy("float64") / DAYS_PER_YEAR
    return years


def years_between(start: str, end: str) -> float:
    """Years from one month to another, in whole months.

    >>> round(years_between("2022-11", "2024-10") * 12, 6)
    23.0
    """
    year_of([start, end])  # both are dates
    first, last = (pd.Period(str(date)[:7], freq="M").ordinal for date in (start, end))
    return float((last - first) / MONTHS_PER_YEAR)


def annual_factor(total_factor: float, years: float) -> float:
    """The constant factor per year that gives a total factor.

    Parameters
    ----------
    total_factor : float
        Over the whole span, e.g. 280.
    years : float
        Length of the span, e.g. 23/12.

    Notes
    -----
    total ** (1 / years).

    Examples
    --------
    >>> round(annual_factor(280, 23 / 12), 1), round(annual_factor(280, 18 / 12), 1)
    (18.9, 42.8)
    """
    positive("total_factor", total_factor)
    positive("years", years)
    log = math.log(total_factor) / years
    if abs(log) > LARGEST_LOG:
        raise ValueError(
            f"years = {years!r} is too short a span: a factor of {total_factor:g} in it has no "
            "finite rate per year"
        )
    return math.exp(log)


def years_to(total_factor: float, factor_per_year: float) -> float:
    """Years until a yearly factor has made a total factor.

    Parameters
    ----------
    total_factor : float
        e.g. 0.5 for a halving.
    factor_per_year : float
        On the same side of 1, e.g. 0.7.

    Notes
    -----
    ln total / ln yearly.

    Examples
    --------
    >>> round(years_to(0.5, 0.7), 2), round(years_to(2, 1.3), 2)   # "30 %" read in two ways
    (1.94, 2.64)
    """
    positive("total_factor", total_factor)
    positive("factor_per_year", factor_per_year)
    if total_factor == 1:
        return 0.0
    years = math.log(total_factor) / (math.log(factor_per_year) or math.nan)
    if not years > 0:
        raise ValueError(
            f"factor_per_year = {factor_per_year!r} never leads to a factor of {total_factor:g}: "
            "both must lie on the same side of 1"
        )
    return years


# -- what demand makes of it -------------------------------------------------------------------
def volume_ratio(price_ratio: float, elasticity: float) -> float:
    """How volume changes with a price, at a constant elasticity.

    Parameters
    ----------
    price_ratio : float
        New price over old, e.g. 0.1.
    elasticity : float
        Per cent of volume per per cent of price, -50 to 0, e.g. -1.4.

    Notes
    -----
    price_ratio ** elasticity.

    Examples
    --------
    >>> round(volume_ratio(0.1, -1.4), 1)
    25.1
    """
    positive("price_ratio", price_ratio)
    if elasticity != 0:
        in_range("elasticity", elasticity, -50, 0, says="-50 to 0: less is bought at more")
    log = elasticity * math.log(price_ratio)
    if log > LARGEST_LOG:
        raise ValueError(
            f"price_ratio = {price_ratio!r} with elasticity {elasticity:g} leads beyond all numbers"
        )
    return math.exp(log)


def spend_ratio(price_ratio: float, elasticity: float) -> float:
    """How a bill changes with a price: ``price_ratio ** (1 + elasticity)``.

    Below -1 the bill rises as the price falls (Jevons); at -1 it stays.

    >>> [round(spend_ratio(0.1, e), 2) for e in (0, -1, -1.5)]
    [0.1, 1.0, 3.16]
    """
    return price_ratio * volume_ratio(price_ratio, elasticity)


def implied_elasticity(price_ratio: float, volume_ratio: float) -> float:
    """The elasticity that would explain two ratios: ``ln volume / ln price``.

    No cause is shown by it: demand also grows by itself, and that is in here.
    """
    positive("price_ratio", price_ratio)
    positive("volume_ratio", volume_ratio)
    if price_ratio == 1:
        raise ValueError("price_ratio = 1: a price that did not move shows no elasticity")
    return math.log(volume_ratio) / math.log(price_ratio)
