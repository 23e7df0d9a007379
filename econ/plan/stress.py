"""The plan under stress: other prices, twice the load, a tighter promise, a cache; what changes?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from econ.catalog.guard import positive
from econ.plan.planner import best_of, plan, prices_of
from econ.scenario import Scenario

SHOWN = ["accelerator", "precision", "tp", "pp", "policy", "fleet_gpus", "usd_per_hour",
         "cost_usd_per_good_mtok"]  # fmt: skip


def stresses(scenario: Scenario, **settings: Any) -> dict[str, tuple[Scenario, dict[str, Any]]]:
    """The cases: name → scenario and settings of `plan`. ``settings`` are those of the plain case.

    The price case raises the price of the accelerator that the plain plan chose, so it is added by
    `stress_frame`, which knows it.
    """
    slo, w = scenario.slo, scenario.workload
    rate = settings.get("rate_per_s") or w.rate_per_s
    tighter = scenario.with_(slo=dataclasses.replace(slo, tpot_s=slo.tpot_s / 2))
    sooner = scenario.with_(slo=dataclasses.replace(slo, ttft_s=slo.ttft_s / 2))
    cached = min(0.9, 0.5 + settings.get("cached_frac", 0.0) / 2)
    return {
        "as planned": (scenario, settings),
        "twice the load": (scenario, settings | {"rate_per_s": 2 * rate}),
        "half the load": (scenario, settings | {"rate_per_s": rate / 2}),
        "TPOT limit halved": (tighter, settings),
        "TTFT limit halved": (sooner, settings),
        f"{cached:.0%} of prompts cached": (scenario, settings | {"cached_frac": cached}),
        "one spare replica": (scenario, settings | {"n_spare": settings.get("n_spare", 0) + 1}),
    }


def stress_frame(
    scenario: Scenario, price_factor: float = 1.5, n_refined: int = 3, **settings: Any
) -> pd.DataFrame:
    """The best deployment of each case, its cost, and whether the choice of accelerator changed.

    ``settings`` as in `econ.plan.planner.plan`. A case in which nothing keeps the promise says so
    in ``note``.
    """
    positive("price_factor", price_factor, 1000)
    cases = stresses(scenario, **settings)
    rows, plain = [], None
    for name, (case, given) in cases.items():
        rows.append(_row(name, case, n_refined, given))
        if plain is None:
            plain = rows[0]
            chip = plain.get("accelerator")
            if chip:
                prices = _dearer(scenario, chip, price_factor, settings)
                given = settings | {"prices_usd_per_gpu_hour": prices}
                rows.append(_row(f"{chip} × {price_factor:g} dearer", scenario, n_refined, given))
    frame = pd.DataFrame(rows)
    cost = frame["cost_usd_per_good_mtok"]
    return frame.assign(
        cost_over_plan=cost / cost.iloc[0],
        same_choice=frame["accelerator"] == frame["accelerator"].iloc[0],
    )


def _dearer(scenario: Scenario, chip: str, factor: float, settings: Mapping) -> dict[str, float]:
    given = prices_of(scenario, settings.get("prices_usd_per_gpu_hour"))
    return given | {chip: given[chip] * factor}


def _row(name: str, scenario: Scenario, n_refined: int, settings: Mapping) -> dict:
    try:
        best = best_of(plan(scenario, n_refined=n_refined, **settings))
    except ValueError as error:
        return {"case": name, **dict.fromkeys(SHOWN), "note": str(error)}
    return {"case": name, **{key: best[key] for key in SHOWN if key in best}, "note": ""}
