"""How much model for how much compute: training cost, the best split, and the life after training.

Training takes C = 6·N·D FLOP. Under a loss law the best split of a budget is a closed form; with
the tokens that the model will read and write later, 2·N each, the best model is smaller and
trained on more (Sardana et al. 2023).

>>> params, tokens = compute_optimal(training_flop(70e9, 1.4e12), "besiroglu2024")
>>> f"{params / 1e9:.0f} B parameters, {tokens / params:.0f} tokens each"
'73 B parameters, 18 tokens each'
>>> target = loss(13e9, 577e9, "sardana2023")
>>> best = lifetime_optimal(target, 2e12, "sardana2023")
>>> f"{best.params / 1e9:.1f} B, {best.saving_frac:.0%} less than the training optimum"
'7.0 B, 17% less than the training optimum'
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from econ.catalog.guard import count, not_negative, positive
from econ.scaling.fit import Fit, fit_law
from econ.scaling.laws import LARGEST, Law, NoAnswer, effective_tokens, laws_frame, sizes
from econ.scaling.laws import law as as_law
from econ.scaling.test_time import coverage_curve, majority_vote_accuracy, pass_at_k

__all__ = [
    "Fit",
    "Law",
    "Lifetime",
    "NoAnswer",
    "Split",
    "compute_optimal",
    "coverage_curve",
    "effective_tokens",
    "fit_law",
    "laws_frame",
    "lifetime_frame",
    "lifetime_optimal",
    "loss",
    "majority_vote_accuracy",
    "optimal_flop",
    "pass_at_k",
    "training_flop",
]

FLOP_TO_TRAIN, FLOP_TO_READ = 6.0, 2.0  # per parameter and token: forward 2, backward 4
WIDEST = 12.0  # e-folds of size above the smallest that the search covers


class Split(NamedTuple):
    """A budget's best use: how large a model, on how many tokens."""

    params: float
    tokens: float


def training_flop(
    params: float | np.ndarray,
    tokens: float | np.ndarray,
    *,
    n_layers: int = 0,
    attention_size: float = 0.0,
    context_tokens: float = 0.0,
) -> float | np.ndarray:
    """FLOP to train: 6 per parameter and token; of a mixture, the parameters active per token.

    With a shape given, attention over the context adds 12·layers·(heads × head width)·context per
    token (Chowdhery et al. 2022, appendix B).

    >>> f"{training_flop(70e9, 15e12):.1e}"
    '6.3e+24'
    """
    for name, value in (("n_layers", n_layers), ("attention_size", attention_size)):
        not_negative(name, value, 1e9)
    not_negative("context_tokens", context_tokens, LARGEST)
    per_token = FLOP_TO_TRAIN * sizes("params", params)
    per_token = per_token + 12 * n_layers * attention_size * context_tokens
    return per_token * sizes("tokens", tokens)


def loss(
    params: float | np.ndarray, tokens: float | np.ndarray, law: Law | str
) -> float | np.ndarray:
    """The loss in nats per token that a law predicts."""
    return as_law(law).loss(params, tokens)


def compute_optimal(flop: float, law: Law | str) -> Split:
    """The size and data with the lowest loss that ``flop`` can train.

    N = G·(C/6)^(β/(α+β)), D = C/(6N), G = (αA/βB)^(1/(α+β)). The law's own minimum: Kaplan et al.
    recommended another split (`econ.lessons.scaling_cases.allocation_params`).

    >>> f"{compute_optimal(5.76e23, 'hoffmann2022').params / 1e9:.0f} B"
    '40 B'
    """
    one, flop = as_law(law), sizes("flop", flop)
    scale = (one.alpha * one.A / (one.beta * one.B)) ** (1 / (one.alpha + one.beta))
    params = scale * (flop / FLOP_TO_TRAIN) ** one.params_exponent
    return Split(params, flop / (FLOP_TO_TRAIN * params))


def optimal_flop(params: float, law: Law | str) -> float:
    """The budget at which a size is compute-optimal: the inverse of `compute_optimal`."""
    one = as_law(law)
    unit = compute_optimal(FLOP_TO_TRAIN, one).params
    return FLOP_TO_TRAIN * (sizes("params", params) / unit) ** (1 / one.params_exponent)


def optimum_for(target_loss: float, law: Law | str) -> Split:
    """The cheapest training that reaches a loss.

    At the optimum αA/N^α = βB/D^β, so the room above E splits as β : α between size and data.
    """
    one = as_law(law)
    smallest = one.smallest_params(target_loss)
    params = smallest * (1 + one.alpha / one.beta) ** (1 / one.alpha)
    return Split(params, one.tokens_for(params, target_loss))


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """A model for life: size, data, and what training and all inference take beside the optimum.

    ``training`` and ``inference`` are FLOP, or USD where prices were given; ``baseline`` is the
    total of the training-optimal model of the same quality.
    """

    params: float
    tokens: float
    training: float
    inference: float
    baseline: float
    unit: str

    @property
    def total(self) -> float:
        """Training and inference."""
        return self.training + self.inference

    @property
    def saving_frac(self) -> float:
        """What the lifetime optimum saves of the training optimum's total."""
        return 1 - self.total / self.baseline


def lifetime_optimal(
    target_loss: float,
    inference_tokens: float,
    law: Law | str,
    *,
    training_usd_per_flop: float | None = None,
    inference_usd_per_token: Callable[[float], float] | None = None,
) -> Lifetime:
    """The model that reaches ``target_loss`` and costs least over its life.

    Minimises 6·N·D + 2·N·T over N, with D what the law needs for the loss and T all tokens read
    and written in service. In USD where both prices are given: training at a price per FLOP, a
    token in service at a price that depends on the size (`econ.scaling.price.SizePrice`).
    A loss at or below the law's floor raises `NoAnswer`.
    """
    one = as_law(law)
    not_negative("inference_tokens", inference_tokens, LARGEST)
    parts, unit = _parts(inference_tokens, training_usd_per_flop, inference_usd_per_token)
    smallest = math.log(one.smallest_params(target_loss))

    def total(log_params: float) -> float:
        params = math.exp(log_params)
        return math.log(sum(parts(params, one.tokens_for(params, target_loss))))

    from scipy.optimize import minimize_scalar  # a second to import: not at a kernel's start

    found = minimize_scalar(
        total, bounds=(smallest + 1e-9, smallest + WIDEST), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    params = math.exp(found.x)
    tokens = one.tokens_for(params, target_loss)
    training, inference = parts(params, tokens)
    baseline = sum(parts(*optimum_for(target_loss, one)))
    return Lifetime(
        params=params, tokens=tokens, training=training, inference=inference,
        baseline=baseline, unit=unit,
    )  # fmt: skip


def lifetime_frame(
    target_loss: float,
    inference_tokens: float,
    law: Law | str,
    *,
    training_usd_per_flop: float | None = None,
    inference_usd_per_token: Callable[[float], float] | None = None,
    n: int = 60,
) -> pd.DataFrame:
    """All models of one quality: params, tokens, tokens_per_param, training, inference, total.

    From just above the smallest size that can reach the loss to four times the training optimum.
    """
    one = as_law(law)
    not_negative("inference_tokens", inference_tokens, LARGEST)
    parts, unit = _parts(inference_tokens, training_usd_per_flop, inference_usd_per_token)
    count("n", n, 2, 100_000)
    low, best = one.smallest_params(target_loss), optimum_for(target_loss, one).params
    params = np.geomspace(low * 1.15, 4 * best, n)
    tokens = one.tokens_for(params, target_loss)
    costs = [parts(p, d) for p, d in zip(params, tokens, strict=True)]
    frame = pd.DataFrame(costs, columns=["training", "inference"])
    return frame.assign(
        params=params, tokens=tokens, tokens_per_param=tokens / params,
        total=frame["training"] + frame["inference"], unit=unit,
    )  # fmt: skip


def _parts(inference_tokens, training_usd_per_flop, inference_usd_per_token):
    """What a model costs to train and to serve, in FLOP or in USD, and which."""
    if (training_usd_per_flop is None) != (inference_usd_per_token is None):
        raise ValueError(
            "a bill in USD needs both training_usd_per_flop and inference_usd_per_token"
        )
    if training_usd_per_flop is None:
        return lambda n, d: (FLOP_TO_TRAIN * n * d, FLOP_TO_READ * n * inference_tokens), "FLOP"
    positive("training_usd_per_flop", training_usd_per_flop, 1.0)
    if not callable(inference_usd_per_token):
        raise ValueError(
            f"inference_usd_per_token = {inference_usd_per_token!r} is no function of the size: "
            "give one, such as econ.scaling.price.size_price(...)"
        )

    def priced(n: float, d: float) -> tuple[float, float]:
        per_token = not_negative("inference_usd_per_token", inference_usd_per_token(n))
        return FLOP_TO_TRAIN * n * d * training_usd_per_flop, inference_tokens * per_token

    return priced, "USD"
