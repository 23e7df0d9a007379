"""Questions of lesson 14: which model, fleet and tier earn the most?"""

from __future__ import annotations

import math

from econ.catalog.units import HOUR_S, KILO
from econ.lessons.l14_value import best, lesson_levers, operating_frame
from econ.lessons.question import Inputs, Wrong, question
from econ.uncertainty.sensitivity import credits_frame

PUE = 1.25


def _winner(usd_per_1000: float) -> str:
    return best(usd_per_1000 / KILO).model


question(
    "14-model",
    "A service is asked for 50 answers per second. A thousand right answers are worth **2 USD**. "
    "Which model earns the most: the one whose answers are cheapest, the one that is right most "
    "often, or one between?",
    options={"llama-3.1-8b": "Llama-3.1-8B, the cheapest: right 26 times in 100",
             "gpt-oss-20b": "gpt-oss-20b: right 69 times in 100",
             "gpt-oss-120b": "gpt-oss-120b, the best: right 78 times in 100"},
    wrong=[
        Wrong("llama-3.1-8b", "Its answers are cheap, and three in four are worth nothing. What "
              "counts is the cost of a right one, and what the wrong ones forgo.",
              "cheapest-model-wins"),
        Wrong("gpt-oss-120b", "It is right nine times more in a hundred, and each answer costs "
              "twice as much. At this worth the nine do not pay for it.", "best-model-wins"),
    ],
    because=lambda q: f"At 0.2 USD per thousand {_winner(0.2)} earns the most, at 2 USD "
    f"{_winner(2)}, at 10 USD {_winner(10)}: the worth of an answer decides.",
    truth=lambda q: _winner(2.0),
)  # fmt: skip


def _most_profitable_users() -> float:
    rows = operating_frame()
    return float(rows.loc[rows["profit_usd_per_gpu_hour"].idxmax(), "users"])


question(
    "14-users",
    "One replica can serve 4 to 384 users at once, and the more it serves the more it writes. Its "
    "quick tier (20 ms per token) sells at three times the price of the easy one (50 ms). With how "
    "many **users** does it earn the most?",
    unit="users",
    slider=(4, 384),
    limits=(1, 384),
    tolerance_frac=0.5,
    wrong=[
        Wrong((180, 384), "There the machine is fullest, and every answer comes too late for "
              "either tier. Late throughput earns nothing.", "throughput-is-profit"),
        Wrong((50, 150), "That is the best point of the easy tier. Its price is a third."),
    ],
    because="Less than half the throughput at three times the price earns more than all of it at "
    "one.",
    truth=lambda q: _most_profitable_users(),
)  # fmt: skip


def _order(q: Inputs) -> str:
    row = lesson_levers().shares.set_index("change").loc["a newer machine"]
    return "other" if row.low_share_frac < 0 < row.high_share_frac else "near"


question(
    "14-share",
    "Ten levers together cut what a right answer costs. A waterfall says that the newer machine "
    "brought a quarter of the fall. What would it say in another order?",
    options={"same": "the same: a share is a share",
             "near": "a few points more or less",
             "other": "anything down to a loss"},
    wrong=[
        Wrong("same", "What a lever brings depends on what was done before it, so its bar depends "
              "on the order.", "shares-are-facts"),
        Wrong("near", "Some levers hardly interact; this one does. A machine with more arithmetic "
              "helps only where there is enough to compute.", "shares-are-facts"),
    ],
    because=lambda q: _machine_words(),
    truth=_order,
)  # fmt: skip


def _machine_words() -> str:
    row = lesson_levers().shares.set_index("change").loc["a newer machine"]
    return (
        f"Over all orders it runs from {row.low_share_frac:.0%} to {row.high_share_frac:.0%}; the "
        f"mean over the orders, its Shapley share, is {row.share_frac:.0%}."
    )


def _profit(right: float, worth: float, answers: float, rent: float) -> float:
    return HOUR_S * answers * right / KILO * worth - rent


question(
    "14-1",
    "An accelerator gives **{answers}** answers per second, of which **{percent} %** are right and "
    "in time. A thousand accepted answers are worth **{worth} USD**, and the hour costs **{rent} "
    "USD**. What is its **profit in an hour**, in USD?",
    unit="USD",
    inputs={"answers": (5, 8, 3), "percent": (60, 75, 80), "worth": (2, 1, 4), "rent": (4, 7, 3)},
    wrong=[
        Wrong(lambda q: _profit(1, q.worth, q.answers, q.rent), "That pays for every answer. Only "
              "{percent} % are accepted."),
        Wrong(lambda q: _profit(q.percent / 100, q.worth, q.answers, 0), "That is the value. The "
              "hour still has to be paid."),
        Wrong(lambda q: KILO * _profit(q.percent / 100, q.worth, q.answers, 0) - q.rent, "The "
              "worth is for a thousand answers, not for one."),
    ],
    hints=("How many accepted answers are there in an hour?",
           "3600 × answers × share ÷ 1000 × worth − rent."),
    work=lambda q: f"3600 × {q.answers} × {q.percent / 100:g} ÷ 1000 × {q.worth} − {q.rent} = "
    f"{_profit(q.percent / 100, q.worth, q.answers, q.rent):.2f} USD.",
    truth=lambda q: _profit(q.percent / 100, q.worth, q.answers, q.rent),
)  # fmt: skip


def _crossing(q: Inputs) -> float:
    return float(100 * (q.large - q.small) / (q.high - q.low))


question(
    "14-2",
    "A thousand answers of a small model cost **{small} USD**, and **{low} %** are right. A large "
    "model's cost **{large} USD**, and **{high} %** are right. From what worth of a **thousand "
    "right answers**, in USD, does the large model earn more?",
    unit="USD",
    inputs={"small": (0.05, 0.1, 0.2), "low": (30, 40, 50), "large": (0.5, 0.9, 1.1),
            "high": (75, 80, 70)},
    wrong=[
        Wrong(lambda q: 100 * q.large / q.high, "There the large model stops losing money. The "
              "small one may earn more still."),
        Wrong(lambda q: q.large - q.small, "That is the extra cost. It buys only the answers that "
              "the small model got wrong."),
        Wrong(lambda q: 100 * (q.large / q.high - q.small / q.low), "A difference of costs per "
              "right answer is no worth: set the two profits equal."),
    ],
    hints=("Write down the profit of a thousand answers of each, and set them equal.",
           "(large − small) ÷ (right share of the large − of the small)."),
    work=lambda q: f"({q.large} − {q.small}) ÷ ({q.high / 100:g} − {q.low / 100:g}) = "
    f"{_crossing(q):.3f} USD.",
    truth=_crossing,
)  # fmt: skip


def _costs(q: Inputs) -> dict[frozenset[str], float]:
    batch, machine = frozenset(["batch"]), frozenset(["machine"])
    return {frozenset(): q.none, batch: q.batch, machine: q.machine, batch | machine: q.both}


def _order_share(q: Inputs, first: float) -> float:
    return 100 * math.log(first) / math.log(q.none / q.both)


def _batch_percent(q: Inputs) -> float:
    return float(100 * credits_frame(_costs(q)).set_index("change")["share_frac"]["batch"])


question(
    "14-3",
    "A token costs **{none}** USD per million. With a larger batch it costs **{batch}**, with a "
    "new machine **{machine}**, with both **{both}**. What is the **batch's Shapley share** of the "
    "fall, on the log scale, in **percent**?",
    unit="percent",
    inputs={"none": (8, 12, 10), "batch": (4, 4, 5), "machine": (8, 12, 8), "both": (1, 2, 1)},
    wrong=[
        Wrong(lambda q: _order_share(q, q.none / q.batch), "That is its share when it comes first. "
              "Take the mean with the other order."),
        Wrong(lambda q: _order_share(q, q.machine / q.both), "That is its share when it comes "
              "second. Take the mean with the other order."),
    ],
    hints=("Two orders: the batch first, or the machine first. What does the batch bring in each?",
           "Mean of ln(none/batch) and ln(machine/both), over ln(none/both)."),
    work=lambda q: f"First: ln({q.none}/{q.batch}) = {math.log(q.none / q.batch):.2f}; second: "
    f"ln({q.machine}/{q.both}) = {math.log(q.machine / q.both):.2f}; mean over "
    f"ln({q.none}/{q.both}) = {math.log(q.none / q.both):.2f}: {_batch_percent(q):.0f} percent.",
    truth=_batch_percent,
)  # fmt: skip


def _site_count(q: Inputs, pue: float = PUE, per_server: float = 8.0) -> float:
    return float(q.mw * KILO / (q.server_kw / per_server * pue))


question(
    "14-4",
    "A site has **{mw} MW**. A server of eight accelerators is provisioned at **{server_kw} kW**, "
    "and the building adds a quarter (PUE 1.25). How many **accelerators** can it hold?",
    unit="accelerators",
    inputs={"mw": (2, 5, 1), "server_kw": (11, 14, 10)},
    tolerance_frac=0.01,
    whole=True,
    wrong=[
        Wrong(lambda q: _site_count(q, pue=1), "Cooling takes from the same megawatts."),
        Wrong(lambda q: _site_count(q, per_server=1), "That counts servers. Each holds eight."),
        Wrong(lambda q: _site_count(q, pue=1 / PUE), "The building takes from the megawatts, it "
              "adds none: multiply the power by the PUE."),
    ],
    hints=("How many kilowatts does the site provide for one server?",
           "Site ÷ (server × PUE), rounded down to whole servers, × 8."),
    work=lambda q: f"{q.mw} MW ÷ ({q.server_kw} kW × 1.25) = "
    f"{math.floor(_site_count(q) / 8):,} whole servers; × 8 = "
    f"{8 * math.floor(_site_count(q) / 8):,} accelerators.",
    truth=lambda q: 8 * math.floor(_site_count(q) / 8),
)  # fmt: skip
