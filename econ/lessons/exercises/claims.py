"""Answers to the exercises of notebook 09."""

from __future__ import annotations

from econ.ledger import claim
from econ.lessons.answers import exercise


@exercise("09-1", unit="cards", hint="Tokens/s times bytes over bytes/s of one card.")
def cards_for_a_bandwidth() -> float:
    """H100 whose bandwidth streams a 405B model 969 times a second."""
    return claim("hn-405b").recomputed


@exercise("09-2", unit="caches", hint="Free bytes over bytes per token times tokens.")
def caches_beside_the_weights() -> float:
    """KV caches that fit into what the weights leave."""
    return claim("caches-52").recomputed


@exercise("09-3", unit="share", hint="kW times tariff, over the price of the hour.")
def electricity_of_training() -> float:
    """Electricity's share of a rented GPU-hour."""
    return claim("electricity-60").recomputed


@exercise("09-4", unit="USD per GPU-hour", hint="Eight GPUs, three years, 8,760 hours each.")
def owned_gpu_hour() -> float:
    """The lowest total over all its hours."""
    return claim("owned-120").recomputed
