"""A published claim as a card: the claim, the learner's verdict, and ours behind a fold."""

from __future__ import annotations

import html
from typing import Any

import pandas as pd

from econ.catalog import cite, table
from econ.charts.tables import Table, safe, three
from econ.ledger.claims import WORDS, Claim, claim
from econ.lessons import memory

MEANS = {
    "right": "right: the figure can be recomputed and answers the question",
    "wrong": "wrong: its own figures give another number",
    "other": "right at most as the answer to another question",
}


class Card:
    """One claim: its words and source, a verdict, and the investigation to open.

    >>> print(verdict("gb200-30x", "other"))
    A GB200 system has 30 times the throughput of an H200 system.
    You: other. Ours: other.
    """

    def __init__(self, case: Claim, word: str | None, note: str):
        self.case, self.word, self.note = case, word, note

    @property
    def ours(self) -> str:
        """Our finding in words."""
        c = self.case
        again = f"{three(c.recomputed)} {c.unit}" if c.recomputed == c.recomputed else (
            "cannot be recomputed: no inputs are published"
        )  # fmt: skip
        return (
            f"Ours: {MEANS[c.verdict]}. Claimed {three(c.claimed)} {c.unit}; by its own terms "
            f"{again}. {c.question} {three(c.asked)} {c.asked_unit}. "
            f"The claim would serve if {c.would_hold_if}."
        )

    def __str__(self) -> str:
        if self.word is None:
            return f"{self.case.text}.\n{self.note}"
        return f"{self.case.text}.\nYou: {self.word}. Ours: {self.case.verdict}."

    def __repr__(self) -> str:
        return f"{self.case.text}.\n{self.note}\n{self._steps()!r}\n{self.ours}"

    def _steps(self) -> Table:
        return Table(self.case.steps_frame(), value=three)

    def _repr_html_(self) -> str:
        source = cite(self.case.source)
        link = f'<a href="{html.escape(source.url)}">{safe(source.text)}</a>'
        return (
            f"<p><strong>{safe(self.case.text)}.</strong> {link}</p><p>{safe(self.note)}</p>"
            f"<details><summary>Our investigation</summary>{self._steps()._repr_html_()}"
            f"<p>{safe(self.ours)}</p></details>"
        )


def verdict(id: str, word: Any) -> Card:
    """A claim's card with a verdict: ``right``, ``wrong`` or ``other``; ``...`` for none yet.

    The verdict is kept for `score_frame`. An unknown word is refused on the card; it never raises
    for one. An unknown claim raises `UnknownName`.
    """
    case = claim(id)
    if word is ... or word is None:
        return Card(case, None, "No verdict yet: right, wrong or other?")
    said = str(word).strip().casefold()
    if said not in WORDS:
        return Card(case, None, f"{word!r} is no verdict; choose right, wrong or other.")
    memory.remember("verdicts", id, {"word": said})
    agree = "We agree." if said == case.verdict else "We see it otherwise."
    return Card(case, said, f"Your verdict: {said}. {agree}")


def score_frame() -> pd.DataFrame:
    """The learner's verdicts beside ours: title, yours, ours."""
    kept, known = memory.recall().get("verdicts", {}), table("claims").index
    rows = [
        (claim(id).title, v["word"], claim(id).verdict)
        for id, v in kept.items()
        if id in known and isinstance(v, dict) and v.get("word") in WORDS
    ]
    return pd.DataFrame(rows, columns=["claim", "yours", "ours"])
