"""Total cost of ownership, from capital to margin: the front door to the modules behind it.

* `econ.tco.finance`: annuity, straight line, present value
* `econ.tco.ownership`: assets and charges, USD per owned GPU-hour
* `econ.tco.owners`: the same for an accelerator, from ``data/``
* `econ.tco.token_cost`: utilisation; USD per million tokens, good tokens, requests, tasks
* `econ.tco.token_time`: input, cached input and output by machine time
* `econ.tco.whole_units`: whole instances, servers, spares; every break-even
* `econ.tco.offers`, `econ.tco.comparison`: buy, rent or API over a day, and what is unlike
* `econ.tco.revenue`: tiers, seats, margins; `econ.tco.fleet`: ramp, life, refresh

>>> hour = owner_cost_usd_per_gpu_hour(361_255, 0.1025, 6, n_gpu=8, other_usd_per_month=2_559.2)
>>> round(hour, 2), round(cost_usd_per_mtok(hour, 1_000, utilisation_frac=0.6), 2)
(1.59, 0.74)
"""

from __future__ import annotations

from econ.tco.comparison import Comparison, compare_buy_rent_api, day_load
from econ.tco.finance import (
    annuity_usd_per_month,
    annuity_usd_per_year,
    capital_usd_per_month,
    straight_line_usd_per_month,
)
from econ.tco.fleet import keep_or_replace, levelised_cost_usd_per_mtok, life_frame
from econ.tco.offers import Api, Buy, Rent, UnlikeComparison, unlike
from econ.tco.ownership import (
    Asset,
    Charge,
    Ownership,
    break_even_utilisation_frac,
    owner_cost_usd_per_gpu_hour,
)
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
    "cost_usd_per_accepted_task",
    "cost_usd_per_good_mtok",
    "cost_usd_per_mtok",
    "cost_usd_per_request",
    "day_load",
    "keep_or_replace",
    "levelised_cost_usd_per_mtok",
    "life_frame",
    "marginal_cost_frame",
    "owner_cost_usd_per_gpu_hour",
    "pool_cost_frame",
    "seats",
    "straight_line_usd_per_month",
    "tiers_of",
    "units",
    "unlike",
]
