"""Answers to the exercises of notebook 04."""

from __future__ import annotations

import json

from econ.catalog import site, table
from econ.energy.boundaries import idle_j_per_token
from econ.energy.consumption import energy
from econ.energy.footprint import energy_cost_usd_per_mtok, water_l_per_mtok
from econ.lessons.answers import exercise
from econ.scenario import Scenario


def joules_from_watts() -> float:
    """Joules per token of the published run of a 70B model at batch 8."""
    run = json.loads(table("published_figures").loc["mle-power-70b-h100-b8", "inputs"])
    return run["power_w"] / run["tokens_per_s"]


@exercise(
    "04-1",
    unit="USD per million tokens",
    hint="W over tokens/s are J per token; those over 3.6 are kWh per Mtok.",
)
def electricity_of_a_million() -> float:
    """Electricity of a million tokens of that run in Virginia at Microsoft's PUE."""
    place = site("us-virginia", "microsoft")
    return energy_cost_usd_per_mtok(joules_from_watts(), place.electricity_usd_per_kwh, place.pue)


@exercise("04-2", unit="J per token", hint="Hours of idling per hour of work: (1 − u)/u.")
def waiting() -> float:
    """What idling adds: 400 W, 460 tokens per second while at work, a quarter of the time."""
    return idle_j_per_token(400, 460, 0.25)


@exercise("04-3", unit="", hint="The energy is the same; by how many tokens is it divided?")
def ratio_of_two_figures() -> float:
    """J per output token over J per token in and out, for 8,000 in and 1,000 out."""
    one = energy(Scenario.default().with_(input_tokens=8000, output_tokens=1000), concurrency=32)
    return one.j_per_output_token / one.j_per_total_token


@exercise("04-4", unit="L per million tokens", hint="On site per IT kWh; the grid per site kWh.")
def water_of_a_million() -> float:
    """Water of a million tokens of 1.8 J of IT energy in France, run by Google."""
    place = site("france", "google")
    return water_l_per_mtok(1.8, place.wue_l_per_kwh, place.grid_water_l_per_kwh, place.pue)
