"""Questions of lesson 10: how fast do prices fall, and will they go on?"""

from __future__ import annotations

import math

from econ.lessons.l10_trends.prices import direction_frame
from econ.lessons.question import Inputs, Wrong, question
from econ.trends.rates import annual_factor, spend_ratio, years_between

FIRST_USD, LAST_USD = 20.0, 0.07  # of a million tokens, as the headline's study has them
MONTHS = 12


def _years() -> float:
    return years_between("2022-11", "2024-10")


question(
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
              f"dates are {MONTHS * _years():.0f} months apart.", "eighteen-months"),
    ],
    because="That is one study's pair of models; the chart holds 21 answers to the same "
    "question.",
    truth=lambda q: float(annual_factor(FIRST_USD / LAST_USD, _years())),
)  # fmt: skip


def _rises(q: Inputs) -> float:
    frame = direction_frame().query("year == '2026' and direction == 'rises'")
    return float(100 * frame["share"].iloc[0])


question(
    "10-rises",
    "Of all changes of a model's list price by the same seller in 2026 that two lists confirm, how "
    "many **percent** were rises?",
    unit="percent",
    slider=(0, 100),
    limits=(0, 100),
    tolerance_frac=0.2,
    wrong=[Wrong((0, 20), "That prices only fall is true of a level of quality. The price of one "
                 "model from one seller also rises.", "prices-only-fall")],
    because="Cheaper models come; the price of the one that you use may go up.",
    truth=_rises,
)  # fmt: skip


question(
    "10-true",
    "Which of these three sentences is **true**?",
    options={
        "one": "The 280-fold fall is what happened to the price of one model.",
        "median": "The median price of a seller's catalogue is an index of prices.",
        "quality": "A price index has to hold the quality of the answers constant.",
    },
    wrong=[
        Wrong("one", "It compares two models, the cheapest one as good on one benchmark at each "
              "date. No single model's price fell like that.", "fall-is-one-model"),
        Wrong("median", "New entries have other qualities, so the median moves when nobody has "
              "changed a price.", "catalogue-median"),
    ],
    because="Otherwise new models, not new prices, move it.",
    truth=lambda q: "quality",
)  # fmt: skip


OLD, NEW = (30.0, 60.0), (0.15, 0.60)  # USD per Mtok in and out: GPT-4, GPT-4o mini


def _blend(prices: tuple[float, float], parts: float) -> float:
    return (parts * prices[0] + prices[1]) / (parts + 1)


question(
    "10-1",
    "From GPT-4 (30 and 60 USD for input and output) to GPT-4o mini (0.15 and 0.60), input became "
    "200 times cheaper. How many **times** cheaper did a mix of **{parts} parts** input "
    "to one part output become?",
    unit="times",
    inputs={"parts": (3, 10, 2)},
    wrong=[
        Wrong(OLD[0] / NEW[0], "That is input alone."),
        Wrong(OLD[1] / NEW[1], "That is output alone."),
        Wrong((OLD[0] / NEW[0] + OLD[1] / NEW[1]) / 2, "That is the mean of the two factors. "
              "Blend each model's prices first, then divide."),
        Wrong(lambda q: (q.parts * OLD[0] / NEW[0] + OLD[1] / NEW[1]) / (q.parts + 1), "That "
              "averages the two factors. Blend each model's prices first, then divide."),
    ],
    hints=("What does the mix cost with each of the two models?",
           "(n · 30 + 60) ÷ (n · 0.15 + 0.60)."),
    work=lambda q: f"With {q.parts} parts: ({q.parts} × 30 + 60) ÷ ({q.parts} × 0.15 + 0.60) = "
    f"{_blend(OLD, q.parts) / _blend(NEW, q.parts):.0f} times.",
    truth=lambda q: _blend(OLD, q.parts) / _blend(NEW, q.parts),
)  # fmt: skip


PRICE_RATIO = 0.1


question(
    "10-2",
    "The price falls to a tenth, and the elasticity is **{elasticity}**. How many **times** as "
    "large does the bill become?",
    unit="times",
    inputs={"elasticity": (-1.4, -1.2, -1.6)},
    wrong=[
        Wrong(PRICE_RATIO, "That is the price. Cheaper tokens are bought in larger numbers.",
              "cheaper-so-less"),
        Wrong(lambda q: PRICE_RATIO**q.elasticity, "That is the volume. The bill is volume times "
              "price."),
        Wrong(lambda q: PRICE_RATIO * -q.elasticity, "That multiplies price and elasticity. The "
              "volume is the price ratio to the power of the elasticity."),
        Wrong(lambda q: PRICE_RATIO * (1 + q.elasticity * (PRICE_RATIO - 1)), "That takes percent "
              "for percent in one step. Over a fall to a tenth, the changes compound: take a "
              "power."),
    ],
    hints=("By which factor does the volume grow, and by which does the price fall?",
           "Price ratio to the power of one plus the elasticity."),
    work=lambda q: f"0.1 ^ (1 − {-q.elasticity:.1f}) = "
    f"{spend_ratio(PRICE_RATIO, q.elasticity):.2f} times.",
    truth=lambda q: float(spend_ratio(PRICE_RATIO, q.elasticity)),
)  # fmt: skip


question(
    "10-3",
    "A price fell from 20 to 0.07 USD in 23 months. Somebody computes by which factor it fell per "
    "year. Which line is **wrong**?",
    options={
        "a": "first, last = 20.0, 0.07",
        "b": "years = 23 / 12",
        "c": "whole = first / last",
        "d": "per_year = whole / years",
    },
    code=True,
    wrong=[
        Wrong("a", "Both prices are in USD per million tokens, so their ratio is the fall."),
        Wrong("b", "23 months are 23/12 of a year."),
        Wrong("c", "Dear over cheap is how many times cheaper it became."),
    ],
    hints=("Do two years of a fall by ten make a fall by twenty?",
           "The factor per year, multiplied by itself year after year, gives the whole factor."),
    twin="A stock doubles in two years. A yearly factor of 2 / 2 = 1 would mean that it stood "
    "still; 2 ** (1 / 2) = 1.41 is right, as 1.41 × 1.41 = 2.",
    truth=lambda q: "d",
)  # fmt: skip
