"""Speculative decoding: a small model drafts, the large one checks all drafts in one step.

With each draft accepted with probability a, k drafts give (1 − a^(k+1)) / (1 − a) tokens per
checked step (Leviathan, Kalman & Matias 2023, eq. 1). The check is almost free while memory sets
the pace; with the batch its arithmetic grows, and the gain goes.

>>> round(tokens_per_check(0.7, 4), 3)
2.773
>>> tokens_per_check(0.0, 4), tokens_per_check(1.0, 4)
(1.0, 5.0)
"""

from __future__ import annotations

import pandas as pd

from econ.catalog.guard import count, fraction, not_negative
from econ.latency.calibration import Calibration
from econ.latency.deployments import as_accelerator, as_model
from econ.latency.prediction import predict


def tokens_per_check(acceptance_frac: float, n_draft: int) -> float:
    """Expected tokens out of one checked step: accepted drafts and one of the large model's own."""
    a, k = fraction("acceptance_frac", acceptance_frac), count("n_draft", n_draft, 0, 1000)
    return float(k + 1) if a == 1 else (1 - a ** (k + 1)) / (1 - a)


def speculation_frame(
    model: str,
    accelerator: str,
    *,
    tp: int,
    precision: str,
    input_tokens: float,
    output_tokens: float,
    acceptance_frac: float = 0.7,
    n_draft: int = 4,
    draft_cost_frac: float = 0.05,
    batches: tuple[int, ...] = (1, 4, 16, 64, 128, 256, 512),
) -> pd.DataFrame:
    """The gain of speculation by batch: batch, speedup (plain TPOT over speculative TPOT).

    ``draft_cost_frac``: a draft's time as a share of a plain step. The checked step computes
    n_draft + 1 tokens per sequence and reads weights and cache once; arithmetic and weights
    overlap as in `econ.latency.steps`. Batches that do not fit are left out.
    """
    not_negative("draft_cost_frac", draft_cost_frac, 10)
    net, chip, k = as_model(model), as_accelerator(accelerator), Calibration.fitted()
    peak = tp * chip.peak_flop_per_s(precision) * k.decode_compute_frac
    rows = []
    for batch in batches:
        plain = predict(
            model, accelerator, tp=tp, precision=precision, concurrency=batch,
            input_tokens=input_tokens, output_tokens=output_tokens,
        )  # fmt: skip
        if not plain.fits or plain.batch < 0.8 * batch:
            break
        compute_s = 2 * net.active_params * plain.batch / peak
        core_s = max(plain.parts_s.get("weights", 0.0), plain.parts_s.get("compute", 0.0))
        checked_s = (core_s**4 + (compute_s * (n_draft + 1)) ** 4) ** 0.25
        step_s = plain.tpot_s - core_s + checked_s + n_draft * draft_cost_frac * plain.tpot_s
        gain = tokens_per_check(acceptance_frac, n_draft) * plain.tpot_s / step_s
        rows.append({"batch": batch, "speedup": gain})
    return pd.DataFrame(rows, columns=["batch", "speedup"])
