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
from econ.latency.prediction import predict
from econ.latency.steps import DoesNotFit
from econ.scenario import Scenario
from econ.station import require_certain


def tokens_per_check(acceptance_frac: float, n_draft: int) -> float:
    """Expected tokens out of one checked step: accepted drafts and one of the large model's own.

    Parameters
    ----------
    acceptance_frac : float
        Probability a that a draft is accepted, e.g. 0.7.
    n_draft : int
        Drafts k of a step, e.g. 4.

    Returns
    -------
    float
        (1 − a^(k+1)) / (1 − a).

    References
    ----------
    Leviathan, Kalman and Matias, Fast Inference from Transformers via Speculative Decoding, 2023,
    equation 1.
    """
    a, k = fraction("acceptance_frac", acceptance_frac), count("n_draft", n_draft, 0, 1000)
    return float(k + 1) if a == 1 else (1 - a ** (k + 1)) / (1 - a)


def speculation_frame(
    s: Scenario,
    *,
    acceptance_frac: float = 0.7,
    n_draft: int = 4,
    draft_cost_frac: float = 0.05,
    batches: tuple[int, ...] = (1, 4, 16, 64, 128, 256, 512),
) -> pd.DataFrame:
    """The gain of speculation by batch.

    Parameters
    ----------
    s : Scenario
        Model, deployment and the workload's mean lengths.
    acceptance_frac : float
        Share of drafts that the large model accepts, e.g. 0.7.
    n_draft : int
        Drafts of a step.
    draft_cost_frac : float
        Time of a draft over that of a plain step, e.g. 0.05.
    batches : tuple of int
        Sequences of a replica at a time; those that do not fit are left out.

    Returns
    -------
    DataFrame
        batch, speedup (plain TPOT over speculative TPOT).

    Notes
    -----
    The checked step computes n_draft + 1 tokens per sequence and reads weights and cache once;
    arithmetic and weights overlap as in `econ.latency.steps`. Others' prompts stall a token as long
    as before: drafts shorten steps, and no prompt.
    """
    require_certain("speculation_frame", s)
    not_negative("draft_cost_frac", draft_cost_frac, 10)
    d, active_params = s.deployment, s.resolved_model.active_params
    frac = Calibration.fitted().decode_compute_frac
    replica_flop_per_s = (
        d.n_gpu / s.n_replicas * d.resolved_accelerator.peak_flop_per_s(d.precision)
    )
    rows = []
    for batch in batches:
        try:
            plain = predict(s, concurrency=batch * s.n_replicas)
        except DoesNotFit:
            break
        if plain.batch < 0.8 * batch:
            break
        compute_s = 2 * active_params * plain.batch / (replica_flop_per_s * frac)
        core_s = max(plain.parts_s.get("weights", 0.0), plain.parts_s.get("compute", 0.0))
        checked_s = (core_s**4 + (compute_s * (n_draft + 1)) ** 4) ** 0.25
        prompts_s = plain.parts_s["others' prompts"]  # as many a token: they are not drafted
        plain_s = plain.tpot_s - prompts_s
        step_s = plain_s - core_s + checked_s + n_draft * draft_cost_frac * plain_s
        token_s = step_s / tokens_per_check(acceptance_frac, n_draft) + prompts_s
        rows.append({"batch": batch, "speedup": plain.tpot_s / token_s})
    return pd.DataFrame(rows, columns=["batch", "speedup"])
