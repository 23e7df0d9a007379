"""The bridge from a scenario to a simulated replica."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from econ.catalog import engine
from econ.latency.calibration import Calibration
from econ.latency.prediction import DoesNotFit, max_batch, predict
from econ.scenario import Scenario
from econ.serving import Disaggregated, replica, simulate, simulate_closed, step_cost
from econ.tokens.workloads import workload

CASES = [
    ("llama-3.1-8b", "h100-sxm", 1, "fp8"),
    ("llama-3.1-70b", "h200-sxm", 4, "bf16"),
    ("gpt-oss-120b", "b200-sxm", 2, "fp4"),
    ("deepseek-v3", "h200-sxm", 8, "fp8"),
]
CONTEXT = 3000


@pytest.mark.parametrize(("model", "chip", "tp", "precision"), CASES)
def test_a_decode_step_is_the_step_equations(model, chip, tp, precision):
    # half an output token makes the mean context of the prediction the table's
    case = Scenario.of(
        model, chip, tp=tp, precision=precision, input_tokens=CONTEXT - 0.5, output_tokens=1
    )
    cost = step_cost(case.with_(max_batch=64))
    for batch in (1, 7, 64):
        there = predict(case, concurrency=1)
        ours_s = cost.step_s(n_decode=batch, context_tokens=batch * CONTEXT)
        if batch == 1:
            assert ours_s == pytest.approx(there.tpot_s, rel=1e-3)
        else:
            assert there.tpot_s < ours_s < batch * there.tpot_s


@pytest.mark.parametrize(("model", "chip", "tp", "precision"), CASES)
def test_a_prompt_alone_takes_its_prefill(model, chip, tp, precision):
    base = Scenario.of(model, chip, tp=tp, precision=precision, token_budget=4096)
    cost = step_cost(base.with_(input_tokens=1999.5, output_tokens=1))
    for n in (50, 500, 2000):
        case = base.with_(input_tokens=n, output_tokens=1)
        there = predict(case, concurrency=1).ttft_parts_s["own prompt"]
        # weights are read once beside the attention, which the equations let overlap
        assert there * 0.999 <= cost.step_s(chunk_tokens=[(0, n)]) <= there * 1.1


def test_kv_memory_is_the_latency_models():
    case = Scenario.default().with_(input_tokens=8191, output_tokens=2)
    fits = max_batch(case, context_tokens=8192)
    assert fits <= replica(case).kv_tokens / 8192 < fits + 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(DoesNotFit, match="does not fit") as error:
        replica(Scenario.of("llama-3.1-70b", "h100-sxm"))
    assert error.value.missing_bytes > 50e9
    with pytest.raises(ValueError, match="does not fit"):
        step_cost(Scenario.of("llama-3.1-70b", "h100-sxm"))


def test_the_scenario_becomes_its_replica():
    base = Scenario.default()
    eight = base.with_(n_gpu=8, dp=2)
    assert replica(eight).n_replicas == 2
    pools = replica(eight.with_(policy="disaggregated", max_batch=32))
    assert isinstance(pools, Disaggregated)
    assert pools.prefill.n_replicas == pools.decode.n_replicas == 1
    assert pools.decode.max_batch == 32
    # 320 KiB of cache per token over four links of 450 GB/s
    assert pools.kv_transfer_s_per_token == pytest.approx(327_680 / (4 * 450e9))
    narrow = replica(eight.with_(policy="disaggregated", kv_precision="fp8"))
    assert narrow.kv_transfer_s_per_token == pytest.approx(pools.kv_transfer_s_per_token / 2)
    with pytest.raises(ValueError, match="two pools need at least 8"):
        replica(base.with_(policy="disaggregated"))
    with pytest.raises(ValueError, match="pp = 2"):
        replica(base.with_(tp=2, pp=2))
    loose = dataclasses.replace(
        base.deployment.resolved_accelerator, id="loose", scaleup_bandwidth_bytes_per_s=None
    )
    with pytest.raises(ValueError, match="link bandwidth of loose is unknown"):
        replica(Scenario.of("llama-3.2-1b", loose, n_gpu=2, tp=1, policy="disaggregated"))


def test_launch_settings_and_the_workloads_cached_share_arrive():
    base = Scenario.default()
    usual = replica(base)
    assert (usual.max_batch, usual.token_budget, usual.prefix_cached_frac) == (256, 2048, 0.0)
    own = replica(base.with_(max_batch=64, token_budget=512, policy="prefill_first"))
    assert (own.max_batch, own.token_budget, own.policy) == (64, 512, "prefill_first")
    rag = replica(base.with_(workload=workload("rag")))
    assert rag.prefix_cached_frac == workload("rag").cached_frac == pytest.approx(0.366, abs=5e-4)
    half = replica(base.with_(kv_precision="fp8"))
    assert half.kv_tokens == pytest.approx(2 * usual.kv_tokens, rel=1e-4)


def test_experts_spread_over_attention_replicas_stay_one_replica():
    wide = Scenario.of("deepseek-v3", "h200-sxm", n_gpu=16, tp=2, dp=8, ep=16, precision="fp8")
    ours = replica(wide)
    assert ours.n_replicas == 1
    assert ours.kv_tokens > 100_000


@pytest.mark.parametrize("maturity", [0.25, 0.5, 2.0, 100.0])
def test_software_maturity_scales_what_exceeds_the_bound_as_in_the_prediction(maturity):
    base = Scenario.default().with_(input_tokens=1999.5, output_tokens=1)
    changed = base.with_(software_maturity=maturity)
    cost = step_cost(changed)
    alone_s = cost.step_s(n_decode=1, context_tokens=2000)
    assert alone_s == pytest.approx(predict(changed, concurrency=1).tpot_s, rel=1e-3)
    usual_s = step_cost(base).step_s(chunk_tokens=[(0, 2000)])
    assert (cost.step_s(chunk_tokens=[(0, 2000)]) > usual_s) == (maturity < 1)
    assert replica(changed).lag_s == pytest.approx(replica(base).lag_s / maturity)


def test_a_model_an_accelerator_and_a_workload_of_ones_own_are_served():
    model = dataclasses.replace(Scenario.default().resolved_model, id="mine")
    chip = dataclasses.replace(Scenario.default().deployment.resolved_accelerator, id="ours")
    own = Scenario.default().with_(model=model, accelerator=chip)
    assert replica(own).kv_tokens == replica(Scenario.default()).kv_tokens
    assert simulate(own, n=100).goodput == simulate(Scenario.default(), n=100).goodput


def test_the_simulator_agrees_with_the_closed_loop_equations():
    """Two roads to TPOT: simulated step by step, and the steady state of the equations."""
    model, chip, n_in, n_out = "llama-3.1-8b", "h100-sxm", 1000, 300
    base = Scenario.of(model, chip, precision="fp8", input_tokens=n_in, output_tokens=n_out)
    ours = replica(base.with_(max_batch=64, policy="prefill_first", token_budget=8192))
    for users in (1, 8, 32):
        rng = np.random.default_rng(0)
        spread = rng.uniform(0.8, 1.2, (2, 800))
        prompt, out = np.rint(n_in * spread[0]), np.rint(n_out * spread[1])
        result = simulate_closed(prompt, out, ours, users)
        case = Scenario.of(model, chip, precision="fp8", input_tokens=n_in, output_tokens=n_out)
        there = predict(case, concurrency=users)
        assert result.token_mean_tpot_s == pytest.approx(there.tpot_s, rel=0.15)


def test_the_lag_is_the_calibrations_and_lengthens_only_the_first_token():
    k = Calibration.fitted()
    ours = replica(
        Scenario.of("llama-3.1-8b", "h100-sxm", precision="fp8", engine="sglang", recv_interval=3)
    )
    assert ours.lag_s == pytest.approx(k.value("sglang.first_token_s"))
    assert ours.n_lag_steps == pytest.approx(
        k.value("sglang.n_wait_steps") - 1 + 2 * k.recv_wait_frac
    )
    load = (np.arange(50) / 10, np.full(50, 800), np.full(50, 100))
    with_lag = simulate(*load, ours)
    without = simulate(*load, ours.replace(lag_s=0.0, n_lag_steps=0.0))
    assert np.array_equal(with_lag.done_ps, without.done_ps)
    assert with_lag.tpot_s == pytest.approx(without.tpot_s)
    late = with_lag.ttft_s - without.ttft_s
    assert late == pytest.approx(ours.lag_s + ours.n_lag_steps * without.tpot_s)
    assert with_lag.e2e_s - without.e2e_s == pytest.approx(late)


def test_an_engine_brings_its_own_launch_settings():
    base = Scenario.default()
    for name in ("vllm", "sglang", "trtllm"):
        ours = replica(base.with_(engine=name))
        assert (ours.max_batch, ours.token_budget) == (
            engine(name).max_batch,
            engine(name).token_budget,
        )
    assert replica(base.with_(engine="vllm", token_budget=512)).token_budget == 512


def test_thinking_comes_before_the_first_answer_token():
    s = Scenario.default().with_(input_tokens=500, output_tokens=401, rate_per_s=0.1)
    plain, half = (simulate(x, n=50) for x in (s, s.with_(reasoning_frac=0.5)))
    assert plain.mean_first_answer_s == plain.mean_ttft_s
    assert half.mean_first_answer_s == pytest.approx((plain.mean_ttft_s + plain.mean_e2e_s) / 2)
    assert half.goodput == plain.goodput
