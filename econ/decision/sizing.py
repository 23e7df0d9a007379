"""What sizes a fleet: the least there is, memory, the rate, or one of the SLO's two limits.

The screen knows what a replica serves under every batch limit, whatever the waiting. So it tells
how many replicas the rate alone takes; those beyond are there for the SLO.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd

from econ.catalog.units import MILLI
from econ.decision.fleets import Fleet
from econ.decision.result import chips_words
from econ.decision.words import money
from econ.plan import Plan
from econ.plan.candidates import SPLIT
from econ.plan.search import ROUNDING
from econ.terms import Slo


def size_words(fleet: Fleet, searched: Plan, gpu_usd_per_day: float = 0.0) -> str:
    """Which limit binds, in a sentence or two; nothing of a fleet that was not simulated.

    Parameters
    ----------
    fleet, searched
        What was chosen, and the search that it comes from.
    gpu_usd_per_day : float
        What an accelerator of it costs without staff; 0 to say nothing of money.
    """
    row, policy = fleet.row, fleet.scenario.deployment.policy
    if fleet.basis != "simulated" or policy == "disaggregated":
        return ""
    n = int(row["n_replicas"]) - fleet.n_spare
    parts, peak = fleet.n_replicas // n, searched.demand.peak_per_s
    busiest = f"the busiest hour has {peak * parts:,.3g}"
    if n == 1:
        return (
            "Size: one replica is the least there is; it sustains up to "
            f"{fleet.rate_per_s:,.3g} requests/s within the SLO, and {busiest}."
        )
    batches = _batches(fleet, searched.screen)
    rates = batches["requests_per_s_per_replica"]
    n_by_rate = math.ceil(peak / rates.max() * ROUNDING)
    if n > n_by_rate:
        alone = f"{n_by_rate * parts:,} replica{'s' if n_by_rate * parts > 1 else ''}"
        return (
            f"Size: {_limit_words(fleet, searched.demand.slo)}. The rate alone would take {alone}: "
            f"{_saved_words(fleet, n_by_rate * parts, gpu_usd_per_day)}."
        )
    serves = f"a replica serves up to {rates.max():,.3g} requests/s, and {busiest}."
    largest = batches[rates.notna()].iloc[-1]
    if largest["constraint"] == "" and (batches["constraint"] == "kv cache").any():
        return (
            f"Size: memory binds. A replica holds at most {row['most_sequences']:,.0f} requests at "
            f"once, fewer than the SLO would allow: {serves}"
        )
    return f"Size: the rate binds, and looser limits would save no replica of this kind: {serves}"


def _saved_words(fleet: Fleet, n_by_rate: int, gpu_usd_per_day: float) -> str:
    """What limits that nobody feels would save, in accelerators and USD."""
    saved = fleet.n_paid - dataclasses.replace(fleet, n_replicas=n_by_rate).n_paid
    if not saved:
        return "as many whole servers, so looser limits save nothing"
    usd = f", some {money(saved * gpu_usd_per_day)} a day" if gpu_usd_per_day else ""
    return f"looser limits save at most {chips_words(saved, fleet.accelerator.id)}{usd}"


def _batches(fleet: Fleet, screen: pd.DataFrame) -> pd.DataFrame:
    """The screen's rows of the same replica, one for each batch limit."""
    names = [chip.id for chip in screen["accelerator"]]
    is_same = (screen[list(SPLIT)] == fleet.row[list(SPLIT)]).all(axis=1)
    is_same &= screen["precision"] == fleet.row["precision"]
    return screen[is_same & (np.array(names) == fleet.accelerator.id)].sort_values("concurrency")


def _limit_words(fleet: Fleet, slo: Slo) -> str:
    """The limit that more requests miss, and how far the other one is from it."""
    row, n = fleet.row, f"{fleet.n_replicas:,} replicas"
    good = (
        f"{n} keep the SLO for {row['good_frac']:.1%} of requests ({slo.attainment_frac:.0%} must)"
    )
    ttft, token = f"{slo.ttft_s:g} s", f"{slo.tpot_s / MILLI:g} ms"
    words = {
        "ttft": (
            f"the TTFT of {ttft}",
            f"{row['p95_tpot_s'] / MILLI:.2g} ms per token (limit: {token})",
        ),
        "tpot": (
            f"the limit of {token} per token",
            f"{row['p95_ttft_s']:.2g} s of TTFT (limit: {ttft})",
        ),
    }
    if row["binding"] not in words:
        return f"the SLO binds: {good}"
    limit, other = words[row["binding"]]
    return f"{limit} binds: {good}, and 95% of requests take at most {other}"
