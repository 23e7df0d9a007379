"""Questions of lesson 12: buy, rent, mix or call?"""

from __future__ import annotations

import functools

from econ import tco
from econ.catalog import table
from econ.lessons.l11_tco import offers_for, sizes_of
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario


@functools.cache
def _n_changes() -> int:
    """How often the cheaper of two options changes with the volume, over all pairs."""
    case = Scenario.default()
    day = tco.compare_buy_rent_api(tco.day_load(100), *offers_for(case), **sizes_of(case),
                                   slo=case.slo)  # fmt: skip
    return len(day.crossings)


def _rents() -> tuple[float, float]:
    """The lowest and the highest listed hour of an H100."""
    rows = table("rentals").query("accelerator == 'h100-sxm'")["usd_per_gpu_hour"]
    return float(rows.min()), float(rows.max())


@question(
    "12-options",
    "Which of these five sentences about buying, renting and calling is **true**?",
    options={
        "point": "Above one break-even volume owning pays, below it an API.",
        "alike": "A self-hosted open model and a frontier API are the same good at two prices.",
        "token": "The cheapest token makes the cheapest service.",
        "either": "One must either own or rent.",
        "mix": "A fleet may own its base load and rent or call for its peaks.",
    },
    wrong=[
        Wrong("point", lambda q: "Servers come whole, so the cheaper option changes back and "
              f"forth: {_n_changes()} times over all pairs here.", "one-break-even"),
        Wrong("alike", "They differ in quality, latency, limits and duty of care. Compare what a "
              "solved task costs, at the same SLO.", "self-hosted-like-for-like"),
        Wrong("token", "Staff, commitments and idle nights are paid whatever a token costs. "
              "Compare a year of the service.", "cheapest-token-service"),
        Wrong("either", "Base and burst have different hours. Owned hours are cheap if they are "
              "used, rented ones if they are few.", "own-or-rent"),
    ],
    because="Each source serves the hours for which it is cheapest.",
)  # fmt: skip
def _true_of_options(q: Inputs) -> str:
    return "mix"


@question(
    "12-prices",
    "Which of these five sentences about prices is **true**?",
    options={
        "list": "List prices are what the market pays.",
        "average": "The average of all sellers is a seller one can buy from.",
        "today": "Today's price holds for the five years of a plan.",
        "hits": "The share of cache hits can be written into the contract.",
        "offer": "A decision needs dated offers, and a range for each that may change.",
    },
    wrong=[
        Wrong("list", lambda q: f"The same accelerator-hour is listed at ${_rents()[0]:.2f} and at "
              f"${_rents()[1]:.2f}, and large buyers pay neither.", "list-is-market"),
        Wrong("average", "Nobody sells at the average. Take each seller with its own price, "
              "latency and limits.", "average-seller"),
        Wrong("today", "Prices of a level of quality fall and rents move both ways. A contract "
              "fixes a price; a plan has to say for how long.", "today-for-five-years"),
        Wrong("hits", "It follows from your own requests and from how long the cache keeps them. "
              "Measure it on your trace.", "hit-rate-in-contract"),
    ],
    because="Then the decision says which number to ask for next.",
)  # fmt: skip
def _true_of_offers(q: Inputs) -> str:
    return "offer"
