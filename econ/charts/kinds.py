"""The kinds of figure: each turns a `Plot` into layers and into words from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from econ.charts import words
from econ.charts.plot import Plot
from econ.charts.theme import FAINT, INK, PALETTE

ROW_PX = 30

Drawn = tuple[list[alt.Chart], Callable[[], str], dict[str, Any]]  # layers, words, properties


def _spans(plot: Plot) -> str:
    """Each group's first and last value."""
    ends: dict[Any, list[float]] = {}
    for name, _, value in plot.points_by_group():
        ends.setdefault(name, [value, value])[1] = value
    return "; ".join(
        f"{name} {plot.span(first, last, plot.y)}".strip() for name, (first, last) in ends.items()
    )


def _known(plot: Plot, base: alt.Chart) -> alt.Chart:
    """Only rows with a value: a name stands where its line ends, not where its dots do."""
    if not plot.frame[plot.y].isna().any():
        return base
    return base.transform_filter(f"isValid(datum[{plot.y!r}])")


def line(plot: Plot) -> Drawn:
    base = alt.Chart(plot.frame).encode(x=plot.axis("x", plot.x))
    y = plot.axis("y", plot.y)
    legend = plot.legend if plot.legend is not None else bool(plot.by) and plot.ends_meet()
    numeric = plot.by is not None and pd.api.types.is_numeric_dtype(plot.frame[plot.by])
    color: dict[str, Any] = {"color": plot.paint(legend or numeric)} if plot.by else {}
    look: dict[str, Any] = {"interpolate": plot.step} if plot.step else {}
    line = base.mark_line(point=plot.points and not plot.dots, **look).encode(y=y, **color)
    layers = [line]
    if plot.low and plot.high:
        tint: dict[str, Any] = {} if plot.by else {"color": FAINT}
        band = base.mark_area(opacity=0.14 if plot.by else 1, **tint)
        layers.insert(
            0, band.encode(y=alt.Y(f"{plot.low}:Q"), y2=alt.Y2(f"{plot.high}:Q"), **color)
        )
    if plot.dots:
        ink: dict[str, Any] = {} if plot.by else {"color": PALETTE["vermilion"]}
        dot = base.mark_point(filled=True, size=60, opacity=1, **ink)
        title = plot.title("y", plot.y)
        layers.append(dot.encode(y=plot.axis("y", plot.dots, title=title), **color))
    if plot.by and not (legend or numeric):
        end = _known(plot, base).mark_text(align="left", dx=6)
        layers.append(end.encode(
            color=plot.paint(False), text=alt.Text(f"{plot.by}:N"),
            x=plot.axis("x", plot.x, f"max({plot.x})"),
            y=alt.Y(plot.y, aggregate=alt.ArgmaxDef(argmax=plot.x), title=plot.title("y", plot.y)),
        ))  # fmt: skip
    layers += _marked(plot, base.encode(y=y))
    across = plot.frame[plot.x]

    def description() -> str:
        return (
            f"Lines of {plot.plain_title('y', plot.y)} over {plot.plain_title('x', plot.x)} from "
            f"{words.number(across.min(), plot.x)} to {words.number(across.max(), plot.x)}: "
            f"{_spans(plot)}.{_marked_words(plot)}"
        )

    return layers, description, {}


def _marked_words(plot: Plot) -> str:
    """The rows that are pointed at, in words."""
    if not plot.mark:
        return ""
    marked = plot.frame[plot.frame[plot.mark].astype(bool)].head(words.MOST_LISTED)
    parts = []
    for i in range(len(marked)):
        row = marked.iloc[i]
        name = row[plot.by] if plot.by else row[plot.label] if plot.label else ""
        parts.append(f"{name} {words.amount(row[plot.x], plot.x)}, {plot.say(row[plot.y], plot.y)}")
    return f" Marked: {'; '.join(p.strip() for p in parts)}."


def _marked(plot: Plot, base: alt.Chart) -> list[alt.Chart]:
    """Rows to point at, large and red, with their label; every row's label without ``mark``."""
    layers = []
    if plot.mark:
        base = base.transform_filter(f"datum[{plot.mark!r}]")
        layers = [base.mark_point(filled=True, size=120, opacity=1, color=PALETTE["vermilion"])]
    if plot.label:
        text = base.mark_text(align="left", dx=7, dy=-9, fontSize=11)
        layers.append(text.encode(text=alt.Text(f"{plot.label}:N")))
    return layers


def path(plot: Plot) -> Drawn:
    """A curve through the rows in their order, each with its label."""
    base = alt.Chart(plot.frame.assign(rank=range(len(plot.frame))))
    base = base.encode(
        x=plot.axis("x", plot.x), y=plot.axis("y", plot.y), order=alt.Order("rank:Q")
    )

    def description() -> str:
        return (
            f"A curve of {len(plot.frame)} points, {plot.plain_title('y', plot.y)} over "
            f"{plot.plain_title('x', plot.x)}: {_place(plot, 0)} to {_place(plot, -1)}."
        )

    return [base.mark_line(point=True), *_marked(plot, base)], description, {}


def _place(plot: Plot, i: int) -> str:
    """One point of a path in words."""
    frame = plot.frame
    at = f"{words.amount(frame[plot.x].iloc[i], plot.x)}, {plot.say(frame[plot.y].iloc[i], plot.y)}"
    if not plot.label:
        return at
    return f"{words.title_and_unit(plot.label)[0].lower()} {frame[plot.label].iloc[i]} ({at})"


def bar(plot: Plot) -> Drawn:
    """Horizontal bars in the table's order, stacked where there are groups."""
    frame, value, name = plot.frame, plot.x, plot.y
    rows = list(dict.fromkeys(frame[name]))
    if not plot.label and not plot.by:
        label = [plot.form(v) if plot.form else words.number(v, value) for v in frame[value]]
        plot = replace(plot, frame=frame.assign(label=label), label="label")
    by_value = isinstance(plot.sort, str)  # else a list names the bars in order
    order = (
        alt.EncodingSortField(value, op="sum", order=plot.sort) if by_value else plot.sort or rows
    )
    base = alt.Chart(plot.frame).encode(
        y=alt.Y(f"{name}:N", title=plot.titles.get("y"), sort=order,
                axis=alt.Axis(labelLimit=320)),
        x=_bar_axis(plot, "x", value),
    )  # fmt: skip
    bars = base.mark_bar()
    layers = [_stacked(plot, bars) if plot.by else bars]
    if plot.label:
        names = base.mark_text(align="left", dx=4).encode(text=alt.Text(f"{plot.label}:N"))
        layers.append(_beside(plot, names, value))

    def description() -> str:
        return f"Bars of {plot.plain_title('x', value)}: {_bar_words(plot, value, name)}."

    px = ROW_PX + 8 if len(rows) < 6 else ROW_PX if len(rows) < 12 else 16
    return layers, description, {"height": px * len(rows)}


def _beside(plot: Plot, names: alt.Chart, value: str) -> alt.Chart:
    """A label beyond its bar: of a bar to the left of zero, on the free side."""
    if not (plot.frame[value] < 0).any():
        return names
    beyond = alt.X("beyond:Q", title=plot.title("x", value))
    return names.encode(x=beyond).transform_calculate(beyond=f"max(0, datum[{value!r}])")


def _bar_axis(plot: Plot, channel: str, value: str) -> Any:
    if channel in plot.log or channel in plot.domains:
        return plot.axis(channel, value)
    return plot.axis(channel, value, scale=alt.Scale(zero=True, nice=not plot.by))


def _stacked(plot: Plot, bars: alt.Chart) -> alt.Chart:
    """Groups of a bar in the table's order, the first nearest to zero."""
    kinds = plot.kinds()
    rank = f"indexof({kinds!r}, datum[{plot.by!r}])"
    return bars.encode(color=plot.paint(), order=alt.Order("rank:Q")).transform_calculate(rank=rank)


def _bar_words(plot: Plot, value: str, name: str) -> str:
    frame = plot.frame
    if not plot.by:
        if plot.label != "label" or plot.form:
            pairs = zip(frame[name], frame[str(plot.label)], strict=True)
            return "; ".join(f"{n} {text}" for n, text in pairs)
        return words.describe(frame, value, name)
    known = frame.dropna(subset=[value])
    total = known.groupby(name, sort=False)[value].sum()
    most = known.loc[known.groupby(name, sort=False)[value].idxmax()]
    share = most.set_index(name)[value] / total
    alike = np.allclose(
        total, total.iloc[0]
    )  # each bar is all of something: its length says nothing
    return "; ".join(
        f"{r[name]} {'' if alike else plot.say(total[r[name]], value) + ', '}"
        f"most of it {r[plot.by]} ({share[r[name]]:.0%})"
        for _, r in most.iterrows()
    )


def column(plot: Plot) -> Drawn:
    """Standing bars over ordered values, stacked where there are groups."""
    x = alt.X(f"{plot.x}:O", title=plot.title("x", plot.x), sort=None, axis=alt.Axis(labelAngle=0))
    base = alt.Chart(plot.frame).mark_bar().encode(x=x, y=_bar_axis(plot, "y", plot.y))

    def description() -> str:
        return (
            f"Columns of {plot.plain_title('y', plot.y)} over {plot.plain_title('x', plot.x)}: "
            f"{_bar_words(plot, plot.y, plot.x)}."
        )

    return [_stacked(plot, base) if plot.by else base], description, {"width": 440}


def area(plot: Plot) -> Drawn:
    """Parts of a whole over a quantity, stacked in the order of the table, the first lowest."""
    base = alt.Chart(plot.frame).mark_area()
    base = base.encode(x=plot.axis("x", plot.x), y=plot.axis("y", plot.y, stack="zero"))
    across = plot.frame[plot.x]

    def largest(value: float) -> str:
        rows = plot.frame[across == value]
        top = rows.loc[rows[plot.y].idxmax()]
        most = plot.say(top[plot.y], plot.y)
        return f"largest at {words.amount(value, plot.x)} {top[plot.by]} ({most})"

    def description() -> str:
        ends = f"{largest(across.min())}; {largest(across.max())}"
        return f"Areas of {plot.plain_title('y', plot.y)}: {ends}."

    return [_stacked(plot, base)], description, {}


def point(plot: Plot) -> Drawn:
    """Points of two quantities, or of one quantity over names."""
    named = not pd.api.types.is_numeric_dtype(plot.frame[plot.y])
    base = alt.Chart(plot.frame).encode(x=plot.axis("x", plot.x))
    rows = list(dict.fromkeys(plot.frame[plot.y]))
    layers = []
    if named:
        base = base.encode(y=alt.Y(f"{plot.y}:N", sort=plot.sort or rows, title=None))
        if plot.by:
            span = base.mark_line(color=FAINT, strokeWidth=4)
            layers.append(span.encode(detail=alt.Detail(f"{plot.y}:N")))
    else:
        tight: dict[str, Any] = (
            {} if "y" in plot.log else {"scale": alt.Scale(zero=bool(plot.zero))}
        )
        base = base.encode(y=plot.axis("y", plot.y, **tight))
    dots = base.mark_point(filled=True, opacity=0.9)
    if plot.by:
        shape = alt.Shape(f"{plot.by}:N", scale=alt.Scale(domain=plot.kinds()), legend=None)
        dots = dots.encode(color=plot.paint(), shape=shape)
    layers += [dots, *_marked(plot, base)]
    value = plot.x if named else plot.y
    name = plot.y if named else plot.label

    def description() -> str:
        groups = plot.frame.groupby(plot.by, sort=False) if plot.by else [("", plot.frame)]
        ends = (f"{group} {_ends(plot, rows, value, name)}".strip() for group, rows in groups)
        return (
            f"{len(plot.frame)} point{'s' if len(plot.frame) > 1 else ''} of "
            f"{plot.plain_title('x' if named else 'y', value)}: {'; '.join(ends)}."
        )

    return layers, description, {"height": 16 * len(rows) if named and len(rows) > 8 else 340}


def _ends(plot: Plot, rows: pd.DataFrame, value: str, name: str | None) -> str:
    """The least and the greatest value with their names."""
    low, high = rows.loc[rows[value].idxmin()], rows.loc[rows[value].idxmax()]
    if name is None:
        return plot.span(low[value], high[value], value)
    return " to ".join(
        plot.say(r[value], value) + (f" ({r[name]})" if r[name] else "") for r in (low, high)
    )


def span(plot: Plot) -> Drawn:
    """A bar from low to high for each name, with its typical value."""
    frame, name = plot.frame, plot.y
    low, high = plot.low or "low", plot.high or "high"
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{name}:N", sort=list(dict.fromkeys(frame[name])), title=None,
                axis=alt.Axis(labelLimit=320)),
    )  # fmt: skip
    title = plot.title("x", plot.x)
    free = {"scale": alt.Scale(zero=True)} if "x" not in plot.log and (frame[low] < 0).any() else {}
    x = plot.axis("x", plot.x, low, **free)
    color: dict[str, Any] = {"color": plot.paint()} if plot.by else {}
    ink: dict[str, Any] = {} if plot.by else {"color": PALETTE["sky"]}
    bar = base.mark_bar(height=14, opacity=0.55 if plot.by else 1, **ink)
    layers = [bar.encode(x=x, x2=alt.X2(f"{high}:Q"), **color)]
    if len(frame) > 1 and np.ptp(frame[plot.x]) == 0:  # one typical answer for all
        layers.append(rule(plot, "x", plot.x))
    else:
        middle: dict[str, Any] = {} if plot.by else {"color": INK}
        dot = base.mark_point(filled=True, size=70, opacity=1, **middle)
        layers.append(dot.encode(x=alt.X(f"{plot.x}:Q", title=title), **color))
    if plot.label:
        text = base.mark_text(align="left", dx=6, fontSize=11)
        right = f"max(datum[{low!r}], datum[{high!r}])"
        layers.append(text.transform_calculate(right=right).encode(
            x=alt.X("right:Q", title=title), text=alt.Text(f"{plot.label}:N")))  # fmt: skip

    def description() -> str:
        pairs = [f"{r[name]} {plot.span(r[low], r[high], plot.x)}" for _, r in frame.iterrows()]
        if len(frame) > 2 * words.MOST_LISTED:
            ends = frame[plot.x].to_numpy()
            pairs = [f"{len(frame)} of them", *(pairs[i] for i in (ends.argmin(), ends.argmax()))]
        return f"Ranges of {plot.plain_title('x', plot.x)}: {'; '.join(pairs)}."

    return layers, description, {"height": (ROW_PX if len(frame) < 10 else 19) * len(frame)}


def rule(plot: Plot, channel: str, value: str | float) -> alt.Chart:
    """A dashed line across: at a value, or at a column's mean; drawn once."""
    make: Any = alt.X if channel == "x" else alt.Y
    datum: Any = alt.XDatum if channel == "x" else alt.YDatum
    chart = alt.Chart(plot.frame)
    if isinstance(value, str):
        place = make(f"mean({value}):Q", title=plot.title(channel, getattr(plot, channel)))
        chart = chart.transform_filter(f"isValid(datum[{value!r}])")
    else:
        chart, place = chart.transform_aggregate(rows="count()"), datum(value)
    mark = chart.mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 4], strokeWidth=2)
    dashed: alt.Chart = mark.encode(**{channel: place})
    return dashed


def histogram(plot: Plot) -> Drawn:
    """Columns between the edges ``x`` and ``high``, as high as ``y``."""
    x = plot.axis("x", plot.x)
    marks = alt.Chart(plot.frame).mark_rect(color=PALETTE["sky"], stroke="white").encode(
        x=x, x2=alt.X2(f"{plot.high}:Q"), y=plot.axis("y", plot.y), y2=alt.Y2Datum(0)
    )  # fmt: skip

    def description() -> str:
        row = plot.frame.loc[plot.frame[plot.y].idxmax()]
        return (
            f"Histogram of {plot.frame[plot.y].sum():,.0f} over {plot.plain_title('x', plot.x)}, "
            f"most between {words.amount(row[plot.x], plot.x)} and "
            f"{words.amount(row[str(plot.high)], plot.x)}."
        )

    return [marks], description, {"height": 220}


def guess_layers(guess: float | None, channel: str) -> list[alt.Chart]:
    """The learner's guess as a dashed rule with its name; nothing where there is none."""
    if guess is None:
        return []
    data = alt.Chart(pd.DataFrame({"guess": [guess], "name": ["your guess"]}))
    ink = PALETTE["vermilion"]
    label = data.mark_text(align="left", dx=4, dy=-4, baseline="bottom", color=ink)
    where: dict[str, Any] = {"x": alt.X("guess:Q")} if channel == "x" else {"y": alt.Y("guess:Q")}
    edge: dict[str, Any] = {"y": alt.value(0)} if channel == "x" else {"x": alt.value(0)}
    line = data.mark_rule(color=ink, strokeDash=[5, 4], strokeWidth=2)
    return [line.encode(**where), label.encode(text=alt.Text("name:N"), **where, **edge)]
