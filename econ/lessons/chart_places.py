"""Charts and panels of notebook 04 about places: carbon, water and price of the same tokens."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.catalog import table
from econ.charts.grammar import bars, finish
from econ.charts.panels import Panel, choice, slider
from econ.charts.tables import three
from econ.charts.theme import PALETTE
from econ.lessons import energy_cases as cases
from econ.lessons.chart_energy import served

PLACES = ["australia", "france", "germany", "iceland", "india", "ireland", "japan", "poland",
          "spain", "sweden", "united-kingdom", "united-states", "us-virginia"]  # fmt: skip


def place_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`place_hour_frame`: grams of carbon of a million tokens over an average day at a place."""
    row = frame.iloc[int(frame["chosen"].iloc[0])]
    x = alt.X("hour:Q", title="Hour of an average day", scale=alt.Scale(domain=[0, 23]))
    y = alt.Y("carbon_g:Q", title="Carbon per million output tokens (g CO₂e)",
              scale=alt.Scale(zero=True))  # fmt: skip
    base = alt.Chart(frame).encode(x=x, y=y)
    dot = base.transform_filter("datum.hour === datum.chosen").mark_point(
        size=160, color=PALETTE["vermilion"]
    )
    rule = alt.Chart(frame).transform_filter("isValid(datum.market_g)")
    rule = rule.mark_rule(color=PALETTE["green"], strokeDash=[5, 4], strokeWidth=2)
    market = (
        f"{three(row.market_g)} g by {row.operator}'s contracts"
        if pd.notna(row.market_g)
        else f"no market-based figure is known for {row.operator}"
    )
    sun = "" if row.known else " The share of solar here is not known, so the mean stands all day."
    price = "" if pd.isna(row.electricity_usd) else f"electricity ${row.electricity_usd:.3f}, "
    wet = [
        f"{three(row[key])} L {what}"
        for key, what in (("site_water_l", "on site"), ("grid_water_l", "at power stations"))
        if pd.notna(row[key])
    ]
    return finish(
        alt.layer(
            base.mark_line(interpolate="monotone"), dot,
            rule.encode(y=alt.Y("mean(market_g):Q")), data=frame,
        ).properties(height=260),
        title="Where and when decide more than how",
        subtitle="Line: the grid, by location. Dashed: by the operator's contracts",
        description=f"A million tokens in {row.site} at {row.hour:.0f} h: {three(row.carbon_g)} g "
        f"by location (mean {three(row.mean_g)} g), {market}; {price}water "
        f"{', '.join(wet) or 'not known'}.{sun}",
    )  # fmt: skip


def place_panel() -> Panel:
    """A million tokens by place, operator and hour."""
    it_j = cases.it_j_per_token(served())

    def frame(hour: int, place: str, operator: str) -> pd.DataFrame:
        return cases.place_hour_frame(it_j, place, operator, hour)

    return Panel(
        frame,
        place_chart,
        [
            slider("hour", "Hour", 0, 23, value=12),
            choice("place", "Place", PLACES, value="spain"),
            choice("operator", "Operator", table("operators").index.tolist(), value="google"),
        ],
        presets={
            "Spain at noon": {"hour": 12, "place": "spain", "operator": "google"},
            "Poland at night": {"hour": 22, "place": "poland", "operator": "google"},
            "Virginia, industry": {"hour": 12, "place": "us-virginia", "operator": "industry"},
        },
    )


def embodied_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`embodied_frame`: carbon of use and of making, by place."""
    parts = {"electricity in use": "use_g", "making of the hardware": "embodied_g"}
    long = pd.concat(
        [frame[["site"]].assign(part=name, grams=frame[key]) for name, key in parts.items()]
    )
    words = "; ".join(f"{r.site} {100 * r.share:.0f} %" for r in frame.itertuples())
    return bars(
        long,
        "grams",
        "site",
        color="part",
        x_title="Carbon per million output tokens (g CO₂e)",
        height=150,
        title="On a clean grid the making of the hardware shows",
        description=f"Stacked bars of use and making; share of making: {words}.",
    )
