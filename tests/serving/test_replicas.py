"""Replicas: what is refused, and speculation's number of steps."""

from __future__ import annotations

import numpy as np
import pytest

from econ.serving import Replica, Speculation, StepCost, simulate

COST = StepCost.affine(5e-3, 2e-5, per_ctx_token_s=4e-8, prefill_per_pair_s=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": "chunked"}, "nearest: chunked_prefill"),
        ({"routing": "random"}, "unknown routing 'random'"),
        ({"max_batch": 0}, "max_batch = 0"),
        ({"kv_tokens": 8}, "kv_tokens = 8"),
        ({"prefix_cached_frac": 40}, "a share, not a percentage"),
        ({"token_budget": np.nan}, "token_budget = nan"),
    ],
)
def test_bad_replicas_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        Replica(**{"cost": COST, "kv_tokens": 1000, **change})


def test_speculation_takes_the_expected_number_of_steps():
    drafts = Speculation(draft_tokens=3, acceptance_frac=0.7)
    n, out = 400, 300
    replica = Replica(cost=StepCost.affine(1e-6), kv_tokens=10_000_000, max_batch=n,
                      speculation=drafts)  # fmt: skip
    result = simulate(np.zeros(n), np.ones(n), np.full(n, out), replica, seed=3)
    steps = np.rint((result.done_s - result.first_token_s) / 1e-6)
    assert (out - 1) / steps.mean() == pytest.approx(drafts.tokens_per_step, rel=0.01)
    sure = Speculation(draft_tokens=3, acceptance_frac=1.0)
    assert sure.draw_steps(np.array([0, 1, 4, 5]), 0).tolist() == [0, 1, 1, 2]
