"""The simulator: engines equal to the picosecond, steps by hand, conservation, helpful refusals."""

from __future__ import annotations

import functools
import hashlib
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from econ.deployment import POLICIES
from econ.scenario import Scenario
from econ.serving import (
    Disaggregated,
    Replica,
    Speculation,
    StepCost,
    compiled,
    engine,
    simulate,
    simulate_closed,
    warm_up,
)
from econ.serving.pools import simulate_arrays
from econ.serving.result import NEVER
from econ.sweeps import sweep
from econ.terms import Slo
from tests.oracles.reference_engine import simulate_reference

SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COST = StepCost.affine(5e-3, 2e-5, per_ctx_token_s=4e-8, prefill_per_pair_s=1e-9)
TIMES = ("first_token_ps", "done_ps", "n_preemptions")


def random_cost(rng) -> StepCost:
    """Arbitrary tables: rising, flat, short, nothing at all, decodes cheaper than prefill."""
    linear_s = np.sort(rng.integers(0, 50, 40)) * 1e-3 if rng.random() < 0.8 else np.zeros(40)
    decode_base_s = np.sort(rng.integers(0, 9, 9)) * 1e-3
    if rng.random() < 0.3:
        decode_base_s = -linear_s[:9] * rng.random()
        decode_base_s[-1] = decode_base_s[-2]
    return StepCost(
        linear_s=linear_s,
        decode_base_s=decode_base_s,
        decode_per_ctx_token_s=rng.integers(0, 9) * 1e-4,
        prefill_base_s=rng.integers(0, 20) * 1e-3,
        prefill_per_pair_s=rng.integers(0, 9) * 1e-5,
    )


def random_case(seed: int, policy: str):
    """A small load on a cramped replica: short memory, small batches, ties, bursts."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 25))
    ties = rng.random() < 0.5
    arrival = np.sort(rng.integers(0, 5, n) * 1.0 if ties else rng.uniform(0, 5, n))
    prompt, out = rng.integers(1, 60, n), rng.integers(1, 30, n)
    block = int(rng.choice([1, 4, 16]))
    least = -(-int((prompt + out).max()) // block) * block

    def pool(policy: str) -> Replica:
        drafts = Speculation(draft_tokens=int(rng.integers(1, 4)), acceptance_frac=0.6)
        return Replica(
            cost=random_cost(rng),
            kv_tokens=least + int(rng.integers(0, 80)),
            block_tokens=block,
            max_batch=int(rng.integers(1, 9)),
            policy=policy,
            token_budget=int(rng.integers(4, 70)),
            n_replicas=int(rng.choice([1, 1, 2, 3])),
            routing=str(rng.choice(["round_robin", "least_loaded"])),
            prefix_cached_frac=float(rng.choice([0.0, 0.5])),
            speculation=drafts if rng.random() < 0.2 else None,
        )

    if policy == "disaggregated":
        kinds = rng.choice(["prefill_first", "chunked_prefill"], 2)
        replica = Disaggregated(
            prefill=pool(str(kinds[0])),
            decode=pool(str(kinds[1])),
            kv_transfer_s_per_token=float(rng.choice([0.0, 1e-3])),
        )
    else:
        replica = pool(policy)
    more = {"until_s": float(rng.uniform(0.5, 5))} if rng.random() < 0.2 else {}
    return (arrival, prompt, out, replica), more


def same(a, b) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in TIMES)


@pytest.mark.parametrize("policy", POLICIES)
@QUICK
@given(seed=SEEDS)
def test_the_event_skipping_engine_equals_the_reference(policy, seed):
    case, more = random_case(seed, policy)
    reference = simulate_reference(*case, **more)
    skipping = simulate(*case, engine="python", **more)
    assert same(reference, skipping)


def needs(kind: str) -> None:
    """Skip where an engine is not there."""
    if kind == "numba":
        pytest.importorskip("numba")
    if kind == "c" and compiled.native() is None:
        pytest.skip("built without a C compiler")


@pytest.mark.parametrize("kind", ["c", "numba"])
@pytest.mark.parametrize("policy", POLICIES)
def test_the_compiled_engines_equal_both(policy, kind):
    needs(kind)
    n_preemptions = 0
    for seed in range(60):
        case, more = random_case(seed, policy)
        reference = simulate_reference(*case, **more)
        assert same(reference, simulate(*case, engine=kind, **more))
        n_preemptions += reference.n_preemptions.sum()
    assert n_preemptions > 10  # the cases do press on memory


@pytest.mark.parametrize("kind", ["python", "numba", "c"])
@pytest.mark.parametrize("policy", ["prefill_first", "chunked_prefill"])
def test_least_loaded_over_many_replicas_equals_the_reference(policy, kind):
    """Idle, busy and blocked replicas, ties in time and load, and a clock that stops."""
    needs(kind)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        (_, _, _, replica), _ = random_case(seed, policy)
        n, n_replicas = int(rng.integers(50, 250)), int(rng.integers(2, 41))
        gaps = rng.integers(0, 3, n) * 0.05 if seed % 2 else rng.exponential(0.05, n)
        load = (np.cumsum(gaps), rng.integers(1, 60, n), rng.integers(1, 30, n))
        room = max(replica.kv_tokens, 96)
        fleet = replica.replace(n_replicas=n_replicas, routing="least_loaded", kv_tokens=room)
        more = {"until_s": float(load[0][-1] * 0.8)} if seed % 5 == 0 else {}
        assert same(
            simulate_reference(*load, fleet, **more), simulate(*load, fleet, engine=kind, **more)
        )


@pytest.mark.parametrize("policy", ["prefill_first", "chunked_prefill"])
def test_the_engines_agree_at_real_size(policy):
    rng = np.random.default_rng(5)
    n = 600
    load = (np.cumsum(rng.exponential(0.1, n)), rng.integers(1, 2000, n), rng.integers(1, 400, n))
    replica = Replica(cost=COST, kv_tokens=20_000, max_batch=64, policy=policy, token_budget=512)
    results = [simulate_reference(*load, replica), simulate(*load, replica, engine="python")]
    assert same(*results)
    assert results[0].n_preemptions.sum() > 20


def test_one_request_by_hand():
    cost = StepCost(
        linear_s=[0, 1e-3, 2e-3], decode_base_s=[0, 0.01], decode_per_ctx_token_s=1e-4,
        prefill_base_s=0.5, prefill_per_pair_s=1e-6,
    )  # fmt: skip
    replica = Replica(cost=cost, kv_tokens=64, policy="prefill_first")
    result = simulate([1.0], [10], [3], replica)
    first = 1.0 + 10e-3 + 0.5 + 100e-6
    # two decode steps: one token each, over 11 and then 12 tokens of context
    assert result.first_token_s[0] == pytest.approx(first, abs=1e-12)
    assert result.done_s[0] == pytest.approx(first + 2 * 0.011 + 23e-4, abs=1e-12)
    assert result.tpot_s[0] == pytest.approx(0.011 + 11.5e-4, abs=1e-12)


def test_chunks_by_hand():
    replica = Replica(cost=StepCost.affine(1.0, 0.1), kv_tokens=100, token_budget=4)
    # 4 + 4 + 2 tokens; the second prompt takes the 2 left over in the third step
    result = simulate([0, 0], [10, 3], [1, 1], replica)
    assert result.first_token_s.tolist() == pytest.approx([4.2, 5.3])


def test_prefill_first_stalls_decodes_and_chunking_does_not():
    arrival, prompt, out = [0.0, 0.05], [10, 4000], [50, 1]
    tpot_s = {}
    for policy in ("prefill_first", "chunked_prefill"):
        replica = Replica(cost=COST, kv_tokens=9000, policy=policy, token_budget=256)
        tpot_s[policy] = simulate(arrival, prompt, out, replica)
    stalled, smooth = (tpot_s[p].done_s - tpot_s[p].first_token_s for p in tpot_s)
    assert stalled[0] == pytest.approx(
        COST.step_s(chunk_tokens=[(0, 4000)])
        + sum(COST.step_s(n_decode=1, context_tokens=11 + j) for j in range(49))
    )
    longest = COST.step_s(n_decode=1, context_tokens=60, chunk_tokens=[(3744, 255)])
    assert smooth[0] <= 49 * longest


def test_a_preempted_request_is_prefilled_again_with_what_it_made():
    cost = StepCost.affine(per_token_s=1.0)
    replica = Replica(cost=cost, kv_tokens=8, block_tokens=1, policy="prefill_first")
    result = simulate([0, 0], [3, 3], [4, 4], replica)
    # prefill 6; both decode 3+1 → 4+4 = 8 blocks; then the second yields, the first ends alone
    # (1 step each for tokens 3 and 4), and the second comes back with 3 + 2 tokens
    assert result.n_preemptions.tolist() == [0, 1]
    assert result.first_token_s.tolist() == [6.0, 6.0]
    assert result.done_s.tolist() == [10.0, 16.0]


def test_disaggregation_moves_the_cache_and_counts_both_pools():
    cost = StepCost.affine(1.0)
    pool = Replica(cost=cost, kv_tokens=100)
    pools = Disaggregated(prefill=pool, decode=pool, kv_transfer_s_per_token=0.5)
    result = simulate([0.0], [10], [3], pools)
    assert (result.first_token_s[0], result.done_s[0]) == (1.0, 1.0 + 5.0 + 2.0)
    assert result.n_replicas == 2
    short = simulate([0.0], [10], [3], pool.replace(policy="disaggregated"))
    assert (short.done_s[0], short.n_replicas) == (3.0, 2)


def test_cached_prefixes_save_prefill_in_whole_blocks_and_never_all_of_it():
    replica = Replica(cost=StepCost.affine(per_token_s=1.0), kv_tokens=400, block_tokens=16)
    ttft_s = lambda **kw: simulate([0.0], [64], [1], replica.replace(**kw)).ttft_s[0]  # noqa: E731
    assert ttft_s(prefix_cached_frac=0.4) == 64 - 16
    assert ttft_s(prefix_cached_frac=1.0) == 64 - 48
    given_cached = simulate([0.0], [64], [1], replica, cached_tokens=[63])
    assert given_cached.ttft_s[0] == 1.0


@QUICK
@given(seed=SEEDS, concurrency=st.integers(1, 12), policy=st.sampled_from(POLICIES[:2]))
def test_a_closed_loop_is_the_open_loop_of_its_own_arrivals(seed, concurrency, policy):
    (_, prompt, out, replica), _ = random_case(seed, policy)
    # a step of no time at all would let a user submit twice in the same instant
    replica = replica.replace(n_replicas=1, cost=COST)
    closed = simulate_closed(prompt, out, replica, concurrency)
    opened = simulate(closed.arrival_s, prompt, out, replica)
    assert np.array_equal(closed.arrival_ps, opened.arrival_ps)
    assert same(closed, opened)
    present = [((closed.arrival_ps <= t) & (closed.done_ps > t)).sum() for t in closed.arrival_ps]
    assert max(present) <= concurrency


@QUICK
@given(seed=SEEDS, policy=st.sampled_from(POLICIES))
def test_tokens_times_and_littles_law(seed, policy):
    case, _ = random_case(seed, policy)
    result = simulate(*case)
    assert not result.stopped
    assert (result.first_token_ps >= result.arrival_ps).all()
    assert ((result.done_ps > result.first_token_ps) | (result.output_tokens > 0)).all()
    assert (result.done_ps >= result.first_token_ps).all()
    # Little's law along the path, in integers: the area under "requests present" is the sum of
    # the times they spent
    at = np.concatenate([result.arrival_ps, result.done_ps])
    step = np.concatenate([np.ones(len(at) // 2, int), -np.ones(len(at) // 2, int)])
    order = np.argsort(at, kind="stable")
    present = np.cumsum(step[order])
    area = int((np.diff(at[order]) * present[:-1]).sum())
    assert area == int((result.done_ps - result.arrival_ps).sum())


def test_two_replicas_round_robin_are_two_independent_ones():
    (arrival, prompt, out, _), _ = random_case(11, "prefill_first")
    replica = Replica(cost=COST, kv_tokens=200, max_batch=3, policy="prefill_first")
    both = simulate(arrival, prompt, out, replica.replace(n_replicas=2))
    for r in (0, 1):
        alone = simulate(arrival[r::2], prompt[r::2], out[r::2], replica)
        assert np.array_equal(both.done_ps[r::2], alone.done_ps)


def test_least_loaded_avoids_the_busy_replica():
    replica = Replica(cost=StepCost.affine(1.0), kv_tokens=500, n_replicas=2)
    args = ([0.0, 0.5, 1.5], [10, 10, 10], [100, 1, 1])
    least = simulate(*args, replica.replace(routing="least_loaded"))
    # the third finds one request on replica 0 and none (its guest is done at 1.5) on replica 1
    assert least.first_token_s.tolist() == [1.0, 1.5, 2.5]


def test_overload_ends_with_a_flag_and_a_backlog():
    n = 2000
    arrival = np.arange(n) * 1e-3
    replica = Replica(cost=COST, kv_tokens=50_000, max_batch=32)
    result = simulate(arrival, np.full(n, 1000), np.full(n, 200), replica)
    assert result.overloaded
    assert result.backlog > 1900
    assert "overloaded" in repr(result)
    calm = simulate(arrival * 1000, np.full(n, 1000), np.full(n, 200), replica)
    assert not calm.overloaded
    assert calm.backlog == 0


@pytest.mark.parametrize("kind", ["reference", "python", "numba"])
def test_pools_overloaded_past_the_end_of_time_end_with_a_flag(kind):
    if kind == "numba":
        pytest.importorskip("numba")
    run = simulate_reference if kind == "reference" else functools.partial(simulate, engine=kind)
    cost = StepCost.affine(1.0, 1.0)  # a prefill of half an hour, thousands of them at once
    pool = Replica(cost=cost, kv_tokens=9000, max_batch=1, policy="prefill_first")
    pools = Disaggregated(prefill=pool, decode=pool, kv_transfer_s_per_token=1.0)
    n = 3000
    result = run(np.arange(n) * 1e-3, np.full(n, 2000), np.full(n, 3), pools)
    assert result.stopped
    assert result.overloaded
    seen = result.done_ps != NEVER
    assert 2000 < seen.sum() < n
    # one at a time, 2,001 s each, then the cache moves for 2,000 s, then two steps of 2 s
    late_s = (np.arange(n) + 1) * 2001.0 + 2000 + 4
    assert result.done_s[seen] == pytest.approx(late_s[seen])


def test_a_transfer_longer_than_time_itself_is_refused():
    pool = Replica(cost=StepCost.affine(1e-3), kv_tokens=10**9)
    pools = Disaggregated(prefill=pool, decode=pool, kv_transfer_s_per_token=1.0)
    with pytest.raises(ValueError, match=r"request 1: could last to 20,020,001 s, .* KV transfer"):
        simulate([0.0, 1.0], [10, 20_000_000], [3, 3], pools)
    # what ends with its prefill moves nothing
    assert simulate([0.0], [20_000_000], [1], pools).done_s[0] == pytest.approx(9.766)


@pytest.mark.parametrize("kind", ["python", "numba"])
def test_the_number_of_events_is_bounded(kind):
    if kind == "numba":
        pytest.importorskip("numba")
    replica = Replica(cost=COST, kv_tokens=5000, max_batch=4)
    result = simulate(np.arange(50) / 9, [100] * 50, [20] * 50, replica, kind, n_most_events=30)
    assert result.stopped
    assert result.n_events == 30
    assert np.isnan(result.done_s).any()
    assert np.isfinite(result.done_s).any()
    full = simulate(np.arange(50) / 9, [100] * 50, [20] * 50, replica, kind)
    seen = result.done_ps != NEVER
    assert np.array_equal(result.done_ps[seen], full.done_ps[seen])


def test_until_stops_the_clock():
    replica = Replica(cost=StepCost.affine(1.0), kv_tokens=500)
    result = simulate([0.0, 5.0], [10, 10], [3, 3], replica, until_s=6.5)
    assert result.done_s[0] == 3.0
    assert np.isnan(result.done_s[1])
    assert result.first_token_s[1] == 6.0
    assert result.stopped


GOOD = {"arrival_s": [0.0, 1.0, 2.0], "input_tokens": [10, 10, 10], "output_tokens": [5, 5, 5]}


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("arrival_s", [0.0, 2.0, 1.0], "request 2: arrival_s = 1.0 comes before request 1"),
        ("arrival_s", [0.0, np.nan, 1.0], "request 1: arrival_s = nan"),
        ("arrival_s", [-1.0, 0.0, 1.0], "request 0: arrival_s = -1.0"),
        ("input_tokens", [10, 0, -1], "request 1: input_tokens = 0"),
        ("input_tokens", [10, 10, 1.5], "request 2: input_tokens = 1.5"),
        ("output_tokens", [5, -3, 0], "request 1: output_tokens = -3"),
        ("output_tokens", [5, np.inf, 5], "request 1: output_tokens = inf"),
        ("output_tokens", [5, 5], "hold 3, 3 and 2 requests"),
        ("input_tokens", [10, 10, 996], r"request 2: needs 1,000 tokens of KV memory"),
        ("input_tokens", ["a", "b", "c"], "input_tokens"),
    ],
)
def test_bad_requests_are_named(column, values, message):
    replica = Replica(cost=COST, kv_tokens=999, block_tokens=3)
    with pytest.raises(ValueError, match=message):
        simulate(**{**GOOD, column: values}, replica=replica, engine="python")


def test_a_request_that_just_fits_is_served():
    replica = Replica(cost=COST, kv_tokens=999, block_tokens=3)
    assert not simulate([0.0], [995], [5], replica).stopped


def test_a_replica_is_keyword_only_and_engines_are_known():
    with pytest.raises(TypeError):
        Replica(COST, 1000)
    replica = Replica(cost=COST, kv_tokens=1000)
    with pytest.raises(ValueError, match="nearest: numba"):
        simulate([0.0], [1], [1], replica, engine="numbas")
    with pytest.raises(ValueError, match="request 0: could last"):
        simulate([0.0], [900], [90], replica.replace(cost=StepCost.affine(9e4)))


def test_without_a_compiler_auto_takes_python(monkeypatch):
    monkeypatch.setattr(compiled, "native", lambda: None)
    monkeypatch.setattr(compiled, "has_numba", lambda: False)
    monkeypatch.setattr(compiled, "loaded", lambda *_: False)
    monkeypatch.setattr(compiled, "COMPILE_FROM", 1)
    replica = Replica(cost=COST, kv_tokens=1000)
    assert simulate([0.0], [1], [1], replica).engine == "python"
    for kind, says in (("numba", "needs the numba package"), ("c", "was not built")):
        with pytest.raises(ModuleNotFoundError, match=says):
            simulate([0.0], [1], [1], replica, engine=kind)


def test_a_cached_engine_is_loaded_where_enough_is_to_come(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "native", lambda: None)
    monkeypatch.setattr(compiled, "has_numba", lambda: True)
    monkeypatch.setattr(compiled, "_loaded", set())
    source = tmp_path / "engine.py"
    source.write_text("a source")
    monkeypatch.setattr(engine, "__file__", str(source))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    look = compiled.on_disk.__wrapped__
    index = tmp_path / "__pycache__" / "engine.run_one-1.py311.nbi"
    assert not look()
    index.parent.mkdir()
    index.write_bytes(b"before" + hashlib.sha256(b"a source").digest() + b"after")
    assert look()
    source.write_text("another source")
    assert not look()
    for is_cached in (False, True):
        monkeypatch.setattr(compiled, "on_disk", lambda *_, is_cached=is_cached: is_cached)
        assert compiled.pays(10, compiled.LOAD_FROM) == is_cached
        assert not compiled.pays(10, compiled.LOAD_FROM - 1)
        assert compiled.pays(10, compiled.COMPILE_FROM_TOTAL)
    monkeypatch.setattr(compiled, "on_disk", lambda *_: False)
    assert warm_up(10**9) is False


def test_auto_takes_the_engine_in_c_or_numba_once_compiled(monkeypatch):
    replica = Replica(cost=COST, kv_tokens=1000)
    if compiled.native() is not None:
        assert simulate([0.0], [1], [1], replica).engine == "c"
        assert warm_up() is True
    monkeypatch.setattr(compiled, "native", lambda: None)
    pytest.importorskip("numba")
    warm_up()
    assert simulate([0.0], [1], [1], replica).engine == "numba"


def test_an_engine_of_another_version_is_refused():
    needs("c")
    one = np.zeros(1, "int64")
    req = tuple(np.zeros(1, t) for t in (*3 * ["i8"], "i4", *3 * ["i8"]))
    columns = False, req, (one, one, one), one
    with pytest.raises(ValueError, match="another version"):
        compiled.native().run(one, one, (), 0, *columns)
    with pytest.raises(TypeError, match="elements of 4 bytes"):
        compiled.native().run(one.astype("int32"), one, (), 0, *columns)


def test_both_averages_of_tpot_are_what_they_say():
    replica = Replica(cost=StepCost.affine(1.0), kv_tokens=5000, max_batch=1)
    result = simulate([0, 0, 0], [1, 1, 1], [2, 101, 1], replica)
    tpot_s = result.tpot_s
    assert np.isnan(tpot_s[2])
    assert result.request_mean_tpot_s == pytest.approx(np.mean(tpot_s[:2]))
    assert result.token_mean_tpot_s == pytest.approx((tpot_s[0] + 100 * tpot_s[1]) / 101)


def test_a_lag_in_steps_by_hand_and_in_pools():
    """One second a step: two steps of lag are two seconds, also for an answer of one token."""
    slow = Replica(cost=StepCost.affine(1.0), kv_tokens=640, lag_s=0.25, n_lag_steps=2.0)
    result = simulate([0.0, 10.0], [8, 8], [3, 1], slow)
    assert result.ttft_s.tolist() == [3.25, 3.25]
    assert result.e2e_s.tolist() == [5.25, 3.25]
    assert simulate([0.0], [8], [1], slow).ttft_s.tolist() == [1.25]  # no pace to count in
    pools = simulate([0.0], [8], [3], Disaggregated(prefill=slow, decode=slow))
    assert pools.ttft_s.tolist() == [1.25]
    with pytest.raises(ValueError, match="n_lag_steps = -1"):
        slow.replace(n_lag_steps=-1)


# -- the scenario's form ------------------------------------------------------------------------
CASE = Scenario.default()


def test_a_scenario_is_served_as_its_requests_are():
    service = simulate(CASE, rate_per_s=6.0, n=300, seed=3)
    trace = CASE.workload.sample(300, 3)
    arrival_s = trace["arrival_s"] * (CASE.workload.rate_per_s / 6.0)
    times = simulate(arrival_s, trace["input_tokens"], trace["output_tokens"], service.replica)
    assert same(service.requests, times)
    good = times.goodput(CASE.slo.ttft_s, CASE.slo.tpot_s)
    assert service.goodput == good
    assert (service.good_frac, service.binding) == (good.good_frac, good.binding)
    assert service.p99_ttft_s == pytest.approx(np.percentile(times.ttft_s, 99))
    assert service.p50_tpot_s == pytest.approx(np.nanmedian(times.tpot_s))
    row = service.row()
    assert row["n_requests"] == 300
    assert "requests" not in row
    assert service.regime == "calibrated"
    low, high = service.band("request_mean_tpot_s")
    assert low < service.request_mean_tpot_s < high
    assert set(service.frame()["quantity"]) == set(row)


def test_the_workloads_own_rate_is_the_default():
    own = simulate(CASE, n=200)
    assert own.rate_per_s == CASE.workload.rate_per_s
    assert same(own.requests, simulate(CASE, rate_per_s=own.rate_per_s, n=200).requests)


@pytest.mark.parametrize(
    "change",
    [
        {"cached_frac": 0.5},
        {"max_batch": 4},
        {"token_budget": 256},
        {"policy": "prefill_first"},
        {"kv_precision": "fp8"},
        {"engine": "sglang"},
        {"software_maturity": 0.5},
        {"precision": "bf16"},
        {"arrival_cv": 3.0},
        {"ttft_s": 0.1},
    ],
)
def test_a_setting_of_the_scenario_is_felt(change):
    s = CASE.with_(input_tokens=2000, output_tokens=200)
    usual, changed = (simulate(x, rate_per_s=12.0, n=400).row() for x in (s, s.with_(**change)))
    assert usual != changed


def test_the_two_forms_do_not_mix():
    with pytest.raises(TypeError, match="drawn from its workload"):
        simulate(CASE, [1], [1])
    with pytest.raises(TypeError, match="belong to a scenario"):
        simulate([0.0], [1], [1], Replica(cost=COST, kv_tokens=1000), rate_per_s=1.0)
    with pytest.raises(ValueError, match=r"setting of the deployment: scenario\.with_"):
        simulate(CASE, n=10, engine="vllm")
    with pytest.raises(ValueError, match="rate_per_s = 0"):
        simulate(CASE, rate_per_s=0, n=10)
    with pytest.raises(ValueError, match="n = 0"):
        simulate(CASE, n=0)


# -- sweeps -------------------------------------------------------------------------------------
def swept(**more) -> pd.DataFrame:
    lists = {"software_maturity": [0.8, 1.0], "rate_per_s": [3.0, 6.0], "seed": range(4)}
    return sweep(simulate, CASE, **lists, n=200, **more)


def test_each_row_of_a_sweep_is_its_own_simulation():
    frame = swept()
    assert len(frame) == 2 * 2 * 4
    assert (frame["reason"] == "").all()
    row = frame.query("software_maturity == 0.8 and rate_per_s == 6.0 and seed == 2").iloc[0]
    alone = simulate(CASE.with_(software_maturity=0.8), rate_per_s=6.0, seed=2, n=200).row()
    for name, value in alone.items():
        assert row[name] == value, name


def test_common_random_numbers_narrow_a_difference():
    frame = swept().query("rate_per_s == 3.0")
    slow, fast = (
        frame.query("software_maturity == @maturity")["p50_tpot_s"].to_numpy(float)
        for maturity in (0.8, 1.0)
    )
    assert (slow - fast).var() < 0.5 * (slow.var() + fast.var())


def test_a_sweep_takes_the_engine_of_the_deployment():
    frame = sweep(simulate, CASE, engine=["vllm", "sglang"], n=100)
    assert (frame["reason"] == "").all()
    assert frame["p50_ttft_s"].nunique() == 2


@pytest.mark.slow
def test_workers_give_the_same_rows():
    pd.testing.assert_frame_equal(swept(), swept(n_jobs=2))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the cluster's own chatter is not under test
def test_a_dask_cluster_gives_the_same_rows():
    distributed = pytest.importorskip("distributed")
    joblib = pytest.importorskip("joblib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
            joblib.parallel_config(backend="dask"),
        ):
            on_cluster = swept()
    pd.testing.assert_frame_equal(swept(), on_cluster)


@pytest.mark.parametrize("kind", ["python", "numba", "c"])
def test_a_hopeless_run_ends_early_with_the_same_answer(kind):
    """Whether the share of good requests is reached, and every time where it is."""
    needs(kind)
    n_early = 0
    for seed in range(120):
        policy = POLICIES[seed % len(POLICIES)]
        (arrival, prompt, out, replica), _ = random_case(seed, policy)
        if getattr(replica, "speculation", None) or getattr(
            getattr(replica, "decode", None), "speculation", None
        ):
            continue
        full = simulate(arrival, prompt, out, replica, engine="python")
        slo = Slo(
            ttft_s=float(np.quantile(full.ttft_s, 0.8)),
            tpot_s=float(np.nanquantile(full.tpot_s, 0.9)) if (out > 1).any() else 1.0,
            attainment_frac=(0.5, 0.7, 0.9)[seed % 3],
        )
        quick = simulate_arrays(arrival, prompt, out, replica, kind, slo=slo)
        limits_s = (slo.ttft_s, slo.tpot_s)
        good = full.goodput(*limits_s).good_frac >= slo.attainment_frac
        assert (quick.goodput(*limits_s).good_frac >= slo.attainment_frac) == good
        assert not good or same(full, quick)
        n_early += quick.stopped
    assert n_early > 5


@pytest.mark.parametrize("kind", ["python", "reference", "c"])
def test_a_batch_limit_above_the_most_that_ran_changes_nothing(kind):
    needs(kind)
    run = simulate_reference if kind == "reference" else functools.partial(simulate, engine=kind)
    for seed in range(40):
        (arrival, prompt, out, replica), _ = random_case(seed, "chunked_prefill")
        wide = replica.replace(max_batch=50, token_budget=200, speculation=None)
        free = run(arrival, prompt, out, wide)
        assert 1 <= free.n_most_running <= len(arrival)
        tight = run(arrival, prompt, out, wide.replace(max_batch=free.n_most_running))
        assert tight.n_most_running == free.n_most_running
        assert same(free, tight)
