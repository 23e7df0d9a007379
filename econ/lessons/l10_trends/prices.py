"""Prices of tokens over time: a quality level at its cheapest, list prices that moved."""

from __future__ import annotations

import functools

import pandas as pd

from econ.catalog import table
from econ.trends.changes import changes_frame
from econ.trends.fits import fit_trend
from econ.trends.prices import PRICE, frontier_frame, offers_frame, record_lows
from econ.trends.rates import annual_factor, year_of, years_between

PRICE_TITLE = "USD per million tokens, 3 in : 1 out"
WIDEST = (0.1, 1e6)  # factors a year; an interval beyond says "unknown" in any case
# levels a learner can pick: benchmark, share of questions
LEVELS = {
    "GPT-3.5 on MMLU": ("mmlu", 0.648),
    "GPT-4 on MMLU": ("mmlu", 0.86),
    "GPT-4 on GPQA": ("gpqa", 0.33),
    "GPT-4 Turbo on GPQA": ("gpqa", 0.50),
    "GPT-4o on GPQA": ("gpqa", 0.53),
}
BASES = {"as the study dates them": "study", "dated price lists": "list"}
LEVEL_GPT_3_5 = 0.648  # its score on MMLU; a row of quality_prices


def to_today_frame(benchmark: str, level_frac: float) -> pd.DataFrame:
    """The frontier of dated list prices with the newest list's date as its end, record or not."""
    rows = frontier_frame(benchmark, level_frac, "list")
    today = max(offers_frame()["date"])
    return rows if rows["date"].iloc[-1] == today else _ended(rows, today)


def _ended(rows: pd.DataFrame, day: str) -> pd.DataFrame:
    return pd.concat([rows, rows.tail(1).assign(date=day)], ignore_index=True)


def both_ways_frame(benchmark: str = "mmlu", level_frac: float = LEVEL_GPT_3_5) -> pd.DataFrame:
    """The frontier by the study and by dated lists, for one chart: adds ``basis``."""
    ways = {"prices as the study dates them": "study", "list prices on their own dates": "list"}
    frontiers = [frontier_frame(benchmark, level_frac, b).assign(basis=w) for w, b in ways.items()]
    return pd.concat(frontiers, ignore_index=True)


def line_frame(benchmark: str, level_frac: float, basis: str = "study") -> pd.DataFrame:
    """Records and the line through them, in one table for a chart, by month and by record.

    ``year``; ``price_usd_per_mtok`` and ``name`` of a record, empty between them; ``fitted``, the
    line there, with ``low`` and ``high``, which hold nine of ten new records if it goes on;
    ``n_points``, ``fall_per_year``, ``fall_low`` and ``fall_high`` of the whole.
    Raises `ValueError` where fewer than three records make no trend.
    """
    return _line_frame(benchmark, level_frac, basis).copy()


@functools.cache
def _line_frame(benchmark: str, level_frac: float, basis: str) -> pd.DataFrame:
    rows = frontier_frame(benchmark, level_frac, basis)
    fit = fit_trend(rows, PRICE, interval="t")
    months = pd.period_range(fit.start[:7], fit.end[:7], freq="M").astype(str)
    both = pd.concat([rows[["date", "name", PRICE]], pd.DataFrame({"date": months})])
    both = both.assign(name=both["name"].fillna(""), year=1970 + year_of(both["date"]))
    bands = [fit.band(day) for day in both["date"]]
    low, high = fit.fall_interval
    return (
        both.assign(
            fitted=[fit.at(day) for day in both["date"]],
            low=[end for end, _ in bands],
            high=[end for _, end in bands],
            n_points=fit.n_points,
            fall_per_year=fit.fall_per_year,
            fall_low=low,
            fall_high=high,
        )
        .sort_values("year", kind="stable", ignore_index=True)
        .drop(columns="date")
    )


def phases_frame() -> pd.DataFrame:
    """How fast the cheapest price of GPT-3.5's level fell, between dates a headline may choose.

    Columns: ``span``, ``start``, ``end``, ``total_factor``, ``fall_per_year``; the last span ends
    with the newest price list, whether or not it brought a record.
    """
    rows = frontier_frame("mmlu", LEVEL_GPT_3_5, "list")
    today = max(offers_frame()["date"])
    first, headline, record = rows["date"].iloc[0], "2024-10", rows["date"].iloc[-1]
    second = rows["date"].iloc[1]
    spans = [
        ("whole", first, today),
        ("headline's", first, headline),
        ("first four months", first, second),
        ("then", second, headline),
        ("the year after", headline, record),
        ("since the last record", record, today),
    ]
    phases = []
    for name, start, end in spans:
        at = [rows.loc[rows["date"] <= day, PRICE].iloc[-1] for day in (start, end)]
        years = years_between(start, end)
        phases.append((name, start, end, at[0] / at[1], annual_factor(at[0] / at[1], years)))
    columns = ["span", "start", "end", "total_factor", "fall_per_year"]
    return pd.DataFrame(phases, columns=columns)


def fits_frame(source: str = "epoch-price-trends") -> pd.DataFrame:
    """Published fits of falls at constant quality, with ``years`` from first to last record."""
    rows = table("price_trend_fits")
    rows = rows[rows["source"] == source].reset_index(drop=True)
    years = year_of(rows["end"]) - year_of(rows["start"])
    label = rows["benchmark"] + ", " + rows["threshold_model"] + " level"
    return rows.assign(years=years, label=label).sort_values("years", ignore_index=True)


def second_look_frame() -> pd.DataFrame:
    """The fall at GPT-4 Turbo's level on GPQA, the same rows asked more strictly.

    Columns: ``question``, ``n_points``, ``start``, ``end``, ``fall_per_year``, ``low``, ``high``.
    """
    rows = table("quality_prices").rename(columns={"release": "date"})
    top = rows.loc["gpt-4-turbo"]
    good = rows[rows["gpqa_frac"] >= top["gpqa_frac"]].dropna(subset=[PRICE])
    cases = {
        "as published: GPQA alone": good,
        "and as good in Arena duels": good[good["arena_points"] >= top["arena_points"]],
    }
    fits = {name: record_lows(f, PRICE) for name, f in cases.items()}
    fits["dated list prices, to this year"] = frontier_frame("gpqa", top["gpqa_frac"], "list")
    looks = []
    for name, records in fits.items():
        fit = fit_trend(records, PRICE, interval="t")
        ends = (fit.start[:7], fit.end[:7])
        looks.append((name, fit.n_points, *ends, fit.fall_per_year, *fit.fall_interval))
    columns = ["question", "n_points", "start", "end", "fall_per_year", "low", "high"]
    return pd.DataFrame(looks, columns=columns)


def second_set_frame() -> pd.DataFrame:
    """Fits to a second data set, per token and per run, with its three wrong rows and without.

    Columns: ``level``, ``basis``, ``rows`` (all, or without the wrong ones), ``n_points``,
    ``fall_per_year``, ``low``, ``high``.
    """
    rows = fits_frame("gundlach-price-perf").sort_values("id", ascending=False, kind="stable")
    selection = rows["id"].str.endswith("-all").map({True: "all", False: "three left out"})
    columns = ["level", "basis", "rows", "n_points", "fall_per_year", "low", "high"]
    rows = rows.assign(level=rows["threshold_model"].str.removeprefix("a "), rows=selection)
    return rows.sort_values(["level", "basis", "rows"])[columns].reset_index(drop=True)


# -- prices that moved -------------------------------------------------------------------------
def direction_frame() -> pd.DataFrame:
    """Cuts and rises by year that two lists confirm: ``year``, ``direction``, ``n``, ``share``."""
    rows = changes_frame()
    rows = rows.assign(
        year=rows["date"].str[:4], direction=rows["direction"].map({"rise": "rises", "cut": "cuts"})
    )
    counts = rows.groupby(["year", "direction"]).size().rename("n").reset_index()
    counts = counts.sort_values(["year", "direction"], ascending=[True, False], ignore_index=True)
    return counts.assign(share=counts["n"] / counts.groupby("year")["n"].transform("sum"))
