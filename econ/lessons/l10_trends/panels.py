"""The panels of lesson 10, and its charts that are more than one call."""

from __future__ import annotations

import pandas as pd

from econ.charts import Drawing, Panel, choice, figure, overlay, panel, slider, three
from econ.lessons.l10_trends.prices import BASES, LEVELS, PRICE_TITLE, line_frame
from econ.trends.forecast import bill_frame
from econ.trends.market import histogram_frame, market_frame
from econ.trends.prices import PRICE
from econ.trends.rates import year_of


def dated(frame: pd.DataFrame, date: str = "date") -> pd.DataFrame:
    """Adds ``year``, with its fraction, for an axis."""
    return frame.assign(year=1970 + year_of(frame[date]))


def frontier_chart(frame: pd.DataFrame) -> Drawing:
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


def market_chart(frame: pd.DataFrame) -> Drawing:
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


def scenarios_chart(history: pd.DataFrame, ahead: pd.DataFrame) -> Drawing:
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


def bill_chart(frame: pd.DataFrame) -> Drawing:
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
