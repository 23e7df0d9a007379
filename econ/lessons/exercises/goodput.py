"""Answers to the exercises of notebook 03."""

from __future__ import annotations

from econ.lessons.answers import exercise
from econ.lessons.goodput_cases import N, default_case
from econ.serving import Replica, StepCost, max_rate_per_s, simulate, slo_preset
from econ.serving.queueing import mm1_e2e_quantile_s


@exercise("03-1", unit="s", hint="The time in the system is exponential with mean s/(1 − ρ).")
def tail_of_a_queue() -> float:
    """P99 of an M/M/1 queue with a service of 0.4 s at 90 % load."""
    return mm1_e2e_quantile_s(0.9 / 0.4, 0.4, 0.99)


@exercise(
    "03-2", unit="s", tolerance_frac=0.004, hint="The first token is not a gap: divide by n − 1."
)
def time_per_token() -> float:
    """TPOT of an answer of 60 tokens: first after 0.5 s, last after 12.3 s."""
    step = StepCost.affine(11.8 / 59, prefill_base_s=0.5 - 11.8 / 59)
    alone = simulate([0.0], [10], [60], Replica(cost=step, kv_tokens=1000))
    return float(alone.tpot_s[0])


@exercise(
    "03-3",
    unit="share",
    hint="Those who miss one limit may all be others than those who miss the other.",
)
def least_joint_share() -> float:
    """The least joint share where 95 % meet one limit and 90 % the other: nobody misses both."""
    return 0.95 + 0.90 - 1


@exercise(
    "03-4",
    unit="requests/s",
    tolerance_frac=0.02,
    hint="Give max_rate_per_s the scenario with the preset and the policy, and n=10_000.",
)
def promised() -> float:
    """The highest rate under the preset ``reasoning`` with whole prompts first."""
    case, _ = default_case()
    return max_rate_per_s(case.with_(slo=slo_preset("reasoning"), policy="prefill_first"), n=N)
