"""Published claims, investigated: what the claim's own figures give, and what a buyer would ask.

Each row of ``data/claims.csv`` names an investigation (`econ.lessons.claim_cases`,
`claim_sums`) and its inputs.
It returns two numbers: ``recomputed`` answers the claim on its own terms; ``asked`` answers the
question beside it. From them follows a verdict:

* ``wrong``: the recomputation differs from the claim by more than the source rounded away (or the
  claim lies above a physical ceiling);
* ``right``: it agrees, and so does the answer to the question;
* ``other``: it agrees, or cannot be repeated, but answers another question than the buyer's.

>>> case = claim("h100-110")
>>> case.verdict, round(case.recomputed, 1), case.asked
('wrong', 24.3, 5.0)
>>> claim("gb200-30x").verdict
'other'
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass

import pandas as pd

from econ.catalog import table
from econ.catalog.guard import unknown
from econ.lessons.claim_cases import Step
from econ.lessons.claim_sums import INVESTIGATE

VERDICTS = ("right", "wrong", "other")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim with our recomputation; ``asked`` answers ``question``, in ``asked_unit``."""

    id: str
    title: str
    text: str
    claimed: float
    unit: str
    question: str
    asks: str
    would_hold_if: str
    source: str
    recomputed: float
    asked: float
    asked_unit: str
    verdict: str
    steps: tuple[Step, ...]

    def steps_frame(self) -> pd.DataFrame:
        """The investigation, line by line."""
        return pd.DataFrame(self.steps, columns=["step", "value", "unit"])


@functools.cache
def claim(id: str) -> Claim:
    """One claim, investigated; an unknown id is refused with the nearest."""
    rows = table("claims")
    if id not in rows.index:
        raise unknown("claim", id, rows.index)
    row = rows.loc[id]
    recomputed, asked, steps = INVESTIGATE[row.compute](row.claimed, **json.loads(row.inputs))
    return Claim(
        id=id,
        title=row.title,
        text=row.claim,
        claimed=row.claimed,
        unit=row.unit,
        question=row.question,
        asks=row.asks,
        would_hold_if=row.would_hold_if,
        source=row.source,
        recomputed=recomputed,
        asked=asked,
        asked_unit=row.asked_unit,
        verdict=_verdict(row, recomputed, asked),
        steps=tuple(steps),
    )


def _verdict(row: pd.Series, recomputed: float, asked: float) -> str:
    if row.upper_bound:
        return "right" if row.claimed <= recomputed else "wrong"

    def agrees(value: float) -> bool:
        return math.isclose(value, row.claimed, rel_tol=row.tolerance_frac)

    if math.isfinite(recomputed) and not agrees(recomputed):
        return "wrong"
    return "right" if row.asked_unit == row.unit and agrees(asked) else "other"


def claims_frame() -> pd.DataFrame:
    """All claims: title, claimed, recomputed and asked with their units, verdict, test."""
    kept = [
        "id",
        "title",
        "claimed",
        "recomputed",
        "unit",
        "asked",
        "asked_unit",
        "verdict",
        "asks",
    ]
    cases = [claim(id) for id in table("claims").index]
    return pd.DataFrame([{name: getattr(case, name) for name in kept} for case in cases])
