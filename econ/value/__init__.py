"""Value: which model, fleet and tier earn the most, under capacity and megawatts.

`value` weighs accepted answers against their cost; `levers` credits each lever with its fair share
of a fall in cost; `cascades_frame` adds pairs of models, asked one after the other or routed. The
rest is power as a limit (`megawatts`, `site_w_per_gpu`, `power_bill_usd_per_month`,
`curtailment_usd_per_mw_hour`, `capped`) and buying tokens by the unit or the seat.
"""

from econ.value.buying import ReservedUnit, reserved_unit, seat_frame
from econ.value.cascades import Check, Single, cascade, cascades_frame, router
from econ.value.levers import LEVERS_2026, LEVERS_OF_ANSWERS_2026, Levers, levers
from econ.value.site_power import (
    capped,
    capped_speed_frac,
    caps_frame,
    curtailment_usd_per_mw_hour,
    delay_usd_per_mw,
    megawatts,
    power_bill_usd_per_month,
    site_w_per_gpu,
)
from econ.value.worth import Value, value

__all__ = [
    "LEVERS_2026",
    "LEVERS_OF_ANSWERS_2026",
    "Check",
    "Levers",
    "ReservedUnit",
    "Single",
    "Value",
    "capped",
    "capped_speed_frac",
    "caps_frame",
    "cascade",
    "cascades_frame",
    "curtailment_usd_per_mw_hour",
    "delay_usd_per_mw",
    "levers",
    "megawatts",
    "power_bill_usd_per_month",
    "reserved_unit",
    "router",
    "seat_frame",
    "site_w_per_gpu",
    "value",
]
