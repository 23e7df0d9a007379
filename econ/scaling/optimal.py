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

from econ.catalog.architecture import Model
from econ.catalog.guard import count, fraction, not_negative, positive
from econ.scaling.laws import LARGEST, Law, Size, sizes
from econ.scaling.laws import law as as_law

FLOP_TO_TRAIN, FLOP_TO_READ = 6.0, 2.0  # per parameter and token: forward 2, backward 4
FORWARD_AND_BACKWARD = 3.0  # passes, in units of the forward one
WIDEST = 12.0  # e-folds of size above the smallest that the search covers


class Split(NamedTuple):
    """A budget's best use: how large a model, on how many tokens."""

    params: float
    tokens: float


def training_flop(
    params: Size | Model,
    tokens: Size,
    *,
    n_layers: int = 0,
    attention_size: float = 0.0,
    context_tokens: float = 0.0,
    recompute_frac: float = 0.0,
) -> Size:
    """FLOP to train a model.

    Parameters
    ----------
    params : float, array or Model
        Parameters, e.g. 70e9; of a mixture those active per token. A model of the catalogue or your
        own brings its attention along.
    tokens : float or array
        Read in training, e.g. 15e12.
    n_layers : int
        For attention over the context: layers, e.g. 80.
    attention_size : float
        Heads times head width, e.g. 8192.
    context_tokens : float
        Length of a training sequence, e.g. 8192.
    recompute_frac : float
        Share of the forward pass that is done again for the backward one, e.g. 1 with full
        recomputation of activations.

    Returns
    -------
    float or array
        FLOP, forward and backward.

    Raises
    ------
    ValueError
        For a number outside its range, or a shape given beside a model.

    Notes
    -----
    C = 6·N·D, and with a shape given 12·layers·(heads × head width)·context more per token. Of a
    model: (3 + recomputed share)·(2·N + attention of the forward pass), in which each token sees
    half of the context on average (causal) and no more than a sliding window; latent attention is
    counted as training runs it, with keys and values widened for every head. Three times the FLOP
    of decoding would count the whole context, and latent attention in its absorbed form.

    References
    ----------
    Chowdhery et al. 2022, PaLM, appendix B.

    Examples
    --------
    >>> f"{training_flop(70e9, 15e12):.1e}"
    '6.3e+24'
    >>> from econ.catalog import model
    >>> deepseek = model("deepseek-v3")
    >>> f"{training_flop(deepseek, 14.8e12, context_tokens=4096):.2e}"
    '3.71e+24'
    """
    fraction("recompute_frac", recompute_frac)
    if isinstance(params, Model):
        if n_layers or attention_size:
            raise ValueError("a model brings its shape: leave n_layers and attention_size out")
        not_negative("context_tokens", context_tokens, LARGEST)
        per_token = (FORWARD_AND_BACKWARD + recompute_frac) * _forward_flop(params, context_tokens)
        return per_token * sizes("tokens", tokens)
    for name, value in (("n_layers", n_layers), ("attention_size", attention_size)):
        not_negative(name, value, 1e9)
    not_negative("context_tokens", context_tokens, LARGEST)
    attention_flop = 12 * n_layers * attention_size * context_tokens
    again = 1 + recompute_frac / FORWARD_AND_BACKWARD
    per_token_flop = again * (FLOP_TO_TRAIN * sizes("params", params) + attention_flop)
    return per_token_flop * sizes("tokens", tokens)


def _forward_flop(model: Model, context_tokens: float) -> float:
    """FLOP of a token's forward pass in the middle of a sequence of that length."""
    seen = 0.5 * context_tokens
    window = min(context_tokens, model.sliding_window_tokens or context_tokens)
    near = window * (1 - 0.5 * window / max(context_tokens, 1.0))
    sliding = model.n_sliding_layers * 4 * model.n_heads * model.head_dim * near
    full = model.prefill_attention_flop_per_context_token * seen
    return float(2 * model.active_params + full + sliding)


def loss(params: Size, tokens: Size, law: Law | str) -> Size:
    """The loss in nats per token that a law predicts for a size and its data: `Law.loss`.

    >>> round(float(loss(70e9, 1.4e12, "hoffmann2022")), 3)
    1.921
    """
    return as_law(law).loss(params, tokens)


def compute_optimal(flop: float, law: Law | str) -> Split:
    """The size and data with the lowest loss that a budget can train.

    Parameters
    ----------
    flop : float
        The budget C, e.g. 5.76e23.
    law : Law or str
        A loss law, or the name of a published one.

    Returns
    -------
    Split
        ``params`` and ``tokens``.

    Notes
    -----
    N = G·(C/6)^(β/(α+β)), D = C/(6N), G = (αA/βB)^(1/(α+β)): the law's own minimum. Kaplan et al.
    (2020) recommended another split, read off points along long runs.

    References
    ----------
    Hoffmann et al. 2022, equation 4.

    Examples
    --------
    >>> f"{compute_optimal(5.76e23, 'hoffmann2022').params / 1e9:.0f} B"
    '40 B'
    """
    one = as_law(law)
    budget = float(sizes("flop", flop))
    scale = (one.alpha * one.A / (one.beta * one.B)) ** (1 / (one.alpha + one.beta))
    params = scale * (budget / FLOP_TO_TRAIN) ** one.params_exponent
    return Split(params, budget / (FLOP_TO_TRAIN * params))


def optimal_flop(params: float, law: Law | str) -> float:
    """The budget at which a size is compute-optimal: the inverse of `compute_optimal`.

    >>> f"{optimal_flop(67e9, 'hoffmann2022'):.1e}"
    '1.7e+24'
    """
    one = as_law(law)
    unit = compute_optimal(FLOP_TO_TRAIN, one).params
    grow = float(sizes("params", params)) / unit
    return float(FLOP_TO_TRAIN * grow ** (1 / one.params_exponent))


def optimum_for(target_loss: float, law: Law | str) -> Split:
    """The cheapest training that reaches a loss, e.g. 2.0 nats per token.

    At the optimum αA/N^α = βB/D^β, so what the loss has above E splits as β : α between size and
    data. A loss at or below the law's floor raises `NoAnswer`.
    """
    one = as_law(law)
    smallest = one.smallest_params(target_loss)
    params = smallest * (1 + one.alpha / one.beta) ** (1 / one.alpha)
    return Split(params, float(one.tokens_for(params, target_loss)))


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
    """The model that reaches a loss and costs least over its life.

    Parameters
    ----------
    target_loss : float
        In nats per token, e.g. 2.0.
    inference_tokens : float
        All tokens read and written in service, e.g. 2e12.
    law : Law or str
        A loss law, or the name of a published one.
    training_usd_per_flop : float, optional
        Price of a trained FLOP, e.g. 1.8e-18, to count in USD instead of FLOP.
    inference_usd_per_token : callable, optional
        Price of a token in service by the size of the model (`SizePrice`), with the former.

    Raises
    ------
    NoAnswer
        For a loss at or below the law's floor.

    Notes
    -----
    Minimises 6·N·D + 2·N·T over N, with D what the law needs for the loss and T the tokens in
    service (Sardana et al. 2023).
    """
    one = as_law(law)
    not_negative("inference_tokens", inference_tokens, LARGEST)
    costs, unit = _costs(inference_tokens, training_usd_per_flop, inference_usd_per_token)
    smallest = math.log(one.smallest_params(target_loss))

    def log_total(log_params: float) -> float:
        params = math.exp(log_params)
        return math.log(sum(costs(params, float(one.tokens_for(params, target_loss)))))

    from scipy.optimize import minimize_scalar  # a second to import: not at a kernel's start

    optimum = minimize_scalar(
        log_total,
        bounds=(smallest + 1e-9, smallest + WIDEST),
        method="bounded",
        options={"xatol": 1e-10},
    )
    params = math.exp(optimum.x)
    tokens = float(one.tokens_for(params, target_loss))
    training, inference = costs(params, tokens)
    return Lifetime(
        params=params,
        tokens=tokens,
        training=training,
        inference=inference,
        baseline=sum(costs(*optimum_for(target_loss, one))),
        unit=unit,
    )


def lifetime_frame(
    target_loss: float,
    inference_tokens: float,
    law: Law | str,
    *,
    training_usd_per_flop: float | None = None,
    inference_usd_per_token: Callable[[float], float] | None = None,
    n: int = 60,
) -> pd.DataFrame:
    """All models of one quality, with what they cost for life; parameters as `lifetime_optimal`.

    From just above the smallest size that can reach the loss to four times the training optimum, in
    ``n`` steps. Columns: ``params``, ``tokens``, ``tokens_per_param``, ``training``,
    ``inference``, ``total``, ``unit``.
    """
    one = as_law(law)
    not_negative("inference_tokens", inference_tokens, LARGEST)
    costs, unit = _costs(inference_tokens, training_usd_per_flop, inference_usd_per_token)
    count("n", n, 2, 100_000)
    low, best = one.smallest_params(target_loss), optimum_for(target_loss, one).params
    params = np.geomspace(low * 1.15, 4 * best, n)
    tokens = np.asarray(one.tokens_for(params, target_loss))
    pairs = [costs(float(p), float(d)) for p, d in zip(params, tokens, strict=True)]
    frame = pd.DataFrame(pairs, columns=["training", "inference"])
    return frame.assign(
        params=params,
        tokens=tokens,
        tokens_per_param=tokens / params,
        total=frame["training"] + frame["inference"],
        unit=unit,
    )


def _costs(
    inference_tokens: float,
    training_usd_per_flop: float | None,
    inference_usd_per_token: Callable[[float], float] | None,
) -> tuple[Callable[[float, float], tuple[float, float]], str]:
    """What a model of a size on so many tokens costs to train and to serve, and the unit."""

    def in_flop(params: float, tokens: float) -> tuple[float, float]:
        return FLOP_TO_TRAIN * params * tokens, FLOP_TO_READ * params * inference_tokens

    if training_usd_per_flop is None and inference_usd_per_token is None:
        return in_flop, "FLOP"
    if training_usd_per_flop is None or inference_usd_per_token is None:
        raise ValueError(
            "a bill in USD needs both training_usd_per_flop and inference_usd_per_token"
        )
    usd_per_flop = positive("training_usd_per_flop", training_usd_per_flop, 1.0)
    usd_per_token = inference_usd_per_token
    if not callable(usd_per_token):
        raise ValueError(
            f"inference_usd_per_token = {usd_per_token!r} is no function of the size: "
            "give one, such as econ.scaling.size_price(...)"
        )

    def in_usd(params: float, tokens: float) -> tuple[float, float]:
        per_token = not_negative("inference_usd_per_token", usd_per_token(params))
        return FLOP_TO_TRAIN * params * tokens * usd_per_flop, inference_tokens * per_token

    return in_usd, "USD"
