"""What it takes to recompute a published claim: sums, dates, and what the evidence gives.

As `econ.lessons.claim_cases`, for claims that need no model of a machine.

>>> round(INVESTIGATE["token_ratio"](172, high_tokens=5.7e9, low_tokens=33e6)[0])
173
"""

from __future__ import annotations

import math

import pandas as pd

from econ.catalog.units import GIGA, HOURS_PER_YEAR, MONTHS_PER_YEAR, MTOK, TERA, YEAR_S
from econ.lessons.claim_cases import INVESTIGATE, Found, investigation
from econ.lessons.claim_frames import power_usd

__all__ = ["INVESTIGATE"]


# -- arithmetic ----------------------------------------------------------------------------------
@investigation
def power_share(
    claimed: float,
    capital_usd: float,
    power_w: float,
    electricity_usd_per_kwh: float,
    years: float,
    server_power_w: float,
    pue: float,
) -> Found:
    """Electricity's share of purchase and electricity: the card, and with server and cooling."""
    card = power_usd(power_w, electricity_usd_per_kwh, years)
    site = power_usd(server_power_w, electricity_usd_per_kwh, years, pue)
    return (
        card / (card + capital_usd),
        site / (site + capital_usd),
        [
            ("price of the card", capital_usd, "USD"),
            (f"electricity of the card in {years:g} years", card, "USD"),
            ("its share", card / (card + capital_usd), "share"),
            ("electricity with server and cooling", site, "USD"),
            ("its share", site / (site + capital_usd), "share"),
        ],
    )


@investigation
def rent_share(
    claimed: float,
    power_w: float,
    electricity_usd_per_kwh: float,
    cost_usd_per_gpu_hour: float,
    tariff_ratio: float,
) -> Found:
    """Electricity of a GPU-hour over its whole cost; the rent beyond its electricity stays."""
    power = power_usd(power_w, electricity_usd_per_kwh, 1 / HOURS_PER_YEAR)
    dear = power * tariff_ratio
    dear_frac = dear / (cost_usd_per_gpu_hour - power + dear)
    steps = [
        ("electricity of a GPU-hour", power, "USD"),
        ("cost of a GPU-hour", cost_usd_per_gpu_hour, "USD"),
        ("share", power / cost_usd_per_gpu_hour, "share"),
        (f"share at {tariff_ratio:g} times the tariff", dear_frac, "share"),
    ]
    return power / cost_usd_per_gpu_hour, dear_frac, steps


@investigation
def owned_hour(claimed: float, low_usd: float, high_usd: float, n_gpu: int, years: float) -> Found:
    """A total over all hours of some years."""
    hours = n_gpu * years * HOURS_PER_YEAR
    steps = [
        ("GPU-hours, used or not", hours, "hours"),
        ("lowest total over them", low_usd / hours, "USD per GPU-hour"),
        ("highest total over them", high_usd / hours, "USD per GPU-hour"),
    ]
    return low_usd / hours, high_usd / hours, steps


@investigation
def months_between(claimed: float, start: str, end: str, fall_ratio: float) -> Found:
    """Months from one date to another, and the yearly factor that a fall over them makes."""
    first, last = (pd.Period(date, "M").ordinal for date in (start, end))
    months = float(last - first)

    def a_year(months: float) -> float:
        return fall_ratio ** (MONTHS_PER_YEAR / months)

    return (
        months,
        a_year(months),
        [
            (f"from {start} to {end}", months, "months"),
            ("cheaper, by these months", a_year(months), "-fall_ratio a year"),
            ("cheaper, by the claimed months", a_year(claimed), "-fall_ratio a year"),
        ],
    )


@investigation
def six_n_d(claimed: float, params: float, tokens: float) -> Found:
    """Training work by six FLOP per parameter and token."""
    flop = 6 * params * tokens
    steps = [
        ("parameters", params / GIGA, "billion"),
        ("tokens", tokens / TERA, "trillion"),
        ("6 · parameters · tokens", flop, "FLOP"),
        ("over the claim", flop / claimed, "times"),
    ]
    return flop, flop, steps


# -- the evidence --------------------------------------------------------------------------------
@investigation
def token_ratio(claimed: float, high_tokens: float, low_tokens: float) -> Found:
    """Tokens of one run over tokens of another."""
    ratio = high_tokens / low_tokens
    steps = [
        ("tokens of the high-compute run", high_tokens / MTOK, "million"),
        ("tokens of the low-compute run", low_tokens / MTOK, "million"),
        ("ratio", ratio, "times"),
    ]
    return ratio, ratio, steps


@investigation
def post_training(
    claimed: float, claimed_ratio: float, post_hours: float, pre_hours: float
) -> Found:
    """Post-training over pretraining of one model; nothing recomputes the claim itself."""
    share = post_hours / pre_hours
    steps = [
        ("GPU-hours of pretraining", pre_hours, "GPU-hours"),
        ("GPU-hours of post-training", post_hours, "GPU-hours"),
        ("post-training over pretraining", share, "times"),
        ("such models that would make the claim", claimed_ratio / share, "models"),
    ]
    return math.nan, share, steps


@investigation
def rack_revenue(
    claimed: float,
    investment_usd: float,
    revenue_usd: float,
    n_gpu: int,
    years: float,
    price_usd_per_mtok: float,
) -> Found:
    """Revenue over investment, and the sales it takes at a price."""
    sold = revenue_usd / price_usd_per_mtok * MTOK / (years * YEAR_S * n_gpu)
    hourly = revenue_usd / (n_gpu * years * HOURS_PER_YEAR)
    steps = [
        ("revenue over investment", revenue_usd / investment_usd, "times"),
        ("revenue of a GPU-hour", hourly, "USD"),
        ("sold by each GPU without a pause", sold, "tokens/s per GPU"),
        ("the same at half use", 2 * sold, "tokens/s per GPU"),
    ]
    return revenue_usd / investment_usd, sold, steps
