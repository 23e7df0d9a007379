"""Answers to the exercises of notebook 05."""

from __future__ import annotations

from econ.catalog.units import GIGA
from econ.lessons.answers import exercise
from econ.scaling.optimal import (
    compute_optimal,
    coverage_curve,
    lifetime_optimal,
    loss,
    optimal_flop,
    training_flop,
)
from econ.scaling.price import training_gpu_hours
from econ.scaling.test_time import best_of_n_accuracy


@exercise("05-1", unit="GPU-hours", hint="6·N·D over peak × MFU gives seconds; then hours.")
def eight_billion() -> float:
    """Accelerator-hours to train 8B parameters on 15T tokens at 40 % MFU."""
    return training_gpu_hours(float(training_flop(8e9, 15e12)), "h100-sxm", 0.4)


@exercise(
    "05-2", unit="billion parameters", tolerance_frac=0.02,
    hint="The target is the loss at the training optimum; then ask lifetime_optimal.",
)  # fmt: skip
def cheapest_for_life() -> float:
    """Size of the model as good as an optimal 13B that serves 10T tokens at least FLOP."""
    law = "besiroglu2024"
    target = float(loss(*compute_optimal(optimal_flop(13e9, law), law), law))
    return lifetime_optimal(target, 10e12, law).params / GIGA


@exercise("05-3", unit="share", hint="Average pass@10 over the problems, not the success rates.")
def two_problems() -> float:
    """Mean pass@10 of a problem solved in 5 of 50 attempts and one never solved."""
    return float(coverage_curve([50, 50], [5, 0], [10])["coverage"].iloc[0])


@exercise("05-4", unit="share", hint="Of all answers that pass, which share is right?")
def ceiling() -> float:
    """Accuracy that endless attempts reach with a checker of 90 % and 5 %."""
    return float(
        best_of_n_accuracy(0.1, 1_000_000, true_positive_frac=0.9, false_positive_frac=0.05)
    )
