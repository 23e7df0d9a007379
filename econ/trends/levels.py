"""How fast levels of quality get cheaper: by level and by window, with breaks and a test.

One rate for "the price of intelligence" does not exist: it hangs on the level, on the window, on
whether a token or an answer is priced, and on whether the price is one that can be paid today or
the lowest that ever was.

>>> rates = rates_frame(levels_frac=(0.54, 0.75), windows=("2025-01-01",))
>>> bool((rates["fall_per_year"] > 1).all())
True
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from econ.trends.fits import fit_break, fit_trend
from econ.trends.forecast import backtest_frame
from econ.trends.frontier import LEVELS, WINDOW_START, cheapest_frame, window_end

WINDOWS = (WINDOW_START, "2025-12-01")  # all of it, and the last twelve months

COLUMNS = [
    "level_frac", "per", "priced_as", "start", "end", "n_points", "fall_per_year", "low", "high",
    "reason",
]  # fmt: skip


def quarterly_frame(level_frac: float, per: str = "token") -> pd.DataFrame:
    """The cheapest way to a level at each quarter's first day, and at the window's end.

    Successive months mostly repeat a price; quarters are nearer to independent points.
    """
    path = cheapest_frame(level_frac, per=per).dropna(subset=["purchasable"])
    is_first = path["date"].str[5:].isin(["01-01", "04-01", "07-01", "10-01"])
    return path[is_first | (path["date"] == window_end())].reset_index(drop=True)


def rates_frame(
    levels_frac: Sequence[float] = LEVELS,
    windows: Sequence[str] = WINDOWS,
    pers: Sequence[str] = ("token", "answer"),
    *,
    priced_as: str = "purchasable",
) -> pd.DataFrame:
    """The fall per year with its 90 % interval, by level, window and what is priced.

    Parameters
    ----------
    levels_frac : sequence of float
        Shares of right answers on GPQA Diamond.
    windows : sequence of str
        First days; each window ends with the last reading of the lists.
    pers : sequence of str
        ``"token"``, ``"answer"``.
    priced_as : str
        ``"purchasable"`` or ``"record_low"``.

    Returns
    -------
    DataFrame
        ``level_frac, per, priced_as, start, end, n_points, fall_per_year, low, high``; times
        cheaper per year from a line through quarterly logarithms, Student's t. Where there is no
        rate, ``reason`` says why.

    Examples
    --------
    >>> row = rates_frame((0.66,), ("2026-10-01",), ("token",)).iloc[0]
    >>> row["reason"]
    '2 dated points are no trend: any two lie on a line, so nothing says how far it is off'
    """
    rows = []
    for level in levels_frac:
        for per in pers:
            path = quarterly_frame(level, per)
            for start in windows:
                part = path[path["date"] >= start]
                ends = (part["date"].min(), part["date"].max()) if len(part) else (start, "")
                key = (level, per, priced_as, *ends, len(part))
                try:
                    fit = fit_trend(part, priced_as, interval="t")
                except ValueError as error:
                    rows.append((*key, None, None, None, str(error)))
                    continue
                rows.append((*key, fit.fall_per_year, *fit.fall_interval, ""))
    return pd.DataFrame(rows, columns=COLUMNS)


def breaks_frame(levels_frac: Sequence[float] = LEVELS, per: str = "token") -> pd.DataFrame:
    """Where each level's fall changed its rate, and whether the data pay for the bend.

    Returns
    -------
    DataFrame
        ``level_frac, at, before_per_year, after_per_year`` (factors of the price), ``evidence``
        and ``earned``, from `fit_break` on quarters; levels of fewer than six are left out.

    Examples
    --------
    >>> set(breaks_frame((0.54,)).columns) >= {"at", "earned"}
    True
    """
    rows = []
    for level in levels_frac:
        path = quarterly_frame(level, per)
        try:
            bend = fit_break(path, "purchasable")
        except ValueError:
            continue
        rows.append(
            (level, bend.at, bend.before_per_year, bend.after_per_year, bend.evidence_factor,
             bend.earned)
        )  # fmt: skip
    columns = ["level_frac", "at", "before_per_year", "after_per_year", "evidence", "earned"]
    return pd.DataFrame(rows, columns=columns)


def forecasts_frame(
    levels_frac: Sequence[float] = LEVELS, per: str = "token", *, years: float = 0.5
) -> pd.DataFrame:
    """The trend's forecasts of the past against "no change", by level.

    Parameters
    ----------
    levels_frac, per
        See `rates_frame`.
    years : float
        How far ahead, e.g. 0.5: a year leaves few tests in a window of two.

    Returns
    -------
    DataFrame
        ``level_frac, n_tests, trend_off, no_change_off`` (medians of how far each was off, as a
        factor), ``better``.

    Examples
    --------
    >>> tests = forecasts_frame((0.54,))
    >>> bool((tests[["trend_off", "no_change_off"]] >= 1).all(axis=None))
    True
    """
    rows = []
    for level in levels_frac:
        try:
            tests = backtest_frame(
                quarterly_frame(level, per), n_known=3, years=years, value="purchasable"
            )
        except ValueError:
            continue
        off = tests[["trend_off", "no_change_off"]].median()
        better = "trend" if off["trend_off"] < off["no_change_off"] else "no change"
        rows.append((level, len(tests), *off, better))
    columns = ["level_frac", "n_tests", "trend_off", "no_change_off", "better"]
    return pd.DataFrame(rows, columns=columns)
