"""Machines over time: rents, software, fleets, the open gap."""

from __future__ import annotations

from typing import Any

import pandas as pd

from econ.catalog import site, table
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.energy.sites import site_figure
from econ.latency.prediction import predict
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.trends.fits import Break, fit_break
from econ.trends.hardware import rents_frame
from econ.trends.rates import annual_factor, implied_elasticity, year_of, years_between

ELO_SCALE = 400.0  # points in which the odds of a duel grow tenfold (Elo 1978, used by Arena)


# -- rents -------------------------------------------------------------------------------------
def rent_break(accelerator_id: str = "h100-sxm", since: str = "2024") -> Break:
    """Where the rent of an accelerator turned, from the quarterly medians since a year."""
    rows = rents_frame((accelerator_id,))
    return fit_break(rows[rows["date"] >= since], "usd_per_gpu_hour")


# -- the rest of a fall ------------------------------------------------------------------------
def software_frame() -> pd.DataFrame:
    """The same accelerators in two rounds of MLPerf: gain in all and per year."""
    rows = table("software_gains").reset_index(drop=True)
    years = [years_between(a, b) for a, b in zip(rows["start"], rows["end"], strict=True)]
    yearly = [annual_factor(g, y) for g, y in zip(rows["gain_factor"], years, strict=True)]
    return rows.assign(years=years, gain_per_year=yearly)


# -- what was bought ---------------------------------------------------------------------------
def fleet_frame() -> pd.DataFrame:
    """NVIDIA's quarters: revenue, H100 equivalents, USD per H100 equivalent, relative to the first.

    The price is the one the source assumed to find the units; revenue is as reported.
    """
    rows = table("fleet_quarters").sort_values("end").reset_index(drop=True)
    frame = rows.assign(
        date=rows["end"],
        year=1970 + year_of(rows["end"]),
        usd_per_h100_equivalent=rows["compute_revenue_usd"]
        / rows["n_h100_equivalents"].astype(float),
    )
    pairs = {"price": "usd_per_h100_equivalent", "volume": "n_h100_equivalents",
             "spend": "compute_revenue_usd"}  # fmt: skip
    for name, column in pairs.items():
        frame[f"{name}_ratio"] = frame[column].astype(float) / float(frame[column].iloc[0])
    return frame


def fleet_elasticity() -> float:
    """The elasticity that would explain the fleet's price and volume, were price all that moved."""
    last = fleet_frame().iloc[-1]
    return implied_elasticity(last["price_ratio"], last["volume_ratio"])


# -- quality, open and closed ------------------------------------------------------------------
def duel_frac(n_points: float) -> float:
    """Share of duels won by the side ahead by so many Elo points: ``1 / (1 + 10^(-d/400))``.

    >>> round(duel_frac(100), 2), duel_frac(0)
    (0.64, 0.5)
    """
    return 1 / (1 + 10 ** (-n_points / ELO_SCALE))


def gap_frame() -> pd.DataFrame:
    """Best open and best closed model by quarter: lead of the closed, and errors per error.

    ``lead_frac`` is closed over open, less one (the headline's measure); ``errors_ratio`` is how
    many questions the open model misses for each that the closed one misses.
    """
    rows = table("open_gap").reset_index(drop=True)
    return rows.assign(
        year=1970 + year_of(rows["end"]),
        lead_frac=rows["closed_frac"] / rows["open_frac"] - 1,
        errors_ratio=(1 - rows["open_frac"]) / (1 - rows["closed_frac"]),
    )


# -- what a token costs to make ----------------------------------------------------------------
def floor_frame(
    model_id: str = "llama-3.1-8b", accelerator_id: str = "h100-sxm", concurrency: int = 256
) -> pd.DataFrame:
    """What a million tokens cost to make, three parts input: part, usd_per_mtok, tokens_per_s.

    Electricity as the energy model draws it, at Virginia's industrial price and without the
    building's share; rent at the newest reserved price of the rental table. Both models give the
    machine enough users and no pause.
    """
    mix: dict[str, Any] = {"input_tokens": 750, "output_tokens": 250}
    s = Scenario.of(model_id, accelerator_id, precision="fp8", **mix)
    run = predict(s, concurrency=concurrency)
    tokens_per_s = run.output_tokens_per_s_per_gpu * sum(mix.values()) / mix["output_tokens"]
    rents = table("rentals").query("accelerator == @accelerator_id and term == 'reserved'")
    joules = energy(s, concurrency=concurrency).j_per_total_token
    grid = site_figure(site("us-virginia"), "electricity_usd_per_kwh")
    cost = {
        "electricity": energy_cost_usd_per_mtok(joules, grid),
        "rent": cost_usd_per_mtok(rents["usd_per_gpu_hour"].iloc[-1], tokens_per_s),
    }
    frame = pd.DataFrame({"part": list(cost), "usd_per_mtok": list(cost.values())})
    return frame.assign(tokens_per_s=tokens_per_s)
