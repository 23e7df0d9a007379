"""Questions of lesson 11: what does an owned hour cost?"""

from __future__ import annotations

import functools

from econ import tco
from econ.catalog.units import MONTHS_PER_YEAR
from econ.lessons.l11_stack import interpolation_frame
from econ.lessons.l11_tco import h200
from econ.lessons.question import Wrong, question

USED_FRAC = 0.3


question(
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
    truth=lambda q: float(h200().cost_usd_per_gpu_hour / USED_FRAC),
)  # fmt: skip


@functools.cache
def _misses() -> tuple[float, float]:
    """Error at the ninetieth percentile: the cost itself interpolated, and from throughput."""
    rows = interpolation_frame()["p90_frac"]
    return float(rows.iloc[0]), float(rows.iloc[1])


question(
    "11-true",
    "Which of these three sentences is **true**?",
    options={
        "between": "The cost per million tokens between two published points can be read off a "
                   "line between them.",
        "revenue": "A server's revenue per year follows from its price list and its peak "
                   "throughput.",
        "point": "A cost per million tokens means nothing without its operating point.",
    },
    wrong=[
        Wrong("between", lambda q: "Left out and read off its neighbours, one measured cost in ten "
              f"is missed by more than {_misses()[0]:.0%}; computed from an interpolated "
              f"throughput, by {_misses()[1]:.0%}.", "interpolate-cost"),
        Wrong("revenue", "That is revenue with the server full at every hour, at list price. "
              "Without its utilisation the claim says nothing.", "revenue-without-use"),
    ],
    because="Batch, lengths and SLO move one machine's cost by two orders of magnitude.",
    truth=lambda q: "point",
)  # fmt: skip


SERVER_USD, RATE = 300_000, 0.08


def _annuity(years: int) -> float:
    return float(tco.annuity_usd_per_month(SERVER_USD, RATE, years))


def _months(years: int) -> float:
    return years * MONTHS_PER_YEAR


question(
    "11-1",
    "A server costs USD 300,000. At 8 % a year over **{years}** years and without resale, what is "
    "the annuity in **USD per month**?",
    unit="USD per month",
    inputs={"years": (4, 5, 6)},
    tolerance_frac=0.002,
    wrong=[
        Wrong(lambda q: SERVER_USD / _months(q.years), "That is a straight line. It pays the price "
              "back and no interest.", "straight-line"),
        Wrong(lambda q: SERVER_USD / _months(q.years) + SERVER_USD * RATE / MONTHS_PER_YEAR,
              "That pays interest on the whole price to the end. The debt shrinks every month."),
        Wrong(lambda q: SERVER_USD * RATE / (1 - (1 + RATE) ** -q.years) / MONTHS_PER_YEAR,
              "That is a yearly payment over twelve. Paid monthly, the debt shrinks sooner and "
              "costs less."),
        Wrong(lambda q: SERVER_USD * RATE / (1 - (1 + RATE) ** -_months(q.years)), "That takes 8 % "
              "a month. The monthly rate is a twelfth of it."),
        Wrong(SERVER_USD * RATE / MONTHS_PER_YEAR, "That is the interest of the first month. The "
              "price has to be paid back as well."),
    ],
    hints=("What are the monthly rate and the number of months?",
           "C · i ÷ (1 − (1 + i)⁻ⁿ), with i = 8 % ÷ 12 and n the months."),
    work=lambda q: f"Over {q.years} years, i = 0.00667 and n = {_months(q.years):.0f}: "
    f"{_annuity(q.years):,.0f} USD per month.",
    truth=lambda q: _annuity(q.years),
)  # fmt: skip


OWNED_USD, TOKENS_PER_S = 1.59, 800


question(
    "11-2",
    "An owned hour costs USD 1.59; **{used:.0%}** of the hours are useful, at 800 tokens/s per "
    "GPU. How many **USD per million tokens** is that?",
    unit="USD per million tokens",
    inputs={"used": (0.4, 0.3, 0.6)},
    wrong=[
        Wrong(tco.cost_usd_per_mtok(OWNED_USD, TOKENS_PER_S), "That is at full use. The idle hours "
              "are paid too.", "hour-is-the-cost"),
        Wrong(lambda q: q.used * tco.cost_usd_per_mtok(OWNED_USD, TOKENS_PER_S), "You "
              "multiplied by the useful share. Fewer useful hours make a token dearer."),
        Wrong(lambda q: tco.cost_usd_per_mtok(OWNED_USD, TOKENS_PER_S) / (1 - q.used), "You "
              "divided by the idle share. Divide by the useful one."),
        Wrong(lambda q: (2 - q.used) * tco.cost_usd_per_mtok(OWNED_USD, TOKENS_PER_S), "You added "
              "the idle share once. Divide by the useful share."),
    ],
    hints=("What does a useful hour cost?",
           "USD per hour ÷ useful share ÷ 3,600 ÷ tokens per second × a million."),
    work=lambda q: f"1.59 ÷ {q.used} = {OWNED_USD / q.used:.3f} USD per useful hour; ÷ 2.88 "
    f"million tokens an hour = {tco.cost_usd_per_mtok(OWNED_USD, TOKENS_PER_S, q.used):.3f} USD "
    "per million.",
    truth=lambda q: float(tco.cost_usd_per_mtok(OWNED_USD, TOKENS_PER_S, q.used)),
)  # fmt: skip


def _margin(markup_percent: float) -> float:
    revenue = 1 + markup_percent / 100
    tiers = (tco.Tier("all", 0, revenue),)
    return float(tco.Statement(tiers=tiers, cost_usd=1.0, gpu_hours=1, days=1).margin_frac)


question(
    "11-3",
    "A seller reports a profit of **{markup} %** of cost. Which **share** of revenue is that?",
    unit="share",
    inputs={"markup": (300, 150, 545)},
    wrong=[
        Wrong(lambda q: q.markup / 100, "That is the markup on cost. A margin is a share of "
              "revenue, and cannot exceed one.", "markup-is-margin"),
        Wrong(lambda q: 1 / (1 + q.markup / 100), "That is the share of the cost. The profit is "
              "the rest."),
        Wrong(lambda q: 100 / q.markup, "That turns the ratio round: cost over profit. Which share "
              "of revenue is the profit?"),
        Wrong(lambda q: (q.markup / 100 - 1) / (q.markup / 100), "That takes the profit for the "
              "revenue. Revenue is cost plus profit."),
    ],
    hints=("If the cost is 1, what are the profit and the revenue?",
           "Markup ÷ (1 + markup)."),
    work=lambda q: f"Cost 1, profit {q.markup / 100:.2f}, revenue {1 + q.markup / 100:.2f}: "
    f"{_margin(q.markup):.1%}.",
    truth=lambda q: _margin(q.markup),
)  # fmt: skip


OWNER_USD = 1.60


question(
    "11-4",
    "Your service will use **{used:.0%}** of the hours of the servers it needs. An owner's hour "
    "costs USD 1.60, used or not; a rented one 3.85, only while used. Decide, and justify it in a "
    "sentence or two.",
    inputs={"used": (0.3, 0.25, 0.35)},
    options={"own": "Buy the servers", "rent": "Rent by the hour"},
    rubric=(
        "compares the useful share with the share at which the two cost the same",
        "says at which use the decision would turn",
        "names one thing that the two prices leave out, such as staff, notice or growth",
    ),
    wrong=[Wrong("own", lambda q: f"At {q.used:.0%} a useful owned hour costs "
                 f"${OWNER_USD / q.used:.2f}: more than the rent.", "hour-is-the-cost")],
    hints=("What does a *useful* hour cost each way?",
           "Owner's hour ÷ useful share, against rent."),
    work=lambda q: f"At {q.used:.0%}: 1.60 ÷ {q.used} = {OWNER_USD / q.used:.2f} USD owned, 3.85 "
    "rented.",
    truth=lambda q: "rent",
)  # fmt: skip
