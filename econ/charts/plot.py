"""What one figure draws, and how its axes, colours and words follow from the columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.units import MEGA, PETA
from econ.charts import words
from econ.charts.theme import CATEGORIES, ramp

TITLE_WIDTH = 72  # characters of a line above a chart of the usual width
ENDS_APART = 0.07  # of the height; lines that end closer are named in a legend
END_LETTERS = 26  # a longer name does not fit beside a line
# 2,024 is no year, and half a year has no name
YEARS = alt.Axis(labelExpr="datum.value % 1 ? '' : format(datum.value, 'd')", grid=False)
# 10M, 1B, 100T instead of rows of noughts: labels of a logarithmic axis, at powers of ten alone
SHORT = (
    "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) > 1e-6 ? '' : "
    "replace(replace(format(datum.value, '~s'), 'G', 'B'), 'k', 'K')"
)


Drawing = (
    alt.LayerChart | alt.FacetChart | alt.HConcatChart
)  # what a figure is; Altair's common base has no title


@dataclass(frozen=True)
class Plot:
    """What one figure draws; each kind of figure reads the fields that it needs."""

    frame: pd.DataFrame
    x: str
    y: str
    by: str | None
    low: str | None
    high: str | None
    label: str | None
    dots: str | None
    mark: str | None
    log: str
    titles: Mapping[str, str]
    colors: Mapping[str, str]
    legend: bool | None
    points: bool
    step: str | None
    form: Callable[[float], str] | None
    zero: bool | None
    sort: Any
    domains: Mapping[str, Any]
    options: Mapping[str, Any]

    def title(self, channel: str, name: str, log: bool | None = None) -> str:
        """Title of an axis: the author's own where there is one, else the dictionary's."""
        log = channel in self.log if log is None else log
        if (own := self.titles.get(channel)) is not None:
            if not log or "log" in own:
                return own
            return f"{own[:-1]}, log)" if own.endswith(")") else f"{own} (log)"
        return words.axis_title(name, log)

    def plain_title(self, channel: str, name: str) -> str:
        """Title of an axis inside a sentence."""
        return self.title(channel, name, log=False)

    def span(self, low: float, high: float, name: str) -> str:
        """Two values in words, the unit once."""
        first = self.form(low) if self.form else words.number(low, name)
        return f"{first} to {self.say(high, name)}"

    def say(self, value: float, name: str) -> str:
        """A value in words, in the author's form where there is one."""
        return self.form(value) if self.form else words.amount(value, name)

    def axis(self, channel: str, name: str, field: str = "", **over: Any) -> Any:
        """The encoding of a quantity on an axis; ``over`` replaces parts of it."""
        values = self.frame[name].astype(float)
        parts: dict[str, Any] = {"title": self.title(channel, name)}
        if channel in self.log:
            # a grid line for every tick of a logarithmic axis would be a curtain
            ticks: dict[str, Any] = {"tickCount": 6, "grid": False}
            if MEGA <= values.max() < PETA:
                ticks["labelExpr"] = SHORT
            scale = alt.Scale(type="log", nice=False, padding=8)
            parts |= {"scale": scale, "axis": alt.Axis(**ticks)}
        elif name == "year" and values.min() > words.FIRST_YEAR:
            parts |= {"scale": alt.Scale(zero=False), "axis": YEARS}
        else:
            zero = self.zero if channel == "y" and self.zero is not None else channel == "y"
            parts["scale"] = alt.Scale(zero=zero)
            if words.is_share(name):
                parts["axis"] = alt.Axis(format="%")
            elif pd.api.types.is_integer_dtype(self.frame[name]):
                parts["axis"] = alt.Axis(tickMinStep=1)  # things that are counted have no halves
        if channel in self.domains:
            kind: Any = "log" if channel in self.log else "linear"
            parts["scale"] = alt.Scale(type=kind, domain=list(self.domains[channel]), clamp=True)
        make = {"x": alt.X, "y": alt.Y}[channel]
        return make(f"{field or name}:Q", **(parts | over))

    def points_by_group(self) -> list[tuple[Any, float, float]]:
        """Group (empty where there are none), x and y of each row that has a y."""
        x, y = (self.frame[name].tolist() for name in (self.x, self.y))
        by = self.frame[self.by].tolist() if self.by else [""] * len(y)
        return [row for row in zip(by, x, y, strict=True) if not pd.isna(row[2])]

    def kinds(self) -> list[Any]:
        """Groups in the order of the table."""
        return list(dict.fromkeys(self.frame[self.by])) if self.by else []

    def paint(self, legend: bool = True) -> alt.Color:
        """Colour of a group; groups that are numbers get light to dark."""
        kinds = self.kinds()
        title = None
        scale: dict[str, Any] = {"domain": kinds}
        if self.by and pd.api.types.is_numeric_dtype(self.frame[self.by]):
            kinds = sorted(kinds)
            scale = {"domain": kinds, "range": ramp(len(kinds))}
            title = words.axis_title(self.by)
        if self.colors:
            spare = itertools.cycle(
                [c for c in CATEGORIES if c not in self.colors.values()] or CATEGORIES
            )
            own = [self.colors.get(str(k)) for k in kinds]
            scale["range"] = [colour or next(spare) for colour in own]
        letters = sum(len(str(k)) + 4 for k in kinds)
        wide = 0 if letters < TITLE_WIDTH else 2 if letters < 2 * TITLE_WIDTH else 1
        # its symbols would take the opacity of the first layer, which may be a faint band
        named = alt.Legend(title=title, orient="top", columns=wide, symbolOpacity=1)
        key = named if legend else None
        return alt.Color(f"{self.by}:N", sort=kinds, scale=alt.Scale(**scale), legend=key)

    def ends_meet(self) -> bool:
        """Whether lines end so close together, or bear such long names, that a legend is needed."""
        if any(len(str(k)) > END_LETTERS for k in self.kinds()):
            return True
        points = self.points_by_group()
        last: dict[Any, tuple[float, float]] = {}
        for name, x, y in points:
            if name not in last or x > last[name][0]:
                last[name] = x, y
        if len(last) < 2:
            return False
        at = np.sort([y for _, y in last.values()])
        every = np.array([y for _, _, y in points])
        if "y" in self.log:
            at, every = np.log(at), np.log(every[every > 0])
        span = float(every.max() - every.min()) or 1.0
        return float(np.diff(at).min()) < ENDS_APART * span
