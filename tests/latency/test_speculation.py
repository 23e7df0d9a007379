"""Drafts shorten steps, and no prompt."""

from __future__ import annotations

import pytest

from econ.latency import predict, speculation_frame
from econ.scenario import Scenario


def test_free_and_perfect_drafts_leave_the_stalls_of_others_prompts():
    s = Scenario.default().with_(input_tokens=4000, output_tokens=500)
    plain = predict(s, concurrency=8)
    stall_s = plain.parts_s["others' prompts"]
    free = {"acceptance_frac": 1.0, "draft_cost_frac": 0.0, "batches": (8,)}
    left_s = [
        plain.tpot_s / speculation_frame(s, n_draft=n, **free)["speedup"].iloc[0] for n in (1, 99)
    ]
    assert stall_s > 0.05 * plain.tpot_s
    assert left_s[0] > left_s[1] > stall_s
    none = speculation_frame(s, n_draft=0, batches=(8,))["speedup"].iloc[0]
    assert none == pytest.approx(1.0, rel=0.01)
