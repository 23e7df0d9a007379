"""The numbers that a chart draws, as a table to open beneath it.

A picture keeps its numbers from many readers; here they come back out of the chart itself, so
that no chart can be without them.

>>> import pandas as pd
>>> from econ.charts.grammar import figure
>>> frame = pd.DataFrame({"chip": ["A", "B"], "power_w": [700.0, 1000.0], "note": ["x", "y"]})
>>> chart = figure(frame, "power_w", "chip", label="note", kind="bar", finding="B draws more")
>>> table_of(chart)
chip power_w note
   A     700    x
   B   1,000    y
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import altair as alt
import pandas as pd

from econ.charts.tables import Table, safe, three

MOST_ROWS = 1000  # a longer table is cut, and says so
PARTS = ("layer", "hconcat", "vconcat", "concat", "spec")


class Folded:
    """Tables behind a line that opens them; their text is all of them."""

    def __init__(self, summary: str, tables: list[Table]):
        self.summary, self.tables = summary, tables

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self.tables))

    def _repr_html_(self) -> str:
        inner = "\n".join(t._repr_html_() for t in self.tables)
        # reached and scrolled by keyboard where it is longer than the box
        box = f'<div tabindex="0" style="max-height:24em;overflow:auto">{inner}</div>'
        return f"<details><summary>{safe(self.summary)}</summary>{box}</details>"


def table_of(chart: alt.TopLevelMixin, **formats: str | Callable) -> Folded:
    """The numbers a chart draws, each of its tables once, with the columns that it shows.

    Numbers are written to three digits unless ``formats`` says otherwise, by column.
    """
    words = drawn_words(chart.to_dict(validate=False))
    tables, n_rows = [], 0
    for frame in _own_tables(list(_frames(chart))):
        shown = frame[[c for c in frame if is_drawn(c, words)]]
        numbers = {c: three for c in shown if pd.api.types.is_numeric_dtype(shown[c])}
        chosen = {c: f for c, f in {**numbers, **formats}.items() if c in shown}
        tables.append(Table(shown.head(MOST_ROWS), **chosen))
        n_rows += len(shown)
    cut = f", the first {MOST_ROWS:,} of each table" if n_rows > MOST_ROWS * len(tables) else ""
    return Folded(f"The chart's numbers ({n_rows:,} rows{cut})", tables)


def drawn_words(spec: dict) -> str:
    """All that a specification says apart from its data: fields and formulas stand in it."""
    return json.dumps({k: v for k, v in spec.items() if k not in ("datasets", "data", "config")})


def is_drawn(column: str, words: str) -> bool:
    """Whether a specification's words name a column.

    >>> is_drawn("usd", '{"field": "usd"}'), is_drawn("us", '{"field": "usd"}')
    (True, False)
    """
    return re.search(rf"(?<!\w){re.escape(str(column))}(?!\w)", words) is not None


def _frames(chart: object) -> Iterator[pd.DataFrame]:
    frame = getattr(chart, "data", None)
    if isinstance(frame, pd.DataFrame):
        yield frame
    for part in PARTS:
        inner = getattr(chart, part, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, alt.TopLevelMixin | alt.SchemaBase):
                yield from _frames(one)


def _own_tables(frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Without those that repeat another, or a piece of it for a line or a label."""
    own: list[pd.DataFrame] = []
    for frame in sorted(frames, key=len, reverse=True):
        again = any(
            set(frame.columns) <= set(o.columns)
            and frame.reset_index(drop=True).equals(o[list(frame.columns)].head(len(frame)))
            for o in own
        )
        if not again:
            own.append(frame)
    return own
