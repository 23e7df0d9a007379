"""Accelerators over time: what a FLOP/s costs, what a watt does, rents, and software on top.

>>> growth = efficiency_growth_per_year("bf16")
>>> bool(growth["low"] < growth["growth"] < growth["high"] < 0.40)         # a claim says 40 %
True
>>> trends = hardware_frame().set_index("trend")
>>> round(float(trends.loc["USD per FLOP/s, newest format", "change_per_year"]), 2)
-0.3
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econ.catalog import given, table
from econ.catalog.guard import one_of
from econ.catalog.units import TERA
from econ.energy.fit import power_runs
from econ.energy.frame import energy_frame
from econ.trends.fits import Trend, fit_trend
from econ.trends.rates import EPOCH, year_of

SAME = {"model": "llama-3.1-70b", "accelerator": "h100-sxm", "concurrency": 255}
SEGMENTS = ("data centre", "all")
RENTED = ("a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200-sxm")
MEASURES = {
    "bf16": "bf16 FLOP/s per W",
    "narrowest": "narrowest FLOP/s per W",
    "bandwidth": "Memory bandwidth per W",
}


def efficiency_frame() -> pd.DataFrame:
    """One maker's server line by release.

    NVIDIA's SXM boards alone: one form factor, one job. A mix of cards, racks and makers would
    measure the mix.

    Returns
    -------
    DataFrame
        ``id``, ``name``, ``date``, ``years`` (calendar), and per watt of TDP ``bf16``,
        ``narrowest`` (TFLOP/s) and ``bandwidth`` (TB/s).
    """
    rows = table("accelerators")
    line = rows[(rows["vendor"] == "NVIDIA") & rows.index.str.contains("-sxm")]
    peaks = line[["peak_bf16_flop_per_s", "peak_fp8_flop_per_s", "peak_fp4_flop_per_s"]]
    frame = pd.DataFrame(
        {
            "id": line.index,
            "name": line["name"],
            "date": line["release"],
            "years": EPOCH.year + year_of(line["release"]),
            "bf16": line["peak_bf16_flop_per_s"] / line["tdp_w"] / TERA,
            "narrowest": peaks.max(axis=1) / line["tdp_w"] / TERA,
            "bandwidth": line["memory_bandwidth_bytes_per_s"] / line["tdp_w"] / TERA,
        }
    )
    return frame.sort_values("years", kind="stable", ignore_index=True)


def efficiency_growth_per_year(measure: str = "bf16") -> dict[str, float]:
    """Growth of a measure of `efficiency_frame` per year: growth, low, high (90 % interval), n."""
    one_of("measure of efficiency", measure, MEASURES)
    trend = fit_trend(efficiency_frame(), measure, interval="t")
    return {
        "growth": trend.factor_per_year - 1,
        "low": trend.low_per_year - 1,
        "high": trend.high_per_year - 1,
        "n": trend.n_points,
    }


def growth_frame(claim_frac: float | None = None) -> pd.DataFrame:
    """Growth a year by each measure, and a claim beside them: measure, low, growth, high (%)."""
    rows: list[tuple[str, float, float, float]] = []
    for measure, title in MEASURES.items():
        growth = efficiency_growth_per_year(measure)
        rows.append((title, 100 * growth["low"], 100 * growth["growth"], 100 * growth["high"]))
    if claim_frac is not None:
        rows.append(("The claim", 100 * claim_frac, 100 * claim_frac, 100 * claim_frac))
    return pd.DataFrame(rows, columns=["measure", "low", "growth", "high"])


def launches_frame(segment: str = "data centre") -> pd.DataFrame:
    """Processors at launch: USD per FLOP/s and per byte/s, FLOP/s per W.

    ``flop_per_s`` is the best dense peak in 16 or 32 bits: the newest format an accelerator had.
    """
    one_of("segment", segment, SEGMENTS)
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


def _trend(frame: pd.DataFrame, column: str) -> Trend:
    """The trend of a column, over the rows that have it."""
    return fit_trend(frame.dropna(subset=[column]), column)


def hardware_frame(segment: str = "data centre") -> pd.DataFrame:
    """The yearly change of each measure, as a share with its 90 % interval.

    ``trend``, ``about`` (cost or efficiency), ``n_points``, ``start``, ``end``,
    ``change_per_year``, ``low``, ``high``.
    """
    priced, boards = launches_frame(segment), efficiency_frame()
    measures = [
        ("USD per FLOP/s, newest format", "cost", priced, "usd_per_flop_per_s"),
        ("USD per FLOP/s, always 32 bits", "cost", priced, "usd_per_fp32_flop_per_s"),
        ("USD per FLOP/s, always 16-bit tensor", "cost", priced, "usd_per_tensor_flop_per_s"),
        ("USD per byte/s of memory", "cost", priced, "usd_per_byte_per_s"),
        ("FLOP/s per W, newest format", "efficiency", launches_frame("all"), "flop_per_s_per_w"),
        ("FLOP/s per W, always 32 bits", "efficiency", launches_frame("all"),
         "fp32_flop_per_s_per_w"),
        ("FLOP/s per W, always 16-bit tensor", "efficiency", boards, "bf16"),
        ("byte/s of memory per W", "efficiency", boards, "bandwidth"),
    ]  # fmt: skip
    rows = []
    for name, about, frame, column in measures:
        t = _trend(frame, column)
        rates = np.array([t.factor_per_year, t.low_per_year, t.high_per_year]) - 1
        rows.append((name, about, t.n_points, t.start[:4], t.end[:4], *rates))
    columns = ["trend", "about", "n_points", "start", "end", "change_per_year", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def rents_frame(accelerators: Sequence[str] = RENTED) -> pd.DataFrame:
    """Quarterly median on-demand rents: accelerator, date, year, usd_per_gpu_hour, n_high."""
    rows = table("rental_medians")
    for id in accelerators:
        one_of("rented accelerator", id, rows["accelerator"].unique())
    rows = rows[rows["accelerator"].isin(accelerators)].rename(
        columns={"median_usd_per_gpu_hour": "usd_per_gpu_hour", "month": "date"}
    )
    return rows.assign(year=EPOCH.year + year_of(rows["date"])).reset_index(drop=True)


def software_frame() -> pd.DataFrame:
    """Llama 3.1 70B on four H100 at a batch of 255, under three generations of software: measured
    in 2024 and in 2026, and predicted.

    Columns: software, output_tokens_per_s_per_gpu, power_w, energy_j_per_token. The measurement of
    2026 ships as two ratios to that of 2024.
    """
    runs = power_runs()
    same = runs[(runs["model"] == SAME["model"]) & (runs["accelerator"] == SAME["accelerator"])]
    old = same.iloc[(same["concurrency"] - SAME["concurrency"]).abs().argmin()]
    rate, joules = old["output_tokens_per_s_per_gpu"], old["energy_j_per_token"]
    faster = given("energy_inputs", "software_speed_factor").typical
    leaner = given("energy_inputs", "software_energy_factor").typical
    bare = same.loc[[old.name]].drop(columns=["output_tokens_per_s_per_gpu", "energy_j_per_token"])
    new = energy_frame(bare).iloc[0]
    rows = [
        ("2024, measured", rate, joules),
        ("2026, measured", rate * faster, joules / leaner),
        ("predicted", new["output_tokens_per_s_per_gpu"], new["energy_j_per_token"]),
    ]
    frame = pd.DataFrame(
        rows, columns=["software", "output_tokens_per_s_per_gpu", "energy_j_per_token"]
    )
    power_w = frame["output_tokens_per_s_per_gpu"] * frame["energy_j_per_token"]
    return frame.assign(power_w=power_w)
