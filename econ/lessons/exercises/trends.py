"""Answers to the exercises of notebook 06."""

from __future__ import annotations

from econ.catalog import price
from econ.lessons.answers import exercise
from econ.trends.hardware import rents_frame
from econ.trends.prices import PRICE, blended_usd_per_mtok, frontier_frame
from econ.trends.rates import annual_factor, spend_ratio, years_between


@exercise("06-1", unit="times per year", hint="The whole factor to the power of 12 over months.")
def gpt4_level_a_year() -> float:
    """Yearly fall from the first to the last price of GPT-4's level on MMLU, in the study."""
    rows = frontier_frame("mmlu", 0.86)
    first, last = rows.iloc[0], rows.iloc[-1]
    return annual_factor(first[PRICE] / last[PRICE], years_between(first["date"], last["date"]))


@exercise("06-2", unit="times", hint="Blend each model's two prices first, then divide.")
def blended_fall() -> float:
    """GPT-4 over GPT-4o mini, three parts input to one part output."""
    both = [price(name) for name in ("gpt-4", "gpt-4o-mini")]
    blend = [blended_usd_per_mtok(p.input_usd_per_mtok, p.output_usd_per_mtok) for p in both]
    return blend[0] / blend[1]


@exercise("06-3", unit="times", hint="Price ratio to the power of one plus the elasticity.")
def bill_at_a_tenth() -> float:
    """What the bill becomes at a tenth of the price and an elasticity of -1.4."""
    return spend_ratio(0.1, -1.4)


@exercise("06-4", unit="times per year", hint="From 2025-11 to 2026-08 are nine months.")
def rent_since_the_trough() -> float:
    """The yearly factor of the H100's rent from November 2025 to August 2026."""
    rents = rents_frame(("h100-sxm",)).set_index("date")["usd_per_gpu_hour"]
    return annual_factor(rents["2026-08"] / rents["2025-11"], years_between("2025-11", "2026-08"))
