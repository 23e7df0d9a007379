"""One service's bill, layer by layer, from capital to tokens."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import Price, given, table
from econ.catalog.guard import positive
from econ.catalog.units import HOURS_PER_DAY, MEGA
from econ.scenario import Scenario
from econ.serving import max_rate_per_s, simulate
from econ.sweeps import sweep
from econ.tco.finance import (
    annuity_usd_per_month,
    straight_line_usd_per_month,
)
from econ.tco.layers import owner
from econ.tco.ownership import Ownership
from econ.tco.revenue import Statement, tiers_of
from econ.tco.token_cost import Utilisation, added_by_use, cost_usd_per_mtok
from econ.tco.token_time import (
    marginal_cost_frame,
)
from econ.tco.whole_units import units

N_REQUESTS = 10_000  # simulated for one point, as in lesson 05
ACCELERATORS = ("h100-sxm", "h200-sxm", "b200-sxm", "mi300x")


@dataclass(frozen=True, kw_only=True)
class Point:
    """What one replica does at the highest load that keeps the SLO."""

    requests_per_s: float
    output_tokens_per_s_per_gpu: float
    good_frac: float
    n_gpu: int


@functools.lru_cache(maxsize=64)
def _point(case: str, n: int) -> Point:
    scenario = Scenario.from_json(case)
    rate = max_rate_per_s(scenario, n=n)
    if not rate:
        raise ValueError("not even an idle machine keeps this SLO: no token is good")
    good = simulate(scenario, rate_per_s=rate, n=n)
    n_gpu = scenario.deployment.n_gpu
    return Point(
        requests_per_s=rate,
        output_tokens_per_s_per_gpu=rate * scenario.workload.mean_output_tokens / n_gpu,
        good_frac=good.good_frac,
        n_gpu=n_gpu,
    )


def operating_point(scenario: Scenario, n: int = N_REQUESTS) -> Point:
    """The highest load within the SLO, by simulation (`econ.serving.goodput`); remembered."""
    return _point(scenario.to_json(indent=None), n)


def utilisation(
    mean_per_s: float, point: Point, peak_to_mean_factor: float, available_frac: float
) -> Utilisation:
    """Three utilisations of a service of this size on whole servers of eight."""
    need = units(
        peak_per_s=mean_per_s * peak_to_mean_factor,
        per_s_per_instance=point.requests_per_s,
        gpus_per_instance=point.n_gpu,
    )
    return Utilisation(
        available_frac=available_frac,
        allocated_frac=float(need.used_frac),
        busy_frac=1 / peak_to_mean_factor,
    )


def bill_frame(
    scenario: Scenario,
    *,
    mean_per_s: float,
    peak_to_mean_factor: float = 1.5,
    point: Point | None = None,
    **changes: Any,
) -> pd.DataFrame:
    """What a million good output tokens pay for: layer, usd; each layer on top of those before.

    First the owned hour over the tokens of a full one, by group; then what downtime, whole servers,
    the day's curve and late answers add. ``changes`` are inputs of `econ.tco.owner`.
    The sum is `cost_usd_per_good_mtok` of the same numbers.
    """
    positive("mean_per_s", mean_per_s)
    point = point or operating_point(scenario)
    use = utilisation(
        mean_per_s, point, peak_to_mean_factor, given("tco_inputs", "available").typical
    )
    hours = owner(scenario, **changes).groups()
    owned = cost_usd_per_mtok(hours, point.output_tokens_per_s_per_gpu)
    shares = {
        "downtime": use.available_frac,
        "whole servers": use.allocated_frac,
        "the day's curve": use.busy_frac,
        "late answers": point.good_frac,
    }
    added = added_by_use(float(owned.sum()), shares)
    return pd.concat([owned, added]).rename_axis("layer").reset_index(name="usd")


def lives(capital_usd: float, rate_per_year: float, other_usd_per_month: float) -> dict[str, float]:
    """Three years against six: the factor on capital by annuity, by straight line, on the hour."""
    months = {y: annuity_usd_per_month(capital_usd, rate_per_year, y) for y in (3, 6)}
    lines = {y: straight_line_usd_per_month(capital_usd, y) for y in (3, 6)}
    return {
        "annuity": months[3] / months[6],
        "straight line": lines[3] / lines[6],
        "whole hour": (months[3] + other_usd_per_month) / (months[6] + other_usd_per_month),
    }


def h200() -> Ownership:
    """The published build-up of one H200 server, from the rows that recompute it."""
    server_usd = json.loads(table("published_figures").loc["h200-hour", "inputs"])["capital_usd"]
    return owner("h200-sxm", server_usd=server_usd["server"], spare_frac=0, life_years=6)


def published_frame(**inputs: Any) -> pd.DataFrame:
    """Ours against one analyst's published owner costs: accelerator, owner, ours, published.

    Ours takes typical inputs, the same for all; only server price and power differ. As published
    for the H200: six years, no spares.

    >>> published_frame().query("accelerator == 'h200-sxm'")["published_usd"].item()
    1.59
    """
    scope: dict[str, Any] = {"spare_frac": 0.0, "life_years": 6.0} | inputs
    published = table("owner_costs").query("owner == 'neocloud'").set_index("accelerator")
    ids = [id for id in table("servers").index if id in published.index]
    frame = pd.DataFrame(
        {
            "accelerator": ids,
            "ours_usd": [owner(id, **scope).cost_usd_per_gpu_hour for id in ids],
            "published_usd": published.loc[ids, "usd_per_gpu_hour"].to_numpy(),
            **{
                f"{level}_usd": [
                    owner(id, level=level, **inputs).cost_usd_per_gpu_hour for id in ids
                ]
                for level in ("low", "high")
            },
        }
    )
    return frame.assign(gap=frame["ours_usd"] / frame["published_usd"] - 1)


def use_frame(cost_usd_per_gpu_hour: float) -> pd.DataFrame:
    """The cost of a useful hour over utilisation: utilisation_percent, usd_per_useful_hour."""
    share = np.arange(0.05, 1.001, 0.05)
    return pd.DataFrame(
        {"utilisation_percent": 100 * share, "usd_per_useful_hour": cost_usd_per_gpu_hour / share}
    )


def phases_frame(scenario: Scenario, cost_usd_per_gpu_hour: float) -> pd.DataFrame:
    """Input and output by machine time over the users of a replica: kind, users, usd_per_mtok."""

    def kinds(s: Scenario, concurrency: float) -> dict[str, float]:
        split = marginal_cost_frame(s, concurrency=concurrency).set_index("kind")
        return {kind: split.loc[kind, "cost_usd_per_mtok"] for kind in ("output", "fresh input")}

    priced = scenario.with_(cost_usd_per_gpu_hour=cost_usd_per_gpu_hour)
    frame = sweep(kinds, priced, concurrency=[4, 8, 16, 32, 64, 128, 256])
    return (
        frame.rename(columns={"concurrency": "users"})
        .melt("users", ["output", "fresh input"], "kind", "usd_per_mtok")
        .sort_values("users", kind="stable", ignore_index=True)[["kind", "users", "usd_per_mtok"]]
    )


def day_of_deepseek(
    *, realised_frac: float = 1.0, usd_per_mtok: Sequence[float] | None = None
) -> Statement:
    """DeepSeek's published day as a statement; at other prices (cached, fresh, output) if given.

    ``realised_frac``: the share of the list that is paid. Power is that of servers like its own
    (eight Hopper chips), as provisioned.

    >>> round(day_of_deepseek().markup_frac, 2)
    5.46
    """
    case = json.loads(table("published_figures").loc["deepseek-cost", "inputs"])
    cached, fresh, output = (m * MEGA for m in case["mtok"])
    prices = usd_per_mtok or case["usd_per_mtok"]
    listed = Price(
        model="deepseek-r1",
        cached_input_usd_per_mtok=prices[0],
        input_usd_per_mtok=prices[1],
        output_usd_per_mtok=prices[2],
    )
    node = table("servers").loc["h200-sxm"]
    hours = case["nodes"] * int(node.n_gpu) * HOURS_PER_DAY
    return Statement(
        tiers=tiers_of(
            listed,
            fresh_tokens=fresh,
            cached_tokens=cached,
            output_tokens=output,
            realised_frac=realised_frac,
        ),
        cost_usd=hours * case["cost_usd_per_gpu_hour"],
        gpu_hours=hours,
        days=1,
        it_power_w=case["nodes"] * float(node.provisioned_w),
    )
