"""Lesson 09, scaling laws: fits, budgets and whole lives; attempts, thinking, families, the bill.

>>> held_out_frame()[["beta_error", "independent_error"]].abs().mean().round(2).tolist()
[0.04, 0.25]
"""

from econ.lessons.l09_scaling.evidence import (
    DIALS,
    EMBEDDING_FACTOR,
    bills_frame,
    checkers,
    counted_exponent,
    dial_frame,
    dots_chart,
    dots_frame,
    excess_factor,
    percent_at,
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
    fitted_frame,
    iso_flop_frame,
    lesson_price,
    life_frame,
    recommended_frame,
    repeats_frame,
    served,
)
