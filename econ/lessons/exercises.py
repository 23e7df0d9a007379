"""The answers that exercises are held against, computed by the functions that notebooks teach.

Importing this module registers them. What a published figure or a
claim recomputes already, an exercise takes from `econ.ledger`.

>>> from econ.lessons.question import QUESTIONS
>>> QUESTIONS["16-4"].unit, round(QUESTIONS["16-4"].truth(None), 2)
('USD per GPU-hour', 2.14)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from econ import scaling, tco
from econ.catalog import model, price, site, table
from econ.catalog.units import GIGA, MILLI
from econ.energy import energy, energy_cost_usd_per_mtok, idle_j_per_token, water_l_per_mtok
from econ.energy.sites import site_figure
from econ.latency import answer_s, kv_bytes_per_token, tokens_per_check, weight_bytes
from econ.ledger import claim, recomputed
from econ.lessons.l01_tokens import AGENT, AGENT_STEPS
from econ.lessons.l05_goodput import N, default_case
from econ.lessons.l15_workload import cheapest_frame
from econ.lessons.question import question
from econ.plan import Demand, plan
from econ.scenario import Scenario
from econ.serving import max_rate_per_s, slo_preset
from econ.serving.queueing import mm1_e2e_quantile_s
from econ.tokens.bill import agent_loop_tokens, conversation_tokens, token_bill
from econ.tokens.count import count_tokens, image_tokens
from econ.trends.hardware import rents_frame
from econ.trends.prices import PRICE, blended_usd_per_mtok, frontier_frame
from econ.trends.rates import annual_factor, spend_ratio, years_between
from econ.uncertainty import evpi_usd

Register = Callable[[Callable[[], Any]], Callable[[], Any]]


def exercise(id: str, unit: str, tolerance_frac: float = 0.01, hint: str = "") -> Register:
    """Until each has its slips and its twin in `econ.lessons.questions`."""

    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        question(id, "", unit=unit, tolerance_frac=tolerance_frac, hints=(hint,))(
            lambda q: function()
        )
        return function

    return register


# -- 01 Tokens -----------------------------------------------------------------------------------
@exercise("01-1", unit="characters per token", hint="Length of the text over its tokens.")
def _characters_per_token() -> float:
    text = table("parallel_text").loc["ka", "text"]
    return len(text) / count_tokens(text, "tekken")


exercise("01-2", unit="tokens", tolerance_frac=1e-9, hint="Scale first, then count tiles.")(
    lambda: float(image_tokens(1920, 1080, "openai-tile"))
)


@exercise("01-3", unit="tokens", hint="Sum the input of every turn, history included.")
def _thirty_turns() -> float:
    turns = conversation_tokens(30, user_tokens=60, assistant_tokens=250, system_tokens=500)
    return float(turns["input_tokens"].sum())


@exercise("01-4", unit="share", hint="Equal cost: h·read + (1 − h)·write = fresh.")
def _hit_rate_at_which_caching_pays() -> float:
    p = price("claude-sonnet-4-6", "Anthropic")
    write, read = p.cache_write_usd_per_mtok, p.cached_input_usd_per_mtok
    assert write is not None
    assert read is not None
    return (write - p.input_usd_per_mtok) / (write - read)


@exercise(
    "01-5",
    unit="USD per million tokens",
    hint="All dollars over all tokens, both ways; n_requests calls.",
)
def _blended_price_of_the_agent() -> float:
    steps = agent_loop_tokens(AGENT_STEPS, **AGENT)
    return token_bill(
        price("gpt-5.6-terra", "OpenAI"),
        input_tokens=steps["input_tokens"].sum(),
        output_tokens=steps["output_tokens"].sum(),
        n_requests=len(steps),
    ).blended_usd_per_mtok


# -- 02 Latency ----------------------------------------------------------------------------------
exercise(
    "02-1", unit="bytes", tolerance_frac=1e-6, hint="Layers, K and V, KV heads, width, 2 bytes."
)(lambda: kv_bytes_per_token("llama-3.1-70b"))
exercise("02-2", unit="sequences", tolerance_frac=0.02, hint="Equal bytes read in a step.")(
    lambda: weight_bytes("llama-3.1-70b", "fp8") / (2000 * kv_bytes_per_token("llama-3.1-70b"))
)
exercise("02-3", unit="s", hint="The first token comes with the TTFT: 499 gaps follow.")(
    lambda: answer_s(0.3, 20 * MILLI, 500)
)
exercise("02-4", unit="tokens", hint="1 + a + a² + a³ + a⁴.")(lambda: tokens_per_check(0.8, 4))


@exercise(
    "02-5", unit="share", hint="One token misses an expert with 1 − k/E; sixteen, to that power."
)
def _experts_that_sixteen_touch() -> float:
    net = model("gpt-oss-120b")
    return 1 - (1 - net.experts_per_token / net.n_experts) ** 16


# -- 05 Goodput ----------------------------------------------------------------------------------
exercise("05-1", unit="s", hint="The time in the system is exponential with mean s/(1 − ρ).")(
    lambda: mm1_e2e_quantile_s(0.9 / 0.4, 0.4, 0.99)
)
exercise(
    "05-2", unit="s", tolerance_frac=0.004, hint="The first token is not a gap: divide by n − 1."
)(lambda: (12.3 - 0.5) / (60 - 1))
exercise(
    "05-3",
    unit="share",
    hint="Those who miss one limit may all be others than those who miss the other.",
)(lambda: 0.95 + 0.90 - 1)


@exercise(
    "05-4",
    unit="requests/s",
    tolerance_frac=0.02,
    hint="Give max_rate_per_s the scenario with the preset and the policy, and n=10_000.",
)
def _highest_rate_for_reasoning() -> float:
    case, _ = default_case()
    return max_rate_per_s(case.with_(slo=slo_preset("reasoning"), policy="prefill_first"), n=N)


# -- 07 Energy -----------------------------------------------------------------------------------
@exercise(
    "07-1",
    unit="USD per million tokens",
    hint="W over tokens/s are J per token; those over 3.6 are kWh per Mtok.",
)
def _electricity_of_a_million() -> float:
    place = site("us-virginia", "microsoft")
    price, pue = (site_figure(place, name) for name in ("electricity_usd_per_kwh", "pue"))
    return float(energy_cost_usd_per_mtok(recomputed("mle-power-70b-h100-b8"), price, pue))


exercise("07-2", unit="J per token", hint="Hours of idling per hour of work: (1 − u)/u.")(
    lambda: idle_j_per_token(400, 460, 0.25)
)


@exercise("07-3", unit="", hint="The energy is the same; by how many tokens is it divided?")
def _ratio_of_two_figures() -> float:
    one = energy(Scenario.default().with_(input_tokens=8000, output_tokens=1000), concurrency=32)
    return float(one.j_per_output_token / one.j_per_total_token)


@exercise("07-4", unit="L per million tokens", hint="On site per IT kWh; the grid per site kWh.")
def _water_of_a_million() -> float:
    names = ("wue_l_per_kwh", "grid_water_l_per_kwh", "pue")
    on_site, grid, pue = (site_figure(site("france", "google"), name) for name in names)
    return float(water_l_per_mtok(1.8, on_site, grid, pue))


# -- 09 Scaling laws -----------------------------------------------------------------------------
exercise("09-1", unit="GPU-hours", hint="6·N·D over peak × MFU gives seconds; then hours.")(
    lambda: scaling.training_gpu_hours(float(scaling.training_flop(8e9, 15e12)), "h100-sxm", 0.4)
)


@exercise(
    "09-2", unit="billion parameters", tolerance_frac=0.02,
    hint="The target is the loss at the training optimum; then ask lifetime_optimal.",
)  # fmt: skip
def _cheapest_size_for_life() -> float:
    law = "besiroglu2024"
    target = float(
        scaling.loss(*scaling.compute_optimal(scaling.optimal_flop(13e9, law), law), law)
    )
    return scaling.lifetime_optimal(target, 10e12, law).params / GIGA


exercise("09-3", unit="share", hint="Average pass@10 over the problems, not the success rates.")(
    lambda: float(
        scaling.coverage_curve(np.array([50, 50]), np.array([5, 0]), [10])["coverage"].iloc[0]
    )
)
exercise("09-4", unit="share", hint="Of all answers that pass, which share is right?")(
    lambda: float(
        scaling.best_of_n_accuracy(0.1, 1_000_000, true_positive_frac=0.9, false_positive_frac=0.05)
    )
)


# -- 10 Cost trends ------------------------------------------------------------------------------
@exercise("10-1", unit="times per year", hint="The whole factor to the power of 12 over months.")
def _fall_of_gpt4_level_a_year() -> float:
    rows = frontier_frame("mmlu", 0.86)
    first, last = rows.iloc[0], rows.iloc[-1]
    return annual_factor(first[PRICE] / last[PRICE], years_between(first["date"], last["date"]))


@exercise("10-2", unit="times", hint="Blend each model's two prices first, then divide.")
def _blended_fall() -> float:
    gpt4, mini = (
        blended_usd_per_mtok(p.input_usd_per_mtok, p.output_usd_per_mtok)
        for p in map(price, ("gpt-4", "gpt-4o-mini"))
    )
    return gpt4 / mini


exercise("10-3", unit="times", hint="Price ratio to the power of one plus the elasticity.")(
    lambda: spend_ratio(0.1, -1.4)
)


@exercise("10-4", unit="times per year", hint="From 2025-11 to 2026-08 are nine months.")
def _rent_since_the_trough() -> float:
    rents = rents_frame(("h100-sxm",)).set_index("date")["usd_per_gpu_hour"]
    return annual_factor(rents["2026-08"] / rents["2025-11"], years_between("2025-11", "2026-08"))


# -- 11 Full-stack TCO ---------------------------------------------------------------------------
exercise("11-1", unit="USD per month", hint="i = 8 %/12, n = 48: C·i / (1 − (1 + i)⁻ⁿ).")(
    lambda: tco.annuity_usd_per_month(300_000, 0.08, 4)
)
exercise(
    "11-2", unit="USD per million tokens", hint="The useful hour first, then its 3600 seconds."
)(lambda: tco.cost_usd_per_mtok(1.59, 800, 0.4))
exercise("11-3", unit="share", hint="Cost 1, profit 3: what is the revenue?")(
    lambda: (
        tco.Statement(
            tiers=(tco.Tier("all", 0, 4.0),), cost_usd=1.0, gpu_hours=1, days=1
        ).margin_frac
    )
)
exercise("11-4", unit="share", hint="Owned: every hour. Rented: the useful ones.")(
    lambda: tco.break_even_utilisation_frac(1.60, 3.85)
)


@exercise("11-5", unit="servers", tolerance_frac=1e-9, hint="Round up twice, then add the spare.")
def _servers_with_a_spare() -> float:
    need = tco.units(peak_per_s=130, per_s_per_instance=9.4, gpus_per_instance=4, n_spare_servers=1)
    return float(need.n_servers)


# -- 15 Your workload ----------------------------------------------------------------------------
MEAN_PER_S, PEAK_FACTOR = 60, 1.5


def _replica_per_s() -> float:
    """Requests per second of a replica: 64 in flight, TTFT 0.4 s, TPOT 25 ms, 300 tokens."""
    return float(64 / answer_s(0.4, 25 * MILLI, 300))


def _fleet_with_a_spare() -> float:
    """Replicas for the peak, and one more."""
    return math.ceil(MEAN_PER_S * PEAK_FACTOR / _replica_per_s()) + 1


exercise("15-1", unit="requests per second", hint="Little: in flight over TTFT + 299 · TPOT.")(
    _replica_per_s
)
exercise("15-2", unit="replicas", tolerance_frac=1e-6, hint="Round up the peak, then add one.")(
    _fleet_with_a_spare
)
exercise("15-3", unit="USD", hint="All 13 are paid; only good tokens of the mean count.")(
    lambda: tco.cost_usd_per_mtok(_fleet_with_a_spare() * 4 * 3.0, MEAN_PER_S * 300 * 0.97)
)
exercise("15-4", unit="USD", hint="Cheapest mean now, less the mean of the cheaper in each case.")(
    lambda: evpi_usd(pd.DataFrame({"new": [100e3, 220e3], "known": [150e3, 150e3]}))
)


@exercise("15-5", unit="accelerators", tolerance_frac=1e-6, hint="cheapest_frame with tpot_s=0.02.")
def _fleet_at_a_faster_stream() -> float:
    scenario = Scenario.default()
    fast = Demand(scenario.with_(tpot_s=0.02))
    cheapest = cheapest_frame(plan(scenario, n_refined=0).rows, fast)
    return float(cheapest["fleet_gpus"].iloc[0])


# -- 16 Claims lab -------------------------------------------------------------------------------
def _recomputed(id: str) -> float:
    return float(claim(id).recomputed)


for _id, _claim, _unit, _hint in (
    ("16-1", "hn-405b", "cards", "Tokens/s times bytes over bytes/s of one card."),
    ("16-2", "caches-52", "caches", "Free bytes over bytes per token times tokens."),
    ("16-3", "electricity-60", "share", "kW times tariff, over the price of the hour."),
    ("16-4", "owned-120", "USD per GPU-hour", "Eight GPUs, three years, 8,760 hours each."),
):
    exercise(_id, unit=_unit, hint=_hint)(functools.partial(_recomputed, _claim))
