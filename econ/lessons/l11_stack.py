"""Lesson 11, the whole stack: who keeps what, a vendor's ladder, levers, and a choice with ranges.

What one scenario costs is `econ.uncertain` of `econ.tco.cost`; here stands the choice of a year
between four ways to serve.

>>> vendor_frame()["factor"].round(1).tolist()          # hour, throughput, cost per token
[1.9, 66.7, 35.5]
>>> year = year_model(Scenario.default(), mean_per_s=100.0)
>>> typical = {name: r.typical for name, r in choice_ranges(Scenario.default()).items()}
>>> min(year(**typical), key=lambda option: float(np.max(year(**typical)[option])))
'own'
"""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import Price, given, table
from econ.catalog.columns import column
from econ.catalog.guard import positive
from econ.catalog.ranges import Range
from econ.catalog.units import (
    DAYS_PER_YEAR,
    HOUR_S,
    HOURS_PER_YEAR,
    MILLI,
    YEAR_S,
    usd_per_mtok_from_usd_per_token,
    usd_per_token_from_usd_per_mtok,
)
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.energy.sites import site_figure
from econ.latency.calibration import bands
from econ.latency.prediction import answer_s, predict_scenarios
from econ.latency.users import users_within
from econ.lessons.l11_tco import Point, operating_point, rental, seller, sizes_of
from econ.scenario import Scenario
from econ.tco import day_load, owner, units_needed, with_ranges
from econ.tco.bill import cost_scenarios
from econ.tco.finance import Amount
from econ.tco.fleet import Refresh, keep_or_replace
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
    own = owner(scenario)
    line = own.with_method("straight line").capital_usd_per_gpu_hour
    groups = own.groups()
    per_hour = point.requests_per_s * HOUR_S / point.n_gpu / peak_to_mean_factor
    sales = token_bill(price, **sizes_of(scenario)).total_usd * per_hour
    rent = float(rental(scenario.deployment.accelerator_id, "reserved").usd_per_gpu_hour)
    rows = [
        ("makers of machines", line),
        ("lenders", own.capital_usd_per_gpu_hour - line),
        *((group, groups[group]) for group in ("electricity", "space and services")),
        ("owner", rent - own.cost_usd_per_gpu_hour),
        ("seller of tokens", sales - rent),
    ]
    frame = pd.DataFrame(rows, columns=["layer", "kept_usd"])
    return frame.assign(share_frac=frame["kept_usd"] / sales)


def accelerators_electricity_usd_per_mtok(scenario: Scenario) -> float:
    """Electricity of the accelerators alone, as modelled, at the largest batch within the SLO.

    Price and PUE are those of the site, as in the bill; host, network and the gap
    between drawn and provisioned power are what the bill has on top.
    """
    one = scenario.with_(n_gpu=_n_gpu(scenario))
    drawn = energy(one, concurrency=users_within(one)).j_per_output_token
    tariff, pue = (
        site_figure(scenario.resolved_site, name) for name in ("electricity_usd_per_kwh", "pue")
    )
    return float(energy_cost_usd_per_mtok(drawn, tariff, pue))


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
def _published(id: str) -> dict[str, Any]:
    inputs: dict[str, Any] = json.loads(table("published_figures").loc[id, "inputs"])
    return inputs


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
    costs = cost_scenarios(scenarios, concurrency=[n_users] + [None] * (len(steps) - 1))
    served = predict_scenarios(scenarios, concurrency=costs["concurrency"])
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
    rates = cost_scenarios(pair)["output_tokens_per_s_per_gpu"].tolist()
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


# -- how sure, and what to choose ------------------------------------------------------------------
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


def _rents(chip: str, *terms: str) -> Range:
    """The rents of an accelerator at three terms, of rising price."""
    low, typical, high = (float(rental(chip, term).usd_per_gpu_hour) for term in terms)
    return Range(low, typical, high, "USD/GPU-hour")


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
    low, typical, high = sorted(
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
        **{name: _rents(chip, *terms) for name, terms in RENTS.items()},
        "api_usd_per_mtok": Range(low, typical, high, "USD/Mtok"),
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
        need = units_needed(load[:, None] / instance_per_s, 1.0) * n_gpu  # GPUs by hour and sample
        peak = need.max(axis=0)
        servers = np.ceil(peak / available_frac / 8) * 8
        return {
            "own": servers * HOURS_PER_YEAR * owner(chip, **inputs).cost_usd_per_gpu_hour,
            "reserve": peak * HOURS_PER_YEAR * reserved_usd_per_gpu_hour,
            "rent by the hour": need.sum(axis=0) * DAYS_PER_YEAR * rent_usd_per_gpu_hour,
            "API": usd_per_token_from_usd_per_mtok(api_usd_per_mtok) * tokens,
        }

    return year_usd
