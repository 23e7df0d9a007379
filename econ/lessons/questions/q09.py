"""Questions of lesson 09: where should the next dollar go?"""

from __future__ import annotations

import functools

from econ import scaling
from econ.catalog import accelerator
from econ.catalog.units import GIGA, HOUR_S, TERA
from econ.ledger import recomputed
from econ.lessons.l09_scaling.service import swe_frame
from econ.lessons.question import Inputs, Wrong, question

question(
    "09-coverage",
    "A model solves 15.9 % of a set of programming tasks at its first attempt. It now gets 250 "
    "attempts at each task, and a task counts as solved if one attempt passes the tests. Which "
    "share of the tasks does it solve, in **percent**?",
    unit="percent",
    slider=(0, 100),
    limits=(0, 100),
    tolerance_frac=0.15,
    wrong=[Wrong((90, 100), "So it would be if attempts were independent and all tasks equally "
                 "hard. Some tasks are solved at every attempt, and others at none.",
                 "samples-independent")],
    because="The tasks differ, and more attempts help only at those that are sometimes solved.",
    truth=lambda q: float(swe_frame()["percent"].iloc[1]),
)  # fmt: skip


QUICK, SLOW, START = "scalerl-8b-batch-512", "scalerl-8b-batch-2048", 0.3
LONG_HOURS = 100_000.0


def _ceilings_apart() -> float:
    return 100 * (scaling.rl_law(SLOW).ceiling_frac - scaling.rl_law(QUICK).ceiling_frac)


def _recipe_of_the_long_run(q: Inputs) -> str:
    at = {name: float(scaling.rl_law(id).at(LONG_HOURS, START))
          for name, id in (("quick", QUICK), ("slow", SLOW))}  # fmt: skip
    return max(at, key=lambda name: at[name])


question(
    "09-recipe",
    "Two recipes train one 8B model by reinforcement. After **5,000 GPU-hours** the one with small "
    "batches solves far more problems than the one with batches four times as large. Which one "
    "leads after **100,000**?",
    options={
        "quick": "The one that leads after 5,000 GPU-hours.",
        "slow": "The one with the larger batches.",
        "same": "Neither: with enough compute both reach the same.",
    },
    wrong=[
        Wrong("quick", lambda q: f"A sigmoid has a ceiling. The quick one ends at "
              f"{scaling.rl_law(QUICK).ceiling_frac:.1%} of the problems, the slow one at "
              f"{scaling.rl_law(SLOW).ceiling_frac:.1%}, and it gets there."),
        Wrong("same", lambda q: "Compute brings a recipe to its own ceiling. These ceilings are "
              f"{_ceilings_apart():.0f} points apart, twice the spread of three runs."),
    ],
    because="A short trial measures the speed of a recipe, not its ceiling.",
    truth=_recipe_of_the_long_run,
)  # fmt: skip


def _post_training_share(row: str) -> float:
    return float(recomputed(row))


question(
    "09-true",
    "Which of these three sentences is **true**?",
    options={
        "training": "Training is the big cost, until inference passes it after a known number of "
                    "weeks.",
        "thirty": "Post-training one model takes thirty times the compute of its pretraining.",
        "demand": "Which of the two costs more depends on how many tokens the model will serve.",
    },
    wrong=[
        Wrong("training", "The week in which inference passes training follows from the price and "
              "the demand that somebody assumed. Another assumption gives another week.",
              "training-is-the-cost"),
        Wrong("thirty", lambda q: "That claim was about all derivatives of a model together. "
              f"InstructGPT's post-training took {_post_training_share('instructgpt-share'):.1%} "
              f"of its pretraining, DeepSeek-R1's {_post_training_share('r1-share'):.0%}.",
              "post-training-thirty"),
    ],
    because="Plan the size of a model for its whole life.",
    truth=lambda q: "demand",
)  # fmt: skip


CHIP, TRAINING_TOKENS = "h100-sxm", 15e12


@functools.cache
def _gpu_hours(params_b: float, mfu: float) -> float:
    flop = float(scaling.training_flop(params_b * GIGA, TRAINING_TOKENS))
    return float(scaling.training_gpu_hours(flop, CHIP, mfu))


def _at_peak_hours(params_b: float, flop_per_weight: float) -> float:
    flop = flop_per_weight * params_b * GIGA * TRAINING_TOKENS
    return flop / accelerator(CHIP).peak_flop_per_s("bf16") / HOUR_S


question(
    "09-1",
    "How many **GPU-hours** does it take to train **{params_b} billion** parameters on 15 trillion "
    "tokens with H100 accelerators (989.4 TFLOP/s dense in bf16) at **{mfu:.0%}** MFU?",
    unit="GPU-hours",
    inputs={"params_b": (8, 13, 4), "mfu": (0.4, 0.35, 0.5)},
    wrong=[
        Wrong(lambda q: _at_peak_hours(q.params_b, 6), "That is at the peak. Only {mfu:.0%} of it "
              "do useful work."),
        Wrong(lambda q: _at_peak_hours(q.params_b, 2) / q.mfu, "Two operations per weight and "
              "token are the forward pass. Training also goes back: six."),
        Wrong(lambda q: _gpu_hours(q.params_b, q.mfu) / 2, "That takes the peak with sparsity, "
              "which is twice the dense one."),
    ],
    hints=("How many operations per parameter and token does training take?",
           "6 · N · D ÷ (peak × MFU) gives seconds; ÷ 3,600."),
    work=lambda q: f"6 × {q.params_b}e9 × 15e12 ÷ ("
    f"{accelerator(CHIP).peak_flop_per_s('bf16') / TERA:.1f}e12 × {q.mfu}) ÷ 3,600 = "
    f"{_gpu_hours(q.params_b, q.mfu):,.0f} GPU-hours.",
    truth=lambda q: _gpu_hours(q.params_b, q.mfu),
)  # fmt: skip


LAW = "besiroglu2024"


@functools.cache
def _for_life_b(params_b: float, served_t: float) -> float:
    optimum = scaling.compute_optimal(scaling.optimal_flop(params_b * GIGA, LAW), LAW)
    target = float(scaling.loss(*optimum, LAW))
    return float(scaling.lifetime_optimal(target, served_t * TERA, LAW).params / GIGA)


question(
    "09-2",
    "A model must be as good as the compute-optimal one with 13 billion parameters (law "
    "`besiroglu2024`) and will serve **{served_t} trillion** tokens. How many **billion "
    "parameters** does the model have that takes the fewest FLOP over its life?",
    unit="billion parameters",
    inputs={"served_t": (10, 2, 5)},
    tolerance_frac=0.02,
    wrong=[Wrong(13, "That one takes the fewest FLOP to *train*. Each served token also costs "
                 "2 · N, so a smaller model, trained for longer, costs less over its life.",
                 "chinchilla-cheapest")],
    hints=("Which quantity do the two models share, and what is minimised?",
           "Target: the loss at the training optimum. Then "
           "`scaling.lifetime_optimal(target, tokens, law)`."),
    work=lambda q: f"For {q.served_t} trillion served tokens, `lifetime_optimal` gives "
    f"{_for_life_b(13, q.served_t):.2f} billion parameters instead of 13.",
    truth=lambda q: _for_life_b(13, q.served_t),
)  # fmt: skip


PASSES_RIGHT, PASSES_WRONG = 0.9, 0.05


def _precision(right: float) -> float:
    return float(scaling.best_of_n_accuracy(right, 1_000_000, true_positive_frac=PASSES_RIGHT,
                                            false_positive_frac=PASSES_WRONG))  # fmt: skip


question(
    "09-3",
    "An attempt is right with probability **{right}**. The checker passes 90 % of right answers "
    "and 5 % of wrong ones. You try until an answer passes, and hand that one over. Which "
    "**share** of the answers that you hand over is right?",
    unit="share",
    inputs={"right": (0.1, 0.2, 0.05)},
    limits=(0, 1),
    wrong=[
        Wrong(1, "With enough attempts something always passes, but wrong answers pass as well."),
        Wrong(PASSES_RIGHT, "That is how many right answers pass. The question is how many of "
              "those that pass are right."),
        Wrong(lambda q: q.right * PASSES_RIGHT, "That is the share of all attempts that are right "
              "and pass. Divide by all that pass."),
        Wrong(lambda q: q.right * PASSES_RIGHT / (q.right * PASSES_RIGHT + PASSES_WRONG), "That "
              "lets 5 % of all attempts pass as wrong ones. It is 5 % of the wrong ones alone."),
        Wrong(1 - PASSES_WRONG, "That is how many wrong answers are stopped. Most answers are "
              "wrong, so those that slip through weigh more."),
    ],
    hints=("Of all answers that pass, which share is right?",
           "p · 0.9 ÷ (p · 0.9 + (1 − p) · 0.05)."),
    work=lambda q: f"With p = {q.right}: {q.right * PASSES_RIGHT:.3f} ÷ ("
    f"{q.right * PASSES_RIGHT:.3f} + {(1 - q.right) * PASSES_WRONG:.4f}) = "
    f"{_precision(q.right):.3f}.",
    truth=lambda q: _precision(q.right),
)  # fmt: skip
