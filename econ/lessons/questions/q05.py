"""Questions of lesson 05: how many users can be served well?"""

from __future__ import annotations

import functools
import math

from econ.lessons.l05_goodput import N, saturation_per_s
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario
from econ.serving import max_rate_per_s


@functools.cache
def _most() -> float:
    return float(saturation_per_s(Scenario.default()))


@question(
    "05-rate",
    "The server completes at most 12.3 requests/s. What is the highest rate of arrivals, in "
    "**requests/s**, at which 95 % of them are still good?",
    unit="requests/s",
    slider=(0, 20),
    tolerance_frac=0.1,
    wrong=[Wrong((11, math.inf), lambda q: f"At {_most():.1f} requests/s the server is full, and "
                 "hardly any request is in time. Throughput counts late answers; goodput does "
                 "not.", "throughput-is-goodput")],
    because="Beyond that rate, the batch grows until every token takes longer than its limit.",
)  # fmt: skip
def _highest_rate(q: Inputs) -> float:
    return float(max_rate_per_s(Scenario.default(), n=N))
