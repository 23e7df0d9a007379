"""TCO: what an hour, a token, a request and a day cost, who pays whom, and when owning pays.

`cost` takes a scenario: the hour is rented or owned, layer by layer (``data/tco/layers.csv``), the
tokens are those that `econ.latency.predict` writes within the SLO. `with_ranges` puts the ranges of
the data in, for `econ.uncertain`. The rest are functions of numbers for a chain of one's own.

* an hour: `owner`, `cost_layers`, `Ownership`, `annuity_usd_per_month`, `capital_usd_per_month`
* a token: `cost_usd_per_mtok`, `Utilisation`, `marginal_cost_frame` (by machine time)
* a service: `compare_buy_rent_api` of `Buy`, `Rent`, `Api`; `day_load`, `units`, `break_even`
* a business: `Statement` of `Tier`, `seats`; `life_frame`, `keep_or_replace` of a fleet

>>> from econ.scenario import Scenario
>>> s = Scenario.default().with_(utilisation_frac=0.6)
>>> cost(s.with_(tenure="owned")).usd_per_mtok < cost(s).usd_per_mtok        # $3.99 an hour
True
>>> round(cost_usd_per_mtok(3.85, 1_000, utilisation_frac=0.6), 2)
1.78
"""

from econ.tco.bill import Cost, cost, with_ranges
from econ.tco.comparison import (
    Comparison,
    UnlikeComparison,
    compare_buy_rent_api,
    day_load,
    doubts,
    unlike,
)
from econ.tco.finance import (
    annuity_usd_per_month,
    annuity_usd_per_year,
    capital_usd_per_month,
    present_value_usd,
    straight_line_usd_per_month,
)
from econ.tco.fleet import (
    Refresh,
    keep_or_replace,
    levelised_cost_usd_per_mtok,
    life_frame,
    payback_month,
)
from econ.tco.hours import hour_parts
from econ.tco.layers import Layer, cost_layers, owner
from econ.tco.offers import Api, Buy, Offer, Rent
from econ.tco.ownership import Asset, Charge, Ownership, break_even_utilisation_frac
from econ.tco.revenue import Statement, Tier, ladder_frame, seats, tiers_of
from econ.tco.token_cost import (
    Utilisation,
    added_by_use,
    cost_usd_per_accepted_task,
    cost_usd_per_good_mtok,
    cost_usd_per_mtok,
    cost_usd_per_request,
    list_split_frame,
    marginal_cost_frame,
    pool_cost_frame,
    pool_gpu_hours,
    request_gpu_s,
)
from econ.tco.whole_units import BreakEven, Units, break_even, units, units_needed

__all__ = [
    "Api",
    "Asset",
    "BreakEven",
    "Buy",
    "Charge",
    "Comparison",
    "Cost",
    "Layer",
    "Offer",
    "Ownership",
    "Refresh",
    "Rent",
    "Statement",
    "Tier",
    "Units",
    "UnlikeComparison",
    "Utilisation",
    "added_by_use",
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
    "doubts",
    "hour_parts",
    "keep_or_replace",
    "ladder_frame",
    "levelised_cost_usd_per_mtok",
    "life_frame",
    "list_split_frame",
    "marginal_cost_frame",
    "owner",
    "payback_month",
    "pool_cost_frame",
    "pool_gpu_hours",
    "present_value_usd",
    "request_gpu_s",
    "seats",
    "straight_line_usd_per_month",
    "tiers_of",
    "units",
    "units_needed",
    "unlike",
    "with_ranges",
]
