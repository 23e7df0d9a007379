"""Sessions: the engines agree to the picosecond, and the laws of a cache hold."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from econ.serving import (
    Autoscale,
    Fleet,
    Outage,
    Replica,
    StepCost,
    Tier,
    compiled,
    serve_sessions,
    session_engine,
)
from econ.serving.fleet import ROUTINGS
from econ.serving.session_fields import DONE, DROPPED
from econ.serving.session_steps import n_steps_until
from econ.tokens.session_loads import session_load
from econ.tokens.sessions import Sessions
from tests.oracles.reference_sessions import serve_reference
from tests.serving.session_cases import random_case, random_sessions

SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COST = StepCost.affine(5e-3, 2e-5, per_ctx_token_s=4e-9, prefill_per_pair_s=1e-11)
ROOMY = Replica(cost=COST, kv_tokens=50_000_000, max_batch=64, token_budget=2048)
WHOLE = (
    "asked_ps", "admitted_ps", "first_token_ps", "done_ps", "replica", "status", "hbm_tokens",
    "loaded_tokens", "computed_tokens", "n_attempts", "held_tokens", "write_ps", "read_ps", "on_ps",
)  # fmt: skip


def same(a, b) -> None:
    for name in WHOLE:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    assert a.tiers.equals(b.tiers)


@QUICK
@given(SEEDS)
def test_the_engine_equals_the_reference_to_the_picosecond(seed):
    sessions, fleet = random_case(seed)
    same(
        serve_sessions(sessions, fleet, "python", seed=7),
        serve_reference(sessions, fleet, seed=7),
    )


@pytest.mark.skipif(not compiled.built(session_engine), reason="no C compiler")
@QUICK
@given(SEEDS)
def test_c_equals_python(seed):
    sessions, fleet = random_case(seed)
    same(serve_sessions(sessions, fleet, "c"), serve_sessions(sessions, fleet, "python"))


def test_numba_equals_python():
    pytest.importorskip("numba")
    for seed in range(40):
        sessions, fleet = random_case(seed)
        same(serve_sessions(sessions, fleet, "numba"), serve_sessions(sessions, fleet, "python"))


def test_random_cases_hold_every_mechanism():
    """What the engines are compared on: nothing that a fleet can do is left out."""
    seen: Counter[str] = Counter()
    n_cases = 300
    for seed in range(n_cases):
        sessions, fleet = random_case(seed)
        times = serve_sessions(sessions, fleet, seed=7)
        below, n_rep = times.tiers.iloc[1:], fleet.replica.n_replicas
        paid_s = times.on_ps / 1e12
        happened = {
            fleet.routing: n_rep > 1,
            "evicted from HBM": times.tiers["evicted_tokens"].iloc[0] > 0,
            "evicted from a tier": below["evicted_tokens"].sum() > 0,
            "loaded": times.loaded_tokens.sum() > 0,
            "computed what a tier held": len(below) > 0 and below["read_tokens"].sum() == 0,
            "a shared tier": any(tier.shared for tier in fleet.tiers) and n_rep > 1,
            "a lifetime": fleet.ttl_s is not None or any(t.ttl_s for t in fleet.tiers),
            "patience ended": (times.status == DROPPED).any(),
            "sent again": (times.n_attempts > 1).any(),
            "priorities": len(set(sessions.priority[times.done])) > 1,
            "sub-agents": (sessions.kind == 2).any(),
            "an outage": any(times.done_s[times.done].max(initial=0) > o.from_s
                             for o in fleet.outages),
            "a replica started late": fleet.autoscale is not None
            and (times.replica[times.done] >= fleet.autoscale.n_least).any(),
            "a replica drained": fleet.autoscale is not None
            and any(0 < s < times.done_s[times.done].max(initial=0) for s in paid_s[1:]),
            "a replica never started": (times.on_ps == 0).any(),
        }  # fmt: skip
        seen.update(name for name, did in happened.items() if did)
    rare = {name: seen[name] for name in happened if seen[name] < 0.01 * n_cases}
    assert not rare
    assert all(seen[rule] > 0.05 * n_cases for rule in ROUTINGS)


@given(st.integers(1, 10**12), st.integers(0, 10**9), st.integers(1, 10**17))
def test_steps_until_is_the_least_number(base, slope, time):
    def took(m):
        return m * base + slope * (m * (m - 1) // 2)

    m = n_steps_until(base, slope, time)
    assert took(m) >= time
    assert m == 1 or took(m - 1) < time


def apart(n: int = 60, id: str = "support") -> Sessions:
    """Sessions so far apart that each turn ends before the next asks, in the order given."""
    drawn = session_load(id).draw(n, rate_per_s=1e-4, seed=3)
    order = np.argsort(drawn.start_s[np.diff(drawn.waits_at) == 0])
    assert (order == np.arange(n)).all()
    return dataclasses.replace(drawn, n_failures=np.zeros(drawn.n_turns, "int64"))


@pytest.mark.parametrize("block", [1, 16])
def test_a_cache_without_limits_is_the_closed_form(block):
    sessions = apart()
    times = serve_sessions(sessions, Fleet(replica=ROOMY.replace(block_tokens=block)))
    np.testing.assert_array_equal(times.hbm_tokens, sessions.known_tokens(block))
    if block == 1:
        assert times.hit_frac == pytest.approx(sessions.hit_frac)


def test_without_a_cache_everything_is_read_again():
    sessions = apart(20)
    times = serve_sessions(sessions, Fleet(replica=ROOMY, cached=False))
    np.testing.assert_array_equal(times.computed_tokens, sessions.input_tokens)
    assert times.hit_frac == 0
    assert times.tiers["held_tokens"].sum() == 0


@QUICK
@given(SEEDS)
def test_tokens_blocks_and_bytes_are_conserved(seed):
    sessions, fleet = random_case(seed)
    fleet = fleet.replace(outages=(), autoscale=None)
    times = serve_sessions(sessions, fleet, "python")
    np.testing.assert_array_equal(times.prompt_tokens, sessions.input_tokens * times.n_attempts)
    tiers = times.tiers.set_index("tier")
    below = tiers.iloc[1:]
    assert (below["written_tokens"] - below["evicted_tokens"] == below["held_tokens"]).all()
    assert below["read_tokens"].sum() == times.loaded_tokens.sum()
    assert tiers["held_tokens"].iloc[0] <= fleet.replica.kv_tokens * fleet.replica.n_replicas
    for tier in fleet.tiers:
        n = 1 if tier.shared else fleet.replica.n_replicas
        assert below.loc[tier.name, "held_tokens"] <= tier.capacity_bytes * n
    asked = times.asked_ps >= 0
    assert (times.done_ps[times.done] > times.asked_ps[times.done]).all()
    assert (times.status[~asked] != DONE).all()


def test_the_hit_share_grows_with_the_memory():
    sessions = session_load("task-agent").draw(40, rate_per_s=0.01, seed=1)
    least = int((sessions.input_tokens + sessions.output_tokens).max()) + 16
    hits = [
        serve_sessions(sessions, Fleet(replica=ROOMY.replace(kv_tokens=kv_tokens))).hit_frac
        for kv_tokens in np.linspace(least, 6 * least, 6).astype(int)
    ]
    assert hits == sorted(hits)
    assert hits[-1] > hits[0] + 0.05


@QUICK
@given(SEEDS)
def test_a_larger_memory_hits_at_least_as_often_where_turns_come_in_one_order(seed):
    """Least recently used is a stack: what a memory holds, a larger one holds too."""
    rng = np.random.default_rng(seed)
    sessions = random_sessions(rng, n_most=12)
    n = sessions.n_turns
    alone = dataclasses.replace(  # one after the other, whatever waits for whom
        sessions,
        start_s=np.arange(n) * 1000.0 + sessions.start_s,
        patience_s=np.full(n, np.inf),
        n_failures=np.zeros(n, "int64"),
    )
    least = int((sessions.input_tokens + sessions.output_tokens).max())
    before = np.zeros(n)
    for kv_tokens in least + np.cumsum(rng.integers(0, 120, 4)):
        replica = Replica(cost=COST, kv_tokens=int(kv_tokens), block_tokens=1)
        hits = serve_sessions(alone, Fleet(replica=replica), "python").hbm_tokens
        assert (hits >= before).all()
        before = hits


def test_prefix_aware_routing_hits_no_less_than_random_under_equal_load():
    sessions = session_load("support").draw(150, rate_per_s=0.5, seed=2)
    replica = ROOMY.replace(kv_tokens=300_000, n_replicas=4)
    hits = {
        (rule, n_slack): serve_sessions(
            sessions, Fleet(replica=replica, routing=rule, n_slack=n_slack)
        ).hit_frac
        for rule, n_slack in (("random", 0), ("least_loaded", 0), ("prefix_aware", 0),
                              ("prefix_aware", 4))
    }  # fmt: skip
    random, least, equal, near = hits.values()
    assert equal >= max(random, least)  # among the least loaded only
    assert near > random + 0.1


@QUICK
@given(SEEDS)
def test_prefix_aware_routing_never_loses_to_random_where_all_fits(seed):
    """One turn at a time, memory for all: a known prefix is found if any replica holds it."""
    rng = np.random.default_rng(seed)
    sessions = random_sessions(rng, n_most=12)
    n = sessions.n_turns
    sessions = dataclasses.replace(
        sessions,
        start_s=np.arange(n) * 1000.0,
        patience_s=np.full(n, np.inf),
        n_failures=np.zeros(n, "int64"),
    )
    replica = Replica(cost=COST, kv_tokens=10**6, block_tokens=1, n_replicas=3)
    random, aware = (
        serve_sessions(sessions, Fleet(replica=replica, routing=rule), "python", seed=seed)
        for rule in ("random", "prefix_aware")
    )
    worth = 2 * sessions.known_tokens() >= sessions.input_tokens - 1  # as the rule has it
    assert aware.hbm_tokens[worth].sum() >= random.hbm_tokens[worth].sum()


def tiny_tier(read_bytes_per_s: float, latency_s: float = 0.0) -> Fleet:
    """A memory for one session, and a tier below it that holds everything."""
    replica = Replica(cost=COST, kv_tokens=220_000, max_batch=8)
    return Fleet(
        replica=replica,
        kv_bytes_per_token=1e5,
        tiers=(Tier("host", 1e15, read_bytes_per_s, latency_s),),
    )


def test_a_tier_slower_than_recompute_is_never_used():
    sessions = session_load("task-agent").draw(20, rate_per_s=0.05, seed=1)
    bare = serve_sessions(sessions, tiny_tier(1e9).replace(tiers=()))
    fast, slow, far = (
        serve_sessions(sessions, tiny_tier(*tier)) for tier in ((1e11,), (1e9,), (1e11, 3600.0))
    )
    assert bare.hit_frac < 0.9 < fast.hit_frac
    assert fast.loaded_tokens.sum() > 0
    assert slow.loaded_tokens.sum() == far.loaded_tokens.sum() == 0
    np.testing.assert_array_equal(slow.done_ps, bare.done_ps)
    assert np.nanmean(fast.ttft_s) < np.nanmean(bare.ttft_s)


def pair(**more) -> Sessions:
    """One session of two turns: 100 tokens and 10 out, then 200 and 10 after a pause of 5 s."""
    base: dict = {"session": [0, 0], "branch": [0, 0], "input_tokens": [100, 200],
                  "output_tokens": [10, 10], "wait_s": [0.0, 5.0], "waits_for": [[], [0]],
                  "branch_parent": [-1], "branch_from_tokens": [0]}  # fmt: skip
    return Sessions.of(**(base | more))


def test_a_session_by_hand():
    cost = StepCost.affine(0.01, 0.001)  # 10 ms a step and 1 ms a token
    replica = Replica(cost=cost, kv_tokens=1000, block_tokens=10, token_budget=50)
    times = serve_sessions(pair(), Fleet(replica=replica))
    # 100 tokens in two steps of 50 (60 ms each), then 9 decode steps of 11 ms
    assert times.done_s[0] == pytest.approx(0.12 + 9 * 0.011)
    # 109 tokens are known, 10 whole blocks of 10: 100 of 200 are computed, again two steps
    assert times.hbm_tokens.tolist() == [0, 100]
    assert times.done_s[1] - times.done_s[0] == pytest.approx(5 + 0.12 + 9 * 0.011)
    assert times.session_s[0] == times.done_s[1]
    assert times.read_ps.sum() / 1e12 == pytest.approx(0.24)


def test_a_lifetime_ends_between_turns():
    replica = Replica(cost=COST, kv_tokens=1000, block_tokens=1)
    hits = [
        serve_sessions(pair(), Fleet(replica=replica, ttl_s=ttl_s)).hbm_tokens[1]
        for ttl_s in (4.9, 5.1)
    ]
    assert hits == [0, 109]


def test_priority_goes_first_and_patience_ends():
    n = 12
    crowd = {"session": list(range(n)), "branch": list(range(n)), "input_tokens": [1000] * n,
                 "output_tokens": [50] * n, "wait_s": [0.0] * n, "branch_parent": [-1] * n,
                 "branch_from_tokens": [0] * n}  # fmt: skip
    narrow = Fleet(replica=Replica(cost=COST, kv_tokens=2000, max_batch=1))
    equal = serve_sessions(Sessions.of(**crowd), narrow)
    urgent = serve_sessions(Sessions.of(**crowd, priority=[1] * (n - 1) + [0]), narrow)
    assert equal.ttft_s[-1] == equal.ttft_s.max()
    assert urgent.ttft_s[-1] <= sorted(urgent.ttft_s)[1]
    brief = serve_sessions(Sessions.of(**crowd, patience_s=[1.0] * n), narrow)
    assert 0 < brief.done.sum() < n
    assert not brief.solved[~brief.done].any()


def test_an_autoscaler_pays_less_and_waits_longer():
    sessions = session_load("support").draw(120, rate_per_s=1.0, seed=4)
    replica = ROOMY.replace(max_batch=4, n_replicas=6)
    steady = serve_sessions(sessions, Fleet(replica=replica, routing="least_loaded"))
    rule = Autoscale(n_least=1, n_waiting_up=1, n_load_down=2, cold_start_s=30.0, look_s=5.0)
    scaled, warm = (
        serve_sessions(
            sessions,
            Fleet(replica=replica, routing="least_loaded",
                  autoscale=dataclasses.replace(rule, cold_start_s=start_s)),
        )
        for start_s in (30.0, 0.0)
    )  # fmt: skip
    assert scaled.on_ps.sum() < steady.on_ps.sum()
    assert scaled.ttft_s.mean() > warm.ttft_s.mean() >= steady.ttft_s.mean()


def test_an_outage_loses_the_cache_and_no_turn():
    sessions = session_load("support").draw(60, rate_per_s=0.5, seed=5)
    replica = ROOMY.replace(n_replicas=2)
    whole = serve_sessions(sessions, Fleet(replica=replica))
    down = serve_sessions(
        sessions, Fleet(replica=replica, outages=(Outage(replica=0, from_s=60.0, to_s=90.0),))
    )
    assert down.done.all()
    assert down.n_attempts.sum() >= whole.n_attempts.sum()
    assert down.hit_frac < whole.hit_frac
    assert down.on_ps[0] < whole.on_ps[0]


def test_failed_calls_are_sent_again_and_find_their_prefix():
    fleet = Fleet(replica=Replica(cost=COST, kv_tokens=1000, block_tokens=1), retry_s=2.0)
    once, again = (serve_sessions(pair(n_failures=[k, 0]), fleet) for k in (0, 1))
    assert again.n_attempts.tolist() == [2, 1]
    assert again.hbm_tokens[0] == 99
    assert again.computed_tokens[0] == 101
    assert again.done_s[0] > once.done_s[0] + 2.0


def test_what_does_not_fit_is_refused_by_its_row():
    fleet = Fleet(replica=Replica(cost=COST, kv_tokens=150, block_tokens=1))
    with pytest.raises(ValueError, match="request 1: needs 209 tokens"):
        serve_sessions(pair(), fleet)
    with pytest.raises(ValueError, match="host: capacity_bytes = 10"):
        Fleet(replica=ROOMY, kv_bytes_per_token=100.0, tiers=(Tier("host", 10.0, 1e9),))
    with pytest.raises(ValueError, match="unknown routing 'prefix'; nearest: prefix_aware"):
        Fleet(replica=ROOMY, routing="prefix")
    with pytest.raises(ValueError, match="chunked_prefill"):
        Fleet(replica=ROOMY.replace(policy="prefill_first"))
    with pytest.raises(ValueError, match=r"to_s = 1\.0"):
        Outage(replica=0, from_s=2.0, to_s=1.0)
