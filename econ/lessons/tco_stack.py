"""The whole stack in one bill: who keeps what, what a vendor's ladder says, which levers pull.

>>> vendor_frame()["factor"].round(1).tolist()          # hour, throughput, cost per token
[1.9, 66.7, 35.5]
"""

from __future__ import annotations

import itertools
import json
import operator

import numpy as np
import pandas as pd

from econ.catalog import Price, given, table
from econ.catalog.guard import positive
from econ.catalog.units import HOUR_S, MILLI
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.latency.prediction import answer_s, predict, users_within
from econ.lessons.tco_cases import Point, operating_point
from econ.lessons.tco_choice import rental, sizes_of
from econ.scenario import Scenario
from econ.tco.bill import cost
from econ.tco.fleet import Refresh, keep_or_replace
from econ.tco.layers import owner
from econ.tco.revenue import ladder_frame
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.bill import token_bill


def who_frame(
    scenario: Scenario,
    price: Price,
    *,
    peak_to_mean_factor: float = 1.5,
    point: Point | None = None,
) -> pd.DataFrame:
    """Who keeps what of an hour's token sales: layer, kept_usd (per GPU-hour), share_frac.

    Sales: a list price times the tokens of an hour at the day's mean use. Below them the rent by
    the year, the owner's cost, and in it makers, lenders (annuity less straight line), space and
    electricity. A layer that keeps less than nothing loses.
    """
    point = point or operating_point(scenario)
    chip = scenario.deployment.accelerator
    own = owner(scenario)
    line = own.with_method("straight line").capital_usd_per_gpu_hour
    groups = own.groups()
    per_hour = point.requests_per_s * HOUR_S / point.n_gpu / peak_to_mean_factor
    sales = token_bill(price, **sizes_of(scenario)).total_usd * per_hour
    rent = float(rental(chip, "reserved").usd_per_gpu_hour)
    rows = [
        ("makers of machines", line),
        ("lenders", own.capital_usd_per_gpu_hour - line),
        *((group, groups[group]) for group in ("electricity", "space and services")),
        ("owner", rent - own.cost_usd_per_gpu_hour),
        ("seller of tokens", sales - rent),
    ]
    frame = pd.DataFrame(rows, columns=["layer", "kept_usd"])
    return frame.assign(share_frac=frame["kept_usd"] / sales)


def chips_electricity_usd_per_mtok(scenario: Scenario) -> float:
    """Electricity of the chips alone, by their modelled draw, at the largest batch within the SLO.

    Price and PUE are those of the site, as in the bill; host, network and the gap
    between drawn and provisioned power are what the bill has on top.
    """
    one = scenario.with_(n_gpu=_n_gpu(scenario))
    drawn = energy(one, concurrency=users_within(one)).j_per_output_token
    site = scenario.resolved_site
    return energy_cost_usd_per_mtok(drawn, site.electricity_usd_per_kwh, site.pue)


def hour_ladder_frame(accelerator: str) -> pd.DataFrame:
    """One accelerator-hour as each layer sells it on: layer, price_usd, kept_usd, margin_frac."""
    own = owner(accelerator)
    return ladder_frame(
        electricity=own.groups()["electricity"],
        owner=own.cost_usd_per_gpu_hour,
        reserved=float(rental(accelerator, "reserved").usd_per_gpu_hour),
        on_demand=float(rental(accelerator, "on-demand").usd_per_gpu_hour),
        hyperscaler=float(rental(accelerator, "hyperscaler").usd_per_gpu_hour),
    )


# -- the vendor's ladder -------------------------------------------------------------------------
def _published(id: str) -> dict:
    return json.loads(table("published_figures").loc[id, "inputs"])


def vendor_frame() -> pd.DataFrame:
    """The claim of 35 times less, taken apart: quantity, old, new, unit, factor."""
    old, new = _published("nvidia-h200"), _published("nvidia-gb300")
    cost = [cost_usd_per_mtok(c["cost_usd_per_gpu_hour"], c["tokens_per_s"]) for c in (old, new)]
    rows = [
        ("owner's hour", old["cost_usd_per_gpu_hour"], new["cost_usd_per_gpu_hour"], "USD", False),
        ("throughput", old["tokens_per_s"], new["tokens_per_s"], "tokens/s per GPU", False),
        ("cost", cost[0], cost[1], "USD per Mtok", True),
    ]
    frame = pd.DataFrame(rows, columns=["quantity", "H200", "GB300", "unit", "falls"])
    ratio = frame["GB300"] / frame["H200"]
    return frame.assign(factor=ratio.where(~frame["falls"], 1 / ratio)).drop(columns="falls")


def points_frame() -> pd.DataFrame:
    """Published operating points: the same machine at many speeds, and the vendor's two.

    Columns: machine, tokens_per_s_per_gpu, usd_per_mtok, source.
    """
    rows = table("published_figures")
    pair = rows.loc[["nvidia-h200", "nvidia-gb300"]]
    rows = pd.concat([rows[rows.index.str.startswith("inferencex-")], pair])
    inputs = pd.DataFrame([json.loads(text) for text in rows["inputs"]], index=rows.index)
    frame = pd.DataFrame(
        {
            "machine": [_machine(id) for id in rows.index],
            "tokens_per_s_per_gpu": inputs["tokens_per_s"],
            "usd_per_mtok": cost_usd_per_mtok(
                inputs["cost_usd_per_gpu_hour"], inputs["tokens_per_s"]
            ),
        }
    )
    return frame.sort_values(["machine", "tokens_per_s_per_gpu"], ignore_index=True)


def _machine(id: str) -> str:
    """Accelerator and model of a published operating point."""
    if not id.startswith("inferencex-"):
        return "vendor's pair"
    _, model, chip, _ = id.split("-", 3)
    return f"{chip.upper()}, {'MiniMax' if model == 'minimax' else 'DeepSeek'}"


def interpolation_frame(cost_usd_per_gpu_hour: float = 2.0) -> pd.DataFrame:
    """Cost at a speed nobody measured: interpolated itself, or from interpolated throughput.

    Each inner point of a measured series over users is left out and read off its neighbours at its
    tokens/s per user. Columns: way, median_frac, p90_frac, n.
    """
    positive("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    runs = table("measured_serving").reset_index(drop=True)
    whole_s = answer_s(runs["ttft_s"], runs["tpot_s"], runs["output_tokens"])
    runs["rate"] = runs["concurrency"] * runs["output_tokens"] / whole_s / runs["n_gpu"]
    runs["speed"] = 1 / runs["tpot_s"]
    runs["cost"] = cost_usd_per_mtok(cost_usd_per_gpu_hour, runs["rate"].to_numpy())
    same = ["model", "accelerator", "n_gpu", "tp", "pp", "ep", "dp", "precision", "engine",
            "input_tokens", "output_tokens"]  # fmt: skip
    errors = []
    for _, series in runs.groupby(same):
        series = series.sort_values("speed")
        if series["speed"].duplicated().any():
            continue
        for i in range(1, len(series) - 1):
            left_out, rest = series.iloc[i], series.drop(series.index[i])
            cost, rate = (
                np.interp(left_out["speed"], rest["speed"], rest[name]) for name in ("cost", "rate")
            )
            errors.append((cost / left_out["cost"] - 1, left_out["rate"] / rate - 1))
    frame = pd.DataFrame(errors, columns=["cost itself", "from throughput"]).abs()
    return (
        pd.DataFrame(
            {"median_frac": frame.median(), "p90_frac": frame.quantile(0.9), "n": frame.count()}
        )
        .rename_axis("way")
        .reset_index()
    )


# -- levers --------------------------------------------------------------------------------------
def _n_gpu(scenario: Scenario) -> int:
    """Accelerators of one replica."""
    return scenario.deployment.n_gpu // scenario.n_replicas


def levers_frame(scenario: Scenario, better: str = "b200-sxm", n_users: int = 8) -> pd.DataFrame:
    """One lever after another, each on top of the last: what tokens and their cost do.

    Start: rented by the hour, bf16, a few users a replica, busy as enterprise clusters are. Then
    the largest batch whose *mean* times are within the SLO, fp8, the use of a provider, own
    hardware, a newer accelerator.
    Columns: step, tokens_per_s_per_gpu, tpot_ms, usd_per_hour, utilisation_frac, usd_per_mtok,
    factor (of this step), users.
    """
    idle, busy = (given("tco_inputs", id).typical for id in ("enterprise-busy", "busy"))
    levers = {
        f"{n_users} users, bf16, rented, busy {idle:.0%}": {
            "precision": "bf16", "utilisation_frac": idle, "n_gpu": _n_gpu(scenario),
        },
        "batch: {} users within the SLO": {},
        "precision: fp8, {} users": {"precision": "fp8"},
        f"use: busy {busy:.0%}": {"utilisation_frac": busy},
        "ownership": {"tenure": "owned"},
        f"accelerator: {better}, {{}} users": {"accelerator": better},
    }  # fmt: skip
    steps = list(itertools.accumulate(levers.values(), operator.or_))
    scenarios = [scenario.with_(**settings) for settings in steps]
    costs = cost.vector(scenarios, concurrency=[n_users] + [None] * (len(steps) - 1))
    served = predict.vector(scenarios, concurrency=costs["concurrency"])
    names = [name.format(int(n)) for name, n in zip(levers, costs["concurrency"], strict=True)]
    return pd.DataFrame(
        {
            "step": names,
            "tokens_per_s_per_gpu": costs["output_tokens_per_s_per_gpu"],
            "tpot_ms": served["tpot_s"] / MILLI,
            "usd_per_hour": costs["paid_usd_per_gpu_hour"],
            "utilisation_frac": costs["utilisation_frac"],
            "usd_per_mtok": costs["usd_per_mtok"],
            "users": costs["concurrency"].astype(int),
            "factor": costs["usd_per_mtok"].shift().fillna(costs["usd_per_mtok"].iloc[0])
            / costs["usd_per_mtok"],
        }
    )


def refresh(scenario: Scenario, better: str = "b200-sxm") -> Refresh:
    """Keep this accelerator another year or replace it, at each one's largest batch in the SLO."""
    pair = [scenario.with_(precision="fp8"), scenario.with_(precision="fp8", accelerator=better)]
    old, new = (owner(s) for s in pair)
    rates = cost.vector(pair)["output_tokens_per_s_per_gpu"].tolist()
    residual = given("tco_inputs", "residual").typical
    life = given("tco_inputs", "life").typical
    return keep_or_replace(
        old_operating_usd_per_gpu_hour=old.operating_usd_per_gpu_hour,
        old_tokens_per_s_per_gpu=rates[0],
        resale_usd_per_gpu=old.capital_usd / old.n_gpu * residual,
        resale_after_frac=residual ** (1 / 3),  # the residual is that of three years
        new_capital_usd_per_gpu=new.capital_usd / new.n_gpu,
        new_operating_usd_per_gpu_hour=new.operating_usd_per_gpu_hour,
        new_tokens_per_s_per_gpu=rates[1],
        rate_per_year=given("tco_inputs", "cost-of-capital").typical,
        new_years=life,
        book_usd_per_gpu_hour=old.capital_usd_per_gpu_hour,
    )
