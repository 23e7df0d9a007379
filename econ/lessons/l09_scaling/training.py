"""Fits, budgets and whole lives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.rents import rent
from econ.catalog.units import GIGA
from econ.scaling.fit import Fit
from econ.scaling.laws import Law, effective_tokens
from econ.scaling.optimal import (
    compute_optimal,
    lifetime_frame,
    lifetime_optimal,
    loss,
    optimal_flop,
)
from econ.scaling.price import SizePrice, size_price
from econ.scenario import Scenario

# dense models of one design, and the accelerators each is usually split over
LADDER = {
    "llama-3.2-1b": 1, "llama-3.2-3b": 1, "llama-3.1-8b": 1, "qwen3-14b": 1, "qwen3-32b": 2,
    "llama-3.1-70b": 4, "llama-3.1-405b": 8,
}  # fmt: skip
GOPHER_FLOP = 5.76e23  # the budget of Gopher and of Chinchilla (Hoffmann et al. 2022, table 3)


def iso_flop_frame(
    law: Law | str, budgets_flop: tuple[float, ...], n: int = 40, spread_factor: float = 12.0
) -> pd.DataFrame:
    """Loss over size at fixed budgets: budget, params_b, loss, tokens_per_param, is_optimum.

    Sizes from the optimum / spread to the optimum × spread; the optimum is one of them.
    """
    rows = []
    for flop in budgets_flop:
        best = compute_optimal(flop, law).params
        steps = np.linspace(-1, 1, n + 1 - n % 2)  # an odd number, so that the middle is there
        for step in steps:
            params = best * spread_factor**step
            tokens = flop / (6 * params)
            value = float(loss(params, tokens, law))
            rows.append((f"{flop:.0e} FLOP", params / GIGA, value, tokens / params, step == 0))
    columns = ["budget", "params_b", "loss", "tokens_per_param", "is_optimum"]
    return pd.DataFrame(rows, columns=columns)


def fitted_frame(points: pd.DataFrame, law: Law) -> pd.DataFrame:
    """Runs beside a law: params_b, tokens_per_param, loss, predicted."""
    predicted = law.loss(points["params"].to_numpy(), points["tokens"].to_numpy())
    return points.assign(
        params_b=[float(f"{p / GIGA:.3g}") for p in points["params"]],
        tokens_per_param=points["tokens"] / points["params"],
        predicted=predicted,
        error_frac=predicted / points["loss"] - 1,
    )


def recommended_frame(fit: Fit, flop: float) -> pd.DataFrame:
    """What each resample of a fit recommends for a budget: params, tokens, tokens_per_param."""
    splits = [compute_optimal(flop, one) for one in fit.laws()]
    frame = pd.DataFrame(splits, columns=["params", "tokens"])
    return frame.assign(tokens_per_param=frame["tokens"] / frame["params"])


def repeats_frame(
    params: float, unique_tokens: float, n_epochs: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64)
) -> pd.DataFrame:
    """Reading the same text again: epochs, effective_tokens, loss, loss_if_fresh."""
    rows = []
    for n in n_epochs:
        worth = effective_tokens(unique_tokens, n)
        both = [float(loss(params, d, "muennighoff2023")) for d in (worth, n * unique_tokens)]
        rows.append((n, worth, *both))
    return pd.DataFrame(rows, columns=["epochs", "effective_tokens", "loss", "loss_if_fresh"])


def served(model: str, accelerator: str = "h100-sxm", **settings: Any) -> Scenario:
    """A model as the lesson serves it: at the on-demand rent of an H100, split as `LADDER` says, in
    fp8, within 10 s to the first token and 0.1 s a token."""
    settings = {
        "tp": LADDER.get(model, 1), "precision": "fp8", "ttft_s": 10.0, "tpot_s": 0.1,
        "cost_usd_per_gpu_hour": rent("h100-sxm"), **settings,
    }  # fmt: skip
    return Scenario.of(model, accelerator, **settings)


def lesson_price() -> SizePrice:
    """USD per token by size, for prompts of 1,000 and answers of 500 tokens."""
    return size_price([served(model, input_tokens=1000, output_tokens=500) for model in LADDER])


def life_frame(
    quality_params: float,
    inference_tokens: float,
    law: Law | str = "besiroglu2024",
    *,
    training_usd_per_flop: float | None = None,
    price: SizePrice | None = None,
    n: int = 50,
) -> pd.DataFrame:
    """All models as good as the compute-optimal one of a size, with their cost for life.

    Columns: params_b, part (training, inference, both), cost, unit, kind (curve, optimum, training
    optimum). Without both prices, cost is in FLOP.
    """
    flop = optimal_flop(quality_params, law)
    target = float(loss(quality_params, compute_optimal(flop, law).tokens, law))
    paid: dict[str, Any] = {
        "training_usd_per_flop": training_usd_per_flop,
        "inference_usd_per_token": price,
    }
    curve = lifetime_frame(target, inference_tokens, law, n=n, **paid)
    best = lifetime_optimal(target, inference_tokens, law, **paid)
    ratios = [best.tokens / best.params, flop / (6 * quality_params**2)]
    params = np.concatenate([np.tile(curve["params"], 3), [best.params, quality_params]])
    costs = [curve["training"], curve["inference"], curve["total"], [best.total, best.baseline]]
    return pd.DataFrame(
        {
            "params": params,
            "unit": best.unit,
            "tokens_per_param": np.concatenate([np.tile(curve["tokens_per_param"], 3), ratios]),
            "part": np.repeat(["training", "inference", "both"], [n, n, n + 2]),
            "cost": np.concatenate(costs),
            "kind": ["curve"] * 3 * n + ["cheapest for life", "cheapest to train"],
            "params_b": params / GIGA,
            "saving_frac": best.saving_frac,
        }
    )
