"""What serves: a replica, equal replicas behind a router, or separate pools of them.

`Plan` is the same in whole numbers, as the engine takes it.

>>> replica = Replica(cost=StepCost.affine(0.01), kv_tokens=100_000, max_batch=64)
>>> replica.replace(policy="prefill_frist")
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown policy 'prefill_frist'; nearest: prefill_first
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from econ.catalog.guard import count, fraction, not_negative, one_of
from econ.catalog.units import HOUR_S
from econ.deployment import POLICIES
from econ.latency.speculation import tokens_per_check
from econ.serving.cost import IntegerCost, StepCost

ROUTINGS = ("round_robin", "least_loaded")


@dataclass(frozen=True, kw_only=True)
class Speculation:
    """Speculative decoding: each step proposes tokens and keeps those that are accepted.

    Parameters
    ----------
    draft_tokens : int
        Tokens proposed in a step, e.g. 3.
    acceptance_frac : float
        Probability that a proposed token is accepted, e.g. 0.7; the first refusal ends the run.

    Notes
    -----
    A step yields 1 + accepted tokens and processes draft_tokens + 1 per sequence. The number of
    steps of a request is drawn when it is simulated. The tokens that fewer steps save are reserved
    in KV memory from the start, so the context of a request is never below the true one.
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
        return float(tokens_per_check(self.acceptance_frac, self.draft_tokens))

    def draw_steps(self, tokens: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
        """Decode steps that yield the given tokens of each request."""
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
    """One engine, or equal engines behind a router.

    Parameters
    ----------
    cost : StepCost
        The duration of a step.
    kv_tokens : int
        KV memory of one replica in tokens, e.g. 400_000; whole blocks are handed out.
    block_tokens : int
        Tokens of a block.
    max_batch : int
        Sequences admitted at a time, e.g. 256.
    policy : str
        prefill_first, chunked_prefill or disaggregated (see `econ.serving.simulate`). The last is
        short for `Disaggregated` with two pools like this one (twice the hardware, see
        ``RequestTimes.n_replicas``) and a transfer that takes no time.
    token_budget : int
        Tokens of one step, e.g. 2048.
    n_replicas : int
        Equal replicas behind the router.
    routing : str
        round_robin, or least_loaded: to the replica with the fewest unfinished requests.
    prefix_cached_frac : float
        Share of each prompt that a prefix cache holds (whole blocks; at least one token is left to
        compute). It saves prefill work, not memory.
    speculation : Speculation, optional
        Speculative decoding.
    lag_s, n_lag_steps : float
        Seconds, and steps at the request's own pace, that pass before a request reaches the
        scheduler. They lengthen TTFT and e2e and nothing else.

    Raises
    ------
    ValueError
        For a number outside its range or an unknown policy or routing, with the nearest.
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
        for name, low, high in (
            ("block_tokens", 1, 1e6),
            ("kv_tokens", self.block_tokens, 1e12),
            ("max_batch", 1, 1e6),
            ("token_budget", 1, 1e8),
            ("n_replicas", 1, 1e5),
        ):
            object.__setattr__(self, name, count(name, getattr(self, name), low, high))
        fraction("prefix_cached_frac", self.prefix_cached_frac)
        not_negative("lag_s", self.lag_s, HOUR_S)
        not_negative("n_lag_steps", self.n_lag_steps, 1000)
        one_of("policy", self.policy, POLICIES)
        one_of("routing", self.routing, ROUTINGS)
        if self.policy == "chunked_prefill" and self.token_budget < self.tokens_per_decode:
            count("token_budget", self.token_budget, self.tokens_per_decode)

    @property
    def tokens_per_decode(self) -> int:
        """Tokens a sequence processes in a decode step."""
        return 1 + (self.speculation.draft_tokens if self.speculation else 0)

    def replace(self, **changes: Any) -> Replica:
        """The same replica with some settings changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class Disaggregated:
    """Separate pools: one makes the first token of each request, the other all that follow.

    Parameters
    ----------
    prefill, decode : Replica
        The pools.
    kv_transfer_s_per_token : float
        Seconds to move the KV cache of one prompt token from pool to pool, e.g. 2e-7.

    Notes
    -----
    Transfers overlap each other and all compute; the prefill pool frees its blocks at the end of
    the prefill. A request that is preempted in the decode pool is prefilled again there. Of the
    prefill pool, ``lag_s`` counts and ``n_lag_steps`` does not: no decode step precedes a prefill.
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
    """A replica in whole numbers, as the engine takes it."""

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
        """The plan of one pool."""
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
