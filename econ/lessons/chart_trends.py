"""Charts and panels of notebook 06: falls at constant quality, prices that rose, bills."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts.grammar import axis, bars, finish, guess_layers, lines, year_axis
from econ.charts.panels import Panel, choice, slider
from econ.charts.tables import three
from econ.charts.theme import FAINT, INK, PALETTE
from econ.lessons import trend_cases as cases
from econ.trends.forecast import bill_frame
from econ.trends.market import histogram_frame, market_frame
from econ.trends.prices import PRICE
from econ.trends.rates import year_of

PRICE_TITLE = "USD per million tokens, 3 in : 1 out (log)"
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


# -- a quality level at its cheapest -----------------------------------------------------------
def both_ways_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`both_ways_frame`: record lows by two datings of the same prices."""
    frame = frame.assign(year=1970 + year_of(frame["date"]))
    kinds = list(dict.fromkeys(frame["basis"]))
    paint = alt.Color("basis:N", scale=alt.Scale(domain=kinds),
                      legend=alt.Legend(title=None, orient="top", columns=1))  # fmt: skip
    base = alt.Chart(frame).encode(x=year_axis(), y=alt.Y(f"{PRICE}:Q", **axis(PRICE_TITLE, True)))
    steps = base.mark_line(interpolate="step-after", opacity=0.5).encode(color=paint)
    dots = base.mark_point(filled=True, opacity=1).encode(
        color=paint,
        shape=alt.Shape("basis:N", scale=alt.Scale(domain=kinds), legend=None),
        tooltip=["name", "date", alt.Tooltip(PRICE, format=".3g")],
    )
    words = []
    for kind, rows in frame.groupby("basis", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        words.append(
            f"{kind}: {len(rows)} record lows from {three(first[PRICE])} USD ({first['name']}, "
            f"{first['date'][:7]}) to {three(last[PRICE])} USD ({last['name']}, {last['date'][:7]})"
        )
    return finish(
        alt.layer(steps, dots),
        title="One level of quality, ever cheaper, and less and less so",
        subtitle="Cheapest model so far that reaches GPT-3.5's score on MMLU",
        description="Falling steps on a log scale. " + "; ".join(words) + ".",
    )


def frontier_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`line_frame`: the record lows of one level, the line through them, its band."""
    records = frame[frame[PRICE].notna()]
    cheapest = frame.index == records.index[-1]
    frame = frame.assign(label=frame["name"].where(cheapest, ""))
    base = alt.Chart(frame).encode(x=year_axis())
    y, fitted = (alt.Y(f"{c}:Q", **axis(PRICE_TITLE, True)) for c in (PRICE, "fitted"))
    dots = base.encode(y=y)
    chart = alt.layer(
        base.mark_area(color=FAINT).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line().encode(y=fitted),
        dots.mark_point(color=PALETTE["vermilion"], opacity=1).encode(
            tooltip=["name:N", alt.Tooltip(f"{PRICE}:Q", format=".3g")]
        ),
        dots.mark_text(align="right", dx=4, dy=16, fontSize=11, color=INK).encode(text="label:N"),
        height=320,
    )
    one = frame.iloc[0]
    return finish(
        chart,
        title="How fast did this level get cheaper?",
        description=f"{one.n_points:.0f} record lows from {three(records[PRICE].iloc[0])} to "
        f"{three(records[PRICE].iloc[-1])} USD per million tokens, "
        f"{records['year'].iloc[0]:.1f} to {records['year'].iloc[-1]:.1f}; the line through them "
        f"falls {three(one.fall_per_year)} times a year, with 90 % between {three(one.fall_low)} "
        f"and {three(one.fall_high)}. Cheapest: {records['name'].iloc[-1]}.",
    )


def frontier_panel() -> Panel:
    """A level of quality, and whose dates to believe."""

    def frame(level: str, dates: str) -> pd.DataFrame:
        return cases.line_frame(*LEVELS[level], BASES[dates])

    return Panel(
        frame,
        frontier_chart,
        [
            choice("level", "Quality of", list(LEVELS), value="GPT-4 Turbo on GPQA"),
            choice("dates", "Prices", list(BASES), value="as the study dates them"),
        ],
        presets={
            "GPT-3.5, MMLU, study": {
                "level": "GPT-3.5 on MMLU",
                "dates": "as the study dates them",
            },
            "GPT-4o, GPQA, study": {
                "level": "GPT-4o on GPQA",
                "dates": "as the study dates them",
            },
            "GPT-4o, GPQA, lists": {"level": "GPT-4o on GPQA", "dates": "dated price lists"},
        },
    )


def fits_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`fits_frame`: every published fit with its interval, the longest watched at the bottom."""
    low, high = WIDEST
    shown = frame.assign(
        left=frame["low"].clip(low, high),
        right=frame["high"].clip(low, high),
        watched=[f"{n} months" for n in (12 * frame["years"]).round().astype(int)],
    )
    base = alt.Chart(shown).encode(y=alt.Y("label:N", sort=shown["label"].tolist(), title=None))
    x = axis("Times cheaper per year (log); interval of 90 %", True)
    x["scale"] = alt.Scale(type="log", domain=list(WIDEST))
    span = base.mark_rule(color=PALETTE["sky"], strokeWidth=3).encode(
        x=alt.X("left:Q", **x), x2="right:Q"
    )
    dots = base.mark_point(filled=True, opacity=1).encode(x=alt.X("fall_per_year:Q", **x))
    months = base.mark_text(align="left", dx=8, fontSize=10, color=INK).encode(
        x=alt.value(500), text="watched:N"
    )
    least, most = (
        frame.loc[i] for i in (frame["fall_per_year"].idxmin(), frame["fall_per_year"].idxmax())
    )
    chart = alt.layer(span, dots, months, *guess_layers(guess, "x"))
    return finish(
        chart.properties(height=19 * len(shown), width=500),
        title=f"One question, {len(frame)} answers: from {three(least.fall_per_year)} to "
        f"{three(most.fall_per_year)} times a year",
        subtitle="Sorted by the months from first to last price, given at the right",
        description=f"{len(frame)} published rates of fall at constant quality with intervals of "
        f"90 %. Least: {least.label}, {three(least.fall_per_year)} ({three(least.low)} to "
        f"{three(least.high)}) over {12 * least.years:.0f} months. Most: {most.label}, "
        f"{three(most.fall_per_year)} ({three(most.low)} to {three(most.high)}) over "
        f"{12 * most.years:.0f} months.",
    )


def market_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`histogram_frame` of fits to markets whose true rate is known."""
    truth = frame["truth"].iloc[0]
    base = alt.Chart(frame)
    x = axis("Fitted fall, times per year (log)", True)
    x["scale"] = alt.Scale(type="log", domain=[1, 10_000], clamp=True)
    y = alt.Y("n:Q", title="Studies", scale=alt.Scale(zero=True))
    columns = base.mark_rect(color=PALETTE["blue"], stroke="white").encode(
        x=alt.X("low:Q", **x), x2="high:Q", y=y, y2=alt.datum(0)
    )
    rule = base.mark_rule(color=PALETTE["vermilion"], strokeWidth=2.5).encode(
        x=alt.X("mean(truth):Q", **x)
    )
    return finish(
        alt.layer(columns, rule),
        title=f"What does a study find where the truth is {three(truth)} times a year (line)?",
        description=f"Of {frame['n_markets'].iloc[0]} simulated markets that all fall "
        f"{three(truth)} times a year, {frame['n'].sum()} give a study enough record lows; half "
        f"find more than {three(frame['median'].iloc[0])}, one in twenty less than "
        f"{three(frame['p5'].iloc[0])}, one in twenty more than {three(frame['p95'].iloc[0])}.",
    )


def market_panel() -> Panel:
    """What a study finds where the truth is known: how long it watches, scatter, chasing."""

    def frame(years: float, scatter: float, chase: float) -> pd.DataFrame:
        return histogram_frame(market_frame(years, scatter, chase))

    return Panel(
        frame,
        market_chart,
        [
            slider("years", "Watched for (years)", 0.5, 3.0, value=0.75, step=0.25),
            slider("scatter", "Prices scatter (×/÷)", 1.1, 3.0, value=2.0, step=0.1),
            slider("chase", "Scores ahead (share)", 0.0, 0.6, value=0.0, step=0.1),
        ],
        presets={
            "eight months": {"years": 0.7, "scatter": 2.0, "chase": 0.0},
            "three years": {"years": 3.0, "scatter": 1.3, "chase": 0.0},
            "three years, chased": {"years": 3.0, "scatter": 1.3, "chase": 0.4},
        },
    )


# -- prices that rose --------------------------------------------------------------------------
def direction_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`direction_frame`: the shares of cuts and rises among the changes of list prices, by year."""
    total = frame.groupby("year")["n"].transform("sum")
    shown = frame.assign(
        percent=100 * frame["share"],
        label=[f"{y} ({n})" for y, n in zip(frame["year"], total, strict=True)],
    )
    last = frame[frame["year"] == frame["year"].max()].set_index("direction")["n"]
    words = "; ".join(
        f"{year}: " + ", ".join(f"{r.n} {r.direction}" for r in rows.itertuples())
        for year, rows in frame.groupby("year")
    )
    order = sorted(shown["direction"].unique(), reverse=True)
    return bars(
        shown.sort_values("direction", key=lambda d: d.map(order.index), kind="stable"),
        "percent",
        "label",
        color="direction",
        sort=sorted(shown["label"].unique()),
        nice=False,
        guess=guess,
        x_title="Share of the changes of a model's list price (%)",
        title=f"In {frame['year'].max()}, {last['rises']} of {last.sum()} changes were rises",
        subtitle="In brackets: changes of the same model by the same seller in this kit's rows",
        height=150,
        description=f"Stacked bars by year. {words}.",
    )


def lines_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`lines_frame`: launch prices of successive models under one name."""
    ratio = frame.groupby("line", sort=False)[PRICE].agg(lambda p: p.iloc[-1] / p.iloc[0])
    dearer = ratio[ratio > 1]
    return lines(
        frame,
        "year",
        PRICE,
        color="line",
        legend=True,
        points=True,
        log_y=True,
        years=True,
        x_title="Launch",
        y_title=PRICE_TITLE,
        title=f"The successor is dearer in {len(dearer)} of {len(ratio)} lines",
        subtitle="Launch price of successive models sold under one name",
        description="Lines on a log scale; last price over first: "
        + "; ".join(f"{name} {three(v)}" for name, v in ratio.items())
        + ".",
    )


# -- bills -----------------------------------------------------------------------
def bill_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`bill_frame`: price, volume and spend."""
    end = frame[frame["year"] == frame["year"].max()].set_index("what")["index"]
    one = frame.iloc[0]
    turn = "grows" if end["spend"] > 1.005 else "shrinks" if end["spend"] < 0.995 else "stays"
    return lines(
        frame,
        "year",
        "index",
        color="what",
        legend=True,
        log_y=True,
        x_title="Years",
        y_title="Index, 1 at the start (log)",
        title="What becomes of the bill?",
        description=f"With a price that changes by {100 * one.change_per_year:+.0f} % a year and "
        f"an elasticity of {one.elasticity:.1f}, after {frame['year'].max():g} years the price is "
        f"{three(end['price of a token'])}, the tokens {three(end['tokens bought'])} and the "
        f"spend {three(end['spend'])} times the first: the bill {turn}.",
    )


def bill_panel() -> Panel:
    """The bill by price change, elasticity and years."""

    def frame(change: float, elasticity: float, years: float) -> pd.DataFrame:
        return bill_frame(change / 100, elasticity, years)

    return Panel(
        frame,
        bill_chart,
        [
            slider("change", "Price (% a year)", -90, 50, value=-70, step=5),
            slider("elasticity", "Elasticity of demand", -3.0, 0.0, value=-1.4, step=0.1),
            slider("years", "Years", 1, 6, value=4, step=1),
        ],
        presets={
            "inelastic": {"change": -70, "elasticity": -0.5, "years": 4},
            "unit elastic": {"change": -70, "elasticity": -1.0, "years": 4},
            "Jevons": {"change": -70, "elasticity": -1.4, "years": 4},
        },
    )
