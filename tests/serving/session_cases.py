"""Random small sessions on cramped fleets: short memories, ties, joins, failures, all at once."""

from __future__ import annotations

import numpy as np

from econ.serving.cost import StepCost
from econ.serving.fleet import ROUTINGS, Autoscale, Fleet, Outage, Tier
from econ.serving.replicas import Replica
from econ.tokens.sessions import Sessions


def random_sessions(rng: np.random.Generator, n_most: int = 8) -> Sessions:
    """Conversations over a common beginning, with sub-agents, joins, gaps of 0 and compactions."""
    parent, start = [-1], [0]
    rows: list[dict] = []
    grid = rng.random() < 0.5  # whole seconds: many things at the same moment
    base = int(rng.integers(1, 60))

    def gap() -> float:
        return float(rng.integers(0, 4)) if grid else float(rng.uniform(0, 4))

    def new_branch(of: int, at: int) -> int:
        parent.append(of)
        start.append(at)
        return len(parent) - 1

    def turn(session: int, branch: int, prompt: int, waits: list[int], kind: int) -> int:
        rows.append(
            {"session": session, "branch": branch, "input_tokens": prompt,
             "output_tokens": int(rng.integers(1, 25)), "wait_s": gap(), "waits_for": waits,
             "kind": kind, "priority": int(rng.integers(0, 3)) if rng.random() < 0.3 else 0,
             "patience_s": float(rng.integers(1, 5)) if rng.random() < 0.1 else np.inf,
             "n_failures": int(rng.random() < 0.1), "start_s": gap() if rng.random() < 0.2 else 0.0}
        )  # fmt: skip
        return len(rows) - 1

    for session in range(int(rng.integers(1, n_most))):
        share = rng.random() < 0.7
        branch = new_branch(0, base) if share else new_branch(-1, 0)
        prompt = (base if share else 0) + int(rng.integers(1, 40))
        last = turn(session, branch, prompt, [], 0)
        for _ in range(int(rng.integers(0, 5))):
            prompt = rows[last]["input_tokens"] + rows[last]["output_tokens"]
            helpers = []
            for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.3 else 0):
                at = int(rng.integers(start[branch], prompt))
                side = new_branch(branch, at)
                helpers.append(turn(session, side, at + int(rng.integers(1, 30)), [last], 2))
            prompt += int(rng.integers(0, 30))
            if rng.random() < 0.15:  # a compaction: a new history
                branch = new_branch(0, base) if share else new_branch(-1, 0)
                prompt = (base if share else 0) + int(rng.integers(1, 30))
            last = turn(session, branch, prompt, [last, *helpers], 1)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Sessions.of(**columns, branch_parent=parent, branch_from_tokens=start)


def random_cost(rng: np.random.Generator) -> StepCost:
    """Tables that rise or stay level, decodes cheaper than prefill, nothing at all."""
    linear_s = np.sort(rng.integers(0, 50, 40)) * 1e-3 if rng.random() < 0.8 else np.zeros(40)
    return StepCost(
        linear_s=linear_s,
        decode_base_s=np.sort(rng.integers(0, 9, 9)) * 1e-3,
        decode_per_ctx_token_s=rng.integers(0, 9) * 1e-4,
        prefill_base_s=rng.integers(0, 20) * 1e-3,
        prefill_per_pair_s=rng.integers(0, 9) * 1e-5,
    )


def random_fleet(rng: np.random.Generator, sessions: Sessions) -> Fleet:
    """A fleet on which these sessions just fit."""
    block = int(rng.choice([1, 4, 16]))
    n_rep = int(rng.choice([1, 1, 2, 3]))
    least = -(-int((sessions.input_tokens + sessions.output_tokens).max()) // block) * block

    def ttl() -> float | None:
        return float(rng.integers(1, 8)) if rng.random() < 0.25 else None

    tiers = tuple(
        Tier(
            f"tier {k}",
            float(rng.integers(block, 600)),
            float(rng.choice([20.0, 200.0, 2e3, 1e5])),
            float(rng.choice([0.0, 0.01, 0.5])),
            ttl(),
            bool(rng.random() < 0.4),
        )
        for k in range(int(rng.choice([0, 1, 2])))
    )
    auto = Autoscale(
        n_least=int(rng.integers(1, n_rep + 1)), n_waiting_up=int(rng.integers(0, 3)),
        n_load_down=int(rng.integers(0, 5)), cold_start_s=float(rng.integers(0, 4)), look_s=1.0,
    )  # fmt: skip
    outages = tuple(
        Outage(replica=int(rng.integers(0, n_rep)), from_s=at, to_s=at + float(rng.integers(1, 4)))
        for at in np.cumsum(rng.integers(1, 12, int(rng.choice([0, 0, 1, 2])))).astype(float)
    )
    return Fleet(
        replica=Replica(
            cost=random_cost(rng),
            kv_tokens=least + int(rng.integers(0, 300)),
            block_tokens=block,
            max_batch=int(rng.integers(1, 9)),
            token_budget=int(rng.integers(9, 70)),
            n_replicas=n_rep,
        ),
        kv_bytes_per_token=1.0,
        tiers=tiers,
        routing=str(rng.choice(ROUTINGS)),
        n_slack=int(rng.integers(0, 4)),
        cached=bool(rng.random() < 0.9),
        ttl_s=ttl(),
        autoscale=auto if rng.random() < 0.3 else None,
        outages=outages,
        retry_s=float(rng.integers(0, 3)),
    )


def random_case(seed: int) -> tuple[Sessions, Fleet]:
    """Sessions and a fleet."""
    rng = np.random.default_rng(seed)
    sessions = random_sessions(rng)
    return sessions, random_fleet(rng, sessions)
