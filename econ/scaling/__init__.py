"""Scaling: three laws (pretraining, post-training, test time) and one bill for them.

How much a model takes to train and how large it should be (`training_flop`, `compute_optimal`,
`lifetime_optimal` under a `Law`, published or fitted by `fit_law`); what tuning, distilling and
reinforcement learning add; what further attempts at each question buy (`pass_at_k`,
`majority_vote_accuracy`, `Difficulty`); what an answer costs under limits (`answer_price`), and all
of it over a model's life (`lifetime_bill`).
"""

from econ.scaling.bill import Bill, demand_frame, demand_that_passes_training, lifetime_bill
from econ.scaling.coverage import (
    Difficulty,
    coverage_curve,
    coverage_if_alike,
    difficulty,
    pass_at_k,
)
from econ.scaling.fit import Fit, fit_law, held_out_frame, loss_points
from econ.scaling.laws import Law, NoAnswer, effective_tokens, law, laws_frame
from econ.scaling.optimal import (
    Lifetime,
    Split,
    compute_optimal,
    lifetime_frame,
    lifetime_optimal,
    loss,
    optimal_flop,
    optimum_for,
    training_flop,
)
from econ.scaling.post_training import (
    Route,
    Saturation,
    break_even_requests,
    distil_flop,
    fine_tune_bytes,
    fine_tune_flop,
    rl_curve,
    rl_flop,
    rl_frame,
    routes_frame,
    shares_frame,
)
from econ.scaling.price import (
    AnswerPrice,
    SizePrice,
    TooSlow,
    answer_price,
    goodput_price,
    size_price,
    training_gpu_hours,
    training_runs_frame,
    training_usd_per_flop,
)
from econ.scaling.test_time import best_of_n_accuracy, majority_vote_accuracy

__all__ = [
    "AnswerPrice",
    "Bill",
    "Difficulty",
    "Fit",
    "Law",
    "Lifetime",
    "NoAnswer",
    "Route",
    "Saturation",
    "SizePrice",
    "Split",
    "TooSlow",
    "answer_price",
    "best_of_n_accuracy",
    "break_even_requests",
    "compute_optimal",
    "coverage_curve",
    "coverage_if_alike",
    "demand_frame",
    "demand_that_passes_training",
    "difficulty",
    "distil_flop",
    "effective_tokens",
    "fine_tune_bytes",
    "fine_tune_flop",
    "fit_law",
    "goodput_price",
    "held_out_frame",
    "law",
    "laws_frame",
    "lifetime_bill",
    "lifetime_frame",
    "lifetime_optimal",
    "loss",
    "loss_points",
    "majority_vote_accuracy",
    "optimal_flop",
    "optimum_for",
    "pass_at_k",
    "rl_curve",
    "rl_flop",
    "rl_frame",
    "routes_frame",
    "shares_frame",
    "size_price",
    "training_flop",
    "training_gpu_hours",
    "training_runs_frame",
    "training_usd_per_flop",
]
