"""Questions of lesson 16: which claims hold?"""

from __future__ import annotations

from econ.ledger import claims_frame
from econ.lessons.question import Inputs, Wrong, question


@question(
    "16-wrong",
    "There are seventeen claims in this lab, from vendors, papers, forums and course pages. Some "
    "fail on their own terms: if you combine their own figures, you get another number. How "
    "**many** of the seventeen fail?",
    unit="claims",
    slider=(0, 17),
    limits=(0, 17),
    tolerance_frac=0.15,
    wrong=[Wrong((0, 4), "A printed number looks as if somebody had checked it. Most of these fail "
                 "by arithmetic alone.")],
    because="Most need no model of a server: you check what is divided by what.",
)  # fmt: skip
def _failing(q: Inputs) -> float:
    return float((claims_frame()["verdict"] == "wrong").sum())
