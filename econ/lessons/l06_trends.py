"""Lesson 06, cost trends: a quality level at its cheapest, prices that rose, machines, bills.

>>> study = frontier_frame("mmlu", 0.648)
>>> study["price_usd_per_mtok"].iloc[[0, -1]].tolist()
[20.0, 0.07]
>>> parts = decomposition_frame().set_index("part")
>>> round(float(parts.loc["hardware", "factor"]), 2)                  # of a fall of 280 in all
1.98
"""

from __future__ import annotations

import functools

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog import accelerator, price, site, table
from econ.charts import Panel, choice, figure, overlay, panel, slider, three
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.latency.prediction import predict
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.trends.fits import Break, fit_break, fit_trend
from econ.trends.forecast import bill_frame
from econ.trends.hardware import rents_frame
from econ.trends.market import histogram_frame, market_frame
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
# successive models of one seller under one name: our grouping; each step is a price list's row
LINES = {
    "OpenAI, large": ["gpt-5", "gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.5"],
    "Google Flash": [
        "gemini-1.5-flash", "gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-flash-preview",
        "gemini-3.5-flash",
    ],
    "Anthropic Haiku": ["claude-3-haiku", "claude-3-5-haiku", "claude-haiku-4-5"],
    "Anthropic Opus": ["claude-3-opus", "claude-opus-4", "claude-opus-4-5", "claude-opus-5"],
    "Mistral Large": ["mistral-large-2402", "mistral-large-2407", "mistral-large-3"],
}  # fmt: skip


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
    made = [frontier_frame(benchmark, level_frac, b).assign(basis=w) for w, b in ways.items()]
    return pd.concat(made, ignore_index=True)


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
    made = []
    for name, start, end in spans:
        at = [rows.loc[rows["date"] <= day, PRICE].iloc[-1] for day in (start, end)]
        years = years_between(start, end)
        made.append((name, start, end, at[0] / at[1], annual_factor(at[0] / at[1], years)))
    columns = ["span", "start", "end", "total_factor", "fall_per_year"]
    return pd.DataFrame(made, columns=columns)


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
    made = []
    for name, records in fits.items():
        fit = fit_trend(records, PRICE, interval="t")
        ends = (fit.start[:7], fit.end[:7])
        made.append((name, fit.n_points, *ends, fit.fall_per_year, *fit.fall_interval))
    columns = ["question", "n_points", "start", "end", "fall_per_year", "low", "high"]
    return pd.DataFrame(made, columns=columns)


def second_set_frame() -> pd.DataFrame:
    """Fits to a second data set, per token and per run, with its three wrong rows and without.

    Columns: ``level``, ``basis``, ``rows`` (all, or without the wrong ones), ``n_points``,
    ``fall_per_year``, ``low``, ``high``.
    """
    rows = fits_frame("gundlach-price-perf").sort_values("id", ascending=False, kind="stable")
    kept = rows["id"].str.endswith("-all").map({True: "all", False: "three left out"})
    columns = ["level", "basis", "rows", "n_points", "fall_per_year", "low", "high"]
    rows = rows.assign(level=rows["threshold_model"].str.removeprefix("a "), rows=kept)
    return rows.sort_values(["level", "basis", "rows"])[columns].reset_index(drop=True)


# -- prices that moved -------------------------------------------------------------------------
def changes_frame() -> pd.DataFrame:
    """Every change of a price list's row for the same model by the same seller.

    Columns: ``provider``, ``model``, ``date``, ``before``, ``after`` (USD per million tokens,
    blended) and ``change_factor``. Rows that repeat a price are left out, and names such as
    ``mistral-small-latest``, which sell another model each time.
    """
    rows = offers_frame().sort_values(["provider", "model", "date"])
    rows = rows[~rows["model"].str.endswith("-latest")]
    before = rows.groupby(["provider", "model"])[PRICE].shift()
    rows = rows.assign(before=before, after=rows[PRICE]).dropna(subset=["before"])
    rows = rows.assign(change_factor=rows["after"] / rows["before"])
    rows = rows[(rows["change_factor"] - 1).abs() > 1e-9]
    columns = ["provider", "model", "date", "before", "after", "change_factor"]
    return rows[columns].sort_values("date", ignore_index=True)


def direction_frame() -> pd.DataFrame:
    """Cuts and rises by year: ``year``, ``direction``, ``n``, ``share``."""
    rows = changes_frame()
    rows = rows.assign(
        year=rows["date"].str[:4],
        direction=(rows["change_factor"] > 1).map({True: "rises", False: "cuts"}),
    )
    counts = rows.groupby(["year", "direction"]).size().rename("n").reset_index()
    counts = counts.sort_values(["year", "direction"], ascending=[True, False], ignore_index=True)
    return counts.assign(share=counts["n"] / counts.groupby("year")["n"].transform("sum"))


def lines_frame() -> pd.DataFrame:
    """Successive models under one name: ``line``, ``model``, ``date``, price at launch."""
    offers = offers_frame().sort_values("date").drop_duplicates("model")
    made = []
    for line, models in LINES.items():
        rows = offers.set_index("model").loc[models].reset_index()
        made.append(rows.assign(line=line)[["line", "model", "date", PRICE]])
    return pd.concat(made, ignore_index=True).assign(year=lambda f: 1970 + year_of(f["date"]))


def catalogue_frame() -> pd.DataFrame:
    """Quartiles of output prices in a growing catalogue: date, n_entries, low, median, high."""
    rows = table("catalogue_medians").reset_index(drop=True)
    return rows.assign(date=rows["snapshot"], year=1970 + year_of(rows["snapshot"]))


HEADLINE = {"start": "2022-11", "end": "2024-10"}  # the dates of the 280-fold fall
ELO_SCALE = 400.0  # points in which the odds of a duel grow tenfold (Elo 1978, used by Arena)


# -- rents and street prices -------------------------------------------------------------------
def rent_break(accelerator_id: str = "h100-sxm", since: str = "2024") -> Break:
    """Where the rent of an accelerator turned, from the quarterly medians since a year."""
    rows = rents_frame((accelerator_id,))
    return fit_break(rows[rows["date"] >= since], "usd_per_gpu_hour")


def street_frame() -> pd.DataFrame:
    """Reported prices by year: accelerator, year, the middle of the range, USD per FLOP/s."""
    rows = table("street_prices")
    middle = np.sqrt(rows["low_usd"] * rows["high_usd"])
    peak = rows["accelerator"].map(lambda id: accelerator(id).peak_bf16_flop_per_s)
    columns = ["accelerator", "year", "low_usd", "high_usd"]
    return rows[columns].assign(middle_usd=middle, usd_per_flop_per_s=middle / peak)


# -- the rest of a fall ------------------------------------------------------------------------
def software_frame() -> pd.DataFrame:
    """The same accelerators in two rounds of MLPerf: gain in all and per year."""
    rows = table("software_gains").reset_index(drop=True)
    years = [years_between(a, b) for a, b in zip(rows["start"], rows["end"], strict=True)]
    yearly = [annual_factor(g, y) for g, y in zip(rows["gain_factor"], years, strict=True)]
    return rows.assign(years=years, gain_per_year=yearly)


def decomposition_frame(cost_per_year: float = -0.3) -> pd.DataFrame:
    """The 280-fold fall as a product: hardware, software on the same silicon, and the rest.

    ``part``, ``factor``, ``log_share`` (of the fall's logarithm). Hardware goes at the headline's
    rate unless another is given; software at the best rate that two rounds of MLPerf show, so the
    rest (smaller models as good, fewer bits, margins) is a lower bound.
    """
    years = years_between(**HEADLINE)
    whole = (
        price("text-davinci-003").input_usd_per_mtok
        / table("quality_prices").loc["gemini-1.5-flash-8b", "price_usd_per_mtok"]
    )
    hardware = (1 + cost_per_year) ** -years
    software = software_frame()["gain_per_year"].max() ** years
    parts = {
        "hardware": hardware,
        "software on the same silicon": software,
        "models, precision, margins": whole / hardware / software,
    }
    frame = pd.DataFrame({"part": list(parts), "factor": list(parts.values())})
    return frame.assign(log_share=np.log(frame["factor"]) / np.log(whole))


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
    mix = {"input_tokens": 750, "output_tokens": 250}
    s = Scenario.of(model_id, accelerator_id, precision="fp8", **mix)
    run = predict(s, concurrency=concurrency)
    tokens_per_s = run.output_tokens_per_s_per_gpu * sum(mix.values()) / mix["output_tokens"]
    rents = table("rentals").query("accelerator == @accelerator_id and term == 'reserved'")
    joules = energy(s, concurrency=concurrency).j_per_total_token
    grid = site("us-virginia").electricity_usd_per_kwh
    cost = {
        "electricity": energy_cost_usd_per_mtok(joules, grid),
        "rent": cost_usd_per_mtok(rents["usd_per_gpu_hour"].iloc[-1], tokens_per_s),
    }
    frame = pd.DataFrame({"part": list(cost), "usd_per_mtok": list(cost.values())})
    return frame.assign(tokens_per_s=tokens_per_s)


# -- panels and charts that are more than one call -------------------------------------------------
def dated(frame: pd.DataFrame, date: str = "date") -> pd.DataFrame:
    """Adds ``year``, with its fraction, for an axis."""
    return frame.assign(year=1970 + year_of(frame[date]))


def frontier_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`line_frame`: the record lows of one level, the line through them, its band."""
    records, one = frame[frame[PRICE].notna()], frame.iloc[0]
    return figure(
        frame,
        "year",
        "fitted",
        low="low",
        high="high",
        dots=PRICE,
        log="y",
        height=320,
        y_title=PRICE_TITLE,
        finding="How fast did this level get cheaper?",
        says=f"{one.n_points:.0f} record lows from {three(records[PRICE].iloc[0])} to "
        f"{three(records[PRICE].iloc[-1])} USD per million tokens, "
        f"{records['year'].iloc[0]:.1f} to {records['year'].iloc[-1]:.1f}; the line through them "
        f"falls {three(one.fall_per_year)} times a year, with 90 % between {three(one.fall_low)} "
        f"and {three(one.fall_high)}. Cheapest: {records['name'].iloc[-1]}.",
    )


def frontier_panel() -> Panel:
    """A level of quality, and whose dates to believe."""

    def line(level: str, dates: str) -> pd.DataFrame:
        return line_frame(*LEVELS[level], BASES[dates])

    return panel(
        line,
        frontier_chart,
        level=choice(LEVELS, value="GPT-4 Turbo on GPQA", label="Quality of"),
        dates=choice(BASES, label="Prices"),
        presets={
            "GPT-3.5, MMLU, study": {"level": "GPT-3.5 on MMLU"},
            "GPT-4o, GPQA, study": {"level": "GPT-4o on GPQA"},
            "GPT-4o, GPQA, lists": {"level": "GPT-4o on GPQA", "dates": "dated price lists"},
        },
    )


def market_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`histogram_frame` of fits to markets whose true rate is known."""
    one = frame.iloc[0]
    return figure(
        frame,
        "low",
        "n",
        high="high",
        kind="histogram",
        log="x",
        x_domain=(1, 10_000),
        rule_x="truth",
        x_title="Fitted fall, times per year",
        y_title="Studies",
        finding=f"What does a study find where the truth (line) is {three(one.truth)} a year?",
        says=f"Of {one.n_markets:.0f} simulated markets that all fall {three(one.truth)} times a "
        f"year, {frame['n'].sum()} give a study enough record lows; half find more than "
        f"{three(one['median'])}, one in twenty less than {three(one.p5)}, one in twenty more than "
        f"{three(one.p95)}.",
    )


def market_panel() -> Panel:
    """What a study finds where the truth is known: how long it watches, scatter, chasing."""

    def studies(years: float, scatter: float, chase: float) -> pd.DataFrame:
        return histogram_frame(market_frame(years, scatter, chase))

    return panel(
        studies,
        market_chart,
        years=slider(0.5, 3.0, value=0.75, step=0.25, label="Watched for (years)"),
        scatter=slider(1.1, 3.0, value=2.0, step=0.1, label="Prices scatter (×/÷)"),
        chase=slider(0.0, 0.6, value=0.0, step=0.1, label="Scores ahead (share)"),
        presets={
            "eight months": {"years": 0.7},
            "three years": {"years": 3.0, "scatter": 1.3},
            "three years, chased": {"years": 3.0, "scatter": 1.3, "chase": 0.4},
        },
    )


def scenarios_chart(history: pd.DataFrame, ahead: pd.DataFrame) -> alt.TopLevelMixin:
    """`scenarios_frame` after its history: three ways on, each with the band of its noise."""
    past = dated(history).rename(columns={"usd_per_gpu_hour": "value"})
    ahead = dated(ahead)
    ends = ahead[ahead["years"] == ahead["years"].max()]
    words = "; ".join(
        f"{r.scenario} {r.value:.2f} ({r.low:.2f} to {r.high:.2f})" for r in ends.itertuples()
    )
    title = "Rent (USD per GPU-hour)"
    ways = figure(ahead, "year", "value", by="scenario", low="low", high="high", log="y",
                  legend=False, y_title=title, finding="Ways on")  # fmt: skip
    before = figure(past, "year", "value", log="y", points=True, y_title=title, finding="Before")
    return overlay(
        ways,
        before,
        finding=f"Two years on: {ends['low'].min():.2f} to {ends['high'].max():.2f} USD an hour",
        subtitle="Rates: no change, and deciles of what twelve months have done to any rent here",
        says=f"History to {past['value'].iloc[-1]:.2f} USD per GPU-hour, then three ways "
        f"on, each with the band of its noise, after {ahead['years'].max():g} years: {words}.",
    )


def bill_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`bill_frame`: price, volume and spend."""
    end = frame[frame["year"] == frame["year"].max()].set_index("what")["index"]
    one = frame.iloc[0]
    turn = "grows" if end["spend"] > 1.005 else "shrinks" if end["spend"] < 0.995 else "stays"
    return figure(
        frame,
        "year",
        "index",
        by="what",
        legend=True,
        log="y",
        x_title="Years",
        y_title="Index, 1 at the start",
        finding="What becomes of the bill?",
        says=f"With a price that changes by {100 * one.change_per_year:+.0f} % a year and "
        f"an elasticity of {one.elasticity:.1f}, after {frame['year'].max():g} years the price is "
        f"{three(end['price of a token'])}, the tokens {three(end['tokens bought'])} and the "
        f"spend {three(end['spend'])} times the first: the bill {turn}.",
    )


def bill_panel() -> Panel:
    """The bill by price change, elasticity and years."""

    def bill(change: float, elasticity: float, years: float) -> pd.DataFrame:
        return bill_frame(change / 100, elasticity, years)

    return panel(
        bill,
        bill_chart,
        change=slider(-90, 50, value=-70, step=5, label="Price (% a year)"),
        elasticity=slider(-3.0, 0.0, value=-1.4, step=0.1, label="Elasticity of demand"),
        years=slider(1, 6, value=4, label="Years"),
        presets={
            "inelastic": {"elasticity": -0.5},
            "unit elastic": {"elasticity": -1.0},
            "Jevons": {"elasticity": -1.4},
        },
    )
