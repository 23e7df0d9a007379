"""Speed of the session engine: turns a CPU second, compiled and in plain Python.

    python bench/bench_sessions.py

Each case is one load on four replicas; the sessions are drawn before the clock starts. ``engine``
is the event loop alone, ``all`` the call with its tables built and its answer read.
"""

from __future__ import annotations

import time

from econ.serving import Fleet, Replica, StepCost, Tier, serve_sessions, session_run
from econ.tokens import session_load

COST = StepCost.affine(5e-3, 2e-5, per_ctx_token_s=4e-9, prefill_per_pair_s=1e-11)
REPLICA = Replica(cost=COST, kv_tokens=3_000_000, max_batch=64, n_replicas=4)
TIERS = (Tier("host", 1e12, 50e9, 1e-4), Tier("store", 2e13, 6e9, 1e-3, shared=True))
CASES = {
    "coding agent": ("coding-agent", 3000, 0.02, Fleet(replica=REPLICA)),
    "coding agent, two tiers": (
        "coding-agent", 3000, 0.02, Fleet(replica=REPLICA, kv_bytes_per_token=160e3, tiers=TIERS),
    ),
    "voice, round robin": ("voice", 15000, 5.0, Fleet(replica=REPLICA, routing="round_robin")),
    "support, one replica": (
        "support", 25000, 2.0, Fleet(replica=REPLICA.replace(n_replicas=1, kv_tokens=10_000_000)),
    ),
}  # fmt: skip


def main() -> None:
    """Print one line a case."""
    engine_s = 0.0
    run_all = session_run.compiled.native().run_sessions

    class Timed:
        """The engine in C between two looks at the clock."""

        @staticmethod
        def run_sessions(tables: tuple[object, ...]) -> None:
            nonlocal engine_s
            began = time.process_time()
            run_all(tables)
            engine_s = time.process_time() - began

    session_run.compiled.native = lambda: Timed
    for name, (load, n, rate_per_s, fleet) in CASES.items():
        sessions = session_load(load).draw(n, rate_per_s=rate_per_s, seed=1)
        best = {"engine": 0.0, "all": 0.0}
        for _ in range(4):
            began = time.process_time()
            times = serve_sessions(sessions, fleet, "c")
            whole_s = time.process_time() - began
            best["engine"] = max(best["engine"], sessions.n_turns / engine_s)
            best["all"] = max(best["all"], sessions.n_turns / whole_s)
        few = sessions.part(max(n // 20, 1))
        began = time.process_time()
        serve_sessions(few, fleet, "python")
        plain = few.n_turns / (time.process_time() - began)
        print(
            f"{name}: {sessions.n_turns:,} turns, hit {times.hit_frac:.1%}; turns/s: engine "
            f"{best['engine']:,.0f}, all {best['all']:,.0f}, plain Python {plain:,.0f}"
        )


if __name__ == "__main__":
    main()
