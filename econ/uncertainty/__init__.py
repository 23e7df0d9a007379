"""Uncertainty: from ranges of inputs to an interval, a decision, and what to measure next.

`uncertain` asks any station about a scenario in which numbers are a `Range`. Below it stand
functions of your own model and ranges: `propagate`, `interval`, `tornado_frame`, `sobol_frame`, and
for a choice between options `decide`, `evpi_usd` and `information_frame`. What is drawn carries its
sampling error; `with_error`, `rounded` and `sure_digits` print the digits that it allows.
"""

from econ.catalog.ranges import Range, typical_of
from econ.uncertainty.decision import Decision, decide, evpi_usd, information_frame
from econ.uncertainty.of_scenario import Uncertain, uncertain
from econ.uncertainty.samples import (
    Interval,
    interval,
    propagate,
    rounded,
    sample_frame,
    sure_digits,
    with_error,
)
from econ.uncertainty.sensitivity import sobol_frame, tornado_frame

__all__ = [
    "Decision",
    "Interval",
    "Range",
    "Uncertain",
    "decide",
    "evpi_usd",
    "information_frame",
    "interval",
    "propagate",
    "rounded",
    "sample_frame",
    "sobol_frame",
    "sure_digits",
    "tornado_frame",
    "typical_of",
    "uncertain",
    "with_error",
]
