"""Kinds of figure that compute what they draw: steps to a total, a map, gaps, equality."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.units import MEGA
from econ.charts import words
from econ.charts.kinds import Drawn
from econ.charts.plot import Plot
from econ.charts.theme import FAINT, GROUND, INK, PALETTE

DARK_FROM = 2 / 3  # share of a colour scale from which white ink reads better than black
STEPS = {"adds": PALETTE["blue"], "takes off": PALETTE["green"], "total": PALETTE["grey"]}


def waterfall(plot: Plot) -> Drawn:
    """Steps from nothing to a total, in the table's order; a negative step is a saving."""
    total = str(plot.options.get("total", "total"))
    frame, value = plot.frame, plot.x
    amount = frame[value].to_numpy(dtype=float)
    end = np.cumsum(amount)
    start = end - amount
    signs = np.where(amount < 0, "takes off", "adds").tolist()
    form = plot.form or (lambda v: words.number(v, value))
    steps = pd.DataFrame(
        {
            "name": [*map(str, frame[plot.y]), total],
            "amount": [*amount, end[-1]],
            "start": [*start, 0.0],
            "end": [*end, end[-1]],
            "kind": [*(frame[plot.by] if plot.by else signs), "total"],
            "label": [form(v) for v in (*amount, end[-1])],
            "right": [*np.maximum(start, end), max(end[-1], 0.0)],
        }
    )
    groups = zip(plot.kinds(), (PALETTE[c] for c in ("blue", "orange", "green", "purple")),
                 strict=False)  # fmt: skip
    colours = {**(dict(groups) if plot.by else STEPS), "total": STEPS["total"]}
    kinds = [k for k in colours if k in set(steps["kind"])]
    base = alt.Chart(steps).encode(y=alt.Y("name:N", sort=steps["name"].tolist(), title=None))
    mark = base.mark_bar().encode(
        x=alt.X("start:Q", title=plot.title("x", value), axis=alt.Axis(tickCount=8)),
        x2=alt.X2("end:Q"),
        color=alt.Color("kind:N", title=None,
                        scale=alt.Scale(domain=kinds, range=[colours[k] for k in kinds]),
                        legend=alt.Legend(orient="top") if len(kinds) > 2 else None),
    )  # fmt: skip
    names = base.mark_text(align="left", dx=4).encode(x=alt.X("right:Q"), text=alt.Text("label:N"))

    def description() -> str:
        return (
            f"Steps of {plot.plain_title('x', value)}: {words.describe(frame, value, plot.y)}; "
            f"{total} {plot.say(end[-1], value)}."
        )

    return [mark, names], description, {"height": 34 * len(steps)}


def heat(plot: Plot) -> Drawn:
    """The number ``by`` over two inputs, written in each cell; a cell without one has a dash."""
    value = str(plot.by)
    known = plot.frame[value].astype(float).replace([np.inf, -np.inf], np.nan)
    at = np.log(known) if plot.log else known
    span = float(at.max() - at.min()) or 1.0
    form = plot.form or (lambda v: words.number(v, value))
    cells = plot.frame.assign(
        **{value: known},
        label=["–" if pd.isna(v) else form(v) for v in known],
        ink=np.where((at - at.min()) / span > DARK_FROM, GROUND, INK),
    )
    blank = replace(plot, log="")

    def order(name: str) -> list[Any]:
        return list(dict.fromkeys(cells[name]))

    base = alt.Chart(cells).encode(
        x=alt.X(f"{plot.x}:O", title=blank.title("x", plot.x), sort=order(plot.x),
                axis=alt.Axis(labelAngle=0)),
        y=alt.Y(f"{plot.y}:O", title=blank.title("y", plot.y), sort=order(plot.y)),
    )  # fmt: skip
    kind: Any = "log" if plot.log else "linear"
    scale = alt.Scale(scheme="blues", type=kind, zero=False, nice=False)
    title = plot.titles.get("by") or words.axis_title(value, bool(plot.log))
    key = alt.Legend(format=",.3~r", title=textwrap.wrap(title, 18))
    valid = f"isValid(datum[{value!r}])"
    empty = base.transform_filter(f"!{valid}").mark_rect(color=FAINT)
    full = base.transform_filter(valid).mark_rect()
    full = full.encode(color=alt.Color(f"{value}:Q", scale=scale, legend=key))
    text = base.mark_text().encode(text=alt.Text("label:N"), color=alt.Color("ink:N", scale=None))
    size = {
        "width": min(560, 72 * cells[plot.x].nunique()),
        "height": 34 * cells[plot.y].nunique(),
    }
    across, down = blank.plain_title("x", plot.x), blank.plain_title("y", plot.y)

    def description() -> str:
        rows = cells.dropna(subset=[value])
        sentences = f"A map of {title} over {across} and {down}: "
        if rows.empty:
            n = len(cells)
            return f"{sentences}no cell has a number. {n} of {n} cells have no answer."
        ends = (rows.loc[i] for i in (rows[value].idxmin(), rows[value].idxmax()))
        sentences += " to ".join(
            f"{plot.say(r[value], value)} ({r[plot.x]}, {r[plot.y]})" for r in ends
        )
        if 1 < len(order(plot.x)) <= words.MOST_LISTED and len(order(plot.y)) > 1:
            least = rows.loc[rows.groupby(plot.x, sort=False)[value].idxmin()]
            names = (
                f"{r[plot.x]} {r[plot.y]} ({plot.say(r[value], value)})"
                for _, r in least.iterrows()
            )
            sentences += f". Least by {across}: {'; '.join(names)}"
        if missing := len(cells) - len(rows):
            sentences += f". {missing} of {len(cells)} cells have no answer"
        return f"{sentences}."

    return [empty, full, text], description, {**size, "color": "independent"}


def gap(plot: Plot) -> Drawn:
    """How far ``x`` is from the column ``against``, row by row; grey: the ``tolerance``."""
    against, tolerance = str(plot.options["against"]), plot.options.get("tolerance")
    frame = plot.frame
    rows = frame.assign(gap_percent=100 * (frame[plot.x] / frame[against] - 1))
    rows["label"] = [
        f"{words.number(o, plot.x)} · {words.number(p, against)}"
        for o, p in zip(rows[plot.x], rows[against], strict=True)
    ]
    base = alt.Chart(rows).encode(y=alt.Y(f"{plot.y}:N", sort=None, title=None))
    x = alt.X("gap_percent:Q", title=plot.titles.get("x", "Ours against the published figure (%)"))
    layers = []
    if tolerance:
        band = base.transform_calculate(
            low=f"-100 * datum[{tolerance!r}]", high=f"100 * datum[{tolerance!r}]"
        )
        layers.append(
            band.mark_bar(color=FAINT, height=16).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
        )
    layers.append(alt.Chart(rows).mark_rule(color=INK).encode(x=alt.XDatum(0)))
    layers.append(base.mark_point(filled=True, opacity=1).encode(x=x))
    layers.append(
        base.mark_text(align="left", dx=8, fontSize=11).encode(x=x, text=alt.Text("label:N"))
    )

    def description() -> str:
        gaps = words.describe(rows, "gap_percent", plot.y, "%")
        return f"Gaps of ours to the published: {gaps}."

    return layers, description, {"height": 26 * len(rows)}


def parity(plot: Plot) -> Drawn:
    """Points of two measures of one thing, with the line on which both are equal."""
    both = plot.frame[[plot.x, plot.y]].to_numpy(dtype=float)
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    wide = plot.log and high / low > MEGA  # then noughts would run into each other
    form: dict[str, Any] = {"axis": alt.Axis(tickCount=6, grid=False, format=".0e")} if wide else {}
    base = alt.Chart(plot.frame)
    base = base.encode(x=plot.axis("x", plot.x, **form), y=plot.axis("y", plot.y, **form))
    dots = base.mark_point(filled=True, size=36, opacity=0.7)
    if plot.by:
        shape = alt.Shape(f"{plot.by}:N", scale=alt.Scale(domain=plot.kinds()), legend=None)
        dots = dots.encode(color=plot.paint(), shape=shape)
    line = alt.Chart(plot.frame).transform_aggregate(rows="count()")  # one, not one for each row
    line = line.mark_rule(color=PALETTE["grey"], strokeDash=[5, 4]).encode(
        x=alt.XDatum(low), y=alt.YDatum(low), x2=alt.X2Datum(high), y2=alt.Y2Datum(high)
    )

    def description() -> str:
        off = np.abs(both[:, 1] / both[:, 0] - 1)
        return (
            f"{len(both)} points of {plot.plain_title('y', plot.y)} against "
            f"{plot.plain_title('x', plot.x)} from "
            f"{plot.say(low, plot.x)} to {plot.say(high, plot.x)}: half are within "
            f"{np.nanmedian(off):.0%} of each other, 90 % within {np.nanquantile(off, 0.9):.0%}."
        )

    return [line, dots], description, {"width": 400, "height": 400}
