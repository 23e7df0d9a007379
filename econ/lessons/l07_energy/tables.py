"""The tables of lesson 07: batch, phases, boundaries, reasoning, places, power."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from econ.catalog import given, table
from econ.catalog.guard import count, unknown
from econ.catalog.ranges import Range
from econ.catalog.units import KILO, WH_J
from econ.energy.boundaries import boundary_frame
from econ.energy.consumption import Energy, energy
from econ.energy.footprint import (
    carbon_g_per_mtok,
    energy_cost_usd_per_mtok,
    tokens_per_s_per_mw,
)
from econ.energy.frame import energy_frame
from econ.energy.hours import day_frame
from econ.energy.sites import (
    carbon_intensity_g_per_kwh,
    embodied_range,
    resolve_site,
    site_bill,
    site_figure,
)
from econ.scenario import Scenario
from econ.sweeps import sweep

MODELS = ("llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3")
PLACES = ("australia", "france", "germany", "iceland", "india", "ireland", "japan", "poland",
          "spain", "sweden", "united-kingdom", "united-states", "us-virginia")  # fmt: skip
RUNGS = ("accelerators", "+ host", "+ idle capacity", "+ building (PUE)")
INPUTS = {  # what a tornado calls them
    "accelerators_j": "the accelerators' band",
    "host_frac": "host's share",
    "busy_frac": "time at work",
    "idle_frac": "idle power",
    "pue": "PUE",
}
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
PREDICTED_ROWS = r"mle-(?!power-).*-b\d+"  # of the ledger: joules per token of measured runs
REASONING = {  # the two runs behind the published factors of 13 and 52
    "chat": {"input_tokens": 100, "output_tokens": 842, "concurrency": 3008},
    "reasoning": {"input_tokens": 250, "output_tokens": 11_287, "concurrency": 128},
}


def batch_frame(
    model: str,
    accelerator: str,
    *,
    tp: int = 1,
    precision: str = "bf16",
    input_tokens: float,
    output_tokens: float,
    batches: tuple[int, ...] = BATCHES,
) -> pd.DataFrame:
    """Energy over the number of users: `energy_frame`, with time per token in ms and tokens/J.

    Ends where memory holds no more; raises where not even one request fits.
    """
    settings = {"tp": tp, "precision": precision, "input_tokens": input_tokens,
                "output_tokens": output_tokens, "concurrency": list(batches)}  # fmt: skip
    rows = energy_frame(pd.DataFrame({"model": model, "accelerator": accelerator, **settings}))
    if rows["reason"].iloc[0]:
        raise ValueError(rows["reason"].iloc[0])
    rows = rows[(rows["reason"] == "") & (rows["batch"] >= 0.7 * rows["concurrency"])]
    return rows.assign(
        tpot_ms=rows["tpot_s"] * KILO, tokens_per_joule=1 / rows["energy_j_per_token"]
    )


def measured_batches_frame() -> pd.DataFrame:
    """Published measured points beside the prediction: claim, concurrency, published, ours (J per
    output token), low, high."""
    published = table("published_figures")
    published = published[published.index.str.fullmatch(PREDICTED_ROWS)]
    rows = []
    for row in published.itertuples():
        case = json.loads(row.inputs)
        users = case.pop("concurrency")
        ours = energy(Scenario.of(case.pop("id"), case.pop("chip"), **case), concurrency=users)
        rows.append((row.claim, users, row.published, ours.j_per_output_token, *ours.band()))
    columns = ["claim", "concurrency", "published", "ours", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def phase_frame(
    s: Scenario,
    input_tokens: tuple[float, ...] = (100, 300, 1000, 3000, 8000, 20_000),
    *,
    concurrency: float = 32,
) -> pd.DataFrame:
    """A request's energy by phase over the length of its prompt.

    Columns: input_tokens, phase, energy_j, power_w (of the phase), share.
    """
    requests = sweep(energy, s, input_tokens=input_tokens, concurrency=concurrency)
    parts_j = {"prefill": requests["prefill_j_per_input_token"] * requests["input_tokens"]}
    total_j = requests["j_per_output_token"] * s.workload.mean_output_tokens
    parts_j["decode"] = total_j - parts_j["prefill"]
    phases = [
        requests[["input_tokens"]].assign(
            phase=phase,
            energy_j=part_j,
            power_w=requests[f"{phase}_power_w"],
            share=part_j / total_j,
        )
        for phase, part_j in parts_j.items()
    ]
    return pd.concat(phases).sort_index(kind="stable", ignore_index=True)


def request_boundary_frame(
    one: Energy, operator: str = "google", busy_frac: float | None = None
) -> pd.DataFrame:
    """`boundary_frame` of one request in Wh, with what each rung adds.

    The PUE is the operator's; its ends are the lowest and the highest of any operator listed.
    """
    known = table("operators")["pue"]
    if operator not in known.index:
        raise unknown("operator", operator, known.index)
    pue = Range(float(known.min()), float(known[operator]), float(known.max()))
    frame = boundary_frame(one, pue=pue, busy_frac=busy_frac)
    for column in ("low", "typical", "high", "adds"):
        frame[column] = frame[column] * one.output_tokens / WH_J
    return frame


def it_j_per_token(one: Energy) -> float:
    """Typical IT energy per output token: accelerators, host and idle capacity, no building."""
    rungs = boundary_frame(one).set_index("rung")
    return float(rungs.loc["idle capacity", "typical"])


def reasoning_frame() -> pd.DataFrame:
    """Chat against reasoning on 8 × B200, predicted and published.

    Columns: case, tokens, J per token and J per answer, by us and as measured.
    """
    inputs = table("published_figures").set_index("id").loc["reasoning-energy-factor", "inputs"]
    measured = json.loads(inputs)["measured"]
    rows = []
    for name, case in REASONING.items():
        lengths: dict[str, Any] = dict(case)
        users = lengths.pop("concurrency")
        s = Scenario.of("deepseek-v3", "b200-sxm", tp=8, precision="fp8", **lengths)
        one = energy(s, concurrency=users)
        tokens, joules = measured[name]
        rows.append((name, tokens, one.j_per_output_token, joules / tokens,
                     one.j_per_request, joules))  # fmt: skip
    columns = ["case", "tokens", "ours_j_per_token", "measured_j_per_token", "ours_j", "measured_j"]
    return pd.DataFrame(rows, columns=columns)


def places_frame(
    energy_j_per_token: float, sites: list[str], operator: str = "industry"
) -> pd.DataFrame:
    """The same million tokens in many places: site and `sites.site_bill`.

    ``energy_j_per_token`` is IT energy; an empty cell is a figure nobody has published.
    """
    places = [resolve_site(id, operator) for id in sites]
    return pd.DataFrame([{"site": p.name} | site_bill(energy_j_per_token, p) for p in places])


def place_hour_frame(
    energy_j_per_token: float, site: str, operator: str, hour: int
) -> pd.DataFrame:
    """A place's average day: hour, carbon_g per Mtok, mean_g; in every row the chosen hour, what
    is known, and `sites.site_bill` without its carbon."""
    place = resolve_site(site, operator)
    day, bill = day_frame(place), site_bill(energy_j_per_token, place)
    mean_g = bill.pop("carbon_g")
    return pd.DataFrame(
        {
            "hour": day["hour"],
            "carbon_g": mean_g * day["carbon_g_per_kwh"] / day["mean_g_per_kwh"],
            "mean_g": mean_g,
            "chosen": count("hour", hour, 0, len(day) - 1),
            "site": place.name,
            "operator": table("operators").loc[operator, "name"],
            "known": day["known"],
            **bill,
        }
    )


def embodied_frame(one: Energy, sites: list[str], operator: str = "industry") -> pd.DataFrame:
    """Use (IT energy and building) against making, grams per Mtok: site, use_g, embodied low,
    typical, high, share of making."""
    low, typical, high = embodied_range(one)
    it_j, rows = it_j_per_token(one), []
    for id in sites:
        place = resolve_site(id, operator)
        use = carbon_g_per_mtok(it_j, carbon_intensity_g_per_kwh(place), site_figure(place, "pue"))
        rows.append((place.name, use, low, typical, high, typical / (use + typical)))
    columns = ["site", "use_g", "embodied_low_g", "embodied_g", "embodied_high_g", "share"]
    return pd.DataFrame(rows, columns=columns)


def price_share_frame(sites: list[str], operator: str = "industry") -> pd.DataFrame:
    """Electricity in an owned H200 hour: site, server_w per accelerator, usd_per_gpu_hour of
    electricity, share of the owner's cost (typical; low and high over that cost's range)."""
    board = table("accelerators").loc["h200-sxm"]
    owner = given("energy_inputs", "owner_usd_per_gpu_hour")
    server_w = float(board["server_power_w"] / board["n_per_server"])
    rows = []
    for id in sites:
        place = resolve_site(id, operator)
        price = site_figure(place, "electricity_usd_per_kwh")
        usd = server_w / KILO * site_figure(place, "pue") * price
        shares = [usd / cost for cost in (owner.high, owner.typical, owner.low)]
        rows.append((place.name, server_w, usd, *shares))
    columns = ["site", "server_w", "usd_per_gpu_hour", "low", "share", "high"]
    return pd.DataFrame(rows, columns=columns)


def megawatt_frame(
    s: Scenario, users: tuple[float, ...], *, pue: float, usd_per_kwh: float
) -> pd.DataFrame:
    """What a megawatt at the site sustains by users of each deployment: users, site J per token,
    tokens per second and MW, gpus per MW, and the year's electricity in USD per million tokens."""
    rows = []
    for n in users:
        one = energy(s, concurrency=n)
        site_j = float(boundary_frame(one, pue=pue)["typical"].iloc[-1])
        rate = tokens_per_s_per_mw(site_j)
        rows.append((n, site_j, rate, rate / one.output_tokens_per_s_per_gpu,
                     energy_cost_usd_per_mtok(site_j, usd_per_kwh)))  # fmt: skip
    columns = ["users", "site_j_per_token", "tokens_per_s_per_mw", "gpus_per_mw", "usd_per_mtok"]
    return pd.DataFrame(rows, columns=columns)
