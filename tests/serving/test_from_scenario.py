"""The bridge from a deployment to a simulated replica, and the simulator against measured runs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from econ.latency.calibration import Calibration
from econ.latency.evidence import sample_runs
from econ.latency.prediction import max_batch, predict
from econ.scenario import Deployment, Scenario
from econ.serving.from_scenario import gap_frame, measured_frame, replica_for, replica_of
from econ.serving.simulation import Disaggregated, StepCost, simulate, simulate_closed

CASES = [
    ("llama-3.1-8b", "h100-sxm", 1, "fp8"),
    ("llama-3.1-70b", "h200-sxm", 4, "bf16"),
    ("gpt-oss-120b", "b200-sxm", 2, "fp4"),
    ("deepseek-v3", "h200-sxm", 8, "fp8"),
]
CONTEXT = 3000


@pytest.mark.parametrize(("model", "chip", "tp", "precision"), CASES)
def test_a_decode_step_is_the_step_equations(model, chip, tp, precision):
    cost = StepCost.from_roofline(
        model, chip, tp=tp, precision=precision, context_tokens=CONTEXT, max_batch=64
    )
    for batch in (1, 7, 64):
        # half an output token makes the mean context of the prediction the table's
        case = Scenario.of(
            model, chip, tp=tp, precision=precision, input_tokens=CONTEXT - 0.5, output_tokens=1
        )
        there = predict(case, concurrency=1)
        ours_s = cost.step_s(n_decode=batch, context_tokens=batch * CONTEXT)
        if batch == 1:
            assert ours_s == pytest.approx(there.tpot_s, rel=1e-3)
        else:
            assert there.tpot_s < ours_s < batch * there.tpot_s


@pytest.mark.parametrize(("model", "chip", "tp", "precision"), CASES)
def test_a_prompt_alone_takes_its_prefill(model, chip, tp, precision):
    cost = StepCost.from_roofline(
        model, chip, tp=tp, precision=precision, context_tokens=2000, token_budget=4096
    )
    for n in (50, 500, 2000):
        case = Scenario.of(model, chip, tp=tp, precision=precision, input_tokens=n, output_tokens=1)
        there = predict(case, concurrency=1).ttft_parts_s["own prompt"]
        # weights are read once beside the attention, which the equations let overlap
        assert there * 0.999 <= cost.step_s(chunk_tokens=[(0, n)]) <= there * 1.1


def test_kv_memory_is_the_roofline_s():
    replica = replica_for("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8", context_tokens=8192)
    fits = max_batch(Scenario.default(), context_tokens=8192)
    assert fits <= replica.kv_tokens / 8192 < fits + 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        replica_for("llama-3.1-70b", "h100-sxm")
    with pytest.raises(ValueError, match="nearest"):
        StepCost.from_roofline("llama-3.1-8", "h100-sxm")


def test_the_scenario_becomes_its_replica():
    base = Scenario.default()
    eight = dataclasses.replace(base.deployment, n_gpu=8, tp=4, dp=2)
    assert replica_of(base.with_(deployment=eight)).n_replicas == 2
    pools = replica_of(
        base.with_(deployment=dataclasses.replace(eight, policy="disaggregated")), max_batch=32
    )
    assert isinstance(pools, Disaggregated)
    assert pools.prefill.n_replicas == pools.decode.n_replicas == 1
    assert pools.decode.max_batch == 32
    # 320 KiB of cache per token over four links of 450 GB/s
    assert pools.kv_transfer_s_per_token == pytest.approx(327_680 / (4 * 450e9))
    with pytest.raises(ValueError, match="two pools need at least 8"):
        replica_of(
            base.with_(deployment=dataclasses.replace(base.deployment, policy="disaggregated"))
        )
    piped = Deployment(accelerator="h100-sxm", n_gpu=4, tp=2, pp=2, precision="fp8")
    with pytest.raises(ValueError, match="pp = 2"):
        replica_of(base.with_(deployment=piped))


def test_the_simulator_agrees_with_the_closed_loop_equations():
    """Two roads to TPOT: simulated step by step, and the steady state of the equations."""
    model, chip, n_in, n_out = "llama-3.1-8b", "h100-sxm", 1000, 300
    replica = replica_for(
        model, chip, precision="fp8", context_tokens=n_in + n_out / 2, max_batch=64,
        policy="prefill_first", token_budget=8192,
    )  # fmt: skip
    for users in (1, 8, 32):
        rng = np.random.default_rng(0)
        spread = rng.uniform(0.8, 1.2, (2, 800))
        prompt, out = np.rint(n_in * spread[0]), np.rint(n_out * spread[1])
        result = simulate_closed(prompt, out, replica, users)
        case = Scenario.of(model, chip, precision="fp8", input_tokens=n_in, output_tokens=n_out)
        there = predict(case, concurrency=users)
        assert result.token_mean_tpot_s == pytest.approx(there.tpot_s, rel=0.15)


def test_measured_runs_are_met_within_the_stated_gap():
    """A bound just above what docs and reports state, over every pair of the shipped sample."""
    runs = sample_runs()
    compared = measured_frame(runs[runs["concurrency"] / runs["n_gpu"] <= 32].iloc[::2])
    assert compared.groupby(["model", "accelerator"]).ngroups >= 15
    gaps = gap_frame(compared.assign(all=1), by=["all"]).iloc[0]
    assert gaps.tpot_gap_x < 1.15
    assert gaps.ttft_gap_x < 1.35
    assert gap_frame(compared)["tpot_gap_x"].max() < 1.4


def test_the_lag_is_the_calibrations_and_lengthens_only_the_first_token():
    k = Calibration.fitted()
    ours = replica_for("llama-3.1-8b", "h100-sxm", precision="fp8", engine="SGLang")
    assert ours.lag_s == pytest.approx(k.first_token_s + k.first_token_sglang_s)
    assert ours.n_lag_steps == pytest.approx(k.n_wait_steps - 1)
    load = (np.arange(50) / 10, np.full(50, 800), np.full(50, 100))
    with_lag = simulate(*load, ours)
    without = simulate(*load, ours.replace(lag_s=0.0, n_lag_steps=0.0))
    assert np.array_equal(with_lag.done_ps, without.done_ps)
    assert with_lag.tpot_s == pytest.approx(without.tpot_s)
    late = with_lag.ttft_s - without.ttft_s
    assert late == pytest.approx(ours.lag_s + ours.n_lag_steps * without.tpot_s)
    assert with_lag.e2e_s - without.e2e_s == pytest.approx(late)
