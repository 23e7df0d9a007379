"""Value: which model, fleet and tier earn the most, under capacity and megawatts.

`value` weighs accepted answers against their cost; `levers` credits each lever with its fair share
of a fall in cost; the rest is power as a limit (`site_w_per_gpu`, `power_bill_usd_per_month`,
`curtailment_usd_per_mw_hour`, `capped_speed_frac`) and buying tokens by the unit or the seat.
"""

from econ.value.buying import ReservedUnit, reserved_unit, seat_frame
from econ.value.levers import LEVERS_2026, Levers, levers
from econ.value.site_power import (
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
    "Levers",
    "ReservedUnit",
    "Value",
    "capped_speed_frac",
    "caps_frame",
    "curtailment_usd_per_mw_hour",
    "delay_usd_per_mw",
    "levers",
    "megawatts",
    "power_bill_usd_per_month",
    "reserved_unit",
    "seat_frame",
    "site_w_per_gpu",
    "value",
]
