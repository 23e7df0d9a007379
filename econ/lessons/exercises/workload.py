"""Answers to the exercises of notebook 08."""

from __future__ import annotations

import math

import pandas as pd

from econ.catalog.units import HOUR_S, MILLI, MTOK
from econ.lessons.answers import exercise
from econ.lessons.plan_cases import cheapest_frame
from econ.plan import Demand, plan
from econ.scenario import Scenario
from econ.uncertainty import evpi_usd

IN_FLIGHT, TTFT_S, TPOT_S, OUTPUT_TOKENS = 64, 0.4, 25 * MILLI, 300
GPUS_OF_REPLICA, USD_PER_GPU_HOUR, GOOD_FRAC = 4, 3.0, 0.97
MEAN_PER_S, PEAK_FACTOR = 60, 1.5


def one_replica() -> float:
    """Requests per second of a replica: in flight over time in system."""
    return IN_FLIGHT / (TTFT_S + (OUTPUT_TOKENS - 1) * TPOT_S)


@exercise("08-1", unit="requests per second", hint="Little: in flight over TTFT + 299 · TPOT.")
def rate_of_a_replica() -> float:
    """64 in flight, 0.4 s and 299 × 25 ms."""
    return one_replica()


@exercise("08-2", unit="replicas", tolerance_frac=1e-6, hint="Round up the peak, then add one.")
def fleet_with_a_spare() -> float:
    """Peak of 1.5 × 60 per second, N + 1."""
    return math.ceil(MEAN_PER_S * PEAK_FACTOR / one_replica()) + 1


@exercise("08-3", unit="USD", hint="All 13 are paid; only good tokens of the mean count.")
def cost_of_a_good_mtok() -> float:
    """The fleet's rent over the good output tokens."""
    usd_per_s = fleet_with_a_spare() * GPUS_OF_REPLICA * USD_PER_GPU_HOUR / HOUR_S
    return usd_per_s / (MEAN_PER_S * OUTPUT_TOKENS * GOOD_FRAC) * MTOK


@exercise("08-4", unit="USD", hint="Cheapest mean now, less the mean of the cheaper in each case.")
def worth_of_knowing() -> float:
    """100,000 or 220,000 at even odds, against a sure 150,000."""
    return evpi_usd(pd.DataFrame({"new": [100e3, 220e3], "known": [150e3, 150e3]}))


@exercise("08-5", unit="accelerators", tolerance_frac=1e-6, hint="cheapest_frame with tpot_s=0.02.")
def fleet_at_a_faster_stream() -> float:
    """Accelerators of the cheapest screened fleet of the default scenario at a TPOT of 20 ms."""
    scenario = Scenario.default()
    fast = Demand(scenario.with_(tpot_s=0.02))
    cheapest = cheapest_frame(plan(scenario, n_refined=0).rows, fast)
    return float(cheapest["fleet_gpus"].iloc[0])
