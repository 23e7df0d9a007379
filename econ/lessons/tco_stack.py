"""The whole stack in one bill: who keeps what, what a vendor's ladder says, which levers pull.

>>> vendor_frame()["factor"].round(1).tolist()          # hour, throughput, cost per token
[1.9, 66.7, 35.5]
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from econ.catalog import Price, given, table
from econ.catalog.guard import positive
from econ.catalog.units import HOUR_S, HOURS_PER_MONTH, MILLI
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.latency.prediction import Prediction, answer_s, predict, users_within
from econ.lessons.tco_cases import Point, operating_point
from econ.lessons.tco_choice import rental, sizes_of
from econ.scenario import Scenario
from econ.tco.finance import straight_line_usd_per_month
from econ.tco.fleet import Refresh, keep_or_replace, life_frame
from econ.tco.layers import owner
from econ.tco.revenue import ladder_frame
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.bill import token_bill

# the order in which the last lesson pulls its levers; our choice, each within the SLO
LEVERS = ("batch", "precision", "use", "ownership", "accelerator")


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
    hours = n_hours(own.n_gpu)
    line = sum(straight_line_usd_per_month(a.capital_usd, a.years) for a in own.assets) / hours
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
    d = scenario.deployment
    one = _replica(scenario, d.accelerator, d.precision)
    drawn = energy(one, concurrency=users_within(one)).j_per_output_token
    site = scenario.resolved_site
    return energy_cost_usd_per_mtok(drawn, site.electricity_usd_per_kwh, site.pue)


def n_hours(n_gpu: float) -> float:
    """GPU-hours of a month."""
    return n_gpu * HOURS_PER_MONTH


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
    mine = rows[
        rows.index.str.startswith("inferencex-") | rows.index.isin(["nvidia-h200", "nvidia-gb300"])
    ]
    found = []
    for row in mine.itertuples():
        case = json.loads(row.inputs)
        if row.Index.startswith("inferencex-"):
            _, model, chip, _ = row.Index.split("-", 3)
            name = f"{chip.upper()}, {'MiniMax' if model == 'minimax' else 'DeepSeek'}"
        else:
            name = "vendor's pair"
        cost = cost_usd_per_mtok(case["cost_usd_per_gpu_hour"], case["tokens_per_s"])
        found.append((name, case["tokens_per_s"], cost))
    columns = ["machine", "tokens_per_s_per_gpu", "usd_per_mtok"]
    return pd.DataFrame(found, columns=columns).sort_values(columns[:2], ignore_index=True)


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
    off = {"cost itself": [], "from throughput": []}
    for _, series in runs.groupby(same):
        series = series.sort_values("speed")
        if series["speed"].duplicated().any():
            continue
        for i in range(1, len(series) - 1):
            left_out, kept = series.iloc[i], series.drop(series.index[i])
            at = left_out["speed"]
            cost = np.interp(at, kept["speed"], kept["cost"])
            rate = np.interp(at, kept["speed"], kept["rate"])
            off["cost itself"].append(cost / left_out["cost"] - 1)
            off["from throughput"].append(left_out["rate"] / rate - 1)
    rows = [
        (way, np.median(np.abs(e)), np.quantile(np.abs(e), 0.9), len(e)) for way, e in off.items()
    ]
    return pd.DataFrame(rows, columns=["way", "median_frac", "p90_frac", "n"])


# -- levers --------------------------------------------------------------------------------------
def _replica(scenario: Scenario, accelerator: str, precision: str) -> Scenario:
    """One replica of the scenario's split on this accelerator in this precision."""
    d = scenario.deployment
    n_gpu = d.n_gpu // scenario.n_replicas
    return scenario.with_(accelerator=accelerator, precision=precision, n_gpu=n_gpu)


def _at(scenario: Scenario, accelerator: str, precision: str, users: int) -> Prediction:
    return predict(_replica(scenario, accelerator, precision), concurrency=users)


def levers_frame(scenario: Scenario, better: str = "b200-sxm", n_users: int = 8) -> pd.DataFrame:
    """One lever after another, each on top of the last: what tokens and their cost do.

    Start: rented by the hour, bf16, a few users a replica, busy as enterprise clusters are. Then
    the largest batch whose *mean* times are within the SLO, fp8, the use of a provider, own
    hardware, a newer accelerator.
    Columns: step, tokens_per_s_per_gpu, tpot_ms, usd_per_hour, utilisation_frac, usd_per_mtok,
    factor (of this step), users.
    """
    chip = scenario.deployment.accelerator
    idle, busy = (given("tco_inputs", id).typical for id in ("enterprise-busy", "busy"))
    rent = float(rental(chip, "on-demand").usd_per_gpu_hour)
    many, more, newest = (
        users_within(_replica(scenario, c, p))
        for c, p in ((chip, "bf16"), (chip, "fp8"), (better, "fp8"))
    )
    own, new = (owner(scenario.with_(accelerator=c)).cost_usd_per_gpu_hour for c in (chip, better))
    steps = [
        (f"{n_users} users, bf16, rented, busy {idle:.0%}", chip, "bf16", n_users, rent, idle),
        (f"batch: {many} users within the SLO", chip, "bf16", many, rent, idle),
        (f"precision: fp8, {more} users", chip, "fp8", more, rent, idle),
        (f"use: busy {busy:.0%}", chip, "fp8", more, rent, busy),
        ("ownership", chip, "fp8", more, own, busy),
        (f"accelerator: {better}, {newest} users", better, "fp8", newest, new, busy),
    ]
    rows = []
    for name, machine, bits, users, hour, use in steps:
        one = _at(scenario, machine, bits, users)
        rate = one.output_tokens_per_s_per_gpu
        cost = cost_usd_per_mtok(hour, rate, use)
        rows.append((name, rate, one.tpot_s / MILLI, hour, use, cost, users))
    columns = ["step", "tokens_per_s_per_gpu", "tpot_ms", "usd_per_hour", "utilisation_frac",
               "usd_per_mtok", "users"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    before = frame["usd_per_mtok"].shift(fill_value=frame["usd_per_mtok"].iloc[0])
    return frame.assign(factor=before / frame["usd_per_mtok"])


# -- the life of a fleet -------------------------------------------------------------------------
def lives_frame(
    scenario: Scenario, price_usd_per_mtok: float, changes_per_year: tuple[float, ...]
) -> pd.DataFrame:
    """The running worth of one bought GPU under price paths: path, month, worth_usd."""
    point, own = operating_point(scenario), owner(scenario)
    tokens = 1 + sizes_of(scenario)["input_tokens"] / sizes_of(scenario)["output_tokens"]
    parts = []
    for change in changes_per_year:
        life = life_frame(
            capital_usd_per_gpu=own.capital_usd / own.n_gpu,
            operating_usd_per_gpu_hour=own.operating_usd_per_gpu_hour,
            tokens_per_s_per_gpu=point.output_tokens_per_s_per_gpu * tokens,
            price_usd_per_mtok=price_usd_per_mtok,
            years=given("tco_inputs", "life").typical,
            full_utilisation_frac=given("tco_inputs", "busy").typical,
            n_ramp_months=6,
            price_change_per_year=change,
            rate_per_year=given("tco_inputs", "cost-of-capital").typical,
        )
        parts.append(life[["month", "worth_usd"]].assign(path=f"{change:+.0%} a year"))
    return pd.concat(parts, ignore_index=True)


def refresh(scenario: Scenario, better: str = "b200-sxm") -> Refresh:
    """Keep this accelerator another year or replace it, at each one's largest batch in the SLO."""
    chip = scenario.deployment.accelerator
    old, new = owner(scenario), owner(scenario.with_(accelerator=better))
    rates = [
        predict(one, concurrency=users_within(one)).output_tokens_per_s_per_gpu
        for one in (_replica(scenario, c, "fp8") for c in (chip, better))
    ]
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
