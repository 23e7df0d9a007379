"""How much two runs of one configuration differ: the error that no model can be below.

>>> repeats = repeats_frame()
>>> bool((repeats["median_frac"] <= repeats["p90_frac"]).all())
True
"""

from __future__ import annotations

import pandas as pd

from econ.latency.runs import CONFIGURATION, measured_runs

ALIKE = [
    "source",
    "statistic",
    *CONFIGURATION,
    "n_gpu",
    "input_tokens",
    "output_tokens",
    "concurrency",
]
TIMES = ("tpot_s", "ttft_s")
WEEK = 7
FEWEST = 5  # pairs below which nothing is said


def repeats_frame(runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """How far a run is from the one before it of the same configuration, load and benchmark.

    Parameters
    ----------
    runs : DataFrame, optional
        Measured runs with their day; the shipped ones by default, a sample in which few repeat.

    Returns
    -------
    DataFrame
        By statistic (medians or means of a benchmark), metric and days between the two (a week at
        most, or more): n_runs, and the median and the 90th percentile of |second / first − 1|.
    """
    runs = measured_runs() if runs is None else runs
    dated = runs[runs["as_of"].str.len() == len("2026-01-31")].drop_duplicates([*ALIKE, *TIMES])
    dated = dated.assign(day=pd.to_datetime(dated["as_of"])).sort_values("day", kind="stable")
    by_kind = dated.groupby(ALIKE, dropna=False)
    days = by_kind["day"].diff().dt.days
    apart = pd.Series("more than a week", dated.index).mask(days <= WEEK, "a week at most")
    rows = []
    for metric in TIMES:
        off = (dated[metric] / by_kind[metric].shift() - 1).abs()
        for (statistic, between), gaps in off.dropna().groupby([dated["statistic"], apart]):
            if len(gaps) >= FEWEST:
                ends = gaps.quantile([0.5, 0.9])
                rows.append((statistic, metric, between, len(gaps), *ends))
    columns = ["statistic", "metric", "apart", "n_runs", "median_frac", "p90_frac"]
    return pd.DataFrame(rows, columns=columns)


def repeats_rows(runs: pd.DataFrame, today: str) -> pd.DataFrame:
    """The same as rows of ``data/latency/repeated_runs.csv``."""
    frame = repeats_frame(runs).round(4)
    names = frame[["statistic", "metric", "apart"]].agg("-".join, axis=1)
    return frame.assign(
        id=names.str.replace(" ", "-"), source="inferencex-runs", as_of=today, kind="derived"
    )
