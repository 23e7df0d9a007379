"""Questions of lesson 08: place and power."""

from __future__ import annotations

import functools

from econ.energy import Energy, energy
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario
from econ.tco import cost


@functools.cache
def _served() -> Energy:
    found: Energy = energy(Scenario.default(), concurrency=32)
    return found


@functools.cache
def _electricity_frac() -> float:
    """Electricity's share of an owned hour."""
    parts = cost(Scenario.default().with_(tenure="owned")).frame().set_index("layer")
    hour = parts["usd_per_gpu_hour"]
    return float(hour["electricity"] / hour.sum())


@question(
    "08-true",
    "Which of these four sentences is **true**?",
    options={
        "watt": "The accelerator with the most tokens per joule has the smallest bill.",
        "cap": "A power cap of 80 % costs a fifth of the speed.",
        "kwh": "Electricity is priced per kilowatt-hour alone.",
        "hour": "The hour of the accelerator costs many times its electricity.",
    },
    wrong=[
        Wrong("watt", lambda q: f"Electricity is {_electricity_frac():.0%} of an owned hour here. "
              "The price of the hour and its tokens decide the bill.", "efficiency-decides-bill"),
        Wrong("cap", lambda q: f"Decoding draws {_served().decode_power_w:.0f} W of "
              f"{_served().tdp_w:.0f} W here, so such a cap does not bind there. It slows prefill, "
              "which draws the limit.", "cap-costs-in-proportion"),
        Wrong("kwh", "A site also pays for the capacity that it reserves and for its highest "
              "quarter of an hour, used or not.", "kwh-is-price"),
    ],
    because="Energy limits how much can be built before it decides what a token costs.",
)  # fmt: skip
def _true_of_power(q: Inputs) -> str:
    return "hour"
