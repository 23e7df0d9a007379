"""Questions of lesson 10: how fast do prices fall, and will they go on?"""

from __future__ import annotations

import math

from econ.lessons.l10_trends import direction_frame
from econ.lessons.question import Inputs, Wrong, question
from econ.trends.rates import annual_factor, years_between

FIRST_USD, LAST_USD = 20.0, 0.07  # of a million tokens, as the headline's study has them


def _years() -> float:
    return years_between("2022-11", "2024-10")


@question(
    "10-fall",
    "Answers as good as GPT-3.5's became 280 times cheaper from November 2022 to October 2024. By "
    "which **factor per year** did the cheapest price fall?",
    unit="times per year",
    slider=(1, 1000),
    tolerance_frac=0.15,
    wrong=[
        Wrong((200, math.inf), "That is the whole fall. It took almost two years, and a yearly "
              "factor is the whole one to the power of one over the years."),
        Wrong((120, 160), "That halves the factor. Factors multiply, so two years take the square "
              "root."),
        Wrong((35, 60), lambda q: "So it would be in the 18 months that the press gave. The two "
              f"dates are {12 * _years():.0f} months apart.", "eighteen-months"),
    ],
    because="And that is one study's pair of models; the chart holds 21 answers to the same "
    "question.",
)  # fmt: skip
def _fall_per_year(q: Inputs) -> float:
    return float(annual_factor(FIRST_USD / LAST_USD, _years()))


@question(
    "10-rises",
    "Of all changes of a model's list price by the same seller in 2026, how many **percent** were "
    "rises?",
    unit="percent",
    slider=(0, 100),
    limits=(0, 100),
    tolerance_frac=0.2,
    wrong=[Wrong((0, 20), "That prices only fall is true of a level of quality. The price of one "
                 "model from one seller also rises.", "prices-only-fall")],
    because="Cheaper models come; the price of the one that you use may go up.",
)  # fmt: skip
def _rises(q: Inputs) -> float:
    frame = direction_frame().query("year == '2026' and direction == 'rises'")
    return float(100 * frame["share"].iloc[0])
