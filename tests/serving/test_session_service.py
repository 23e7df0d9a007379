"""Sessions on a scenario: what comes out, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from econ.scenario import Scenario
from econ.serving import Tier, calls_of, simulate_sessions, tier
from econ.sweeps import sweep
from econ.tokens import session_load

ONE = Scenario.of("qwen3-32b", "h200-sxm", precision="fp8")


def test_a_hit_share_comes_out_and_goes_on_into_the_chain():
    served = simulate_sessions(ONE, "support", rate_per_s=0.1, n=60)
    bare = simulate_sessions(ONE, "support", rate_per_s=0.1, n=60, cached=False)
    assert bare.hit_frac == 0 < served.hit_frac
    assert served.user_hit_frac < served.tool_hit_frac
    assert served.warm_ttft_s < served.cold_ttft_s
    assert served.mean_turn_s < bare.mean_turn_s
    on = served.scenario.workload
    assert on.cached_frac == served.hit_frac
    assert on.mean_input_tokens == pytest.approx(served.mean_input_tokens, rel=0.02)
    assert served.n_turns == len(served.times.frame())
    assert served.done_frac <= 1
    assert served.solved_frac <= served.done_frac


def test_a_tier_below_raises_the_hit_share_of_a_memory_that_is_short():
    load = session_load("task-agent").replace(context_limit_tokens=40_000, compact_to_tokens=5000)
    bare, tiered = (
        simulate_sessions(ONE.with_(max_batch=16), load, rate_per_s=0.1, n=40, tiers=tiers)
        for tiers in ((), ("host",))
    )
    assert tiered.hit_frac > bare.hit_frac + 0.02
    assert tiered.loaded_frac > 0.02
    assert tiered.mean_turn_s < bare.mean_turn_s


def test_replicas_that_wait_for_weeks_are_counted_whole():
    """Picoseconds of sixteen replicas together are more than 64 bits hold."""
    served = simulate_sessions(ONE.with_(n_gpu=16), "voice", rate_per_s=1e-5, n=12)
    assert served.times.on_ps.sum(dtype=float) > 2**63
    assert served.mean_replicas_on == pytest.approx(16, rel=0.1)  # on before the first begins, too
    assert 0 < served.busy_frac < 1e-3


def test_a_sweep_walks_sessions_as_any_station():
    frame = sweep(simulate_sessions, ONE, load=["voice"], n=[10], rate_per_s=[0.05, 0.1])
    assert (frame["reason"] == "").all()
    assert len(frame) == 2


def test_tiers_by_name():
    assert tier("host", 2).capacity_bytes == 2 * tier("host").capacity_bytes
    assert tier("store", 2).capacity_bytes == tier("store").capacity_bytes
    with pytest.raises(ValueError, match="unknown tier 'hosts'; nearest: host"):
        tier("hosts")
    with pytest.raises(ValueError, match="read_bytes_per_s = 0"):
        Tier("slow", 1e9, 0)


def test_the_calls_of_sessions_are_a_workload():
    drawn = session_load("support").draw(200, seed=1)
    calls = calls_of(drawn, rate_per_s=2.0)
    assert calls.mean_output_tokens == pytest.approx(drawn.output_tokens.mean(), rel=0.02)
    assert calls.cached_frac == 0
    assert calls.rate_per_s == 2.0


def test_what_cannot_be_served_is_refused():
    with pytest.raises(
        ValueError, match=r"turn \d+: prompt and answer take .* more than the 40,960"
    ):
        simulate_sessions(ONE, "coding-agent", n=20)
    with pytest.raises(ValueError, match="policy = 'prefill_first'"):
        simulate_sessions(ONE.with_(policy="prefill_first"), "voice", n=5)
    with pytest.raises(TypeError, match="load = 3 is no SessionLoad"):
        simulate_sessions(ONE, 3)
    with pytest.raises(TypeError, match="rate_per_s belongs to a SessionLoad"):
        simulate_sessions(ONE, session_load("voice").draw(5), rate_per_s=1.0)
    times = simulate_sessions(ONE, session_load("voice").draw(5))
    assert np.isfinite(times.rate_per_s)
