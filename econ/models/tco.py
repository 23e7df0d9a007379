"""Total cost of ownership, from capital to a token: the front door to the modules behind it.

* `econ.models.finance`: annuity, straight line, present value
* `econ.models.ownership`: assets and charges, USD per owned GPU-hour
* `econ.models.token_cost`: utilisation, USD per million tokens, whose time a token takes

>>> hour = owner_cost_usd_per_gpu_hour(361_255, 0.1025, 6, n_gpu=8, other_usd_per_month=2_559.2)
>>> round(hour, 2), round(cost_usd_per_mtok(hour, 1_000, utilisation_frac=0.6), 2)
(1.59, 0.74)
"""

from __future__ import annotations

from econ.models.finance import (
    annuity_usd_per_month,
    annuity_usd_per_year,
    straight_line_usd_per_month,
)
from econ.models.ownership import Asset, Charge, Ownership, owner_cost_usd_per_gpu_hour
from econ.models.token_cost import Utilisation, cost_usd_per_mtok

__all__ = [
    "Asset",
    "Charge",
    "Ownership",
    "Utilisation",
    "annuity_usd_per_month",
    "annuity_usd_per_year",
    "cost_usd_per_mtok",
    "owner_cost_usd_per_gpu_hour",
    "straight_line_usd_per_month",
]
