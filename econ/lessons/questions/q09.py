"""Questions of lesson 09: where should the next dollar go?"""

from __future__ import annotations

from econ.lessons.l09_scaling import swe_frame
from econ.lessons.question import Inputs, Wrong, question


@question(
    "09-coverage",
    "A model solves 15.9 % of a set of programming tasks at its first attempt. It now gets 250 "
    "attempts at each task, and a task counts as solved if one attempt passes the tests. Which "
    "share of the tasks does it solve, in **percent**?",
    unit="percent",
    slider=(0, 100),
    limits=(0, 100),
    tolerance_frac=0.15,
    wrong=[Wrong((90, 100), "So it would be if attempts were independent and all tasks equally "
                 "hard. Some tasks are solved at every attempt, and others at none.",
                 "samples-independent")],
    because="The tasks differ, and more attempts help only at those that are sometimes solved.",
)  # fmt: skip
def _coverage(q: Inputs) -> float:
    return float(swe_frame()["percent"].iloc[1])
