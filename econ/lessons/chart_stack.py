"""Charts of notebook 07, second half: who profits, a vendor's points, levers, lives, how sure."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.catalog.units import KILO
from econ.charts.grammar import axis, bars, finish, points
from econ.charts.shapes import describe, tornado, waterfall
from econ.charts.theme import PALETTE
from econ.lessons.tco_risk import title
from econ.tco import Api, doubts


def who_chart(frame: pd.DataFrame, seller: Api, on: str | None = None) -> alt.LayerChart:
    """`who_frame`: what each layer keeps of an hour's token sales; a stale price is said."""
    sales = frame["kept_usd"].sum()
    last = frame.iloc[-1]
    verb = "keeps" if last.kept_usd >= 0 else "loses"
    sold = f"Tokens at the list of {seller.price.provider}, within the SLO, at the day's mean use"
    return waterfall(
        frame,
        "kept_usd",
        "layer",
        total="sales of tokens",
        form="{:.2f}".format,
        x_title="USD per GPU-hour",
        title=f"Of ${sales:.2f} an hour the seller {verb} ${abs(last.kept_usd):.2f}",
        subtitle="; ".join([sold, *doubts([seller], on=on)]),
        description=f"Steps to ${sales:.2f} of token sales per GPU-hour: "
        f"{describe(frame, 'kept_usd', 'layer', 'USD')}.",
    )


def statement_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`Statement.frame`: a day's revenue by tier, its cost, the profit."""
    shown = frame[frame["part"] != "profit"].assign(kusd=lambda f: f["usd"] / KILO)
    revenue = shown.loc[shown["usd"] > 0, "kusd"].sum()
    profit = shown["kusd"].sum()
    return waterfall(
        shown,
        "kusd",
        "part",
        total="profit",
        form="{:.0f}".format,
        x_title="Thousand USD per day",
        title=f"A profit of {profit:.0f}: {profit / (revenue - profit):.0%} of cost, "
        f"{profit / revenue:.1%} of revenue",
        description=f"Steps of a day in thousand USD: {describe(shown, 'kusd', 'part')}; profit "
        f"{profit:.0f}.",
    )


def points_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`points_frame`: the same machines at many operating points, and the vendor's pair."""
    deep = frame[frame["machine"] == "GB200, DeepSeek"]["usd_per_mtok"]
    pair = frame[frame["machine"] == "vendor's pair"]["usd_per_mtok"]
    return points(
        frame,
        "tokens_per_s_per_gpu",
        "usd_per_mtok",
        color="machine",
        log_x=True,
        log_y=True,
        x_title="Throughput (tokens/s per GPU, log)",
        y_title="USD per million tokens (log)",
        title=f"One machine spans {deep.max() / deep.min():.0f} times; the claim of "
        f"{pair.max() / pair.min():.0f} picks two points",
        subtitle="Published operating points at published owner's hours",
        description=f"{len(frame)} points from ${frame['usd_per_mtok'].max():.2f} to "
        f"${frame['usd_per_mtok'].min():.3f} per million tokens. GB200 on DeepSeek alone: "
        f"${deep.max():.2f} to ${deep.min():.3f}; the vendor's pair: ${pair.max():.2f} and "
        f"${pair.min():.2f}.",
    )


def levers_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`levers_frame`: the cost of a million tokens as one lever after another is pulled."""
    first, last = frame["usd_per_mtok"].iloc[0], frame["usd_per_mtok"].iloc[-1]
    shown = frame.assign(
        label=[f"${r.usd_per_mtok:.2f}" + (f"  (÷ {r.factor:.1f})" if r.factor != 1 else "")
               for r in frame.itertuples()]
    )  # fmt: skip
    return bars(
        shown,
        "usd_per_mtok",
        "step",
        sort=None,
        text="label",
        x_title="USD per million output tokens",
        height=190,
        title=f"Five levers, {first / last:.0f} times less for the same promise",
        subtitle="Each on top of those above it; TPOT within the SLO throughout",
        description=f"Bars of the cost per million output tokens: "
        f"{describe(shown, 'usd_per_mtok', 'step', 'USD')}.",
    )


def tornado_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`Uncertain.tornado`: which input moves the cost of a token."""
    shown = frame[frame["swing"] > 0]
    shown = shown.assign(input=[title(i) for i in shown["input"]])
    top = shown.iloc[0]
    return tornado(
        shown,
        x_title="USD per million output tokens",
        title=f"{top['input']} moves the cost most",
        subtitle="Each input alone over the middle 90 % of its range; the dashed line is typical",
        description=f"Bars around ${top.typical:.2f}: "
        + "; ".join(f"{r.input} ${r.low:.2f} to ${r.high:.2f}" for r in shown.head(6).itertuples())
        + ".",
    )


def wins_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`Decision.frame`: a year's cost of each option with its interval, and how often it wins."""
    shown = frame.reset_index().assign(
        low=frame["low_usd"].to_numpy() / KILO,
        high=frame["high_usd"].to_numpy() / KILO,
        middle=frame["median_usd"].to_numpy() / KILO,
        label=[f"cheapest in {w:.0%}" for w in frame["wins_frac"]],
    )
    best = shown.iloc[0]
    base = alt.Chart(shown).encode(y=alt.Y("option:N", sort=None, title=None))
    x = axis("A year's cost (thousand USD)")
    span = base.mark_bar(height=18, opacity=0.55).encode(x=alt.X("low:Q", **x), x2="high:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1, color=PALETTE["vermilion"])
    words = base.mark_text(align="left", dx=6).encode(x="high:Q", text="label:N")
    chart = alt.layer(span, dots.encode(x="middle:Q"), words).properties(height=150)
    said = "; ".join(
        f"{r.option} {r.low:,.0f} to {r.high:,.0f} thousand USD, cheapest in {r.wins_frac:.0%}"
        for r in shown.itertuples()
    )
    return finish(
        chart,
        title=f"{best.option.capitalize()} is cheapest in {best.wins_frac:.0%} of the cases",
        subtitle="Bars hold nine cases in ten; the point is the median",
        description=f"A year's cost by option: {said}.",
    )
