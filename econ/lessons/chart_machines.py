"""Charts of notebook 06: machines, software, the open gap, rents, forecasts, what was bought."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts.grammar import axis, bars, finish, lines, year_axis
from econ.charts.shapes import describe
from econ.charts.tables import three
from econ.charts.theme import INK
from econ.trends.rates import year_of

NAMES = {
    "a100-sxm-80gb": "A100",
    "h100-sxm": "H100",
    "h200-sxm": "H200",
    "b200-sxm": "B200",
}


# -- machines ----------------------------------------------------------------------------------
def hardware_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`hardware_frame`: yearly changes with intervals, costs and efficiencies."""
    shown = frame.assign(**{f"{c}_percent": 100 * frame[c]
                            for c in ("change_per_year", "low", "high")})  # fmt: skip
    shown["label"] = [f"{v:+.0f} %" for v in shown["change_per_year_percent"]]
    kinds = list(dict.fromkeys(shown["about"]))
    x = alt.X("low_percent:Q", title="Change per year (%), with its 90 % interval")
    base = alt.Chart(shown).encode(y=alt.Y("trend:N", sort=None, title=None))
    paint = alt.Color("about:N", scale=alt.Scale(domain=kinds),
                      legend=alt.Legend(title=None, orient="top"))  # fmt: skip
    span = base.mark_rule(strokeWidth=4, opacity=0.45).encode(x=x, x2="high_percent:Q", color=paint)
    at = alt.X("change_per_year_percent:Q")
    dots = base.mark_point(filled=True, opacity=1).encode(x=at, color=paint)
    text = base.mark_text(dy=-11, fontSize=11).encode(x=at, text="label:N")
    zero = base.mark_rule(color=INK).encode(x=alt.datum(0))
    newest, fixed = frame.iloc[0], frame.iloc[2]
    return finish(
        alt.layer(zero, span, dots, text).properties(height=44 * len(shown), width=420),
        title=f"{100 * newest.change_per_year:+.0f} % a year across number formats, "
        f"{100 * fixed.change_per_year:+.0f} % within one",
        subtitle=f"Cost: data-centre chips at launch, {newest.start} to {newest.end}; "
        "efficiency: all chips, the last two NVIDIA's boards",
        description="Yearly changes: "
        + "; ".join(
            f"{r.trend} {100 * r.change_per_year:+.0f} % ({100 * r.low:+.0f} to "
            f"{100 * r.high:+.0f} %)"
            for r in frame.itertuples()
        )
        + f". The cost of a FLOP/s falls {-100 * newest.change_per_year:.0f} % a year across "
        f"formats and {-100 * fixed.change_per_year:.0f} % in one.",
    )


def decomposition_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`decomposition_frame`: what the 280-fold fall is made of, by logarithm."""
    shown = frame.assign(percent=100 * frame["log_share"],
                         label=[f"× {f:.2g}" for f in frame["factor"]])  # fmt: skip
    rest = frame.iloc[-1]
    return bars(
        shown,
        "percent",
        "part",
        sort=None,
        text="label",
        x_title="Share of the fall's logarithm (%)",
        title=f"Machines explain {100 - shown['percent'].iloc[-1]:.0f} % of the fall, "
        f"{rest.part.split(',')[0]} and the rest {shown['percent'].iloc[-1]:.0f} %",
        height=130,
        description="Bars of the logarithm's shares: "
        + describe(shown, "percent", "part", "%")
        + "; as factors "
        + describe(frame, "factor", "part")
        + ".",
    )


def gap_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`gap_frame`: errors of the best open model for each of the best closed one."""
    ends = frame.groupby("benchmark")[["lead_frac", "errors_ratio"]].agg(["first", "last"])
    lead, errors = ends.loc["GPQA", "lead_frac"], ends.loc["GPQA", "errors_ratio"]
    words = []
    for name, rows in frame.groupby("benchmark"):
        words.append(
            f"{name}: lead {100 * rows['lead_frac'].iloc[0]:.0f} % in {rows['end'].iloc[0][:7]}, "
            f"{100 * rows['lead_frac'].iloc[-1]:.0f} % in {rows['end'].iloc[-1][:7]}; errors per "
            f"error {rows['errors_ratio'].iloc[0]:.2f}, then {rows['errors_ratio'].iloc[-1]:.2f}"
        )
    return lines(
        frame,
        "year",
        "errors_ratio",
        color="benchmark",
        legend=True,
        points=True,
        years=True,
        x_title="End of quarter",
        y_title="Open model's errors per closed model's error",
        title=f"GPQA: lead from {100 * lead['first']:.0f} to {100 * lead['last']:.0f} %, "
        f"errors per error from {errors['first']:.1f} to {errors['last']:.1f}",
        description="Lines by quarter. " + ". ".join(words) + ".",
    )


# -- rents and forecasts ---------------------------------------------------------------------
def rents_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`rents_frame`: on-demand rents by quarter."""
    shown = frame.assign(chip=frame["accelerator"].map(NAMES))
    h100 = shown[shown["chip"] == "H100"].set_index("date")["usd_per_gpu_hour"]
    words = []
    for chip, rows in shown.groupby("chip", sort=False):
        rents = rows["usd_per_gpu_hour"]
        words.append(
            f"{chip} {rents.iloc[0]:.2f} ({rows['date'].iloc[0]}), lowest {rents.min():.2f}, "
            f"{rents.iloc[-1]:.2f} ({rows['date'].iloc[-1]})"
        )
    return lines(
        shown,
        "year",
        "usd_per_gpu_hour",
        color="chip",
        points=True,
        years=True,
        x_title="Quarter",
        y_title="On-demand rent (USD per GPU-hour)",
        title=f"After {h100.max():.2f} and {h100.loc['2025-08']:.2f} the H100 rents for "
        f"{h100.iloc[-1]:.2f}",
        subtitle="Medians of 1 to 9 specialised clouds; the panel changes, above all before 2024",
        description="Lines by quarter, USD per GPU-hour: " + "; ".join(words) + ".",
    )


def backtest_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`backtest_frame`: how far two forecasts were off, by the date they were made."""
    rows = frame.assign(year=1970 + year_of(frame["origin"]))
    shown = rows.melt(["origin", "year"], ["trend_off", "no_change_off"], "forecast", "off")
    shown["forecast"] = shown["forecast"].map(
        {"trend_off": "the trend goes on", "no_change_off": "nothing changes"}
    )
    first, last = frame.iloc[0], frame.iloc[-1]
    return lines(
        shown,
        "year",
        "off",
        color="forecast",
        legend=True,
        points=True,
        log_y=True,
        years=True,
        x_title="Forecast made",
        y_title="Off after a year, as a factor (log)",
        title=f"The trend's forecast: off by {three(first.trend_off)} at first, by "
        f"{three(last.trend_off)} in the end",
        description=f"Lines over {len(frame)} dates from {first.origin} to {last.origin}: the "
        f"trend is off by {three(first.trend_off)} at first and {three(last.trend_off)} at last, "
        f"no change by {three(first.no_change_off)} and {three(last.no_change_off)}.",
    )


def scenarios_chart(history: pd.DataFrame, ahead: pd.DataFrame) -> alt.LayerChart:
    """`scenarios_frame` after its history: three ways on, each with the band of its noise."""
    past = history.assign(year=1970 + year_of(history["date"]), value=history.iloc[:, 1])
    ahead = ahead.assign(year=1970 + year_of(ahead["date"]))
    kinds = list(dict.fromkeys(ahead["scenario"]))
    tight = axis("Rent (USD per GPU-hour, log)", True)
    tight["scale"] = alt.Scale(type="log", nice=False)
    y = alt.Y("value:Q", **tight)
    paint = alt.Color("scenario:N", scale=alt.Scale(domain=kinds), legend=None)
    base = alt.Chart(ahead).encode(x=year_axis(), color=paint)
    band = base.mark_area(opacity=0.14).encode(y=alt.Y("low:Q"), y2="high:Q")
    last = base.transform_filter(f"datum.years == {ahead['years'].max()}")
    names = last.mark_text(align="left", dx=6).encode(y=y, text="scenario:N")
    before = alt.Chart(past).mark_line(color=INK, point={"color": INK}).encode(x=year_axis(), y=y)
    ends = ahead[ahead["years"] == ahead["years"].max()]
    words = "; ".join(
        f"{r.scenario} {r.value:.2f} ({r.low:.2f} to {r.high:.2f})" for r in ends.itertuples()
    )
    return finish(
        alt.layer(band, base.mark_line().encode(y=y), names, before),
        title=f"Two years on: {ends['low'].min():.2f} to {ends['high'].max():.2f} USD an hour",
        subtitle="Rates: no change, and deciles of what twelve months have done to any rent here",
        description=f"History to {past['value'].iloc[-1]:.2f} USD per GPU-hour, then three ways "
        f"on, each with the band of its noise, after {ahead['years'].max():g} years: {words}.",
    )


def fleet_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`fleet_frame`: what a vendor sold: price of compute, volume, spend."""
    names = {"price_ratio": "USD per H100 equivalent", "volume_ratio": "H100 equivalents sold",
             "spend_ratio": "spend"}  # fmt: skip
    shown = frame.melt(["year"], list(names), "what", "index")
    shown["what"] = shown["what"].map(names)
    last = frame.iloc[-1]
    return lines(
        shown,
        "year",
        "index",
        color="what",
        legend=True,
        log_y=True,
        years=True,
        x_title="Quarter's end",
        y_title="Index, first quarter = 1 (log)",
        title=f"Compute at {100 * last.price_ratio:.0f} % of its price, the bill × "
        f"{three(last.spend_ratio)}",
        subtitle="NVIDIA, data centre: revenue reported, units estimated at an assumed price",
        description=f"Lines over {len(frame)} quarters: price {three(last.price_ratio)}, volume "
        f"{three(last.volume_ratio)}, spend {three(last.spend_ratio)} times the first quarter's.",
    )
