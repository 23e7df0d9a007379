"""Lesson 11, the owner's hour: one service's bill layer by layer.

>>> from econ.scenario import Scenario
>>> point = operating_point(Scenario.default())
>>> point.requests_per_s > 5, 0.9 < point.good_frac <= 1
(True, True)
>>> bill = bill_frame(Scenario.default(), mean_per_s=100.0, point=point)
>>> bill["layer"].tolist()[-1], bool((bill["usd"] > 0).all())
('late answers', True)
>>> sorted(offer.label for offer in offers_for(Scenario.default()))
['API', 'own', 'rent by the hour', 'reserve']
"""

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
from econ.catalog.rents import rent_rows
from econ.catalog.units import HOURS_PER_DAY, MEGA, MILLI
from econ.charts import Drawing, Panel, choice, figure, panel, slider
from econ.charts.words import describe
from econ.scenario import Scenario
from econ.serving import RequestTimes, cost_surface_frame, max_rate_per_s, simulate
from econ.sweeps import sweep
from econ.tco.finance import annuity_usd_per_month, straight_line_usd_per_month
from econ.tco.layers import owner
from econ.tco.offers import Api, Buy, Offer, Rent
from econ.tco.ownership import Ownership
from econ.tco.revenue import Statement, tiers_of
from econ.tco.token_cost import Utilisation, added_by_use, cost_usd_per_mtok, marginal_cost_frame
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


USE = ("downtime", "whole servers", "the day's curve", "late answers")


def bill_chart(frame: pd.DataFrame) -> Drawing:
    """`bill_frame`: a million good output tokens, layer on layer."""
    total = frame["usd"].sum()
    use = frame.loc[frame["layer"].isin(USE), "usd"].sum()
    part = frame["layer"].isin(USE).map({True: "how it is used", False: "the owned hour"})
    return figure(
        frame.assign(part=part),
        "usd",
        "layer",
        by="part",
        kind="waterfall",
        form="{:.2f}",
        total="a good Mtok",
        x_title="USD per million good output tokens",
        finding=f"${total:.2f} per million good tokens: ${total - use:.2f} for the owned hour and "
        f"${use:.2f} for its use",
        says=f"Steps to ${total:.2f} per million good output tokens: "
        f"{describe(frame, 'usd', 'layer')}.",
    )


def bill_panel(scenario: Scenario) -> Panel:
    """The layered bill by accelerator, size of the service, shape of the day, finance, power."""

    def bill(
        peak: float, mean_per_s: float, years: float, rate: float, kwh: float, accelerator: str
    ) -> pd.DataFrame:
        return bill_frame(
            scenario.with_(accelerator=accelerator),
            mean_per_s=mean_per_s,
            peak_to_mean_factor=peak,
            life_years=years,
            cost_of_capital_frac=rate / 100,
            electricity_usd_per_kwh=kwh,
        )

    return panel(
        bill,
        bill_chart,
        peak=slider(1, 2, value=1.5, step=0.1, label="Peak over mean"),
        mean_per_s=slider(1, 1000, value=100, log=True, label="Requests/s, mean"),
        years=slider(2, 8, value=5, label="Life (years)"),
        rate=slider(0, 20, value=10.25, step=0.25, label="Cost of capital (%)"),
        kwh=slider(0.03, 0.3, value=0.09, step=0.01, label="Electricity (USD/kWh)"),
        accelerator=choice(ACCELERATORS, label="Accelerator"),
        presets={
            "100 requests/s": {},
            "5 requests/s": {"mean_per_s": 5},
            "100 requests/s, flat day": {"peak": 1.0},
        },
    )


def surface_chart(frame: pd.DataFrame) -> Drawing:
    """`surface_frame`: a good token's cost over both latency limits."""
    known = frame.dropna(subset=["usd_per_good_mtok"])
    rate = frame["rate_per_s"].iloc[0]
    words = finding = "no token is good at any of these limits"
    if len(known):
        loose = known.iloc[-1]
        tight = known.loc[known["usd_per_good_mtok"].idxmax()]
        words = (
            f"${loose.usd_per_good_mtok:.2f} at TTFT {loose.ttft_ms:.0f} ms and TPOT "
            f"{loose.tpot_ms:.0f} ms; most, ${tight.usd_per_good_mtok:.2f}, at "
            f"{tight.ttft_ms:.0f} and {tight.tpot_ms:.0f} ms"
        )
        if missed := len(frame) - len(known):
            words += f"; {missed} of {len(frame)} SLOs cannot be met at any price"
        finding = (
            f"From ${loose.usd_per_good_mtok:.2f} to ${tight.usd_per_good_mtok:,.0f} per million "
            "good tokens: the SLO decides"
        )
    return figure(
        frame.assign(
            ttft=[f"{v:.0f}" for v in frame["ttft_ms"]], tpot=[f"{v:.0f}" for v in frame["tpot_ms"]]
        ),
        "ttft",
        "tpot",
        by="usd_per_good_mtok",
        kind="heat",
        log="by",
        form=lambda v: f"{v:.2f}" if v < 100 else f"{v:.0f}",
        x_title="Limit on TTFT (ms)",
        y_title="Limit on TPOT (ms)",
        by_title="USD per good Mtok",
        finding=finding,
        says=f"A map of the cost of a million good output tokens at {rate:g} requests/s: {words}.",
    )
