"""Scaling: three laws (pretraining, post-training, test time) and one bill for them.

How much a model takes to train and how large it should be (`training_flop`, `compute_optimal`,
`lifetime_optimal` under a `Law`, published or fitted by `fit_law`); what tuning, distilling,
retrieval (`Retrieval`) and reinforcement learning (`rl_law`) add; what further attempts buy
(`pass_at_k`, `majority_vote_accuracy`, `Difficulty`), how to share them out (`split_frame`) and who
says which is right (`Verifier`); what an answer costs under limits (`answer_price`), and all of it
over a model's life (`lifetime_bill`).
"""

from econ.scaling.bill import Bill, demand_frame, demand_that_passes_training, lifetime_bill
from econ.scaling.coverage import (
    Difficulty,
    attempts_by_difficulty,
    coverage_curve,
    coverage_if_alike,
    difficulty,
    fifths_frame,
    pass_at_k,
    split_frame,
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
    RewardLaw,
    Route,
    break_even_requests,
    crossing_gpu_hours,
    distil_flop,
    fine_tune_bytes,
    fine_tune_flop,
    rl_flop,
    rl_law,
    rl_laws_frame,
    routes_frame,
    routes_quality_frame,
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
from econ.scaling.retrieval import Retrieval, answered_right_frac
from econ.scaling.test_time import (
    Verifier,
    best_of_n_accuracy,
    majority_vote_accuracy,
    verifiers_frame,
)

__all__ = [
    "AnswerPrice",
    "Bill",
    "Difficulty",
    "Fit",
    "Law",
    "Lifetime",
    "NoAnswer",
    "Retrieval",
    "RewardLaw",
    "Route",
    "SizePrice",
    "Split",
    "TooSlow",
    "Verifier",
    "answer_price",
    "answered_right_frac",
    "attempts_by_difficulty",
    "best_of_n_accuracy",
    "break_even_requests",
    "compute_optimal",
    "coverage_curve",
    "coverage_if_alike",
    "crossing_gpu_hours",
    "demand_frame",
    "demand_that_passes_training",
    "difficulty",
    "distil_flop",
    "effective_tokens",
    "fifths_frame",
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
    "rl_flop",
    "rl_law",
    "rl_laws_frame",
    "routes_frame",
    "routes_quality_frame",
    "shares_frame",
    "size_price",
    "split_frame",
    "training_flop",
    "training_gpu_hours",
    "training_runs_frame",
    "training_usd_per_flop",
    "verifiers_frame",
]
