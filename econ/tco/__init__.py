"""Total cost of ownership, from capital to margin: the front door to the modules behind it.

* `econ.tco.finance`: annuity, straight line, present value
* `econ.tco.layers`: the owner of an accelerator, layer by layer, from ``data/layers.csv``
* `econ.tco.ownership`: assets and charges, USD per owned GPU-hour
* `econ.tco.token_cost`: utilisation; USD per million tokens, good tokens, requests, tasks
* `econ.tco.token_time`: input, cached input and output by machine time
* `econ.tco.whole_units`: whole instances, servers, spares; every break-even
* `econ.tco.offers`, `econ.tco.comparison`: buy, rent or API over a day, and what is unlike
* `econ.tco.revenue`: tiers, seats, margins; `econ.tco.fleet`: ramp, life, refresh

>>> hour = owner("h200-sxm", server_usd=258_001, spare_frac=0, life_years=6).cost_usd_per_gpu_hour
>>> round(hour, 2), round(cost_usd_per_mtok(hour, 1_000, utilisation_frac=0.6), 2)
(1.59, 0.74)
"""

from __future__ import annotations

from econ.tco.bill import Cost, cost
from econ.tco.comparison import Comparison, compare_buy_rent_api, day_load
from econ.tco.finance import (
    annuity_usd_per_month,
    annuity_usd_per_year,
    capital_usd_per_month,
    straight_line_usd_per_month,
)
from econ.tco.fleet import keep_or_replace, levelised_cost_usd_per_mtok, life_frame
from econ.tco.layers import Layer, cost_layers, owner
from econ.tco.offers import Api, Buy, Rent, UnlikeComparison, unlike
from econ.tco.ownership import Asset, Charge, Ownership, break_even_utilisation_frac
from econ.tco.revenue import Statement, Tier, seats, tiers_of
from econ.tco.token_cost import (
    Utilisation,
    cost_usd_per_accepted_task,
    cost_usd_per_good_mtok,
    cost_usd_per_mtok,
    cost_usd_per_request,
)
from econ.tco.token_time import marginal_cost_frame, pool_cost_frame
from econ.tco.whole_units import BreakEven, break_even, units

__all__ = [
    "Api",
    "Asset",
    "BreakEven",
    "Buy",
    "Charge",
    "Comparison",
    "Cost",
    "Layer",
    "Ownership",
    "Rent",
    "Statement",
    "Tier",
    "UnlikeComparison",
    "Utilisation",
    "annuity_usd_per_month",
    "annuity_usd_per_year",
    "break_even",
    "break_even_utilisation_frac",
    "capital_usd_per_month",
    "compare_buy_rent_api",
    "cost",
    "cost_layers",
    "cost_usd_per_accepted_task",
    "cost_usd_per_good_mtok",
    "cost_usd_per_mtok",
    "cost_usd_per_request",
    "day_load",
    "keep_or_replace",
    "levelised_cost_usd_per_mtok",
    "life_frame",
    "marginal_cost_frame",
    "owner",
    "pool_cost_frame",
    "seats",
    "straight_line_usd_per_month",
    "tiers_of",
    "units",
    "unlike",
]
