"""Questions of lesson 09: where should the next dollar go?"""

from __future__ import annotations

import functools

import numpy as np

from econ import scaling
from econ.catalog import accelerator
from econ.catalog.units import GIGA, HOUR_S, TERA
from econ.ledger import recomputed
from econ.lessons.l09_scaling import swe_frame
from econ.lessons.question import Inputs, Wrong, question


@question(
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
)  # fmt: skip
def _coverage(q: Inputs) -> float:
    return float(swe_frame()["percent"].iloc[1])


QUICK, SLOW, START = "scalerl-8b-batch-512", "scalerl-8b-batch-2048", 0.3
LONG_HOURS = 100_000.0


@question(
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
              f"{scaling.rl_law(QUICK).ceiling_frac:.1%}, the slow one at "
              f"{scaling.rl_law(SLOW).ceiling_frac:.1%}, and it gets there."),
        Wrong("same", lambda q: "Compute brings a recipe to its own ceiling. These ceilings are "
              f"{scaling.rl_law(SLOW).ceiling_frac - scaling.rl_law(QUICK).ceiling_frac:.0%} "
              "apart, twice the spread of three runs."),
    ],
    because="A short trial measures the speed of a recipe, not its ceiling.",
)  # fmt: skip
def _recipe_of_the_long_run(q: Inputs) -> str:
    at = {name: float(scaling.rl_law(id).at(LONG_HOURS, START))
          for name, id in (("quick", QUICK), ("slow", SLOW))}  # fmt: skip
    return max(at, key=lambda name: at[name])


def _post_training_share(row: str) -> float:
    return float(recomputed(row))


@question(
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
)  # fmt: skip
def _true_of_scaling(q: Inputs) -> str:
    return "demand"


CHIP, TRAINING_TOKENS = "h100-sxm", 15e12


@functools.cache
def _gpu_hours(params_b: float, mfu: float) -> float:
    flop = float(scaling.training_flop(params_b * GIGA, TRAINING_TOKENS))
    return float(scaling.training_gpu_hours(flop, CHIP, mfu))


def _at_peak_hours(params_b: float, flop_per_weight: float) -> float:
    flop = flop_per_weight * params_b * GIGA * TRAINING_TOKENS
    return flop / accelerator(CHIP).peak_flop_per_s("bf16") / HOUR_S


@question(
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
)  # fmt: skip
def _training_hours(q: Inputs) -> float:
    return _gpu_hours(q.params_b, q.mfu)


LAW = "besiroglu2024"


@functools.cache
def _for_life_b(params_b: float, served_t: float) -> float:
    optimum = scaling.compute_optimal(scaling.optimal_flop(params_b * GIGA, LAW), LAW)
    target = float(scaling.loss(*optimum, LAW))
    return float(scaling.lifetime_optimal(target, served_t * TERA, LAW).params / GIGA)


@question(
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
)  # fmt: skip
def _cheapest_size_for_life(q: Inputs) -> float:
    return _for_life_b(13, q.served_t)


TRIES, DRAWN = 50, 10


def _one_of_two(right: int) -> float:
    curve = scaling.coverage_curve(np.array([TRIES, TRIES]), np.array([right, 0]), [DRAWN])
    return float(curve["coverage"].iloc[0])


@question(
    "09-3",
    "One of two problems was solved in **{right}** of 50 attempts, the other in none. What "
    "**share** of the two problems do 10 attempts solve on average?",
    unit="share",
    inputs={"right": (5, 3, 10)},
    wrong=[
        Wrong(lambda q: 1 - (1 - q.right / TRIES / 2) ** DRAWN, "That takes the mean success rate "
              "for both problems. The second one is never solved, however often you try.",
              "samples-independent"),
        Wrong(lambda q: scaling.pass_at_k(TRIES, q.right, DRAWN), "That is the first problem. The "
              "second one counts too."),
        Wrong(lambda q: DRAWN * q.right / TRIES / 2, "That adds up the chances of ten attempts. "
              "Solving a problem twice counts once."),
    ],
    hints=("What is the share for each problem alone?",
           "Average pass@10 over the problems, not their success rates."),
    work=lambda q: f"With {q.right} of 50: ({scaling.pass_at_k(TRIES, q.right, DRAWN):.3f} + 0) / "
    f"2 = {_one_of_two(q.right):.3f}.",
)  # fmt: skip
def _coverage_of_two(q: Inputs) -> float:
    return _one_of_two(q.right)


PASSES_RIGHT, PASSES_WRONG = 0.9, 0.05


def _precision(right: float) -> float:
    return float(scaling.best_of_n_accuracy(right, 1_000_000, true_positive_frac=PASSES_RIGHT,
                                            false_positive_frac=PASSES_WRONG))  # fmt: skip


@question(
    "09-4",
    "An attempt is right with probability **{right}**. The checker passes 90 % of right answers "
    "and 5 % of wrong ones. Which **share** of right answers can any number of attempts reach at "
    "most?",
    unit="share",
    inputs={"right": (0.1, 0.2, 0.05)},
    limits=(0, 1),
    wrong=[
        Wrong(1, "With enough attempts something always passes, but wrong answers pass as well."),
        Wrong(PASSES_RIGHT, "That is how many right answers pass. Asked is how many of those that "
              "pass are right."),
        Wrong(lambda q: q.right * PASSES_RIGHT, "That is the share of all attempts that are right "
              "and pass. Divide by all that pass."),
        Wrong(1 - PASSES_WRONG, "That is how many wrong answers are stopped. Most answers are "
              "wrong, so those that slip through weigh more."),
    ],
    hints=("Of all answers that pass, which share is right?",
           "p · 0.9 ÷ (p · 0.9 + (1 − p) · 0.05)."),
    work=lambda q: f"With p = {q.right}: {q.right * PASSES_RIGHT:.3f} ÷ ("
    f"{q.right * PASSES_RIGHT:.3f} + {(1 - q.right) * PASSES_WRONG:.4f}) = "
    f"{_precision(q.right):.3f}.",
)  # fmt: skip
def _best_of_many(q: Inputs) -> float:
    return _precision(q.right)


ATTEMPT_USD, RIGHT = 0.002, 0.6


def _usd_per_right(check_usd: float, attempts: int, right_frac: float = RIGHT) -> float:
    return attempts * (ATTEMPT_USD + check_usd) / right_frac


@question(
    "09-5",
    "An attempt costs 0.002 USD. A judge reads every attempt for **{check_usd} USD**. With "
    "**{attempts}** attempts a question, 60 % of the questions end with a right answer. What does "
    "a right answer cost, in **USD**?",
    unit="USD",
    inputs={"check_usd": (0.001, 0.0005, 0.003), "attempts": (20, 10, 30)},
    wrong=[
        Wrong(lambda q: q.attempts * ATTEMPT_USD / RIGHT, "That leaves out the judge, who reads "
              "every attempt."),
        Wrong(lambda q: (q.attempts * ATTEMPT_USD + q.check_usd) / RIGHT, "That pays the judge for "
              "one attempt. It reads all {attempts}."),
        Wrong(lambda q: _usd_per_right(q.check_usd, q.attempts, 1.0), "That is the cost of a "
              "question. Four in ten end without a right answer, and were paid for."),
    ],
    hints=("Who is paid for each attempt, and how many questions come out right?",
           "attempts · (attempt + check) ÷ share right."),
    work=lambda q: f"{q.attempts} × ({ATTEMPT_USD} + {q.check_usd}) ÷ {RIGHT} = "
    f"{_usd_per_right(q.check_usd, q.attempts):.4f} USD.",
)  # fmt: skip
def _checked_answer_usd(q: Inputs) -> float:
    return _usd_per_right(q.check_usd, q.attempts)
