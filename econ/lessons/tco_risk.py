"""How sure, and what to choose: the same chain with ranges in, a decision out.

What one scenario costs is `econ.uncertain` of `econ.tco.cost`; here stands the choice of a year
between four ways to serve.

>>> year = year_model(Scenario.default(), mean_per_s=100.0)
>>> typical = {name: r.typical for name, r in choice_ranges(Scenario.default()).items()}
>>> min(year(**typical), key=lambda option: float(np.max(year(**typical)[option])))
'own'
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from econ.catalog import given
from econ.catalog.columns import column
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
from econ.tco import day_load, owner, whole, with_ranges
from econ.tco.finance import Amount

# the scenario's model, and its successor of the same size at the cheapest and the dearest list
SELLERS = (
    ("llama-3.3-70b-turbo", "DeepInfra"),
    ("llama-3.1-70b-turbo", "DeepInfra"),
    ("llama-3.3-70b-turbo", "Together"),
)
# inputs of the owner that a reader would vary one by one, beside those of the scenario
QUOTES = {
    "network_usd_per_gpu": ("layers", "network"),
    "colocation_usd_per_kw_per_month": ("layers", "colocation"),
    "power_load_frac": ("tco_inputs", "power-load"),
    "available_frac": ("tco_inputs", "available"),
}
RENTS = {
    "rent_usd_per_gpu_hour": ("spot", "on-demand", "hyperscaler"),
    "reserved_usd_per_gpu_hour": ("reserved-3y", "reserved", "on-demand"),
}


def title(name: str) -> str:
    """What an input is called in ``data/columns.csv``, with its unit: for charts and tables."""
    known = column(name.split(".")[-1])
    return known.title if known.unit in ("", "1") else f"{known.title} ({known.unit})"


def choice_ranges(scenario: Scenario, point: Point | None = None) -> dict[str, Range]:
    """Inputs of a year's choice: those of the owner, the market's span of rents, three sellers.

    Rents: spot to hyperscaler around on-demand; three years to on-demand around reserved. API: the
    blended price of three sellers in `SELLERS`. Throughput: within the band of held-out runs.
    """
    point = point or operating_point(scenario)
    chip, sizes = scenario.deployment.accelerator_id, sizes_of(scenario)
    of_scenario = {
        path.split(".")[-1]: span
        for path, span in with_ranges(scenario).ranges().items()
        if path not in ("deployment.software_maturity", "finance.utilisation_frac")
    }
    blended = sorted(
        usd_per_mtok_from_usd_per_token(seller(*s).usd_per_request(**sizes) / sum(sizes.values()))
        for s in SELLERS
    )
    return {
        **of_scenario,
        **{name: given(*row) for name, row in QUOTES.items()},
        "tokens_per_s_per_gpu": Range.within_factor(
            point.output_tokens_per_s_per_gpu,
            bands()["calibrated", "output_tokens_per_s_per_gpu"].p90_factor,
            "tokens/s",
        ),
        **{
            name: Range(*(float(rental(chip, t).usd_per_gpu_hour) for t in terms), "USD/GPU-hour")
            for name, terms in RENTS.items()
        },
        "api_usd_per_mtok": Range(*blended, "USD/Mtok"),
    }


def year_model(
    scenario: Scenario, mean_per_s: float, peak_to_mean_factor: float = 1.5
) -> Callable[..., dict[str, Amount]]:
    """A function of `choice_ranges` that gives a year's USD of each option, as `decide` wants it.

    Own: whole servers of eight for the peak, more by what is out of service. Reserved: whole
    instances for the peak. By the hour: what each hour of the day needs. API: every token.
    """
    positive("mean_per_s", mean_per_s)
    load, n_gpu = day_load(mean_per_s, peak_to_mean_factor), scenario.deployment.n_gpu
    chip = scenario.deployment.resolved_accelerator
    tokens = mean_per_s * YEAR_S * sum(sizes_of(scenario).values())

    def year_usd(
        *,
        tokens_per_s_per_gpu: Amount,
        available_frac: Amount,
        rent_usd_per_gpu_hour: Amount,
        reserved_usd_per_gpu_hour: Amount,
        api_usd_per_mtok: Amount,
        **inputs: Amount,
    ) -> dict[str, Amount]:
        instance_per_s = np.atleast_1d(tokens_per_s_per_gpu) * (
            n_gpu / scenario.workload.mean_output_tokens
        )
        need = whole(load[:, None] / instance_per_s, 1.0) * n_gpu  # GPUs by hour and sample
        peak = need.max(axis=0)
        servers = np.ceil(peak / available_frac / 8) * 8
        return {
            "own": servers * HOURS_PER_YEAR * owner(chip, **inputs).cost_usd_per_gpu_hour,
            "reserve": peak * HOURS_PER_YEAR * reserved_usd_per_gpu_hour,
            "rent by the hour": need.sum(axis=0) * DAYS_PER_YEAR * rent_usd_per_gpu_hour,
            "API": usd_per_token_from_usd_per_mtok(api_usd_per_mtok) * tokens,
        }

    return year_usd
