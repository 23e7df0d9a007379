"""Trends fitted to dated values: one constant rate, or two that meet on a date.

A trend is a straight line through the logarithms. What is fitted is stated beside what is not
known: the interval of the rate, and the wider band of the next value.

>>> import pandas as pd
>>> halves = pd.DataFrame({"date": ["2021", "2022", "2023"], "value": [8.0, 4.0, 2.0]})
>>> round(fit_trend(halves).factor_per_year, 3)
0.5
>>> fit_trend(halves.head(2))
Traceback (most recent call last):
    ...
ValueError: 2 dated points are no trend: any two lie on a line, so nothing says how far it is off
>>> down_then_up = pd.DataFrame({"date": [f"20{y}" for y in range(11, 20)],
...                              "value": [64.0, 32, 16, 8, 4, 8, 16, 32, 64]})
>>> bend = fit_break(down_then_up)
>>> bend.at[:4], round(bend.before_per_year, 1), round(bend.after_per_year, 1), bend.earned
('2015', 0.5, 2.0, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import count, fraction, in_range, one_of
from econ.trends.rates import year_of

INTERVALS = ("auto", "t", "bootstrap")
FEW = 10  # below this a bootstrap sees too little and "auto" takes Student's t
DRAWS, SEED, TINY = 2000, 6, 1e-12
EACH_SIDE = 3  # points that a bend must leave on either side
STRONG = 10.0  # evidence that earns the bend


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A fitted constant rate with its interval.

    Attributes
    ----------
    factor_per_year, low_per_year, high_per_year : float
        The rate and the ends of its interval.
    confidence_frac : float
        Of the interval, e.g. 0.9.
    interval : str
        How it was computed: ``t`` or ``bootstrap``.
    n_points : int
        Points that were fitted.
    explained_frac : float
        Share of the variance of the logarithms on the line.
    start, end : str
        First and last date.
    line : array
        Logarithm of the level in the middle, slope per year, year of the middle.
    spread : array
        Standard errors of level and slope, and of a single value.
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

    fraction("confidence_frac", confidence_frac)
    count("n_points", n_points, 3)
    return float(stdtrit(n_points - 2, 0.5 + confidence_frac / 2))


def points_of(frame: pd.DataFrame, value: str, date: str) -> tuple[np.ndarray, np.ndarray]:
    """Years and logarithms of a table's points in the order of time, or why there is no trend."""
    for name in (value, date):
        one_of("column", name, frame.columns)
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

    Parameters
    ----------
    frame : DataFrame
        One row a point.
    value, date : str
        Its columns: numbers greater than 0, and dates as ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.
    interval : str
        ``t`` takes Student's t on the slope's standard error; ``bootstrap`` refits to points drawn
        anew and takes quantiles; ``auto`` is t below ten points. Both take the points as
        independent, which successive record lows are not.
    confidence_frac : float
        Of the interval, e.g. 0.9.
    seed : int
        Of the bootstrap.

    Raises
    ------
    ValueError
        For fewer than three points, a value that is not greater than 0, one date for all.
    """
    one_of("interval", interval, INTERVALS)
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
        low_end, high_end = np.quantile(_redrawn(x, y, seed), [tail, 1 - tail])
        ends = (float(low_end), float(high_end))
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
    slopes: np.ndarray = (xs * ys).sum(axis=1)[real] / width[real]
    return slopes


@dataclass(frozen=True, kw_only=True)
class Break:
    """Two rates that meet on a date, and whether the data pay for the bend.

    ``evidence_factor`` is exp(ΔBIC/2) for the bend against one line: above 10 is strong.
    """

    at: str
    before_per_year: float
    after_per_year: float
    evidence_factor: float

    @property
    def earned(self) -> bool:
        """Whether the bend explains more than its two extra parameters cost, by ten to one."""
        return self.evidence_factor > STRONG


def fit_break(frame: pd.DataFrame, value: str = "value", date: str = "date") -> Break:
    """The best single bend: two lines that meet on one of the dates, at least 3 points a side.

    Raises `ValueError` as `fit_trend`, and for fewer than six points.
    """
    x, y = points_of(frame, value, date)
    n = len(x)
    inner = np.unique(x[EACH_SIDE - 1 : n - EACH_SIDE + 1])
    inner = inner[(inner > x[0]) & (inner < x[-1])]
    if n < 2 * EACH_SIDE or len(inner) == 0:
        raise ValueError(f"{n} points carry no bend: it needs {EACH_SIDE} on either side")
    fits = [_bent(x, y, at) for at in inner]
    best = int(np.argmin([rest for rest, _ in fits]))
    straight = float(np.sum((y - np.polyval(np.polyfit(x - x[0], y, 1), x - x[0])) ** 2))
    tiny = TINY * (1 + float(y @ y))  # a perfect fit has no finite evidence
    gain = n * math.log((straight + tiny) / (fits[best][0] + tiny)) - 2 * math.log(n)
    slopes = fits[best][1]
    dates = frame[date].astype(str).to_numpy()
    return Break(
        at=str(dates[np.argmin(np.abs(year_of(dates) - inner[best]))])[:10],
        before_per_year=math.exp(slopes[0]),
        after_per_year=math.exp(slopes[1]),
        evidence_factor=math.exp(min(gain / 2, 300)),
    )


def _bent(x: np.ndarray, y: np.ndarray, at: float) -> tuple[float, tuple[float, float]]:
    """Squared rest and both slopes of a line that bends at a date."""
    columns = np.column_stack([np.ones_like(x), x - at, np.maximum(x - at, 0)])
    fit, *_ = np.linalg.lstsq(columns, y, rcond=None)
    rest = y - columns @ fit
    return float(rest @ rest), (float(fit[1]), float(fit[1] + fit[2]))
