"""The grammar of charts: one call draws one finding from one table.

The author gives a table, its columns and the finding. Titles of axes, units, formats of numbers
and the words for a reader who cannot see the picture come from the columns' names and the numbers.

>>> import pandas as pd
>>> f = pd.DataFrame({"chip": ["A", "B"], "power_w": [700.0, 1000.0]})
>>> chart = figure(f, "power_w", "chip", kind="bar", finding="B draws more")
>>> chart.description
'B draws more. Bars of Power (W): A 700 W; B 1,000 W.'
>>> figure(f, "power_w", "chip", kind="bar", finding="")
Traceback (most recent call last):
    ...
ValueError: a figure needs a finding: a title that says what a reader should see
>>> figure(f, "power_w", "chip", kind="baar", finding="B draws more")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown kind of figure 'baar'; nearest: bar...
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from econ.catalog.guard import one_of, unknown
from econ.charts import computed, kinds
from econ.charts.kinds import Drawn, guess_layers, rule
from econ.charts.plot import TITLE_WIDTH, Drawing, Plot

KINDS: dict[str, Callable[[Plot], Drawn]] = {
    "line": kinds.line, "bar": kinds.bar, "point": kinds.point, "path": kinds.path,
    "column": kinds.column, "area": kinds.area, "range": kinds.span, "histogram": kinds.histogram,
    "waterfall": computed.waterfall, "heat": computed.heat, "gap": computed.gap,
    "parity": computed.parity,
}  # fmt: skip
SIDEWAYS = ("bar", "range", "histogram")  # their quantity lies on the x axis
SHORTEST = 20  # characters; anything less says nothing to a reader who cannot see the chart


def finish(
    chart: Drawing, *, title: str | list[str], description: str, subtitle: str = ""
) -> Drawing:
    """The chart with its title, subtitle and description; without a description it is refused.

    Raises
    ------
    ValueError
        For a description of fewer than 20 characters.
    """
    return _entitled(chart.copy(deep=False), _plain(title), description, subtitle)


def _entitled(chart: Drawing, title: str, description: str, subtitle: str) -> Drawing:
    if len(description.strip()) < SHORTEST:
        raise ValueError(
            f"chart {title!r} needs a description of at least {SHORTEST} characters, "
            "from its own numbers"
        )
    lines = textwrap.wrap(title, TITLE_WIDTH)
    heading = alt.Title(lines if len(lines) > 1 else title)
    if subtitle:
        below = textwrap.wrap(subtitle, TITLE_WIDTH + 20)
        heading.subtitle = below if len(below) > 1 else subtitle
    chart.title, chart.description = heading, " ".join(description.split())
    return chart


def layered(layers: list[alt.Chart]) -> Any:
    """New layers as one chart; their table, if they share it, stands in it once.

    Altair prints the table of every layer to name it, which takes longer than all the rest.
    """
    data = layers[0].data
    own = ("params", "width", "height", "view")  # what Altair lifts out of a layer
    if any(
        layer.data is not data
        or any(layer._kwds.get(name, alt.Undefined) is not alt.Undefined for name in own)
        for layer in layers
    ):
        return alt.layer(*layers)
    chart = alt.layer(data=data)
    for layer in layers:
        layer.data = alt.Undefined
    chart.layer = layers
    return chart


def figure(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    finding: str,
    kind: str = "line",
    by: str | None = None,
    subtitle: str = "",
    says: str = "",
    low: str | None = None,
    high: str | None = None,
    label: str | None = None,
    dots: str | None = None,
    mark: str | None = None,
    log: str = "",
    x_title: str | None = None,
    y_title: str | None = None,
    by_title: str | None = None,
    colors: Mapping[str, str] | None = None,
    legend: bool | None = None,
    points: bool = False,
    step: str | None = None,
    form: str | Callable[[float], str] | None = None,
    zero: bool | None = None,
    sort: Any = None,
    guess: float | None = None,
    guess_axis: str = "",
    x_domain: tuple[float, float] | None = None,
    y_domain: tuple[float, float] | None = None,
    rule_x: str | float | None = None,
    rule_y: str | float | None = None,
    facet: str | None = None,
    width: int | None = None,
    height: int | None = None,
    **options: Any,
) -> Drawing:
    """Draw one table so that it shows one finding.

    Parameters
    ----------
    frame : DataFrame
        The rows to draw.
    x, y : str
        Columns on the axes; for ``bar``, ``range``, ``gap`` and ``waterfall`` ``y`` holds names.
    finding : str
        The title: a sentence that says what a reader should see.
    kind : str
        ``line``, ``path`` (a curve in the order of rows), ``point``, ``bar``, ``column``, ``area``,
        ``range`` (low to high), ``histogram`` (``x`` to ``high``), ``waterfall``, ``heat`` (``by``
        is the number in the cells), ``gap`` (against another column) or ``parity``.
    by : str, optional
        Column whose values are told apart by colour; numbers go from light to dark.
    says : str
        Words for a reader who cannot see the picture, where they say more than the automatic ones.
    low, high : str, optional
        Columns of an interval: a band around a line, the ends of a ``range``.
    label : str, optional
        Column of texts beside the marks.
    dots : str, optional
        Another column over the same ``x``, drawn as points over the lines (measured on predicted).
    mark : str, optional
        Column of true and false: rows to point at.
    log : str
        Logarithmic axes: ``"x"``, ``"y"`` or ``"xy"``.
    x_title, y_title, by_title : str, optional
        Instead of the dictionary's titles.
    colors : mapping, optional
        Colour of a group by its name, from `econ.charts.theme.PALETTE`.
    legend : bool, optional
        False: lines are named at their ends; by default where names would not collide.
    points : bool
        Mark the rows on a line.
    step : str, optional
        ``step-after`` or ``step-before`` for a line that moves in steps.
    form : str or callable, optional
        Format of the numbers in labels and words, e.g. ``"{:.2f}"``.
    guess, guess_axis : float and str, optional
        The learner's guess as a dashed rule on the ``x`` or ``y`` axis.
    x_domain, y_domain : tuple, optional
        Ends of an axis, so that it stays where it is while a panel moves.
    rule_x, rule_y : float or str, optional
        A dashed line at a value, or at the mean of a column.
    facet : str, optional
        One picture for each value of this column, side by side.
    **options
        Of a kind: ``total`` (waterfall), ``against`` and ``tolerance`` (gap).

    Returns
    -------
    altair chart
        With its finding as title and a description in words.

    Raises
    ------
    ValueError
        For an empty table, a missing finding, or a column that the table does not have.
    """
    one_of("kind of figure", kind, KINDS)
    if not finding.strip():
        raise ValueError("a figure needs a finding: a title that says what a reader should see")
    if frame.empty:
        raise ValueError(f"figure {finding!r}: the table has no rows")
    for name in (x, y, by, low, high, label, dots, mark, facet):
        if name is not None and name not in frame:
            raise unknown("column", name, frame.columns)
    domains = {"x": x_domain, "y": y_domain}
    titles = {"x": x_title, "y": y_title, "by": by_title}
    plot = Plot(
        frame=frame, x=x, y=y, by=by, low=low, high=high, label=label, dots=dots, mark=mark,
        log=log, titles={k: v for k, v in titles.items() if v is not None}, colors=colors or {},
        domains={k: v for k, v in domains.items() if v is not None},
        legend=legend, points=points, step=step, zero=zero, sort=sort, options=options,
        form=form.format if isinstance(form, str) else form,
    )  # fmt: skip
    if facet:
        return _faceted(plot, kind, facet, finding, subtitle, says, width, height)
    layers, describe, size = KINDS[kind](plot)
    for channel, at in (("x", rule_x), ("y", rule_y)):
        if at is not None:
            layers.append(rule(plot, channel, at))
    layers += guess_layers(guess, guess_axis or ("x" if kind in SIDEWAYS else "y"))
    chart = layered(layers)
    if size.pop("color", None):
        chart.resolve = alt.Resolve(scale=alt.ScaleResolveMap(color="independent"))
    size |= {k: v for k, v in (("width", width), ("height", height)) if v}
    for name, value in size.items():
        setattr(chart, name, value)
    description = says or f"{sentence(finding)} {describe()}"
    return _entitled(chart, finding, description, subtitle)


def sentence(finding: str) -> str:
    """A finding with its full stop."""
    return finding if finding.endswith(("?", ".", "!")) else f"{finding}."


def _faceted(
    plot: Plot, kind: str, facet: str, finding: str, subtitle: str, says: str,
    width: int | None, height: int | None,
) -> Drawing:  # fmt: skip
    parts, descriptions = [], [sentence(finding)]
    for value, rows in plot.frame.groupby(facet, sort=False):
        one = replace(plot, frame=rows.reset_index(drop=True), legend=True)
        layers, describe, _ = KINDS[kind](one)
        part = layered(layers)
        part.width, part.height = width or 270, height or 270
        part.title = alt.Title(str(value), fontSize=13)
        parts.append(part)
        descriptions += [] if says else [f"{value}: {describe()}"]
    chart = alt.hconcat(*parts, spacing=36)
    return _entitled(chart, finding, says or " ".join(descriptions), subtitle)


def overlay(*figures: Drawing, finding: str = "", subtitle: str = "", says: str = "") -> Drawing:
    """Several figures on the same axes, under the first one's finding unless another is given."""
    first = figures[0]
    title = finding or _plain(first.title.text)
    descriptions = [
        f.description.removeprefix(sentence(_plain(f.title.text))).strip() for f in figures
    ]
    description = says or " ".join([sentence(title), *descriptions])
    return _entitled(alt.layer(*figures), title, description, subtitle)


def _plain(title: str | list[str]) -> str:
    return title if isinstance(title, str) else " ".join(title)
