"""Questions of lesson 12: buy, rent, mix or call?"""

from __future__ import annotations

import functools

from econ import tco
from econ.catalog import table
from econ.catalog.units import HOURS_PER_DAY
from econ.lessons.l11_tco import offers_for, sizes_of
from econ.lessons.l12_decision import crossing_mtok_per_day
from econ.lessons.l12_decision import question as decided
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario


@functools.cache
def _n_changes() -> int:
    """How often the cheaper of owning and calling changes with the volume."""
    case = Scenario.default()
    day = tco.compare_buy_rent_api(tco.day_load(100), *offers_for(case), **sizes_of(case),
                                   slo=case.slo)  # fmt: skip
    return len(day.crossings.query("option == 'own' and against == 'API'"))


def _rents() -> tuple[float, float]:
    """The lowest and the highest listed hour of an H100."""
    rows = table("rentals").query("accelerator == 'h100-sxm'")["usd_per_gpu_hour"]
    return float(rows.min()), float(rows.max())


question(
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
        Wrong("point", lambda q: "Servers come whole, so the cheaper of owning and calling "
              f"changes back and forth: {_n_changes()} times here.", "one-break-even"),
        Wrong("alike", "They differ in quality, latency, limits and duty of care. Compare what a "
              "solved task costs, at the same SLO.", "self-hosted-like-for-like"),
        Wrong("token", "Staff, commitments and idle nights are paid whatever a token costs. "
              "Compare a year of the service.", "cheapest-token-service"),
        Wrong("either", "Base and burst have different hours. Owned hours are cheap if they are "
              "used, rented ones if they are few.", "own-or-rent"),
    ],
    because="Each source serves the hours for which it is cheapest.",
    truth=lambda q: "mix",
)  # fmt: skip


question(
    "12-prices",
    "Which of these five sentences about prices is **true**?",
    options={
        "list": "List prices are what the market pays.",
        "average": "The average of all sellers is a seller one can buy from.",
        "today": "Today's price holds for all the years of a plan.",
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
    truth=lambda q: "offer",
)  # fmt: skip


question(
    "12-first",
    "A company needs **40 million tokens a day** of an open model of 32 billion parameters. One "
    "rented GPU serves it within the SLO. What costs least?",
    options={"rent": "one GPU, rented by the hour",
             "own": "a server of its own, over the years",
             "api": "tokens by the list of a seller"},
    wrong=[
        Wrong("rent", "The GPU would be idle nine tenths of the day. A seller fills its own with "
              "other customers' tokens, and charges you for yours alone."),
        Wrong("own", "A server comes with eight GPUs, and one is needed for a tenth of its time."),
    ],
    because="A price per token has no idle hours in it. Machines pay where they are full.",
    truth=lambda q: {"api": "api", "rent": "rent"}.get(decided().chosen.kind, "own"),
)  # fmt: skip


question(
    "12-volume",
    "From how many **million tokens a day** do machines cost less than the cheapest list, for "
    "good?",
    unit="million tokens",
    slider=(10, 100_000),
    limits=(1, 1e7),
    tolerance_frac=0.5,
    wrong=[
        Wrong((10, 200), "There a single GPU is still nearly idle; the list asks a few dollars."),
        Wrong((20_000, 100_000), "By then dozens of GPUs are full all day. They paid long before."),
    ],
    because="A GPU pays once it is mostly full: its day costs the same whatever it serves.",
    truth=lambda q: crossing_mtok_per_day(),
)  # fmt: skip


def _bill(q: Inputs) -> float:
    return float(q.read * q.price_in + q.written * q.price_out)


question(
    "12-1",
    "A service reads **{read} million** tokens and writes **{written} million** a day. A list asks "
    "**{price_in} USD** per million tokens of input and **{price_out} USD** of output. What does a "
    "**day** cost, in USD?",
    unit="USD",
    inputs={"read": (34, 20, 50), "written": (6, 5, 10), "price_in": (0.08, 0.1, 0.15),
            "price_out": (0.25, 0.4, 0.6)},
    wrong=[
        Wrong(lambda q: (q.read + q.written) * q.price_in, "Output has a price of its own."),
        Wrong(lambda q: (q.read + q.written) * q.price_out, "Input has a price of its own."),
        Wrong(lambda q: q.read * q.price_out + q.written * q.price_in, "You exchanged the two "
              "prices: output is the dearer one."),
        Wrong(lambda q: q.read * q.price_in, "What is written is missing."),
        Wrong(lambda q: (q.read + q.written) * (q.price_in + q.price_out) / 2, "A plain mean of "
              "the two prices holds where as much is written as is read."),
        Wrong(lambda q: 30 * _bill(q), "That is a month. The question is one day."),
    ],
    hints=("Each kind of token has its own price.", "read × input price + written × output price."),
    work=lambda q: f"{q.read} × {q.price_in} + {q.written} × {q.price_out} = {_bill(q):.2f} USD.",
    truth=_bill,
)  # fmt: skip


def _even(q: Inputs) -> float:
    return float((HOURS_PER_DAY * q.hour + q.staff) / q.price)


question(
    "12-2",
    "A rented GPU costs **{hour} USD** an hour, day and night, and the person who minds it "
    "**{staff} USD** a day. A seller asks **{price} USD** per million tokens, all kinds together. "
    "From how many **million tokens a day** does the GPU cost less, if it can serve them?",
    unit="million tokens",
    inputs={"hour": (2, 4, 3), "staff": (82, 60, 41), "price": (0.1, 0.2, 0.25)},
    wrong=[
        Wrong(lambda q: HOURS_PER_DAY * q.hour / q.price, "The person is paid too."),
        Wrong(lambda q: (q.hour + q.staff) / q.price, "The GPU is paid for all hours of the day."),
        Wrong(lambda q: HOURS_PER_DAY * q.hour + q.staff, "That is what the day costs in USD, not "
              "the tokens that a seller would give for it."),
    ],
    hints=("What does the GPU's day cost in all?", "(24 × hour + staff) ÷ price."),
    work=lambda q: f"(24 × {q.hour} + {q.staff}) ÷ {q.price} = {_even(q):,.0f} million tokens.",
    truth=_even,
)  # fmt: skip


def _busy(q: Inputs) -> float:
    return float(HOURS_PER_DAY * q.reserved / q.rent)


question(
    "12-3",
    "A GPU costs **{rent} USD** an hour on demand, and **{reserved} USD** an hour if it is "
    "reserved, used or not. The last GPU of a fleet is needed only in busy hours. From how many "
    "**hours a day** is it cheaper to reserve it?",
    unit="hours",
    inputs={"rent": (4, 5, 3), "reserved": (1.4, 1.3, 1.2)},
    wrong=[
        Wrong(lambda q: HOURS_PER_DAY * (q.rent - q.reserved) / q.rent, "That is the idle time "
              "that a reserved GPU may have. The question is the hours in use."),
        Wrong(lambda q: q.rent / q.reserved, "A ratio of prices is no number of hours."),
        Wrong(lambda q: HOURS_PER_DAY * q.rent / q.reserved, "Turn the ratio round: a day has no "
              "more than 24 hours."),
    ],
    hints=("A reserved GPU is paid for 24 hours, the other for those it is used.",
           "24 × reserved ÷ on demand."),
    work=lambda q: f"24 × {q.reserved} ÷ {q.rent} = {_busy(q):.1f} hours.",
    truth=_busy,
)  # fmt: skip


GPU_USD_PER_DAY, LIST_USD_PER_MTOK, YEARS = 110.0, 0.10, 3


question(
    "12-4",
    "The capstone. Your service asks for **{tokens} million** tokens a day in the first of three "
    "years, and for twice as many in each year after it. A list sells a million for USD "
    "0.10; one GPU with its staff costs USD 110 a day, holds the load of all three years and "
    "binds you for them. Decide, and write the memo: one page for whoever pays, or a few "
    "sentences here.",
    inputs={"tokens": (200, 150, 250)},
    options={"api": "Buy the tokens", "rent": "Reserve the GPU"},
    rubric=(
        "states the question with its load, its growth and its SLO",
        "puts both ways side by side in the same unit, for each year",
        "dates each price and says where it is from",
        "says how sure the answer is, and on what that rests",
        "says what would change it: the volume or the price at which it turns",
    ),
    wrong=[Wrong("rent", lambda q: "Even in the last year the list costs USD "
                 f"{_listed(q.tokens):.0f} a day: less than the GPU, which is paid from the first "
                 "day on.")],
    hints=("What does the list cost a day in the last year?",
           "Tokens a day × 2 for each further year × price, against the GPU's day."),
    work=lambda q: f"{q.tokens} × 4 × 0.10 = {_listed(q.tokens):.0f} USD a day in the last year.",
    truth=lambda q: "api" if _listed(q.tokens) < GPU_USD_PER_DAY else "rent",
)  # fmt: skip


def _listed(mtok_per_day: float) -> float:
    """USD a day of the last year."""
    return float(mtok_per_day * 2 ** (YEARS - 1) * LIST_USD_PER_MTOK)
