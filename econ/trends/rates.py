"""How fast a price or a performance moves: log-linear trends, record lows, demand.

A trend is a constant factor per year, found as a straight line through the logarithms. Factors
below 1 fall. What is fitted is stated beside what is not known: the interval of the rate, and the
wider band of the next value.

>>> import pandas as pd
>>> halves = pd.DataFrame({"date": ["2021", "2022", "2023"], "value": [8.0, 4.0, 2.0]})
>>> round(fit_trend(halves).factor_per_year, 3)
0.5
>>> fit_trend(halves.head(2))
Traceback (most recent call last):
    ...
ValueError: 2 dated points are no trend: any two lie on a line, so nothing says how far it is off
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import in_range, positive, unknown
from econ.catalog.units import DAYS_PER_YEAR, MONTHS_PER_YEAR

INTERVALS = ("auto", "t", "bootstrap")
FEW = 10  # below this a bootstrap sees too little and "auto" takes Student's t
DRAWS, SEED, TINY = 2000, 6, 1e-12
EPOCH, DAY = pd.Timestamp(1970, 1, 1), pd.Timedelta(days=1)


# -- dates and rates ---------------------------------------------------------------------------
def year_of(dates) -> np.ndarray:
    """Dates (``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``) as years of 365 days since 1970.

    >>> first, last = year_of(["2023-01", "2024-01"])
    >>> float(last - first)
    1.0
    """
    values = [str(d)[:10] for d in np.atleast_1d(np.asarray(dates, dtype=object))]
    days = pd.to_datetime(pd.Series(values), format="ISO8601", errors="coerce")
    for row in np.flatnonzero(days.isna())[:1]:
        raise ValueError(
            f"date = {values[row]!r} in row {row} is none; a date is YYYY, YYYY-MM or YYYY-MM-DD"
        )
    return ((days - EPOCH) / DAY).to_numpy("float64") / DAYS_PER_YEAR


def years_between(start: str, end: str) -> float:
    """Years from one month to another, in whole months.

    >>> round(years_between("2022-11", "2024-10") * 12, 6)
    23.0
    """
    year_of([start, end])  # both are dates
    first, last = (pd.Period(str(d)[:7], freq="M") for d in (start, end))
    return (last - first).n / MONTHS_PER_YEAR


def annual_factor(total_factor: float, years: float) -> float:
    """The constant factor per year that gives a total factor: ``total ** (1 / years)``.

    >>> round(annual_factor(280, 23 / 12), 1), round(annual_factor(280, 18 / 12), 1)
    (18.9, 42.8)
    """
    positive("total_factor", total_factor)
    positive("years", years)
    log = math.log(total_factor) / years
    if abs(log) > math.log(np.finfo(float).max):
        raise ValueError(
            f"years = {years!r} is too short a span: a factor of {total_factor:g} in it has no "
            "finite rate per year"
        )
    return math.exp(log)


def years_to(total_factor: float, factor_per_year: float) -> float:
    """Years until a yearly factor has made a total factor: ``ln total / ln yearly``.

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


# -- the trend ---------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Trend:
    """A fitted constant rate; ``low`` and ``high`` are its interval, ``interval`` how it was made.

    ``line`` holds the logarithm of the level in the middle, the slope per year and the year of the
    middle; ``spread`` the standard errors of level and slope, and of a single value.
    """

    factor_per_year: float
    low_per_year: float
    high_per_year: float
    confidence_frac: float
    interval: str
    n_points: int
    explained_frac: float
    start: str
    end: str
    line: np.ndarray
    spread: np.ndarray

    def at(self, date: str) -> float:
        """The line's value on a date."""
        level, slope, middle = self.line
        return float(np.exp(level + slope * (year_of(date)[0] - middle)))

    def band(self, date: str) -> tuple[float, float]:
        """Where a new value on a date lies, at the trend's confidence, if the trend goes on.

        Student's t on the scatter about the line and the error of level and slope; it knows
        nothing of a trend that ends.
        """
        level, slope, single = self.spread
        away = year_of(date)[0] - self.line[2]
        width = quantile(self.confidence_frac, self.n_points) * math.sqrt(
            single**2 + level**2 + (slope * away) ** 2
        )
        with np.errstate(over="ignore"):
            low, high = self.at(date) * np.exp([-width, width])
        return float(low), float(high)

    @property
    def fall_per_year(self) -> float:
        """The same as a fall: 4 where the factor is 1/4."""
        return 1 / self.factor_per_year

    @property
    def fall_interval(self) -> tuple[float, float]:
        """The interval of the fall, low end first; infinite where the rate's own end is 0."""
        with np.errstate(divide="ignore"):
            low, high = 1 / np.array([self.high_per_year, self.low_per_year])
        return float(low), float(high)


def quantile(confidence_frac: float, n_points: int) -> float:
    """Student's t for a line through so many points: half of the rest lies beyond it.

    >>> round(quantile(0.9, 7), 3)
    2.015
    """
    from scipy.special import stdtrit

    return float(stdtrit(n_points - 2, 0.5 + confidence_frac / 2))


def points_of(frame: pd.DataFrame, value: str, date: str) -> tuple[np.ndarray, np.ndarray]:
    """Years and logarithms of a table's points in the order of time, or why there is no trend."""
    for name in (value, date):
        if name not in frame:
            raise unknown("column", name, frame.columns)
    if len(frame) < 3:
        raise ValueError(
            f"{len(frame)} dated point{'s are' if len(frame) != 1 else ' is'} no trend: any two "
            "lie on a line, so nothing says how far it is off"
        )
    years = year_of(frame[date])
    values = pd.to_numeric(frame[value], errors="coerce").to_numpy("float64")
    for row in np.flatnonzero(~(np.isfinite(values) & (values > 0)))[:1]:
        raise ValueError(
            f"{value} = {frame[value].iloc[row]} in row {row} is outside its range: a trend in "
            "factors takes logarithms, so it needs finite numbers above 0"
        )
    if np.ptp(years) == 0:
        raise ValueError(
            f"all {len(frame)} points have the date {frame[date].iloc[0]}: no time passes between "
            "them, so there is no rate"
        )
    order = np.argsort(years, kind="stable")
    return years[order], np.log(values[order])


def fit_trend(
    frame: pd.DataFrame,
    value: str = "value",
    date: str = "date",
    *,
    interval: str = "auto",
    confidence_frac: float = 0.9,
    seed: int = SEED,
) -> Trend:
    """The log-linear trend of dated values, by least squares.

    ``interval``: ``t`` takes Student's t on the slope's standard error; ``bootstrap`` refits to
    points drawn anew and takes quantiles; ``auto`` is t below ten points. Both take the points as
    independent, which successive record lows are not.
    Raises `ValueError` for fewer than three points, values not above 0, one date for all.
    """
    if interval not in INTERVALS:
        raise unknown("interval", interval, INTERVALS)
    in_range("confidence_frac", confidence_frac, 0.01, 0.999)
    x, y = points_of(frame, value, date)
    n, middle = len(x), float(x.mean())
    away = x - middle
    slope = float(away @ y / (away @ away))
    rest = y - y.mean() - slope * away
    single = math.sqrt(float(rest @ rest) / (n - 2))
    error = single / math.sqrt(float(away @ away))
    if interval == "auto":
        interval = "t" if n < FEW else "bootstrap"
    if interval == "t":
        width = quantile(confidence_frac, n) * error
        ends = (slope - width, slope + width)
    else:
        tail = (1 - confidence_frac) / 2
        ends = np.quantile(_redrawn(x, y, seed), [tail, 1 - tail])
    with np.errstate(over="ignore", under="ignore"):
        factor, low, high = np.exp([slope, *ends])
    if not 0 < factor < math.inf:
        raise ValueError(
            f"the points span {np.ptp(x):.2g} years and change by a factor of "
            f"{math.exp(min(np.ptp(y), 700)):.3g}: no finite rate per year"
        )
    total = float(((y - y.mean()) ** 2).sum())
    return Trend(
        factor_per_year=float(factor),
        low_per_year=float(low),
        high_per_year=float(high),
        confidence_frac=confidence_frac,
        interval=interval,
        n_points=n,
        explained_frac=1 - float(rest @ rest) / total if total > 0 else 1.0,
        start=str(frame[date].min())[:10],
        end=str(frame[date].max())[:10],
        line=np.array([float(y.mean()), slope, middle]),
        spread=np.array([single / math.sqrt(n), error, single]),
    )


def _redrawn(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Slopes of lines through points drawn anew; draws of a single date are left out."""
    drawn = np.random.default_rng(seed).integers(len(x), size=(DRAWS, len(x)))
    xs, ys = x[drawn], y[drawn]
    xs = xs - xs.mean(axis=1, keepdims=True)
    width = (xs**2).sum(axis=1)
    real = width > TINY * np.ptp(x) ** 2
    return (xs * ys).sum(axis=1)[real] / width[real]


# -- the frontier ------------------------------------------------------------------------------
def record_lows(frame: pd.DataFrame, value: str = "value", date: str = "date") -> pd.DataFrame:
    """The rows that undercut every earlier one, in the order of time; of one day, the cheapest.

    >>> import pandas as pd
    >>> offers = pd.DataFrame({"date": ["2023", "2024", "2025"], "value": [9.0, 12.0, 4.0]})
    >>> record_lows(offers)["value"].tolist()
    [9.0, 4.0]
    """
    for name in (value, date):
        if name not in frame:
            raise unknown("column", name, frame.columns)
    numbers = pd.to_numeric(frame[value], errors="coerce").to_numpy("float64")
    for row in np.flatnonzero(~np.isfinite(numbers))[:1]:
        raise ValueError(
            f"{value} = {frame[value].iloc[row]} in row {row} is outside its range: a finite number"
        )
    rows = frame.assign(_year=year_of(frame[date]), **{value: numbers})
    rows = rows.sort_values(["_year", value], kind="stable")
    before = rows[value].cummin().shift(fill_value=math.inf)
    return rows[rows[value] < before].drop(columns="_year").reset_index(drop=True)


# -- what demand makes of it -------------------------------------------------------------------
def volume_ratio(price_ratio: float, elasticity: float) -> float:
    """How volume changes with a price, at a constant elasticity: ``price_ratio ** elasticity``."""
    positive("price_ratio", price_ratio)
    if elasticity != 0:
        in_range("elasticity", elasticity, -50, 0, says="-50 to 0: less is bought at more")
    log = elasticity * math.log(price_ratio)
    if log > math.log(np.finfo(float).max):
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
