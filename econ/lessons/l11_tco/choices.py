"""Buy, rent or call an API; what an SLO costs."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import positive
from econ.catalog.rents import rent_rows
from econ.catalog.units import MILLI
from econ.lessons.l11_tco.bill import N_REQUESTS, Point, operating_point
from econ.scenario import Scenario
from econ.serving import RequestTimes, cost_surface_frame, simulate
from econ.tco.offers import Api, Buy, Offer, Rent

SELLER = ("llama-3.1-70b-turbo", "DeepInfra")  # the scenario's model in fp8, by the token
DEARER = ("llama-3.1-70b", "Fireworks")
DAY = "2026-11-24"  # of the price lists; leave ``on`` out to ask about today


def rental(accelerator: str, term: str) -> pd.Series:
    """The latest row of ``data/catalog/rentals.csv`` for a term."""
    return rent_rows(accelerator, term).iloc[-1]


def seller(model: str = SELLER[0], provider: str = SELLER[1], name: str = "API") -> Api:
    """An API that sells the scenario's model, with the date its price goes stale."""
    return Api.listed(model, provider, serves="llama-3.1-70b", name=name)


def offers_for(scenario: Scenario, point: Point | None = None) -> list[Offer]:
    """Four ways to serve the scenario: own servers, two rents, an API."""
    rate: dict[str, Any] = {
        "per_s_per_instance": (point or operating_point(scenario)).requests_per_s
    }
    return [
        Buy.of(scenario, **rate),
        Rent.of(scenario, term="reserved", name="reserve", **rate),
        Rent.of(scenario, term="on-demand", name="rent by the hour", **rate),
        seller(),
    ]


def sizes_of(scenario: Scenario) -> dict[str, Any]:
    """Mean lengths of the scenario's requests."""
    load = scenario.workload
    return {"input_tokens": load.mean_input_tokens, "output_tokens": load.mean_output_tokens}


@functools.lru_cache(maxsize=64)
def _simulated(case: str, rate_per_s: float) -> RequestTimes:
    scenario = Scenario.from_json(case)
    return simulate(scenario, rate_per_s=rate_per_s, n=N_REQUESTS).requests


def surface_frame(
    scenario: Scenario, *, rate_per_s: float, cost_usd_per_gpu_hour: float
) -> pd.DataFrame:
    """What a good token costs over both latency limits, on one simulated load (remembered).

    Columns of `econ.serving.goodput.cost_surface_frame`, limits in ms, infinite cost as empty.
    """
    positive("rate_per_s", rate_per_s, 1000)
    result = _simulated(scenario.to_json(indent=None), float(rate_per_s))
    frame = cost_surface_frame(
        scenario.with_(cost_usd_per_gpu_hour=cost_usd_per_gpu_hour),
        result,
        [0.1, 0.2, 0.4, 0.8, 1.6],
        [0.015, 0.02, 0.03, 0.04, 0.05, 0.07],
    )
    cost = frame["cost_usd_per_good_mtok"]
    return frame.assign(
        ttft_ms=frame["ttft_limit_s"] / MILLI,
        tpot_ms=frame["tpot_limit_s"] / MILLI,
        usd_per_good_mtok=cost.where(np.isfinite(cost)),
        rate_per_s=rate_per_s,
    )
