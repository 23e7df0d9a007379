"""Forecasts that say what they do not know: three ways on, with bands, and a test on the past.

>>> import pandas as pd
>>> calm = pd.DataFrame({"date": [f"2024-{m:02}" for m in range(1, 13)], "value": [3.0] * 12})
>>> last = scenarios_frame(calm, years=1, rates={"flat": 1.0}).iloc[-1]
>>> round(float(last["low"]), 6), round(float(last["high"]), 6)
(3.0, 3.0)
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import count, in_range, positive
from econ.catalog.units import DAYS_PER_YEAR
from econ.trends.fits import fit_trend, points_of
from econ.trends.rates import EPOCH, spend_ratio, volume_ratio, year_of

STEPS_PER_YEAR = 4  # a scenario's table is quarterly
Z = 1.6449  # normal quantile: nine of ten within
EACH = 10  # spans of a year below which deciles are guesses
SLACK_YEARS = 0.03  # quarters are not equally long


def steps_of(frame: pd.DataFrame, value: str = "value", date: str = "date") -> np.ndarray:
    """Changes of the logarithm from point to point, per square root of a year.

    Their spread is the yearly standard deviation of a random walk.
    """
    x, y = points_of(frame, value, date)
    apart = np.diff(x)
    real = apart > 0
    steps: np.ndarray = np.diff(y)[real] / np.sqrt(apart[real])
    return steps


def yearly_rates(series: list[pd.DataFrame], value: str = "value") -> dict[str, float]:
    """Rates to go on with, from what twelve months have brought before: up, flat and down.

    ``up`` and ``down`` are the ninth and the first decile of the change over any twelve months in
    any of the series; ``flat`` is no change.
    """
    changes: list[float] = []
    for frame in series:
        x, y = points_of(frame, value, "date")
        change = np.interp(x + 1, x, y, right=np.nan) - y
        changes += change[np.isfinite(change)].tolist()
    if len(changes) < EACH:
        raise ValueError(f"{len(changes)} spans of twelve months are too few for deciles")
    low, high = np.exp(np.quantile(changes, [0.1, 0.9]))
    return {"up": float(high), "flat": 1.0, "down": float(low)}


def scenarios_frame(
    frame: pd.DataFrame,
    years: float = 2.0,
    rates: dict[str, float] | None = None,
    value: str = "value",
) -> pd.DataFrame:
    """The last value carried on at each rate, with a band that widens as a random walk does.

    Parameters
    ----------
    frame : DataFrame
        Dated values: columns ``date`` and ``value``.
    years : float
        How far ahead, 0.25 to 20.
    rates : dict of str to float, optional
        Factors per year by the scenario's name; `yearly_rates` of the series by default.
    value : str
        The column of the values.

    Returns
    -------
    DataFrame
        ``scenario``, ``date``, ``years``, ``low``, ``value``, ``high``; quarterly.

    Notes
    -----
    The band is of the noise alone, from the series' own steps: nine of ten, if the rate were right.
    Which rate comes is not known, so no scenario carries a probability.
    """
    in_range("years", years, 0.25, 20)
    x, y = points_of(frame, value, "date")
    steps = steps_of(frame, value)
    noise = float(np.sqrt(np.mean(steps**2))) if len(steps) else 0.0
    ahead = np.arange(0, years + 1e-9, 1 / STEPS_PER_YEAR)
    parts = []
    for name, rate in (rates or yearly_rates([frame], value)).items():
        middle = y[-1] + np.log(positive("rate", rate)) * ahead
        width = Z * noise * np.sqrt(ahead)
        day = EPOCH + pd.to_timedelta(np.round((x[-1] + ahead) * DAYS_PER_YEAR), unit="D")
        ends = {"low": middle - width, "value": middle, "high": middle + width}
        parts.append(
            pd.DataFrame({"scenario": name, "date": day.strftime("%Y-%m-%d"), "years": ahead})
            .join(pd.DataFrame({k: np.exp(v) for k, v in ends.items()}))
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def backtest_frame(
    frame: pd.DataFrame, *, n_known: int = 4, years: float = 1.0, value: str = "value"
) -> pd.DataFrame:
    """A forecast made on every date of the past, against what came, with "no change" beside it.

    From each date with at least ``n_known`` points, the trend of all points so far is carried on
    for ``years``; the truth is the latest point by then.

    Parameters
    ----------
    frame : DataFrame
        Dated values: columns ``date`` and ``value``.
    n_known : int
        Points that a forecast needs, 3 or more.
    years : float
        How far ahead, e.g. 1.
    value : str
        The column of the values.

    Returns
    -------
    DataFrame
        ``origin``, ``truth``, ``trend``, ``no_change``, and how far each was off as a factor,
        ``trend_off`` and ``no_change_off``, never below 1.

    Raises
    ------
    ValueError
        Where no date has enough points before it and enough time after it.
    """
    count("n_known", n_known, 3)
    positive("years", years, 50)
    x, y = points_of(frame, value, "date")
    ordered = frame.iloc[np.argsort(year_of(frame["date"]), kind="stable")]
    rows = []
    for i in range(n_known, len(x)):
        target = x[i - 1] + years
        if target > x[-1] + SLACK_YEARS or np.ptp(x[:i]) == 0:
            continue
        past = ordered.iloc[:i]
        fit = fit_trend(past, value, interval="t")
        guess = fit.line[0] + fit.line[1] * (target - fit.line[2])
        truth = float(y[np.searchsorted(x, target + SLACK_YEARS, "right") - 1])
        rows.append((str(past["date"].iloc[-1])[:10], truth, guess, float(y[i - 1])))
    if not rows:
        raise ValueError(
            f"no date has {n_known} points before it and {years:g} years after: nothing to test on"
        )
    tests = pd.DataFrame(rows, columns=["origin", "truth", "trend", "no_change"])
    for name in ("trend", "no_change"):
        tests[f"{name}_off"] = np.exp((tests[name] - tests["truth"]).abs())
    names = ["truth", "trend", "no_change"]
    return tests.assign(**{name: np.exp(tests[name]) for name in names})


# -- the bill ----------------------------------------------------------------------------------
def bill_frame(
    change_per_year: float = -0.7, elasticity: float = -1.4, years: float = 4
) -> pd.DataFrame:
    """Price, volume and spend over the years, each 1 at the start: year, what, index.

    ``change_per_year`` is the price's yearly change (-0.7: it falls by 70 % a year).
    """
    in_range("change_per_year", change_per_year, -0.999, 10)
    in_range("years", years, 0.25, 20)
    rows: list[tuple[float, str, float]] = []
    for year in np.arange(0, years + 1e-9, 1 / STEPS_PER_YEAR).tolist():
        price = (1 + change_per_year) ** year
        rows += [
            (year, "price of a token", price),
            (year, "tokens bought", volume_ratio(price, elasticity)),
            (year, "spend", spend_ratio(price, elasticity)),
        ]
    frame = pd.DataFrame(rows, columns=["year", "what", "index"])
    return frame.assign(elasticity=elasticity, change_per_year=change_per_year)
