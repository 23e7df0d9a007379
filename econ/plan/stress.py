"""Does the choice hold? The best deployment again, with more load, less time, a dearer machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from econ.catalog.guard import positive
from econ.plan.market import prices_of
from econ.plan.planner import plan
from econ.scenario import Scenario

STRESS_COLUMNS = ["accelerator", "precision", "tp", "pp", "policy", "fleet_gpus", "usd_per_hour",
                  "cost_usd_per_good_mtok"]  # fmt: skip


def stresses(
    scenario: Scenario, settings: Mapping[str, Any] | None = None
) -> dict[str, tuple[Scenario, dict[str, Any]]]:
    """The cases: name → scenario and settings of `plan`; ``settings`` are the plain case's."""
    plain = dict(settings or {})
    slo, load = scenario.slo, scenario.workload
    cached = min(0.9, 0.5 + load.cached_frac / 2)
    cases = {
        "as planned": {},
        "twice the load": {"rate_per_s": 2 * load.rate_per_s},
        "half the load": {"rate_per_s": load.rate_per_s / 2},
        "TPOT limit halved": {"tpot_s": slo.tpot_s / 2},
        "TTFT limit halved": {"ttft_s": slo.ttft_s / 2},
        f"{cached:.0%} of prompts cached": {"cached_frac": cached},
    }
    spare = plain | {"n_spare": plain.get("n_spare", 0) + 1}
    return {name: (scenario.with_(**change), plain) for name, change in cases.items()} | {
        "one spare replica": (scenario, spare)
    }


def stress_frame(
    scenario: Scenario, price_factor: float = 1.5, n_refined: int = 3, **settings: Any
) -> pd.DataFrame:
    """The best deployment of each case, its cost, and whether the choice of accelerator changed.

    Parameters
    ----------
    scenario : Scenario
        The plain case.
    price_factor : float
        By how much the accelerator of the plain plan gets dearer in one of the cases.
    n_refined, **settings
        As in `econ.plan.planner.plan`.

    Returns
    -------
    pandas.DataFrame
        A case in which nothing meets the SLO says so in ``note``.
    """
    positive("price_factor", price_factor, 1000)
    settings = {"n_refined": n_refined, **settings}
    cases = iter(stresses(scenario, settings).items())
    rows = [_stressed(name, *case) for name, case in [next(cases)]]
    if chip := rows[0]["accelerator"]:
        prices = prices_of(scenario, settings.get("prices_usd_per_gpu_hour"))
        dearer = settings | {
            "prices_usd_per_gpu_hour": prices | {chip: prices[chip] * price_factor}
        }
        rows.append(_stressed(f"{chip} × {price_factor:g} dearer", scenario, dearer))
    rows += [_stressed(name, *case) for name, case in cases]
    frame = pd.DataFrame(rows)
    cost = frame["cost_usd_per_good_mtok"]
    return frame.assign(
        cost_over_plan=cost / cost.iloc[0],
        same_choice=frame["accelerator"] == frame["accelerator"].iloc[0],
    )


def _stressed(name: str, scenario: Scenario, settings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        best = plan(scenario, **settings).best
    except ValueError as error:
        return {"case": name, **dict.fromkeys(STRESS_COLUMNS), "note": str(error)}
    return {"case": name, **{key: best[key] for key in STRESS_COLUMNS if key in best}, "note": ""}
