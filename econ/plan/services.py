"""Which model, fleet and tier earn the most, by plans whose fleets are simulated.

`econ.value.value` screens thousands of options by means; `best_service` plans each model for each
tier with `econ.plan.plan`, so that the fleet it returns has served real arrivals.

>>> from econ.scenario import Scenario
>>> s = Scenario.of("qwen3-32b", "h100-sxm", precision="fp8", rate_per_s=2.0)
>>> offer = best_service(s, value_usd_per_answer=0.01, right_frac={"qwen3-32b": 0.7},
...                      accelerators=["h100-sxm"], precisions=["fp8"],
...                      parallelism=[(1, 1, 1, 1)], concurrencies=[16, 64], n=400)
>>> offer.serves, offer.model, offer.n_gpu
(True, 'qwen3-32b', 1)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.menus import answering
from econ.catalog.scores import BENCHMARK
from econ.plan.planner import plan
from econ.plan.result import Plan
from econ.scenario import Scenario
from econ.station import require_certain
from econ.tco.earning import Earning, Tiers, Worth, limits, questions, worths

NUMBERS = (
    "value_usd_per_hour", "usd_per_hour", "profit_usd_per_hour", "profit_low_usd_per_hour",
    "profit_high_usd_per_hour", "profit_usd_per_gpu_hour", "profit_usd_per_mw_hour",
    "break_even_usd_per_answer",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Service(Earning):
    """The model, fleet and tier that earn the most, and the other plans.

    The band on its profit is that of the fleet's throughput; of ``options`` there is a row for each
    model and tier, with a ``reason`` where none keeps the tier.

    Attributes
    ----------
    regime : str
        How far the fleet lies from what was measured.
    plan : Plan or None
        The best plan.
    """

    regime: str = ""
    plan: Plan | None = field(default=None, repr=False, compare=False)


def best_service(
    s: Scenario,
    *,
    value_usd_per_answer: Worth,
    models: Sequence[str | Model] | None = None,
    tiers: Tiers | None = None,
    demand_per_s: Mapping[str, float] | None = None,
    right_frac: Mapping[str, float] | None = None,
    benchmark: str = BENCHMARK,
    floor_frac: float = 0.0,
    **settings: Any,
) -> Service:
    """The model, fleet and tier that earn the most, each fleet proven by simulation.

    Parameters
    ----------
    s : Scenario
        Load, lengths, site, finance; its model and SLO are the menu where none is given.
    value_usd_per_answer : float or mapping of str to float
        What an answer that is right and in time is worth, e.g. 0.01; by tier, if they sell at
        different prices.
    models : sequence of str or Model, optional
        The menu; one that writes more tokens an answer (scores table) is planned for that many.
    tiers : mapping of str to Slo, optional
        Name → limits.
    demand_per_s : mapping of str to float, optional
        Answers asked for per second by tier; by default the workload's rate in each.
    right_frac, benchmark, floor_frac
        As in `econ.catalog.menus.answering`.
    **settings
        Of `econ.plan.plan`, e.g. ``accelerators=["h100-sxm"]``.

    Returns
    -------
    Service
        The best plan; ``serves`` is False where none earns anything.

    Raises
    ------
    ValueError
        For a floor that no model reaches, or where no plan keeps any tier: with the reasons.

    Notes
    -----
    profit per hour = 3600 · answers/s · use · right share · share in time (simulated) · value
    − cost of the fleet.

    Examples
    --------
    >>> one = Scenario.of("qwen3-32b", "h100-sxm", precision="fp8")
    >>> best_service(one, value_usd_per_answer=0.01, floor_frac=0.99)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: floor_frac = 0.99: no model on the menu reaches it; the best is qwen3-32b with 0...
    """
    require_certain("best_service", s)
    menu = answering(
        [s.model] if models is None else models,
        right_frac,
        benchmark=benchmark,
        floor_frac=floor_frac,
    )
    of_tier = limits(s, tiers)
    usd = worths(of_tier, value_usd_per_answer)
    rows, plans = [], []
    for one, tier, question in questions(s, menu, of_tier, benchmark):
        rate_per_s = (demand_per_s or {}).get(tier, s.workload.rate_per_s)
        answer = plan(
            question.with_(model=one.model, rate_per_s=rate_per_s),
            value_usd_per_answer=usd[tier],
            right_frac=one.right_frac,
            **settings,
        )
        plans.append(answer)
        rows.append({"model": one.id, "tier": tier, "right_frac": one.right_frac} | _row(answer))
    options = pd.DataFrame(rows).sort_values(
        "profit_usd_per_hour", ascending=False, kind="stable", na_position="last"
    )
    first = options.iloc[0]
    if first["reason"]:
        raise ValueError(f"no plan keeps any tier: {first['reason']}")
    best = plans[int(options.index[0])]
    table = options.reset_index(drop=True)
    return Service.of(table, first, serves=best.serves, regime=best.regime, plan=best)


def _row(answer: Plan) -> dict[str, Any]:
    """The best of a plan, or why there is none."""
    try:
        best = answer.best
    except ValueError as error:
        return {"reason": str(error)} | dict.fromkeys(NUMBERS, float("nan"))
    return {
        "accelerator": str(best["accelerator"]),
        "precision": str(best["precision"]),
        "n_gpu": int(best["fleet_gpus"]),
        **{name: float(best[name]) for name in NUMBERS},
        "reason": "",
    }
