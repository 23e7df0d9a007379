"""What serves: a replica, or pools of them, and the same in whole numbers for the engines.

>>> replica = Replica(cost=StepCost.affine(0.01), kv_tokens=100_000, max_batch=64)
>>> replica.replace(policy="prefill_frist")
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown policy 'prefill_frist'; nearest: prefill_first
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from econ.catalog.guard import count, fraction, not_negative, unknown
from econ.catalog.units import HOUR_S
from econ.latency.speculation import tokens_per_check
from econ.serving.cost import IntegerCost, StepCost

POLICIES = ("prefill_first", "chunked_prefill", "disaggregated")
ROUTINGS = ("round_robin", "least_loaded")


@dataclass(frozen=True, kw_only=True)
class Speculation:
    """Speculative decoding: each step proposes ``draft_tokens`` and keeps the accepted run.

    Each draft token is accepted with ``acceptance_frac``, independently, until the first refusal;
    a step yields 1 + accepted tokens and processes draft_tokens + 1 per sequence. The number of
    steps of a request is drawn when it is simulated. The tokens that fewer steps save are reserved
    in KV memory from the start, so context is over- and never underestimated.
    """

    draft_tokens: int
    acceptance_frac: float

    def __post_init__(self) -> None:
        count("draft_tokens", self.draft_tokens, 1, 64)
        fraction("acceptance_frac", self.acceptance_frac)

    @property
    def tokens_per_step(self) -> float:
        """Expected tokens of a step: (1 − a^(k+1))/(1 − a).

        >>> Speculation(draft_tokens=3, acceptance_frac=0.5).tokens_per_step
        1.875
        """
        return tokens_per_check(self.acceptance_frac, self.draft_tokens)

    def draw_steps(self, tokens: np.ndarray, seed: int) -> np.ndarray:
        """Decode steps that yield so many tokens, for each request."""
        rng = np.random.default_rng(seed)
        steps, left = np.zeros(len(tokens), "int64"), np.array(tokens, dtype="int64")
        active = np.flatnonzero(left > 0)
        while len(active):
            run = np.full(len(active), self.draft_tokens + 1, "int64")
            if self.acceptance_frac < 1:  # tokens up to and with the first refusal
                run = np.minimum(run, rng.geometric(1 - self.acceptance_frac, len(active)))
            left[active] -= run
            steps[active] += 1
            active = active[left[active] > 0]
        return steps


@dataclass(frozen=True, kw_only=True)
class Replica:
    """One engine, or ``n_replicas`` equal ones behind a router.

    ``kv_tokens`` is the KV memory, in tokens, of one replica; whole blocks are handed out.
    ``max_batch`` limits the sequences admitted at once, ``token_budget`` the tokens of a step.
    ``prefix_cached_frac`` of each prompt is found in a prefix cache (whole blocks, at least one
    token is left to compute); it saves prefill work, not memory. ``least_loaded`` routes to the
    replica with the fewest unfinished requests.

    ``lag_s`` and ``n_lag_steps`` (times the request's own time per decode step) pass before a
    request reaches the scheduler. They lengthen its TTFT and nothing else: what arrives at the
    scheduler was sent so much earlier.

    ``policy="disaggregated"`` is short for `Disaggregated` with two pools like this one (twice the
    hardware: see ``Result.n_replicas``) and a free transfer.
    """

    cost: StepCost
    kv_tokens: int
    block_tokens: int = 16
    max_batch: int = 256
    policy: str = "chunked_prefill"
    token_budget: int = 2048
    n_replicas: int = 1
    routing: str = "round_robin"
    prefix_cached_frac: float = 0.0
    speculation: Speculation | None = None
    lag_s: float = 0.0
    n_lag_steps: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.cost, StepCost):
            raise TypeError(f"cost = {self.cost!r} is not a StepCost")
        count("block_tokens", self.block_tokens, 1, 1_000_000)
        count("kv_tokens", self.kv_tokens, self.block_tokens)
        count("max_batch", self.max_batch, 1, 1_000_000)
        count("token_budget", self.token_budget, 1, 100_000_000)
        count("n_replicas", self.n_replicas, 1, 100_000)
        fraction("prefix_cached_frac", self.prefix_cached_frac)
        not_negative("lag_s", self.lag_s, HOUR_S)
        not_negative("n_lag_steps", self.n_lag_steps, 1000)
        if self.policy not in POLICIES:
            raise unknown("policy", self.policy, POLICIES)
        if self.routing not in ROUTINGS:
            raise unknown("routing", self.routing, ROUTINGS)
        if self.policy == "chunked_prefill" and self.token_budget < self.tokens_per_decode:
            count("token_budget", self.token_budget, self.tokens_per_decode)

    @property
    def tokens_per_decode(self) -> int:
        """Tokens a sequence processes in a decode step."""
        return 1 + (self.speculation.draft_tokens if self.speculation else 0)

    def replace(self, **changes) -> Replica:
        """The same replica with some settings changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class Disaggregated:
    """Separate pools: ``prefill`` makes the first token, ``decode`` all others.

    Between them each prompt's KV cache moves for ``kv_transfer_s_per_token`` × prompt tokens;
    transfers overlap each other and all compute, and the prefill side frees its blocks at the end
    of the prefill. A request preempted in the decode pool is prefilled again there. The prefill
    pool's ``lag_s`` counts; ``n_lag_steps`` do not, as no decode step stands before a prefill.
    """

    prefill: Replica
    decode: Replica
    kv_transfer_s_per_token: float = 0.0

    def __post_init__(self) -> None:
        for name in ("prefill", "decode"):
            if not isinstance(getattr(self, name), Replica):
                raise TypeError(f"{name} = {getattr(self, name)!r} is not a Replica")
        not_negative("kv_transfer_s_per_token", self.kv_transfer_s_per_token, 1.0)


@dataclass(frozen=True)
class Plan:
    """A replica in whole numbers, as both engines take it."""

    cost: IntegerCost
    n_blocks: int
    block_tokens: int
    max_batch: int
    chunked: bool
    token_budget: int
    tokens_per_sequence: int
    n_replicas: int
    least_loaded: bool

    @classmethod
    def of(cls, replica: Replica) -> Plan:
        chunked, per_seq = replica.policy != "prefill_first", replica.tokens_per_decode
        budget, batch = replica.token_budget, replica.max_batch
        if chunked:  # every running sequence must fit into a step
            batch = min(batch, budget // per_seq)
        return cls(
            replica.cost.integer(max(budget if chunked else 0, batch * per_seq), batch),
            replica.kv_tokens // replica.block_tokens,
            replica.block_tokens,
            batch,
            chunked,
            budget,
            per_seq,
            replica.n_replicas,
            replica.routing == "least_loaded" and replica.n_replicas > 1,
        )
