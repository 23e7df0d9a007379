"""Topics ``scaling-pretraining`` and ``post-training``: budgets, optima, utilisation, shares."""

from __future__ import annotations

import math

from econ.catalog import accelerator
from econ.catalog.units import DAY_S, HOURS_PER_DAY, PETA, YEAR_S
from econ.ledger.recompute import recompute
from econ.scaling.optimal import (
    compute_optimal,
    lifetime_optimal,
    loss,
    optimal_flop,
    training_flop,
)
from econ.scaling.post_training import shares_frame
from econ.scaling.price import training_gpu_hours


@recompute("training_flop")
def trained_flop(params: float, tokens: float) -> float:
    """FLOP of a training run."""
    return float(training_flop(params, tokens))


@recompute("training_flop")
def trained_pf_days(params: float, tokens: float) -> float:
    """The same in petaflop/s-days."""
    return float(training_flop(params, tokens)) / PETA / DAY_S


@recompute("training_flop")
def training_mfu(
    tokens_per_s: float,
    params: float,
    n_gpu: int,
    peak_flop_per_s: float,
    n_layers: int = 0,
    attention_size: float = 0,
    context_tokens: float = 0,
) -> float:
    """Utilisation at a measured speed, with attention where the shape is given."""
    done = training_flop(
        params, tokens_per_s, n_layers=n_layers, attention_size=attention_size,
        context_tokens=context_tokens,
    )  # fmt: skip
    return float(done) / (n_gpu * peak_flop_per_s)


@recompute("training_flop", "training_gpu_hours")
def training_days(params: float, tokens: float, chip: str, n_gpu: int, mfu_frac: float) -> float:
    """Days to train on so many chips."""
    hours = training_gpu_hours(float(training_flop(params, tokens)), chip, mfu_frac)
    return hours / n_gpu / HOURS_PER_DAY


@recompute("training_flop")
def training_years(params: float, tokens: float, chip: str) -> float:
    """Years on one chip at its peak."""
    flop = float(training_flop(params, tokens))
    return flop / accelerator(chip).peak_bf16_flop_per_s / YEAR_S


@recompute("compute_optimal")
def optimal_params_exponent(id: str) -> float:
    """The power of compute to which the optimal size grows, from two budgets."""
    small, large = (compute_optimal(flop, id).params for flop in (1.0, PETA))
    return math.log(large / small) / math.log(PETA)


@recompute("compute_optimal")
def optimal_tokens_exponent(id: str) -> float:
    """The same for the data."""
    small, large = (compute_optimal(flop, id).tokens for flop in (1.0, PETA))
    return math.log(large / small) / math.log(PETA)


@recompute("compute_optimal")
def optimal_tokens_per_param(flop: float, id: str) -> float:
    """Tokens for each parameter at the optimum of a budget."""
    params, tokens = compute_optimal(flop, id)
    return tokens / params


@recompute("optimal_flop")
def budget_of_optimum(params: float, id: str) -> float:
    """The budget at which a size is optimal."""
    return optimal_flop(params, id)


@recompute("lifetime_optimal")
def lifetime_saving(quality_params: float, inference_tokens: float, id: str) -> float:
    """What the lifetime optimum saves of a compute-optimal model of that size."""
    tokens = compute_optimal(optimal_flop(quality_params, id), id).tokens
    target = float(loss(quality_params, tokens, id))
    return lifetime_optimal(target, inference_tokens, id).saving_frac


@recompute("shares_frame")
def post_training_share(id: str) -> float:
    """Published post-training over pretraining."""
    return float(shares_frame().loc[id, "share_frac"])
