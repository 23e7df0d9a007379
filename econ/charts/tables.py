"""Tables and tokens to look at: the same numbers as HTML for the eye and as text for the rest."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable

import pandas as pd

from econ.catalog.units import short
from econ.charts.theme import INK

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

    def __init__(self, frame: pd.DataFrame, **formats: str | Callable):
        text = frame.copy()
        for column, form in formats.items():
            show = form if callable(form) else form.format
            text[column] = ["" if pd.isna(v) else show(v) for v in frame[column]]
        self.text = text.fillna("").astype(str)
        self._right = {c for c in frame if pd.api.types.is_numeric_dtype(frame[c])}

    def __repr__(self) -> str:
        return self.text.to_string(index=False)

    def _repr_html_(self) -> str:
        def row(values: Iterable[str], tag: str) -> str:
            side = ["right" if c in self._right else "left" for c in self.text]
            cells = [
                f'<{tag} style="text-align:{s}">{safe(v)}</{tag}>'
                for v, s in zip(values, side, strict=True)
            ]
            return f"<tr>{''.join(cells)}</tr>"

        body = "\n".join(row(values, "td") for values in self.text.to_numpy())
        return f"<table><thead>{row(self.text, 'th')}</thead>\n<tbody>{body}</tbody></table>"


def three(value: float) -> str:
    """A number to three digits, in powers of ten only where there is no word for it.

    >>> three(1165.3), three(0.00000482), three(2.0)
    ('1,165', '0.00000482', '2')
    """
    return short(value)


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
            shown = safe(piece).replace("\n", "↵\n")
            spans.append(f'<span style="{look}">{shown}</span>')
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
