"""A market whose true price fall is known, and what a study of record lows would find in it.

Models appear at random; the best ability grows steadily, most models stay below it; the logarithm
of a price rises with ability, falls with time at one true rate, and scatters. The study takes the
best-scoring model of a day, waits, and fits a line through the record lows of all that score as
well. All but the price rate is illustrative: the sizes are ours, not fitted.

>>> fits = market_frame(years=2.0, scatter_factor=1.05, chase_frac=0.0, n_markets=40)
>>> bool(3 < fits["fall_per_year"].median() < 12)       # the truth is 10
True
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import count, in_range, not_negative

TRUE_FALL_PER_YEAR = 10.0
N_MODELS = 200  # in a market
SPAN_YEARS, WATCHED_FROM = 4.0, 1.0  # length of a market, day of the best
GROWTH, LAG = 1.5, 1.0  # ability gained by the best in a year; mean lag of the others (log odds)
DEX = np.log(10.0)  # one unit of ability costs ten times as much
PER_DECADE = 5  # bars of a histogram in a factor of ten
FEWEST = 4  # record lows below which a study reports no rate, as in the published set


def market_frame(
    years: float = 1.0,
    scatter_factor: float = 2.0,
    chase_frac: float = 0.0,
    *,
    n_markets: int = 120,
    seed: int = 5,
) -> pd.DataFrame:
    """What studies of many such markets find: one row each that finds enough record lows.

    Parameters
    ----------
    years : float
        How long a study watches, 0.1 to 3.
    scatter_factor : float
        How far prices scatter (one standard deviation), e.g. 2.
    chase_frac : float
        By how much scores on the benchmark run ahead of ability each year, in shares of a year's
        true progress: what training for the test adds.
    n_markets : int
        Markets that are drawn.
    seed : int
        Of the draw.

    Returns
    -------
    DataFrame
        ``n_points``, ``fall_per_year``, ``truth``, ``n_markets`` (studied in all).
    """
    in_range("years", years, 0.1, SPAN_YEARS - WATCHED_FROM)
    in_range("scatter_factor", scatter_factor, 1.0, 100.0)
    not_negative("chase_frac", chase_frac, 2.0)
    rng = np.random.default_rng(seed)
    shape = (count("n_markets", n_markets, 1, 10_000), N_MODELS)
    day = np.sort(rng.uniform(0, SPAN_YEARS, shape), axis=1)
    ability = GROWTH * day - rng.exponential(LAG, shape)
    score = ability + chase_frac * GROWTH * day
    log_price = DEX * ability - np.log(TRUE_FALL_PER_YEAR) * day
    log_price += np.log(scatter_factor) * rng.standard_normal(shape)
    record = _records(day, score, log_price, years)
    studied = np.flatnonzero(record.sum(axis=1) >= FEWEST)
    falls = [_fall_per_year(day[i, record[i]], log_price[i, record[i]]) for i in studied]
    return pd.DataFrame(
        {
            "n_points": record[studied].sum(axis=1),
            "fall_per_year": np.array(falls, dtype=float),
            "truth": TRUE_FALL_PER_YEAR,
            "n_markets": n_markets,
        }
    )


def _records(day: np.ndarray, score: np.ndarray, log_price: np.ndarray, years: float) -> np.ndarray:
    """In each market (a row), the record lows among those as good as the best of the first day."""
    early = np.where(day <= WATCHED_FROM, score, -np.inf)
    best = early.argmax(axis=1, keepdims=True)
    good, begun = (np.take_along_axis(values, best, axis=1) for values in (early, day))
    is_watched = good > -np.inf  # a market without an early model is none
    seen = is_watched & (score >= good) & (day >= begun) & (day <= begun + years)
    price = np.where(seen, log_price, np.inf)
    before = np.minimum.accumulate(price, axis=1)[:, :-1]
    return np.asarray(price < np.concatenate([np.full_like(begun, np.inf), before], axis=1))


def _fall_per_year(day: np.ndarray, log_price: np.ndarray) -> float:
    """The fitted fall of record lows."""
    x = day - day.mean()
    with np.errstate(over="ignore"):
        return float(np.exp(-(x @ log_price) / (x @ x)))


def histogram_frame(fits: pd.DataFrame) -> pd.DataFrame:
    """The fits counted in equal steps of the logarithm: ``low``, ``high``, ``n``.

    With the fits' ``median``, ``p5`` and ``p95``, the ``truth`` and ``n_markets``. Beyond a factor
    of 100,000 either way all fall in the last step.
    """
    if fits.empty:
        raise ValueError(f"no study found {FEWEST} record lows: watch longer")
    edge = 5 * PER_DECADE
    logs = np.log10(fits["fall_per_year"].to_numpy("float64")) * PER_DECADE
    place = np.clip(np.floor(logs), -edge, edge - 1).astype(int)
    steps, n = np.unique(place, return_counts=True)
    low, high = 10.0 ** (steps / PER_DECADE), 10.0 ** ((steps + 1) / PER_DECADE)
    p5, median, p95 = fits["fall_per_year"].quantile([0.05, 0.5, 0.95])
    ends = {"p5": p5, "median": median, "p95": p95, "n_markets": fits["n_markets"].iloc[0]}
    return pd.DataFrame({"low": low, "high": high, "n": n, "truth": TRUE_FALL_PER_YEAR, **ends})
