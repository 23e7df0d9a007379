"""How sure: the same chain with ranges in, an interval and a decision out.

>>> ranges = cost_ranges(Scenario.default())
>>> cost = chain_usd_per_mtok(**{name: r.typical for name, r in ranges.items()})
>>> 1 < float(cost) < 8
True
"""

from __future__ import annotations

import numpy as np

from econ.catalog import table
from econ.catalog.guard import positive
from econ.catalog.ranges import Range
from econ.catalog.units import (
    DAYS_PER_YEAR,
    HOURS_PER_YEAR,
    YEAR_S,
    usd_per_mtok_from_usd_per_token,
    usd_per_token_from_usd_per_mtok,
)
from econ.latency.calibration import bands
from econ.lessons.tco_cases import Point, operating_point
from econ.lessons.tco_choice import rental, seller, sizes_of
from econ.scenario import Scenario
from econ.tco.comparison import day_load
from econ.tco.layers import TERMS, cost_layers, owner
from econ.tco.token_cost import cost_usd_per_good_mtok
from econ.tco.whole_units import whole

# the scenario's model, and its successor of the same size at the cheapest and the dearest list
SELLERS = (
    ("llama-3.3-70b-turbo", "DeepInfra"),
    ("llama-3.1-70b-turbo", "DeepInfra"),
    ("llama-3.3-70b-turbo", "Together"),
)
# inputs of the owner that a reader would not vary one by one
QUIET = ("storage_usd_per_gpu", "installation_usd_per_gpu", "services_usd_per_month", "spare_frac")


def cost_ranges(scenario: Scenario, point: Point | None = None) -> dict[str, Range]:
    """Inputs of a good token's cost on own hardware, from ``data/``; throughput from its band.

    The band of throughput is that of held-out runs, 90 % within a factor. Low and high of the rest
    are the ends of what the sources give.
    """
    point = point or operating_point(scenario)
    bought = table("servers").loc[scenario.deployment.accelerator_id]
    found = {
        "server_usd": Range(
            float(bought.low_usd),
            float(bought.typical_usd),
            float(bought.high_usd),
            "USD",
            source=bought.source,
        )
    }
    for name, row in _rows().items():
        ends = (float(row.low), float(row.typical), float(row.high))
        found[name] = Range(*ends, row.unit, source=row.source)
    found["tokens_per_s_per_gpu"] = Range.within_factor(
        point.output_tokens_per_s_per_gpu,
        bands()["calibrated", "output_tokens_per_s_per_gpu"].p90_factor,
        "tokens/s",
    )
    found["good_frac"] = Range(0.9, point.good_frac, 1.0, "share", "uniform")
    for name in ("provisioned_w", "n_gpu"):
        found[name] = Range(*[float(bought[name])] * 3)
    for name in QUIET:
        typical = found[name].typical
        found[name] = Range(typical, typical, typical, found[name].unit)
    return found


def titles() -> dict[str, str]:
    """What the inputs are called in ``data/``, with their units, for charts and tables."""
    found = {
        "server_usd": "Server (USD)",
        "tokens_per_s_per_gpu": "Throughput (tokens/s per GPU)",
        "good_frac": "Good share of answers",
        "rent_usd_per_gpu_hour": "Rent by the hour (USD per GPU-hour)",
        "reserved_usd_per_gpu_hour": "Reserved rent (USD per GPU-hour)",
        "api_usd_per_mtok": "API price (USD per Mtok)",
    }
    return found | {name: f"{row.title} ({row.unit})" for name, row in _rows().items()}


def _rows() -> dict:
    """Rows with low, typical and high of an owner's inputs: layers, terms, use."""
    terms = {name: id for name, id in TERMS.items() if name != "facility_years"}
    shares = {"available_frac": "available", "busy_frac": "busy"}
    quoted = {
        layer.quote: layer
        for layer in cost_layers()
        if layer.counted and layer.layer != "server" and layer.housing != "own building"
    }
    inputs = table("tco_inputs")
    return quoted | {name: inputs.loc[id] for name, id in (terms | shares).items()}


def chain_usd_per_mtok(
    *,
    available_frac: float,
    busy_frac: float,
    tokens_per_s_per_gpu: float,
    good_frac: float,
    **inputs: float,
) -> np.ndarray:
    """USD per million good output tokens on own hardware; numbers or arrays of samples.

    ``inputs`` as `econ.tco.owner`, which what is bought among them makes free of the tables.
    """
    hour = owner("h100-sxm", **inputs).cost_usd_per_gpu_hour
    return cost_usd_per_good_mtok(hour, tokens_per_s_per_gpu, good_frac, available_frac * busy_frac)


def choice_ranges(scenario: Scenario, point: Point | None = None) -> dict[str, Range]:
    """Inputs of a year's choice: those of the owner, the market's span of rents, three sellers.

    Rents: spot to hyperscaler around on-demand; three years to on-demand around reserved. API: the
    blended price of three sellers in `SELLERS`.
    """
    chip = scenario.deployment.accelerator
    found = cost_ranges(scenario, point)
    for name in ("busy_frac", "good_frac"):  # the day's curve says how busy; all are paid for
        del found[name]
    by_hour, reserved = (
        [float(rental(chip, term).usd_per_gpu_hour) for term in terms]
        for terms in (
            ("spot", "on-demand", "hyperscaler"),
            ("reserved-3y", "reserved", "on-demand"),
        )
    )
    found["rent_usd_per_gpu_hour"] = Range(*by_hour, "USD per GPU-hour")
    found["reserved_usd_per_gpu_hour"] = Range(*reserved, "USD per GPU-hour")
    sizes = sizes_of(scenario)
    blended = sorted(
        usd_per_mtok_from_usd_per_token(seller(*s).usd_per_request(**sizes) / sum(sizes.values()))
        for s in SELLERS
    )
    found["api_usd_per_mtok"] = Range(*blended, "USD per Mtok")
    return found


def year_model(scenario: Scenario, mean_per_s: float, peak_to_mean_factor: float = 1.5):
    """A function of `choice_ranges` that gives a year's USD of each option, as `decide` wants it.

    Own: whole servers of eight for the peak, more by what is out of service. Reserved: whole
    instances for the peak. By the hour: what each hour of the day needs. API: every token.
    """
    positive("mean_per_s", mean_per_s)
    load, n_gpu = day_load(mean_per_s, peak_to_mean_factor), scenario.deployment.n_gpu
    chip = scenario.deployment.accelerator
    per_request = scenario.workload.mean_output_tokens
    requests = mean_per_s * YEAR_S
    tokens = requests * sum(sizes_of(scenario).values())

    def year_usd(
        tokens_per_s_per_gpu, available_frac, rent_usd_per_gpu_hour, reserved_usd_per_gpu_hour,
        api_usd_per_mtok, **inputs,
    ):  # fmt: skip
        per_s = np.atleast_1d(tokens_per_s_per_gpu) * n_gpu / per_request
        need = whole(load[:, None] / per_s, 1.0) * n_gpu  # GPUs by hour and sample
        peak = need.max(axis=0)
        servers = np.ceil(peak / available_frac / 8) * 8
        return {
            "own": servers * HOURS_PER_YEAR * owner(chip, **inputs).cost_usd_per_gpu_hour,
            "reserve": peak * HOURS_PER_YEAR * reserved_usd_per_gpu_hour,
            "rent by the hour": need.sum(axis=0) * DAYS_PER_YEAR * rent_usd_per_gpu_hour,
            "API": usd_per_token_from_usd_per_mtok(api_usd_per_mtok) * tokens,
        }

    return year_usd
