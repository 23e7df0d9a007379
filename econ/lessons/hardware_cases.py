"""Machines over time: what a FLOP/s costs, what a watt does, rents, fleets, and software on top.

>>> trends = hardware_frame().set_index("trend")
>>> round(float(trends.loc["USD per FLOP/s, newest format", "change_per_year"]), 2)
-0.3
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog import accelerator, price, site, table
from econ.catalog.guard import unknown
from econ.energy.consumption import energy_j_per_total_token
from econ.energy.footprint import energy_cost_usd_per_mtok
from econ.latency.prediction import predict
from econ.tco.token_cost import cost_usd_per_mtok
from econ.trends.breaks import Break, fit_break
from econ.trends.hardware import efficiency_frame
from econ.trends.rates import (
    Trend,
    annual_factor,
    fit_trend,
    implied_elasticity,
    year_of,
    years_between,
)

SEGMENTS = ("data centre", "all")
RENTED = ("a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200-sxm")
HEADLINE = {"start": "2022-11", "end": "2024-10"}  # the dates of the 280-fold fall
ELO_SCALE = 400.0  # points in which the odds of a duel grow tenfold (Elo 1978, used by Arena)


def launches_frame(segment: str = "data centre") -> pd.DataFrame:
    """Processors at launch: USD per FLOP/s and per byte/s, FLOP/s per W.

    ``flop_per_s`` is the best dense peak in 16 or 32 bits: the newest format a chip had.
    """
    if segment not in SEGMENTS:
        raise unknown("segment", segment, SEGMENTS)
    rows = table("accelerator_launches")
    rows = rows if segment == "all" else rows[rows["segment"] == segment]
    peaks = ["peak_fp32_flop_per_s", "peak_half_flop_per_s", "peak_tensor_flop_per_s"]
    best = rows[peaks].max(axis=1)
    cost = rows["launch_price_usd"]
    return rows.assign(
        date=rows["release"],
        flop_per_s=best,
        usd_per_flop_per_s=cost / best,
        usd_per_fp32_flop_per_s=cost / rows["peak_fp32_flop_per_s"],
        usd_per_tensor_flop_per_s=cost / rows["peak_tensor_flop_per_s"],
        usd_per_byte_per_s=cost / rows["memory_bandwidth_bytes_per_s"],
        flop_per_s_per_w=best / rows["tdp_w"],
        fp32_flop_per_s_per_w=rows["peak_fp32_flop_per_s"] / rows["tdp_w"],
    ).reset_index(drop=True)


def line_frame() -> pd.DataFrame:
    """One maker's server boards, 2018 on, as notebook 04 picks them, dated: FLOP/s per W and
    byte/s per W in one format."""
    boards = efficiency_frame().set_index("id", drop=False)
    return boards.assign(
        date=table("accelerators").loc[boards.index, "release"],
        tensor_flop_per_s_per_w=boards["bf16"],
        bytes_per_s_per_w=boards["bandwidth"],
    ).reset_index(drop=True)


def trend_of(frame: pd.DataFrame, column: str) -> Trend:
    """The trend of a column, over the rows that have it."""
    return fit_trend(frame.dropna(subset=[column]), column)


def hardware_frame(segment: str = "data centre") -> pd.DataFrame:
    """The yearly change of each measure, as a share with its 90 % interval.

    ``trend``, ``about`` (cost or efficiency), ``n_points``, ``start``, ``end``,
    ``change_per_year``, ``low``, ``high``.
    """
    priced, boards = launches_frame(segment), line_frame()
    measures = [
        ("USD per FLOP/s, newest format", "cost", priced, "usd_per_flop_per_s"),
        ("USD per FLOP/s, always 32 bits", "cost", priced, "usd_per_fp32_flop_per_s"),
        ("USD per FLOP/s, always 16-bit tensor", "cost", priced, "usd_per_tensor_flop_per_s"),
        ("USD per byte/s of memory", "cost", priced, "usd_per_byte_per_s"),
        ("FLOP/s per W, newest format", "efficiency", launches_frame("all"), "flop_per_s_per_w"),
        ("FLOP/s per W, always 32 bits", "efficiency", launches_frame("all"),
         "fp32_flop_per_s_per_w"),
        ("FLOP/s per W, always 16-bit tensor", "efficiency", boards, "tensor_flop_per_s_per_w"),
        ("byte/s of memory per W", "efficiency", boards, "bytes_per_s_per_w"),
    ]  # fmt: skip
    rows = []
    for name, about, frame, column in measures:
        t = trend_of(frame, column)
        rates = np.array([t.factor_per_year, t.low_per_year, t.high_per_year]) - 1
        rows.append((name, about, t.n_points, t.start[:4], t.end[:4], *rates))
    columns = ["trend", "about", "n_points", "start", "end", "change_per_year", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


# -- rents and street prices -------------------------------------------------------------------
def rents_frame(accelerators: tuple[str, ...] = RENTED) -> pd.DataFrame:
    """Quarterly median on-demand rents: accelerator, date, year, usd_per_gpu_hour, n_high."""
    rows = table("rental_medians")
    for id in accelerators:
        if id not in set(rows["accelerator"]):
            raise unknown("rented accelerator", id, rows["accelerator"].unique())
    rows = rows[rows["accelerator"].isin(accelerators)].rename(
        columns={"median_usd_per_gpu_hour": "usd_per_gpu_hour", "month": "date"}
    )
    return rows.assign(year=1970 + year_of(rows["date"])).reset_index(drop=True)


def rent_break(accelerator_id: str = "h100-sxm", since: str = "2024") -> Break:
    """Where the rent of an accelerator turned, from the quarterly medians since a year."""
    rows = rents_frame((accelerator_id,))
    return fit_break(rows[rows["date"] >= since], "usd_per_gpu_hour")


def street_frame() -> pd.DataFrame:
    """Reported prices by year: accelerator, year, the middle of the range, USD per FLOP/s."""
    rows = table("street_prices")
    middle = np.sqrt(rows["low_usd"] * rows["high_usd"])
    peak = rows["accelerator"].map(lambda id: accelerator(id).peak_bf16_flop_per_s)
    columns = ["accelerator", "year", "low_usd", "high_usd"]
    return rows[columns].assign(middle_usd=middle, usd_per_flop_per_s=middle / peak)


# -- the rest of a fall ------------------------------------------------------------------------
def software_frame() -> pd.DataFrame:
    """The same accelerators in two rounds of MLPerf: gain in all and per year."""
    rows = table("software_gains").reset_index(drop=True)
    years = [years_between(a, b) for a, b in zip(rows["start"], rows["end"], strict=True)]
    yearly = [annual_factor(g, y) for g, y in zip(rows["gain_factor"], years, strict=True)]
    return rows.assign(years=years, gain_per_year=yearly)


def decomposition_frame(cost_per_year: float = -0.3) -> pd.DataFrame:
    """The 280-fold fall as a product: hardware, software on the same silicon, and the rest.

    ``part``, ``factor``, ``log_share`` (of the fall's logarithm). Hardware goes at the headline's
    rate unless another is given; software at the best rate that two rounds of MLPerf show, so the
    rest (smaller models as good, fewer bits, margins) is a lower bound.
    """
    years = years_between(**HEADLINE)
    whole = (
        price("text-davinci-003").input_usd_per_mtok
        / table("quality_prices").loc["gemini-1.5-flash-8b", "price_usd_per_mtok"]
    )
    hardware = (1 + cost_per_year) ** -years
    software = software_frame()["gain_per_year"].max() ** years
    parts = {
        "hardware": hardware,
        "software on the same silicon": software,
        "models, precision, margins": whole / hardware / software,
    }
    frame = pd.DataFrame({"part": list(parts), "factor": list(parts.values())})
    return frame.assign(log_share=np.log(frame["factor"]) / np.log(whole))


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
    mix = {"input_tokens": 750, "output_tokens": 250}
    case = {"precision": "fp8", "concurrency": concurrency, **mix}
    run = predict(model_id, accelerator_id, **case)
    tokens_per_s = run.output_tokens_per_s_per_gpu * sum(mix.values()) / mix["output_tokens"]
    rents = table("rentals").query("accelerator == @accelerator_id and term == 'reserved'")
    joules = energy_j_per_total_token(model_id, accelerator_id, **case)
    grid = site("us-virginia").electricity_usd_per_kwh
    cost = {
        "electricity": energy_cost_usd_per_mtok(joules, grid),
        "rent": cost_usd_per_mtok(rents["usd_per_gpu_hour"].iloc[-1], tokens_per_s),
    }
    frame = pd.DataFrame({"part": list(cost), "usd_per_mtok": list(cost.values())})
    return frame.assign(tokens_per_s=tokens_per_s)
