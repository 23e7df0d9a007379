"""Percentiles: a closed queue by a second route, and the simulator tells the same story."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import econ
from econ.latency.runs import measured_runs
from econ.latency.waits import QUANTILES, burst_s, gap_quantiles, gathered, others_wait_s, queue
from econ.serving.simulation import simulate_closed

SERVED = (
    ("llama-3.1-8b", "h100-sxm", 1, "fp8"),
    ("llama-3.1-70b", "h100-sxm", 4, "fp8"),
    ("gpt-oss-120b", "b200-sxm", 1, "fp4"),
)
LOADS = ((1000, 200, 16), (1000, 1000, 64), (8000, 1000, 16), (500, 100, 100))


def test_a_closed_queue_agrees_with_a_simulation():
    rng = np.random.default_rng(1)
    for users, think_s in ((4, 5.0), (20, 30.0), (60, 40.0)):
        ready, free, waits, busy = np.sort(rng.exponential(think_s, users)), 0.0, [], 0.0
        ready = list(ready)
        for _ in range(20_000):
            now = ready.pop(0)
            start = max(now, free)
            free = start + 1.0
            waits.append(start - now)
            busy += 1.0
            ready.append(free + rng.exponential(think_s))
            ready.sort()
        ours = queue(service_s=1.0, think_s=think_s, users=float(users))
        assert float(ours.reading_frac) == pytest.approx(busy / free, rel=0.1)
        assert float(ours.mean_s) == pytest.approx(np.mean(waits[1000:]), rel=0.6)


def test_a_burst_is_waited_for_by_half_or_by_all():
    assert burst_s(100.0, 0.1, 8192.0, 8192.0) == pytest.approx(0.5 * 9.9, rel=0.02)
    assert burst_s(100.0, 0.1, 100.0, 1e6) == pytest.approx(9.9)
    alone = [np.arange(1, 101) * 0.1, np.repeat(np.arange(4, 101, 4) * 0.1, 4)]
    for prompts, times in zip((1, 4), alone, strict=True):
        theirs = burst_s(100.0, 0.1, 1000.0, 1000.0 * prompts)
        assert theirs == pytest.approx(times.mean() - 0.1, rel=0.03)


def test_gaps_hold_as_many_prompts_as_chance_puts_there():
    drawn = np.random.default_rng(0).poisson(1.3, 200_000)
    ours = gap_quantiles(step_s=0.01, stall_s=0.05, n_stalls=1.3, n_most=np.inf)
    for one, q in zip(ours, QUANTILES, strict=True):
        assert float(one) == pytest.approx(0.01 + 0.05 * np.quantile(drawn, q))
    capped = gap_quantiles(step_s=0.01, stall_s=0.05, n_stalls=1.3, n_most=1.0)
    assert float(capped[-1]) == pytest.approx(0.06)
    many = gap_quantiles(step_s=0.0, stall_s=1.0, n_stalls=30.0, n_most=np.inf)
    assert float(many[1]) == pytest.approx(
        np.quantile(np.random.default_rng(0).poisson(30, 90_000), 0.95), rel=0.03
    )


def test_attention_replicas_wait_for_each_other_or_for_the_clock():
    assert others_wait_s(4.0, 1.0, 256.0, 32.0) == pytest.approx(11 / 6 * 32 * 4 / 256, rel=0.01)
    assert others_wait_s(4.0, 0.5, 256.0, 320.0) == 0.5
    assert others_wait_s(1.0, 0.5, 256.0, 320.0) == 0


def test_prompts_that_are_gathered_wait_for_the_first_of_them():
    assert gathered(0.0, 0.3) == (0.0, 0.0)
    rng, n_wait, waits, beside = np.random.default_rng(3), 20.0, [], []
    comes = np.cumsum(rng.exponential(1 / 0.1, 60_000))
    first = 0
    while first < len(comes):
        after = np.searchsorted(comes, comes[first] + n_wait)
        waits += list(comes[first] + n_wait - comes[first:after])
        beside += [after - first - 1] * (after - first)
        first = after
    ours = gathered(n_wait, 0.1)
    assert ours == pytest.approx((np.mean(waits), np.mean(beside)), rel=0.02)


def even_loop(users: int, n_tokens: int, prompt_s: float, *, is_sync: bool) -> float:
    """The mean TTFT of late rounds where all requests are equally long and a step reads one prompt.

    A synchronous engine chooses a step's prompt when the step before has ended, one that schedules
    ahead when the step before begins; a user's next request comes a moment after the last answer.
    """
    step_s, moment_s, now = 0.01, 1e-4, 0.0
    asking, decoding, late = [(0.0, 0)] * users, [], []
    began = [-1.0, 0.0] if is_sync else [-1.0, -1.0]
    for k in range(20 * (n_tokens + users)):
        known_s = now if is_sync else began[-1]
        began.append(now)
        ready = [a for a in asking if a[0] <= known_s]
        now += step_s + prompt_s * bool(ready)
        decoding = [n - 1 for n in decoding]
        asking += [(now + moment_s, k)] * decoding.count(0)
        decoding = [n for n in decoding if n]
        if ready:
            asking.remove(ready[0])
            decoding.append(n_tokens - 1)
            if k > 10 * (n_tokens + users):
                late.append(now - ready[0][0])
    return float(np.mean(late))


def test_requests_of_equal_length_wait_for_one_more_prompt_or_for_two():
    """Who was read one step after another ends one step after it, in the middle of its prompt."""
    for scheduling, n_prompts in (("sync", 1), ("async", 2)):
        twice = [
            even_loop(12, 80, prompt_s, is_sync=scheduling == "sync") for prompt_s in (0.1, 0.2)
        ]
        assert (twice[1] - twice[0]) / 0.1 - 1 == pytest.approx(n_prompts, rel=0.2)
        run = {
            "model": "qwen3-32b", "accelerator": "h100-sxm", "tp": 4, "engine": "vllm",
            "input_tokens": 4000, "output_tokens": 500, "scheduling": scheduling,
        }  # fmt: skip
        frame = pd.DataFrame(
            [{**run, "is_even": even, "concurrency": users} for users in (1, 12) for even in (0, 1)]
        )
        alone, drawn, even = econ.latency.predict_frame(frame)["benchmark_mean_ttft_s"].iloc[1:]
        s = econ.Scenario.of(
            "qwen3-32b", "h100-sxm", n_gpu=4, engine="vllm", scheduling=scheduling,
            input_tokens=4000, output_tokens=500, cached_frac=0.0,
        )  # fmt: skip
        prompt_s = econ.latency.predict(s, concurrency=1).ttft_parts_s["own prompt"]
        assert (even - drawn) / (0.9 * prompt_s) == pytest.approx(n_prompts, rel=0.1)
        assert alone == pytest.approx(econ.latency.predict_frame(frame)["mean_ttft_s"][0])


def test_launch_settings_hold_for_the_runs_that_they_name():
    runs = measured_runs()
    gathering = runs["batch_wait_steps"].astype(str) == "20"
    here = (runs["engine"] == "trtllm") & (runs["model"] == "llama-3.1-70b")
    here &= (runs["tp"] <= 4) & (runs["input_tokens"] + runs["output_tokens"] <= 2000)
    assert gathering.any()
    assert (gathering == here).all()
    assert ((runs["is_even"].astype(str) == "1") == (runs["source"] == "aiconfigurator")).all()


@pytest.fixture(scope="module")
def compared():
    """Closed form over simulator, a row each of SERVED, LOADS and two policies."""
    rows = []
    for (net, chip, n, precision), (prompt, out, users), engine in itertools.product(
        SERVED, LOADS, ("vllm", "sglang")
    ):
        s = econ.Scenario.of(
            net, chip, n_gpu=n, precision=precision, engine=engine,
            input_tokens=prompt, output_tokens=out, cached_frac=0.0,
        )  # fmt: skip
        rng, many = np.random.default_rng(0), 25 * users
        lengths = [
            rng.uniform(*ends, many).round()
            for ends in ((0.5 * prompt, 1.5 * prompt), (0.1 * out, 1.9 * out))
        ]
        times = simulate_closed(*lengths, econ.serving.replica(s), users)
        ours = econ.latency.predict(s, concurrency=users)
        cold_s = econ.catalog.engines.engine(engine).opening_s / 10  # the simulator is warm
        late = times.ttft_s[5 * users :]
        theirs = np.quantile(late, QUANTILES)
        rows.append(
            [
                *np.array([ours.ttft_p50_s, ours.ttft_p95_s, ours.ttft_p99_s]) / theirs,
                (ours.benchmark_mean_ttft_s - cold_s) / times.ttft_s[: 10 * users].mean(),
                ours.tpot_s / np.nanmean(times.tpot_s[5 * users :]),
            ]
        )
    return np.array(rows)


def test_percentiles_agree_with_the_simulator_run_as_a_closed_loop(compared):
    p50, p95, p99, mean, tpot = compared.T
    assert (np.abs(np.log(p50)) < np.log(1.25)).all()
    assert np.median(np.abs(np.log(p95))) < np.log(1.12)
    assert (np.abs(np.log(np.array([p95, p99]))) < np.log(2)).all()
    assert (np.abs(np.log(mean)) < np.log(1.3)).all()
    assert (np.abs(np.log(tpot)) < np.log(1.3)).all()


def test_launch_settings_cost_the_user_what_they_say():
    s = econ.Scenario.default().with_(engine="sglang")
    plain, rare, held = (
        econ.latency.predict(s.with_(**change), concurrency=32)
        for change in ({}, {"recv_interval": 31}, {"stream_interval": 10})
    )
    share = econ.latency.Calibration.fitted().recv_wait_frac
    assert rare.ttft_p50_s - plain.ttft_p50_s == pytest.approx(30 * share * rare.tpot_s, rel=0.1)
    assert held.ttft_p50_s == plain.ttft_p50_s
    assert held.itl_p50_s > 9 * plain.itl_p50_s
    sync = econ.latency.predict(s.with_(scheduling="sync"), concurrency=32)
    whole_s = 32 * econ.latency.Calibration.fitted().engine("sglang").host_s_per_sequence
    assert sync.parts_s["host"] == pytest.approx(whole_s, rel=0.1)
