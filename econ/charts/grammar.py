"""Charts from tables: each has a finding as its title, units on its axes and a description.

>>> import pandas as pd
>>> f = pd.DataFrame({"chip": ["A", "B"], "power_w": [700.0, 1000.0]})
>>> chart = bars(f, "power_w", "chip", x_title="Power (W)",
...              title="B draws more", description="Bars of power: A 700 W, B 1000 W.")
>>> chart.description
'Bars of power: A 700 W, B 1000 W.'
>>> finish(chart, title="No words", description="")
Traceback (most recent call last):
    ...
ValueError: chart 'No words' needs a description of at least 20 characters, from its own numbers
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from econ.charts.theme import INK, PALETTE

# 2,024 is no year, and half a year has no name
YEARS = alt.Axis(labelExpr="datum.value % 1 ? '' : format(datum.value, 'd')", grid=False)
SHORTEST = 20  # characters; anything less says nothing to a reader who cannot see the chart


def finish(chart: alt.TopLevelMixin, *, title: str, description: str, subtitle: str = ""):
    """The chart with its title, subtitle and description; without a description it is refused."""
    if len(description.strip()) < SHORTEST:
        raise ValueError(
            f"chart {title!r} needs a description of at least {SHORTEST} characters, "
            "from its own numbers"
        )
    heading = alt.Title(title, subtitle=subtitle) if subtitle else alt.Title(title)
    return chart.properties(title=heading, description=" ".join(description.split()))


# 10M, 1B, 100T instead of rows of noughts: labels of a logarithmic axis, at powers of ten alone
SHORT = (
    "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) > 1e-6 ? '' : "
    "replace(replace(format(datum.value, '~s'), 'G', 'B'), 'k', 'K')"
)


def axis(title: str, log: bool = False, nice: bool = True, **more: Any) -> dict[str, Any]:
    """Title and scale of an axis, for an encoding; not ``nice``: it ends where the data end."""
    if log:  # a grid line for every tick of a logarithmic axis would be a curtain
        return {
            "title": title,
            "scale": alt.Scale(type="log", nice=nice),
            "axis": alt.Axis(tickCount=6, grid=False),
            **more,
        }
    return {"title": title, "scale": alt.Scale(zero=False), **more}


def year_axis(column: str = "year", title: str = "Date") -> alt.X:
    """An x axis of calendar years with their fraction."""
    return alt.X(f"{column}:Q", title=title, axis=YEARS, scale=alt.Scale(zero=False))


def bars(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    x_title: str,
    title: str,
    description: str,
    subtitle: str = "",
    color: str | None = None,
    color_title: str = "",
    sort: Any = "-x",
    text: str | None = None,
    nice: bool = True,
    guess: float | None = None,
    height: int | None = None,
) -> alt.LayerChart:
    """Horizontal bars, longest first; stacked where ``color`` is given, labelled by ``text``."""
    order = alt.EncodingSortField(x, op="sum", order="descending") if sort == "-x" else sort
    whole = pd.api.types.is_integer_dtype(frame[x])  # things that are counted have no halves
    ticks = {"axis": alt.Axis(tickMinStep=1)} if whole else {}
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{y}:N", title=None, sort=order),
        x=alt.X(f"{x}:Q", title=x_title, scale=alt.Scale(nice=nice), **ticks),
    )
    mark = base.mark_bar()
    if color:
        first_seen = list(dict.fromkeys(frame[color]))
        mark = mark.encode(
            color=alt.Color(f"{color}:N", title=color_title or None, sort=first_seen,
                            scale=alt.Scale(domain=first_seen)),
            order=alt.Order("rank:Q"),
        ).transform_calculate(rank=f"indexof({first_seen!r}, datum[{color!r}])")  # fmt: skip
    layers = [mark]
    if text:
        layers.append(base.mark_text(align="left", dx=4, color=INK).encode(text=f"{text}:N"))
    layers += guess_layers(guess, "x")
    chart = alt.layer(*layers)
    if height:
        chart = chart.properties(height=height)
    return finish(chart, title=title, description=description, subtitle=subtitle)


def lines(
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
    legend: bool = False,
    log_x: bool = False,
    log_y: bool = False,
    points: bool = False,
    guess: float | None = None,
    guess_of: str = "y",
    nice: bool = True,
    short_x: bool = False,
    years: bool = False,
) -> alt.LayerChart:
    """Lines over a quantity, named at their right ends, or in a ``legend`` where those meet.

    ``guess`` is a value of the axis ``guess_of``. ``nice=False`` ends logarithmic axes with the
    data; ``short_x`` writes 10M for 10,000,000; with ``years`` the quantity is a calendar year
    with its fraction.
    """
    across = axis(x_title, log_x, nice, **({"axis": YEARS} if years else {}))
    if short_x:
        across["axis"] = alt.Axis(tickCount=6, grid=not log_x, labelExpr=SHORT)
    base = alt.Chart(frame).encode(
        x=alt.X(f"{x}:Q", **across),
        y=alt.Y(f"{y}:Q", **axis(y_title, True, nice)) if log_y else alt.Y(f"{y}:Q", title=y_title),
    )
    mark = base.mark_line(point=points)
    layers = [mark]
    if color:
        kinds = list(dict.fromkeys(frame[color]))
        key = alt.Legend(title=None, orient="top", columns=1) if legend else None
        paint = alt.Color(f"{color}:N", sort=kinds, scale=alt.Scale(domain=kinds), legend=key)
        ends = base.mark_text(align="left", dx=6).encode(
            color=paint,
            text=f"{color}:N",
            x=alt.X(f"max({x}):Q", **across),
            y=alt.Y(y, aggregate=alt.ArgmaxDef(argmax=x), title=y_title),
        )
        layers = [mark.encode(color=paint), *([] if legend else [ends])]
    layers += guess_layers(guess, guess_of)
    return finish(alt.layer(*layers), title=title, description=description, subtitle=subtitle)


def points(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    x_title: str,
    y_title: str,
    title: str,
    description: str,
    subtitle: str = "",
    label: str | None = None,
    color: str | None = None,
    color_title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    height: int = 340,
) -> alt.LayerChart:
    """Points of two quantities, labelled where ``label`` names a column."""
    base = alt.Chart(frame).encode(
        x=alt.X(f"{x}:Q", **axis(x_title, log_x)), y=alt.Y(f"{y}:Q", **axis(y_title, log_y))
    )
    mark = base.mark_point(filled=True, opacity=0.9)
    if color:
        kinds = list(dict.fromkeys(frame[color]))
        legend = alt.Legend(title=color_title or None, orient="bottom")
        mark = mark.encode(
            color=alt.Color(f"{color}:N", scale=alt.Scale(domain=kinds), legend=legend),
            shape=alt.Shape(f"{color}:N", scale=alt.Scale(domain=kinds), legend=legend),
        )
    layers = [mark]
    if label:
        layers.append(
            base.mark_text(align="left", dx=2, dy=-10, fontSize=11).encode(text=f"{label}:N")
        )
    chart = alt.layer(*layers).properties(height=height)
    return finish(chart, title=title, description=description, subtitle=subtitle)


def guess_layers(guess: float | None, channel: str) -> list[alt.Chart]:
    """The learner's guess as a dashed rule with its name; nothing where there is none."""
    if guess is None:
        return []
    data = alt.Chart(pd.DataFrame({"guess": [guess], "name": ["your guess"]}))
    ink = PALETTE["vermilion"]
    if channel == "x":
        at = {"x": alt.X("guess:Q")}
        text = data.mark_text(align="left", dx=4, dy=-3, baseline="bottom", color=ink).encode(
            text="name:N", y=alt.value(0), **at
        )
    else:
        at = {"y": alt.Y("guess:Q")}
        text = data.mark_text(align="left", dx=4, dy=-7, color=ink).encode(
            text="name:N", x=alt.value(0), **at
        )
    return [data.mark_rule(color=ink, strokeDash=[5, 4], strokeWidth=2).encode(**at), text]
