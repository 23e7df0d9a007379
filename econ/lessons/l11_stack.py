"""Lesson 11, the whole stack: who keeps what, operating points, depreciation.

>>> hour_ladder_frame(Scenario.default())["price_usd"].is_monotonic_increasing  # power to cloud
True
"""

from __future__ import annotations

import functools
import json

import numpy as np
import pandas as pd

from econ.catalog import Price, given, table
from econ.catalog.columns import column
from econ.catalog.guard import positive
from econ.catalog.units import HOUR_S
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.energy.sites import site_figure
from econ.latency.frame import predict_frame
from econ.latency.prediction import answer_s
from econ.latency.users import users_within
from econ.lessons.l11_tco import Point, operating_point, rental, sizes_of
from econ.plan.frontier import on_frontier
from econ.scenario import Scenario
from econ.tco import owner
from econ.tco.bill import cost_scenarios
from econ.tco.fleet import Refresh, keep_or_replace
from econ.tco.revenue import ladder_frame
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.bill import token_bill
from econ.trends.owned import owned_value_frame
from econ.trends.rates import year_of


def who_frame(
    scenario: Scenario,
    price: Price,
    *,
    peak_to_mean_factor: float = 1.5,
    point: Point | None = None,
) -> pd.DataFrame:
    """Who keeps what of an hour's token sales: layer, kept_usd (per GPU-hour), share_frac.

    Sales: a list price times the tokens of an hour at the day's mean use. Below them the rent by
    the year, the owner's cost, and in it makers, the cost of capital (annuity less straight line),
    space and electricity. A layer that keeps less than nothing loses.
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
        ("providers of capital", own.capital_usd_per_gpu_hour - line),
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
    one = scenario.with_(n_gpu=scenario.deployment.n_gpu // scenario.n_replicas)
    drawn = energy(one, concurrency=users_within(one)).j_per_output_token
    tariff, pue = (
        site_figure(scenario.resolved_site, name) for name in ("electricity_usd_per_kwh", "pue")
    )
    return float(energy_cost_usd_per_mtok(drawn, tariff, pue))


def hour_ladder_frame(scenario: Scenario) -> pd.DataFrame:
    """One accelerator-hour as each layer sells it on: layer, price_usd, kept_usd, margin_frac."""
    own, chip = owner(scenario), scenario.deployment.accelerator_id
    return ladder_frame(
        electricity=own.groups()["electricity"],
        owner=own.cost_usd_per_gpu_hour,
        reserved=float(rental(chip, "reserved").usd_per_gpu_hour),
        on_demand=float(rental(chip, "on-demand").usd_per_gpu_hour),
        hyperscaler=float(rental(chip, "hyperscaler").usd_per_gpu_hour),
    )


# -- operating points ----------------------------------------------------------------------------
def points_frame() -> pd.DataFrame:
    """Published operating points, one machine at many speeds.

    Columns: machine, tokens_per_s_per_gpu, usd_per_mtok.
    """
    rows = table("published_figures")
    rows = rows[rows.index.str.startswith("inferencex-")]
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


# -- the operating point: what a token costs at the speed that a user sees -------------------------
TESTED = (  # table of measured runs, model
    ("measured_serving", "llama-3.1-70b"),
    ("measured_medians", "deepseek-v3"),
)
TESTED_TOKENS = 921.6  # prompt and answer of the runs shown


@functools.cache
def frontier_frame() -> pd.DataFrame:
    """Measured operating points at an owner's hour, and ours for the same deployments.

    Of each accelerator the points that no other beats in speed and cost at once. Columns: model,
    accelerator, precision, tokens_per_s_per_user, measured_usd (per Mtok of output; NaN in our
    rows), ours_usd, low_usd, high_usd (in measured rows read off our line, NaN beyond its ends).
    """
    parts = []
    for name, model in TESTED:
        rows = table(name)
        rows = rows[(rows["model"] == model) & (rows["input_tokens"] == TESTED_TOKENS)]
        rows = rows[rows["output_tokens"] == TESTED_TOKENS].reset_index(drop=True)
        hour = rows["accelerator"].map(lambda chip: owner(chip).cost_usd_per_gpu_hour)
        ours = predict_frame(rows.drop(columns="output_tokens_per_s_per_gpu", errors="ignore"))
        measured = _point_costs(rows, hour, rows["ttft_s"], rows["tpot_s"])
        rows = rows.assign(tokens_per_s_per_user=1 / rows["tpot_s"], measured_usd=measured)
        best = [
            part[on_frontier(part, ["tpot_s", "measured_usd"])]
            for _, part in rows.groupby("accelerator")
        ]
        rows = pd.concat(best)
        at = ours.loc[rows.index]
        costs = {
            name: _point_costs(rows, hour[rows.index], at[f"ttft{end}_s"], at[f"tpot{end}_s"])
            for name, end in (("ours_usd", ""), ("low_usd", "_low"), ("high_usd", "_high"))
        }
        predicted = rows.assign(
            **costs, tokens_per_s_per_user=1 / at["tpot_s"], measured_usd=np.nan
        )
        parts += [rows, predicted]
    frame = pd.concat(parts, ignore_index=True)
    columns = ["model", "accelerator", "precision", "tokens_per_s_per_user", "measured_usd"]
    columns += ["ours_usd", "low_usd", "high_usd"]
    order = ["model", "accelerator", "tokens_per_s_per_user"]
    numbers = dict.fromkeys(columns[3:], "float64")
    frame = frame[columns].astype(numbers).sort_values(order, kind="stable", ignore_index=True)
    for _, part in frame.groupby(order[:2]):
        line, dots = part[part["measured_usd"].isna()], part[part["measured_usd"].notna()]
        for name in ("ours_usd", "low_usd", "high_usd"):
            read = np.interp(dots[order[2]], line[order[2]], np.log(line[name]), np.nan, np.nan)
            frame.loc[dots.index, name] = np.exp(read)
    return frame


def _point_costs(
    rows: pd.DataFrame, hour_usd: pd.Series, ttft_s: pd.Series, tpot_s: pd.Series
) -> pd.Series:
    """USD per Mtok of output when so many users are always served at these times."""
    wait_s = answer_s(ttft_s, tpot_s, rows["output_tokens"])
    per_gpu = rows["concurrency"] * rows["output_tokens"] / wait_s / rows["n_gpu"]
    return cost_usd_per_mtok(hour_usd, per_gpu)


# -- depreciation: what the books say, and what the rents say --------------------------------------
BOUGHT = {"a100-sxm-80gb": "2021-06", "h100-sxm": "2023-11"}
BOOKS_YEARS = (3, 5, 6)


def books_frame() -> pd.DataFrame:
    """Value of an A100 and an H100 by their remaining rents, and in books of three lives.

    Columns: accelerator, year, usd, low, high, what. The value is the present value of the rents
    of the day over what is left of six years (`econ.trends.value_of_rents_usd`).
    """
    parts = []
    for chip, bought in BOUGHT.items():
        for life in BOOKS_YEARS:
            rows = owned_value_frame(chip, bought=bought, book_years=life)
            year = 1970 + year_of(rows["date"])
            if life == BOOKS_YEARS[0]:
                parts.append(pd.DataFrame(
                    {"accelerator": chip, "year": year, "usd": rows["value_usd"],
                     "low": rows["value_low_usd"], "high": rows["value_high_usd"],
                     "what": "worth by its rents"}))  # fmt: skip
            book = pd.DataFrame({"accelerator": chip, "year": year, "usd": rows["book_usd"],
                                 "what": f"books, {life} years"})  # fmt: skip
            parts.append(book.assign(low=book["usd"], high=book["usd"]))
    return pd.concat(parts, ignore_index=True)


# -- the maker's margin ---------------------------------------------------------------------------
def makers_frame() -> pd.DataFrame:
    """Gross margin of makers of accelerators as a whole, from their annual reports."""
    rows = table("maker_margins").reset_index(drop=True)
    return rows.assign(margin_frac=rows["gross_profit_usd"] / rows["revenue_usd"])


# -- keep or replace ----------------------------------------------------------------------------


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


# -- how sure -----------------------------------------------------------------------------------
def title(name: str) -> str:
    """What an input is called in ``data/columns.csv``, with its unit: for charts and tables."""
    known = column(name.split(".")[-1])
    return known.title if known.unit in ("", "1") else f"{known.title} ({known.unit})"
