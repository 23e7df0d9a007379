"""The simulator: engines equal to the picosecond, steps by hand, conservation, helpful refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from econ.serving import jit as serving_jit
from econ.serving import simulation as serving
from econ.serving.cost import FIT_COLUMNS
from econ.serving.result import NEVER
from econ.serving.simulation import (
    Disaggregated,
    Replica,
    Speculation,
    StepCost,
    simulate,
    simulate_closed,
)

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


@pytest.mark.parametrize("policy", serving.POLICIES)
@QUICK
@given(seed=SEEDS)
def test_the_event_skipping_engine_equals_the_reference(policy, seed):
    case, more = random_case(seed, policy)
    reference = simulate(*case, engine="reference", **more)
    skipping = simulate(*case, engine="python", **more)
    assert same(reference, skipping)


@pytest.mark.parametrize("policy", serving.POLICIES)
def test_the_compiled_engine_equals_both(policy):
    pytest.importorskip("numba")
    n_preemptions = 0
    for seed in range(60):
        case, more = random_case(seed, policy)
        reference = simulate(*case, engine="reference", **more)
        assert same(reference, simulate(*case, engine="numba", **more))
        n_preemptions += reference.n_preemptions.sum()
    assert n_preemptions > 10  # the cases do press on memory


@pytest.mark.parametrize("policy", ["prefill_first", "chunked_prefill"])
def test_the_engines_agree_at_real_size(policy):
    rng = np.random.default_rng(5)
    n = 600
    load = (np.cumsum(rng.exponential(0.1, n)), rng.integers(1, 2000, n), rng.integers(1, 400, n))
    replica = Replica(cost=COST, kv_tokens=20_000, max_batch=64, policy=policy, token_budget=512)
    results = [simulate(*load, replica, engine=e) for e in ("reference", "python")]
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


@QUICK
@given(seed=SEEDS, concurrency=st.integers(1, 12), policy=st.sampled_from(serving.POLICIES[:2]))
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
@given(seed=SEEDS, policy=st.sampled_from(serving.POLICIES))
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


@pytest.mark.parametrize("engine", ["reference", "python", "numba"])
def test_pools_overloaded_past_the_end_of_time_end_with_a_flag(engine):
    if engine == "numba":
        pytest.importorskip("numba")
    cost = StepCost.affine(1.0, 1.0)  # a prefill of half an hour, thousands of them at once
    pool = Replica(cost=cost, kv_tokens=9000, max_batch=1, policy="prefill_first")
    pools = Disaggregated(prefill=pool, decode=pool, kv_transfer_s_per_token=1.0)
    n = 3000
    result = simulate(np.arange(n) * 1e-3, np.full(n, 2000), np.full(n, 3), pools, engine)
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


@pytest.mark.parametrize("engine", ["python", "numba"])
def test_the_number_of_events_is_bounded(engine):
    if engine == "numba":
        pytest.importorskip("numba")
    replica = Replica(cost=COST, kv_tokens=5000, max_batch=4)
    result = simulate(np.arange(50) / 9, [100] * 50, [20] * 50, replica, engine, n_most_events=30)
    assert result.stopped
    assert result.n_events == 30
    assert np.isnan(result.done_s).any()
    assert np.isfinite(result.done_s).any()
    full = simulate(np.arange(50) / 9, [100] * 50, [20] * 50, replica, engine)
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
        ("input_tokens", ["a", "b", "c"], "input_tokens: give one number per request"),
    ],
)
@pytest.mark.parametrize("engine", ["reference", "python"])
def test_bad_requests_are_named(column, values, message, engine):
    replica = Replica(cost=COST, kv_tokens=999, block_tokens=3)
    with pytest.raises(ValueError, match=message):
        simulate(**{**GOOD, column: values}, replica=replica, engine=engine)


def test_a_request_that_just_fits_is_served():
    replica = Replica(cost=COST, kv_tokens=999, block_tokens=3)
    assert not simulate([0.0], [995], [5], replica).stopped


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


def test_a_replica_is_keyword_only_and_engines_are_known():
    with pytest.raises(TypeError):
        Replica(COST, 1000)
    replica = Replica(cost=COST, kv_tokens=1000)
    with pytest.raises(ValueError, match="nearest: numba"):
        simulate([0.0], [1], [1], replica, engine="numbas")
    with pytest.raises(ValueError, match="request 0: could last"):
        simulate([0.0], [900], [90], replica.replace(cost=StepCost.affine(9e4)))


def test_without_numba_auto_takes_python(monkeypatch):
    monkeypatch.setattr(serving_jit, "available", lambda: False)
    monkeypatch.setattr(serving_jit, "compiled", lambda: False)
    monkeypatch.setattr(serving, "NUMBA_PAYS_FROM", 1)
    replica = Replica(cost=COST, kv_tokens=1000)
    assert simulate([0.0], [1], [1], replica).engine == "python"
    with pytest.raises(ModuleNotFoundError, match="numba"):
        simulate([0.0], [1], [1], replica, engine="numba")


def test_auto_takes_numba_once_compiled():
    pytest.importorskip("numba")
    serving_jit.warm()
    assert simulate([0.0], [1], [1], Replica(cost=COST, kv_tokens=1000)).engine == "numba"


def test_tables_go_on_with_their_last_slope():
    cost = StepCost(linear_s=[0.0, 1.0, 3.0])
    assert cost.step_s(chunk_tokens=[(0, 7)]) == 3.0 + 5 * 2.0
    with pytest.raises(ValueError, match="falls at its end"):
        StepCost(linear_s=[0.0, 2.0, 1.0])
    with pytest.raises(ValueError, match=r"decode_base_s\[1\] = -1.5"):
        StepCost(linear_s=[0.0, 1.0, 3.0], decode_base_s=[0.0, -1.5, -1.5])
    with pytest.raises(ValueError, match=r"linear_s\[1\] = nan"):
        StepCost(linear_s=[0.0, np.nan, 1.0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-9, 1e-2), min_size=6, max_size=6), SEEDS)
def test_fit_finds_the_affine_cost_behind_exact_steps(terms, seed):
    true, rng = StepCost.affine(*terms), np.random.default_rng(seed)
    rows = []
    for k in range(60):
        x, c, b = int(rng.integers(0, 900)) * (k % 3 > 0), int(rng.integers(0, 900)), k % 50
        context = int(b * rng.integers(1, 3000))
        chunks = [(c, x)] if x else []
        step_s = true.step_s(b, context, chunks)
        if step_s > 0:
            rows.append((step_s, x, b, context, x * (2 * c + x)))
    frame = pd.DataFrame(rows, columns=FIT_COLUMNS)
    fitted = StepCost.fit(frame)
    for row in frame.itertuples():
        chunks = [((row.prefill_pairs // row.prefill_tokens - row.prefill_tokens) // 2,
                   row.prefill_tokens)] if row.prefill_tokens else []  # fmt: skip
        again = fitted.step_s(row.n_decode, row.context_tokens, chunks)
        assert again == pytest.approx(row.step_s, rel=1e-3, abs=1e-9)


def test_fit_names_the_bad_row():
    frame = pd.DataFrame([(1.0, 1, 1, 1, 1), (np.nan, 1, 1, 1, 1)], columns=FIT_COLUMNS)
    with pytest.raises(ValueError, match="row 2"):
        StepCost.fit(frame)
    with pytest.raises(ValueError, match="no column step_s"):
        StepCost.fit(frame.drop(columns="step_s"))


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
