"""Questions of lesson 15: your own workload."""

from __future__ import annotations

import functools
import math

import pandas as pd

from econ.catalog.units import KILO, MILLI
from econ.latency import answer_s
from econ.lessons.l15_workload import cheapest_frame
from econ.lessons.question import Wrong, question
from econ.plan import Demand, Plan, plan
from econ.scenario import Scenario
from econ.uncertainty import evpi_usd


@functools.cache
def _planned() -> Plan:
    planned: Plan = plan(Scenario.default())
    return planned


@functools.cache
def _screened_gpus(tpot_ms: float) -> float:
    """Accelerators of the cheapest screened fleet at another limit per token."""
    demand = Demand(Scenario.default().with_(tpot_s=tpot_ms * MILLI))
    return float(cheapest_frame(_planned().rows, demand)["fleet_gpus"].iloc[0])


question(
    "15-cost",
    "What will a million *good* output tokens of this service cost on the cheapest fleet that "
    "meets the SLO, in **USD**? They pay for all input and for every hour of the fleet.",
    unit="USD",
    slider=(0.01, 100),
    tolerance_frac=0.3,
    wrong=[Wrong((10, math.inf), "That is a fleet that serves few users at a time. The SLO leaves "
                 "room for many, and they share the hours.")],
    because="A small service pays for whole replicas, so the cheapest one is small.",
    truth=lambda q: float(_planned().best.cost_usd_per_good_mtok),
)  # fmt: skip


TTFT_S, TPOT_MS, ANSWER = 0.4, 25, 300


def _replica_per_s(in_flight: float) -> float:
    return float(in_flight / answer_s(TTFT_S, TPOT_MS * MILLI, ANSWER))


question(
    "15-1",
    "A replica holds **{in_flight}** requests at a time; TTFT is 0.4 s, TPOT 25 ms, an answer 300 "
    "tokens. How many **requests per second** does it serve? Give two digits after the point.",
    unit="requests/s",
    inputs={"in_flight": (64, 48, 96)},
    tolerance_frac=0.001,
    wrong=[
        Wrong(lambda q: q.in_flight / (TTFT_S + ANSWER * TPOT_MS * MILLI), "You counted 300 gaps. "
              "The first token comes with the TTFT, so 299 follow."),
        Wrong(lambda q: q.in_flight / ((ANSWER - 1) * TPOT_MS * MILLI), "The wait for the first "
              "token is missing."),
        Wrong(_replica_per_s(1), "That is one request at a time. The replica holds {in_flight}."),
    ],
    hints=("How long does one request stay in the replica?",
           "Little's law: in flight ÷ (TTFT + 299 × TPOT)."),
    work=lambda q: f"{q.in_flight} ÷ (0.4 + 299 × 0.025) = {_replica_per_s(q.in_flight):.2f} "
    "requests per second.",
    truth=lambda q: _replica_per_s(q.in_flight),
)  # fmt: skip


MEAN_PER_S, IN_FLIGHT = 60, 64


def _needed(peak_factor: float) -> float:
    return MEAN_PER_S * peak_factor / _replica_per_s(IN_FLIGHT)


question(
    "15-2",
    "A replica serves 8.13 requests per second. A service gets 60 on average and **{peak} times** "
    "that at the peak, and needs one spare replica (N+1). How many **replicas** does it need?",
    unit="replicas",
    inputs={"peak": (1.5, 2.0, 1.3)},
    tolerance_frac=1e-6,
    wrong=[
        Wrong(lambda q: math.ceil(_needed(q.peak)), "The spare one is missing."),
        Wrong(math.ceil(_needed(1)) + 1, "That is the mean. At the peak there are {peak} times as "
              "many requests."),
        Wrong(lambda q: round(_needed(q.peak), 2), "Replicas are whole: round up, then add the "
              "spare one."),
        Wrong(lambda q: math.ceil(_needed(q.peak)) + 2, "One too many: round up once, then add one "
              "spare."),
    ],
    hints=("How many replicas does the peak need, before the spare one?",
           "Round (60 × peak ÷ 8.13) up, then add one."),
    work=lambda q: f"60 × {q.peak} ÷ 8.13 = {_needed(q.peak):.1f}, so "
    f"{math.ceil(_needed(q.peak))} and one spare: {math.ceil(_needed(q.peak)) + 1}.",
    truth=lambda q: math.ceil(_needed(q.peak)) + 1,
)  # fmt: skip


KNOWN_KUSD, CHEAP_KUSD = 150, 100


def _worth_usd(dear_kusd: float) -> float:
    cases = pd.DataFrame({"new": [CHEAP_KUSD, dear_kusd], "known": [KNOWN_KUSD, KNOWN_KUSD]})
    return float(evpi_usd(KILO * cases))


question(
    "15-3",
    "A new accelerator would cost 100,000 or **{dear_kusd},000** USD a year, at even odds; the "
    "known one costs 150,000. A benchmark would tell which cost is true. What is it worth at most, "
    "in **USD** a year?",
    unit="USD",
    inputs={"dear_kusd": (220, 210, 260)},
    wrong=[
        Wrong(50_000, "That is what you save if the new one proves cheap. It does so in one case "
              "of two."),
        Wrong(lambda q: KILO * (q.dear_kusd - KNOWN_KUSD) / 2, "That is what the benchmark keeps "
              "you from losing, but without it you would not have bought the new one."),
        Wrong(lambda q: KILO * (q.dear_kusd - CHEAP_KUSD), "That is how far the two cases lie "
              "apart. The question is how much better you would choose."),
        Wrong(lambda q: KILO * (CHEAP_KUSD + KNOWN_KUSD) / 2, "That is what you pay with the "
              "benchmark. How much more would you pay without it?"),
        Wrong(lambda q: KILO * abs((CHEAP_KUSD + q.dear_kusd) / 2 - KNOWN_KUSD), "That compares "
              "the two means. A benchmark lets you choose after you know."),
    ],
    hints=("What would you choose without the benchmark, and what with it in each case?",
           "Cheapest mean now, less the mean of the cheaper one in each case."),
    work=lambda q: f"Without it: 150,000 (the new one's mean is "
    f"{500 * (CHEAP_KUSD + q.dear_kusd):,.0f}). With it: (100,000 + 150,000) / 2 = 125,000. It is "
    f"worth {_worth_usd(q.dear_kusd):,.0f} USD.",
    truth=lambda q: _worth_usd(q.dear_kusd),
)  # fmt: skip


question(
    "15-4",
    "How many **accelerators** does the cheapest screened fleet of this scenario have if tokens "
    "must come every **{tpot_ms} ms**? Use `lesson.cheapest_frame(result.rows, ...)` with the "
    "`Demand` of a scenario whose SLO has that `tpot_s`.",
    unit="accelerators",
    inputs={"tpot_ms": (30, 12, 25)},
    tolerance_frac=1e-6,
    wrong=[Wrong(lambda q: _screened_gpus(50), "That is the fleet at the scenario's own 50 ms.")],
    hints=("Which setting of the scenario says how fast tokens must come?",
           '`lesson.cheapest_frame(result.rows, Demand(scenario.with_(tpot_s=…)))`'
           '["fleet_gpus"].iloc[0]'),
    work=lambda q: f"At {q.tpot_ms} ms the cheapest fleet has {_screened_gpus(q.tpot_ms):.0f}.",
    truth=lambda q: _screened_gpus(q.tpot_ms),
)  # fmt: skip
