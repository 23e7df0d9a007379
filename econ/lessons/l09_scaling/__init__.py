"""Lesson 09, scaling laws: fits, budgets and whole lives; attempts, thinking, families, the bill.

>>> frame = readings_frame((5.76e23,))
>>> frame.set_index("id")["tokens_per_param"].round(1)[["hoffmann2022", "besiroglu2024"]].tolist()
[58.9, 18.3]
>>> held_out_frame()[["beta_error", "independent_error"]].abs().mean().round(2).tolist()
[0.04, 0.25]
"""

from econ.lessons.l09_scaling.evidence import (
    DIALS,
    bills_frame,
    checkers,
    counted_exponent,
    dial_frame,
    dots_chart,
    dots_frame,
    excess_factor,
    ratios_frame,
    source_frames,
)
from econ.lessons.l09_scaling.panels import (
    amount,
    attempts_panel,
    bill_panel,
    bins_frame,
    coverage_chart,
    life_panel,
    off_by_two_nats,
    routes_chart,
)
from econ.lessons.l09_scaling.service import (
    MEASURED_KS,
    attempts_frame,
    coverage_frame,
    family_frame,
    held_out_frame,
    measured_frame,
    rival_frac,
    size_frame,
    swe_frame,
    thinking_accuracy,
    thinking_frame,
    vote_curve,
)
from econ.lessons.l09_scaling.training import (
    GOPHER_FLOP,
    READ,
    allocation_params,
    fitted_frame,
    iso_flop_frame,
    lesson_price,
    life_frame,
    practice_frame,
    readings_frame,
    recommended_frame,
    repeats_frame,
    served,
)

__all__ = [
    "DIALS",
    "GOPHER_FLOP",
    "MEASURED_KS",
    "READ",
    "allocation_params",
    "amount",
    "attempts_frame",
    "attempts_panel",
    "bill_panel",
    "bills_frame",
    "bins_frame",
    "checkers",
    "counted_exponent",
    "coverage_chart",
    "coverage_frame",
    "dial_frame",
    "dots_chart",
    "dots_frame",
    "excess_factor",
    "family_frame",
    "fitted_frame",
    "held_out_frame",
    "iso_flop_frame",
    "lesson_price",
    "life_frame",
    "life_panel",
    "measured_frame",
    "off_by_two_nats",
    "practice_frame",
    "ratios_frame",
    "readings_frame",
    "recommended_frame",
    "repeats_frame",
    "rival_frac",
    "routes_chart",
    "served",
    "size_frame",
    "source_frames",
    "swe_frame",
    "thinking_accuracy",
    "thinking_frame",
    "vote_curve",
]
