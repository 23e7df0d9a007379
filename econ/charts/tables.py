"""Tables and tokens to look at, and the numbers that a chart draws, as a table to open beneath it.

Everything is HTML for the eye and text for the rest. A picture keeps its numbers from many readers;
`table_of` gets them back out of the chart itself, so that no chart can be without them.

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

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import altair as alt
import pandas as pd

from econ.catalog.sources import cite
from econ.catalog.tables import table
from econ.catalog.units import short
from econ.charts.theme import INK

MOST_ROWS = 1000  # a longer table is cut, and says so
PARTS = ("layer", "hconcat", "vconcat", "concat", "spec")
DOLLAR = "<span>&#36;</span>"  # no bare sign for the formula finder, no text beside it
ITEM = re.compile(r"\d+\. ")  # a numbered point begins a line of its own
TINTS = ["#cfe8fc", "#fde7c2", "#cdeee2", "#f9d8c6", "#e7dcf5"]


class Table:
    """A frame without its index; numbers to the right, formatted by column or to three digits.

    >>> Table(pd.DataFrame({"part": ["a", "b"], "usd": [1234.5, 2e-5]}), usd=three)
    part     usd
       a   1,234
       b 0.00002
    """

    def __init__(self, frame: pd.DataFrame, **formats: str | Callable[[Any], str]):
        text = frame.copy()
        for column, form in formats.items():
            show = form if callable(form) else form.format
            text[column] = ["" if pd.isna(v) else show(v) for v in frame[column]]
        self.text = text.astype(str).where(text.notna(), "")
        self._right = {c for c in frame if pd.api.types.is_numeric_dtype(frame[c])}

    def __repr__(self) -> str:
        return str(self.text.to_string(index=False))

    def _cell(self, column: str, value: str) -> str:
        """A value as HTML."""
        return safe(value)

    def _repr_html_(self) -> str:
        def row(values: Iterable[str], tag: str) -> str:
            side = ["right" if c in self._right else "left" for c in self.text]
            cells = [
                f'<{tag} style="text-align:{s}">{self._cell(c, v)}</{tag}>'
                for c, v, s in zip(self.text, values, side, strict=True)
            ]
            return f"<tr>{''.join(cells)}</tr>"

        body = "\n".join(row(values, "td") for values in self.text.to_numpy())
        return f"<table><thead>{row(self.text, 'th')}</thead>\n<tbody>{body}</tbody></table>"


class Linked(Table):
    """A table whose sources are links: from a figure to its publication in one click.

    Columns named ``source`` or ending in ``_source`` hold keys of ``data/sources.csv``; pointing at
    one shows the citation, its licence and the day on which it was read; a missing licence is said.
    """

    def _cell(self, column: str, value: str) -> str:
        if column != "source" and not column.endswith("_source"):
            return safe(value)
        if value not in table("sources").index or not (one := cite(value)).url:
            return safe(value)
        title = html.escape(f"{one.text} (read {one.accessed}; licence: {one.licence})")
        unstated = " (licence not stated)" if "not stated" in one.licence else ""
        return f'<a href="{html.escape(one.url)}" title="{title}">{safe(value)}</a>{unstated}'


def evidence(summary: str, *frames: pd.DataFrame) -> Folded:
    """The rows behind a sentence, folded: each with its source, as a link, and its date."""
    return Folded(summary, [Linked(rows) for rows in frames])


def three(value: float) -> str:
    """A number to three digits, in powers of ten only where there is no word for it.

    >>> three(1165.3), three(0.00000482), three(2.0)
    ('1,165', '0.00000482', '2')
    """
    text: str = short(value)
    return text


def safe(text: str) -> str:
    """HTML of a text; a dollar in a tag of its own is money, not the start of a formula."""
    return html.escape(text).replace("$", DOLLAR)


class Pieces:
    """A text cut into tokens, each on its own tint.

    >>> Pieces(["Tok", "ens", " cost"])
    Tok|ens| cost
    """

    def __init__(self, pieces: list[str]):
        self.pieces = pieces

    def __repr__(self) -> str:
        return "|".join(self.pieces)

    def _repr_html_(self) -> str:
        spans = []
        for i, piece in enumerate(self.pieces):
            look = f"background:{TINTS[i % len(TINTS)]};color:{INK};border-radius:3px;padding:1px 0"
            text = safe(piece).replace("\n", "↵\n")
            spans.append(f'<span style="{look}">{text}</span>')
        words = html.escape(f"{len(self.pieces)} tokens")
        return (
            f'<p style="font-family:monospace;line-height:2;white-space:pre-wrap">{"".join(spans)}'
            f" <em>({words})</em></p>"
        )


class Say:
    """A sentence with computed numbers in it, as Markdown; its text is what the test run compares.

    >>> Say(f"Two and two are **{2 + 2}**.")
    Two and two are **4**.
    """

    def __init__(self, text: str):
        lines = [line.strip() for line in text.strip().splitlines()]
        joined = "".join(f"\n{t}" if ITEM.match(t) else f" {t}" for t in lines)
        self.text = joined.strip()

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text.replace("$", DOLLAR)


# -- the numbers of a chart
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


def table_of(chart: alt.TopLevelMixin, **formats: str | Callable[[Any], str]) -> Folded:
    """The numbers a chart draws, each of its tables once, with the columns that it shows.

    Numbers are written to three digits unless ``formats`` says otherwise, by column.
    """
    words = drawn_words(chart.to_dict(validate=False))
    tables, n_rows = [], 0
    for frame in _own_tables(list(_frames(chart))):
        drawn = frame[[c for c in frame if is_drawn(c, words)]]
        numbers = {c: three for c in drawn if pd.api.types.is_numeric_dtype(drawn[c])}
        chosen = {c: f for c, f in {**numbers, **formats}.items() if c in drawn}
        tables.append(Table(drawn.head(MOST_ROWS), **chosen))
        n_rows += len(drawn)
    cut = f", the first {MOST_ROWS:,} of each table" if n_rows > MOST_ROWS * len(tables) else ""
    return Folded(f"The chart's numbers ({n_rows:,} rows{cut})", tables)


def drawn_words(spec: dict[str, Any]) -> str:
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
