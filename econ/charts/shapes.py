"""More shapes a table can take: steps to a total, a map of two inputs, ours against theirs.

Each draws one table, so that a panel can move it, and each comes with `describe`, which puts a
table's own numbers into words.

>>> import pandas as pd
>>> cost = pd.DataFrame({"part": ["chips", "power"], "usd": [3.0, 0.5]})
>>> describe(cost, "usd", "part", "USD per hour")
'chips 3 USD per hour; power 0.5 USD per hour'
>>> waterfall(cost, "usd", "part", x_title="USD per hour", title="Chips lead",
...           description="Steps: " + describe(cost, "usd", "part", "USD per hour")).description
'Steps: chips 3 USD per hour; power 0.5 USD per hour'
"""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.units import MEGA
from econ.charts.grammar import axis, finish
from econ.charts.tables import three
from econ.charts.theme import FAINT, GROUND, INK, PALETTE

TOLD = 8  # rows a listener will follow; beyond them only the ends are told
DARK_FROM = 2 / 3  # share of the colour scale from which white ink reads better than black
SORTS = [PALETTE[c] for c in ("blue", "orange", "green", "purple")]
STEPS = {"adds": PALETTE["blue"], "takes off": PALETTE["green"], "total": PALETTE["grey"]}


def describe(frame: pd.DataFrame, value: str, by: str, unit: str = "") -> str:
    """A column's numbers in words: each named by ``by``, or the ends where there are many.

    >>> many = pd.DataFrame({"n": range(1, 21), "ms": [10.0 * n for n in range(1, 21)]})
    >>> describe(many, "ms", "n", "ms")
    '20 values from 10 ms (1) to 200 ms (20)'
    """
    shown = frame.dropna(subset=[value])
    if shown.empty:
        return "no value"
    unit = f" {unit}" if unit else ""
    if len(shown) <= TOLD:
        pairs = zip(shown[by], shown[value], strict=True)
        return "; ".join(f"{name} {three(v)}{unit}" for name, v in pairs)
    values, names = shown[value].to_numpy(), shown[by].to_numpy()
    low, high = values.argmin(), values.argmax()
    return (
        f"{len(shown)} values from {three(values[low])}{unit} ({names[low]}) "
        f"to {three(values[high])}{unit} ({names[high]})"
    )


def waterfall(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    x_title: str,
    title: str,
    description: str,
    subtitle: str = "",
    total: str = "total",
    form: Callable[[float], str] = three,
    group: str | None = None,
) -> alt.LayerChart:
    """Steps from nothing to a total, in the table's order; a negative step is a saving.

    ``group`` names a column of at most four sorts of step, told apart by colour.
    """
    steps = pd.DataFrame({"name": frame[y].astype(str), "amount": frame[x].astype(float)})
    ends = steps["amount"].cumsum()
    steps["start"], steps["end"] = ends - steps["amount"], ends
    steps["kind"] = np.where(steps["amount"] < 0, "takes off", "adds")
    whole = {"name": total, "amount": ends.iloc[-1], "start": 0.0, "end": ends.iloc[-1]}
    steps = pd.concat([steps, pd.DataFrame([{**whole, "kind": "total"}])], ignore_index=True)
    steps["label"] = [form(v) for v in steps["amount"]]
    steps["right"] = steps[["start", "end"]].max(axis=1)
    colours = STEPS
    if group:
        sorts = dict.fromkeys(frame[group])
        colours = {**dict(zip(sorts, SORTS, strict=False)), "total": STEPS["total"]}
        steps["kind"] = [*frame[group], "total"]
    kinds = [k for k in colours if k in set(steps["kind"])]
    base = alt.Chart(steps).encode(y=alt.Y("name:N", sort=steps["name"].tolist(), title=None))
    mark = base.mark_bar().encode(
        x=alt.X("start:Q", title=x_title, axis=alt.Axis(tickCount=8)),
        x2="end:Q",
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds, range=[colours[k] for k in kinds]),
            legend=alt.Legend(orient="top") if len(kinds) > 2 else None,
        ),
    )
    names = base.mark_text(align="left", dx=4).encode(x="right:Q", text="label:N")
    chart = alt.layer(mark, names).properties(height=34 * len(steps))
    return finish(chart, title=title, description=description, subtitle=subtitle)


def heat(
    frame: pd.DataFrame,
    x: str,
    y: str,
    value: str,
    *,
    x_title: str,
    y_title: str,
    value_title: str,
    title: str,
    description: str,
    subtitle: str = "",
    log: bool = False,
    form: Callable[[float], str] = three,
) -> alt.LayerChart:
    """A number over two inputs, written in each cell; a cell without one stays grey with a dash."""
    number = frame[value].astype(float)
    at = np.log(number) if log else number
    span = float(at.max() - at.min()) or 1.0
    cells = frame.assign(
        label=["–" if pd.isna(v) else form(v) for v in number],
        ink=np.where((at - at.min()) / span > DARK_FROM, GROUND, INK),
    )
    base = alt.Chart(cells).encode(
        x=alt.X(f"{x}:O", title=x_title, sort=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y(f"{y}:O", title=y_title, sort=None),
    )
    scale = alt.Scale(scheme="blues", type="log" if log else "linear", zero=False, nice=False)
    key = alt.Legend(format=",.3~r")  # the ends of a short scale are no round numbers
    known = f"isValid(datum[{value!r}])"
    empty = base.transform_filter(f"!{known}").mark_rect(color=FAINT)
    full = base.transform_filter(known).mark_rect()
    full = full.encode(color=alt.Color(f"{value}:Q", title=value_title, scale=scale, legend=key))
    words = base.mark_text().encode(text="label:N", color=alt.Color("ink:N", scale=None))
    chart = alt.layer(empty, full, words).resolve_scale(color="independent")
    chart = chart.properties(
        width=min(560, 72 * cells[x].nunique()), height=34 * cells[y].nunique()
    )
    return finish(chart, title=title, description=description, subtitle=subtitle)


def gaps(
    frame: pd.DataFrame,
    name: str,
    ours: str,
    published: str,
    *,
    title: str,
    description: str,
    subtitle: str = "",
    tolerance_frac: str | None = None,
) -> alt.LayerChart:
    """How far ours is from the published figure, row by row; grey: the tolerance, where named."""
    rows = frame.assign(gap_percent=100 * (frame[ours] / frame[published] - 1))
    rows["label"] = [
        f"{three(o)} · {three(p)}" for o, p in zip(rows[ours], rows[published], strict=True)
    ]
    base = alt.Chart(rows).encode(y=alt.Y(f"{name}:N", sort=None, title=None))
    x = alt.X("gap_percent:Q", title="Ours against the published figure (%)")
    layers = []
    if tolerance_frac:
        band = base.transform_calculate(
            low=f"-100 * datum[{tolerance_frac!r}]", high=f"100 * datum[{tolerance_frac!r}]"
        )
        layers.append(band.mark_bar(color=FAINT, height=16).encode(x=alt.X("low:Q"), x2="high:Q"))
    zero = alt.Chart(rows).mark_rule(color=INK).encode(x=alt.datum(0))
    layers.append(zero)
    layers.append(base.mark_point(filled=True, opacity=1).encode(x=x))
    layers.append(base.mark_text(align="left", dx=8, fontSize=11).encode(x=x, text="label:N"))
    chart = alt.layer(*layers).properties(height=26 * len(rows))
    subtitle = subtitle or "Beside each point: ours · published"
    return finish(chart, title=title, description=description, subtitle=subtitle)


def parity(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    x_title: str,
    y_title: str,
    title: str,
    description: str,
    subtitle: str = "",
    color: str | None = None,
    log: bool = True,
) -> alt.LayerChart:
    """Points of two measures of one thing, with the line on which both are equal."""
    both = frame[[x, y]].to_numpy(dtype=float)
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    wide = log and low > 0 and high / low > MEGA  # then noughts would run into each other
    form = {"axis": alt.Axis(tickCount=6, grid=False, format=".0e")} if wide else {}
    base = alt.Chart(frame).encode(
        x=alt.X(f"{x}:Q", **axis(x_title, log, **form)),
        y=alt.Y(f"{y}:Q", **axis(y_title, log, **form)),
    )
    dots = base.mark_point(filled=True, size=36, opacity=0.7)
    if color:
        kinds = list(dict.fromkeys(frame[color]))
        legend = alt.Legend(title=None, orient="top")
        scale = alt.Scale(domain=kinds)
        dots = dots.encode(
            color=alt.Color(f"{color}:N", scale=scale, legend=legend),
            shape=alt.Shape(f"{color}:N", scale=scale, legend=legend),
        )
    line = alt.Chart(frame).transform_aggregate(rows="count()")  # one line, not one for each row
    line = line.mark_rule(color=PALETTE["grey"], strokeDash=[5, 4]).encode(
        x=alt.XDatum(low), y=alt.YDatum(low), x2=alt.X2Datum(high), y2=alt.Y2Datum(high)
    )
    chart = alt.layer(line, dots).properties(width=400, height=400)
    return finish(chart, title=title, description=description, subtitle=subtitle)


def areas(
    frame: pd.DataFrame,
    x: str,
    y: str,
    color: str,
    *,
    x_title: str,
    y_title: str,
    title: str,
    description: str,
    subtitle: str = "",
) -> alt.LayerChart:
    """Parts of a whole over a quantity, stacked in the order of the table, the first lowest."""
    kinds = list(dict.fromkeys(frame[color]))
    stack = (
        alt.Chart(frame)
        .mark_area()
        .encode(
            x=alt.X(f"{x}:Q", **axis(x_title)),
            y=alt.Y(f"{y}:Q", title=y_title, stack="zero"),
            color=alt.Color(
                f"{color}:N", sort=kinds, scale=alt.Scale(domain=kinds),
                legend=alt.Legend(title=None, orient="top"),
            ),
            order=alt.Order("rank:Q"),
        )
        .transform_calculate(rank=f"indexof({kinds!r}, datum[{color!r}])")
    )  # fmt: skip
    return finish(alt.layer(stack), title=title, description=description, subtitle=subtitle)


def tornado(
    frame: pd.DataFrame,
    *,
    x_title: str,
    title: str,
    description: str,
    subtitle: str = "",
    log: bool = False,
    input_words: Callable[[float], str] = three,
) -> alt.LayerChart:
    """One bar an input, widest first: how far it alone moves the answer, its ends beside it.

    Columns: ``input``, ``low``, ``high`` (of the answer), ``low_input``, ``high_input``,
    ``typical``. The dashed line is the typical answer.
    """
    rows = frame.assign(
        ends=[
            f"{input_words(a)} to {input_words(b)}"
            for a, b in zip(frame["low_input"], frame["high_input"], strict=True)
        ],
        swing=frame["high"] - frame["low"],
    )
    order = rows.sort_values("swing", ascending=False, kind="stable")["input"].tolist()
    names_axis = alt.Axis(labelLimit=320)
    base = alt.Chart(rows).encode(y=alt.Y("input:N", sort=order, title=None, axis=names_axis))
    span = base.mark_bar(height=20).encode(x=alt.X("low:Q", **axis(x_title, log)), x2="high:Q")
    names = base.mark_text(align="left", dx=6).encode(x="high:Q", text="ends:N")
    middle = base.mark_rule(strokeDash=[4, 3]).encode(x="min(typical):Q", y=alt.value(0))
    middle = middle.encode(y2=alt.value(30 * len(rows)))
    chart = alt.layer(span, names, middle).properties(height=30 * len(rows))
    return finish(chart, title=title, description=description, subtitle=subtitle)
