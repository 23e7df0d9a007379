"""Questions of lesson 11: what does an owned hour cost?"""

from __future__ import annotations

from econ.lessons.l11_tco import h200
from econ.lessons.question import Inputs, Wrong, question

USED_FRAC = 0.3


@question(
    "11-useful-hour",
    "An H200 costs a large owner USD 1.59 for *every* hour of the year. It does useful work in "
    "30 % of them. What does a **useful** hour cost, in **USD**?",
    unit="USD per useful GPU-hour",
    slider=(0.1, 100),
    tolerance_frac=0.1,
    wrong=[
        Wrong((0, 2), "The owner pays for the idle hours too. The useful ones have to earn the "
              "whole year.", "hour-is-the-cost"),
        Wrong((2.2, 3.2), "That adds the idle share once. Divide by the share in use: three useful "
              "hours in ten pay for all ten."),
    ],
    because="Utilisation divides everything that the owner pays.",
)  # fmt: skip
def _useful_hour(q: Inputs) -> float:
    return float(h200().cost_usd_per_gpu_hour / USED_FRAC)
