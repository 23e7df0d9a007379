"""Prices of tokens and machines over time: a level at its cheapest, lists that moved, rents."""

from __future__ import annotations

import functools
from typing import Any

import pandas as pd

from econ.catalog import site, table
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.energy.sites import site_figure
from econ.latency.prediction import predict
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.trends.changes import changes_frame
from econ.trends.fits import Break, fit_break, fit_trend
from econ.trends.hardware import rents_frame
from econ.trends.prices import PRICE, frontier_frame, offers_frame, record_lows
from econ.trends.rates import annual_factor, implied_elasticity, year_of, years_between

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
    return rows.assign(years=years, label=label).sort_values(
        "years", kind="stable", ignore_index=True
    )


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


ELO_SCALE = 400.0  # points in which the odds of a duel grow tenfold (Elo 1978, used by Arena)


# -- rents -------------------------------------------------------------------------------------
def rent_break(accelerator_id: str = "h100-sxm", since: str = "2024") -> Break:
    """Where the rent of an accelerator turned, from the quarterly medians since a year."""
    rows = rents_frame((accelerator_id,))
    return fit_break(rows[rows["date"] >= since], "usd_per_gpu_hour")


# -- the rest of a fall ------------------------------------------------------------------------
def software_frame() -> pd.DataFrame:
    """The same accelerators in two rounds of MLPerf: gain in all and per year."""
    rows = table("software_gains").reset_index(drop=True)
    years = [years_between(a, b) for a, b in zip(rows["start"], rows["end"], strict=True)]
    yearly = [annual_factor(g, y) for g, y in zip(rows["gain_factor"], years, strict=True)]
    return rows.assign(years=years, gain_per_year=yearly)


# -- what was bought ---------------------------------------------------------------------------
def fleet_frame() -> pd.DataFrame:
    """NVIDIA's quarters: revenue, H100 equivalents, USD per H100 equivalent, relative to the first.

    The price is the one the source assumed to find the units; revenue is as reported.
    """
    rows = table("fleet_quarters").sort_values("end").reset_index(drop=True)
    frame = rows.assign(
        date=rows["end"],
        year=1970 + year_of(rows["end"]),
        usd_per_h100_equivalent=rows["compute_revenue_usd"]
        / rows["n_h100_equivalents"].astype(float),
    )
    pairs = {"price": "usd_per_h100_equivalent", "volume": "n_h100_equivalents",
             "spend": "compute_revenue_usd"}  # fmt: skip
    for name, column in pairs.items():
        frame[f"{name}_ratio"] = frame[column].astype(float) / float(frame[column].iloc[0])
    return frame


def fleet_elasticity() -> float:
    """The elasticity that would explain the fleet's price and volume, were price all that moved."""
    last = fleet_frame().iloc[-1]
    return implied_elasticity(last["price_ratio"], last["volume_ratio"])


# -- quality, open and closed ------------------------------------------------------------------
def duel_frac(n_points: float) -> float:
    """Share of duels won by the side ahead by so many Elo points: ``1 / (1 + 10^(-d/400))``.

    >>> round(duel_frac(100), 2), duel_frac(0)
    (0.64, 0.5)
    """
    return 1 / (1 + 10 ** (-n_points / ELO_SCALE))


def gap_frame() -> pd.DataFrame:
    """Best open and best closed model by quarter: lead of the closed, and errors per error.

    ``lead_frac`` is closed over open, less one (the headline's measure); ``errors_ratio`` is how
    many questions the open model misses for each that the closed one misses.
    """
    rows = table("open_gap").reset_index(drop=True)
    return rows.assign(
        year=1970 + year_of(rows["end"]),
        lead_frac=rows["closed_frac"] / rows["open_frac"] - 1,
        errors_ratio=(1 - rows["open_frac"]) / (1 - rows["closed_frac"]),
    )


# -- what a token costs to make ----------------------------------------------------------------
def floor_frame(
    model_id: str = "llama-3.1-8b", accelerator_id: str = "h100-sxm", concurrency: int = 256
) -> pd.DataFrame:
    """What a million tokens cost to make, three parts input: part, usd_per_mtok, tokens_per_s.

    Electricity as the energy model draws it, at Virginia's industrial price and without the
    building's share; rent at the newest reserved price of the rental table. Both models give the
    machine enough users and no pause.
    """
    mix: dict[str, Any] = {"input_tokens": 750, "output_tokens": 250}
    s = Scenario.of(model_id, accelerator_id, precision="fp8", **mix)
    run = predict(s, concurrency=concurrency)
    tokens_per_s = run.output_tokens_per_s_per_gpu * sum(mix.values()) / mix["output_tokens"]
    rents = table("rentals").query("accelerator == @accelerator_id and term == 'reserved'")
    joules = energy(s, concurrency=concurrency).j_per_total_token
    grid = site_figure(site("us-virginia"), "electricity_usd_per_kwh")
    cost = {
        "electricity": energy_cost_usd_per_mtok(joules, grid),
        "rent": cost_usd_per_mtok(rents["usd_per_gpu_hour"].iloc[-1], tokens_per_s),
    }
    frame = pd.DataFrame({"part": list(cost), "usd_per_mtok": list(cost.values())})
    return frame.assign(tokens_per_s=tokens_per_s)
