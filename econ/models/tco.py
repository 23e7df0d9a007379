"""Total cost of ownership, from capital to margin: the front door to the modules behind it.

* `econ.models.finance`: annuity, straight line, present value
* `econ.models.ownership`: assets and charges, USD per owned GPU-hour
* `econ.models.owners`: the same for an accelerator, from ``data/``
* `econ.models.token_cost`: utilisation; USD per million tokens, good tokens, requests, tasks
* `econ.models.token_time`: input, cached input and output by machine time
* `econ.models.staircase`: whole instances, servers, spares; every break-even
* `econ.models.offers`, `econ.models.compare`: buy, rent or API over a day, and what is unlike
* `econ.models.revenue`: tiers, seats, margins; `econ.models.fleet`: ramp, life, refresh

>>> hour = owner_cost_usd_per_gpu_hour(361_255, 0.1025, 6, n_gpu=8, other_usd_per_month=2_559.2)
>>> round(hour, 2), round(cost_usd_per_mtok(hour, 1_000, utilisation_frac=0.6), 2)
(1.59, 0.74)
"""

from __future__ import annotations

from econ.models.compare import Comparison, compare_buy_rent_api, day_load
from econ.models.finance import (
    annuity_usd_per_month,
    annuity_usd_per_year,
    capital_usd_per_month,
    straight_line_usd_per_month,
)
from econ.models.fleet import keep_or_replace, levelised_cost_usd_per_mtok, life_frame
from econ.models.offers import Api, Buy, Rent, UnlikeComparison, unlike
from econ.models.ownership import (
    Asset,
    Charge,
    Ownership,
    break_even_utilisation_frac,
    owner_cost_usd_per_gpu_hour,
)
from econ.models.revenue import Statement, Tier, seats, tiers_of
from econ.models.staircase import BreakEven, break_even, units
from econ.models.token_cost import (
    Utilisation,
    cost_usd_per_accepted_task,
    cost_usd_per_good_mtok,
    cost_usd_per_mtok,
    cost_usd_per_request,
)
from econ.models.token_time import marginal_cost_frame, pool_cost_frame

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
