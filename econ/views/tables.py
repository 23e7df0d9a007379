"""Tables and tokens to look at: the same numbers as HTML for the eye and as text for the rest."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pandas as pd

from econ.views.theme import INK

ITEM = re.compile(r"\d+\. ")  # a numbered point begins a line of its own
TINTS = ["#cfe8fc", "#fde7c2", "#cdeee2", "#f9d8c6", "#e7dcf5"]


class Table:
    """A frame without its index, numbers formatted by column.

    >>> Table(pd.DataFrame({"part": ["a"], "usd": [1234.5]}), usd="${:,.2f}")
    part       usd
       a $1,234.50
    """

    def __init__(self, frame: pd.DataFrame, **formats: str | Callable):
        text = frame.copy()
        for column, form in formats.items():
            show = form if callable(form) else form.format
            text[column] = ["" if pd.isna(v) else show(v) for v in frame[column]]
        self.text = text.fillna("")

    def __repr__(self) -> str:
        return self.text.to_string(index=False)

    def _repr_html_(self) -> str:
        return self.text.to_html(index=False, border=0, justify="left")


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
            shown = html.escape(piece).replace("\n", "↵\n")
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
        self.text = joined.strip().replace("$", "\\$")  # a dollar is money, not mathematics

    def __repr__(self) -> str:
        return self.text.replace("\\$", "$")

    def _repr_markdown_(self) -> str:
        return self.text
