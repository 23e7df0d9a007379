"""Questions of lesson 02: where does the time go?"""

from __future__ import annotations

import functools

from econ.latency.calibration import Calibration
from econ.latency.fit import held_out, summary
from econ.latency.runs import sample_runs
from econ.lessons.question import Inputs, Wrong, question


@functools.cache
def _datasheet_error_percent() -> float:
    """Median error of TPOT where bandwidth and peak FLOP/s are all that is known."""
    runs = sample_runs()
    predicted = held_out(runs, names=[], start=Calibration.datasheet(), ttft_weight_frac=0.0)
    return float(100 * summary(runs, predicted).loc["tpot_s"].median_frac)


@question(
    "02-error",
    "A roofline from the datasheet uses bandwidth and peak FLOP/s and ignores software. How far "
    "off is its time per token, in **percent**, for the median of several hundred measured runs?",
    unit="percent",
    slider=(0, 100),
    tolerance_frac=0.2,
    wrong=[Wrong((0, 30), "That is how a forecast would do. A roofline is a bound: launches, "
                 "collectives and other users' prompts come on top of it.", "roofline-forecast")],
    because="A bound says what cannot happen, not what will.",
)  # fmt: skip
def _roofline_error(q: Inputs) -> float:
    return _datasheet_error_percent()
