"""The back of the envelope against arithmetic on paper, and against measured runs."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import accelerator, model, site
from econ.latency import bound as env
from econ.scenario import Deployment, Scenario
from econ.terms import Finance

BASE = Scenario.default()
BATCHES = st.integers(1, 500)


def test_one_answer_on_paper():
    e = env.envelope(BASE, batch=32, input_tokens=1000, output_tokens=200)
    weights, kv = model("llama-3.1-70b").n_params, 327_680 * 1100
    bandwidth, peak = 4 * 3.35e12, 4 * accelerator("h100-sxm").peak_fp8_flop_per_s
    step_s = (weights + 32 * kv) / bandwidth
    prefill_s = 2 * model("llama-3.1-70b").active_params * 1000 / peak
    machine_s = prefill_s + 200 * step_s / 32
    assert e.step_s == pytest.approx(step_s)
    assert e.answer_s == pytest.approx(prefill_s + 200 * step_s)
    assert e.accelerator_usd == pytest.approx(4 * machine_s / 3600 * 3.99)
    assert e.energy_j == pytest.approx(4 * 700 * machine_s * 1.54)
    price = site("us-virginia").electricity_usd_per_kwh
    assert e.electricity_usd == pytest.approx(e.energy_j / 3.6e6 * price)
    assert e.cost_usd_per_mtok == pytest.approx(e.accelerator_usd / 200 * 1e6)


@given(BATCHES, BATCHES)
def test_sharing_is_slower_for_one_and_cheaper_for_all(a, b):
    few, many = (env.envelope(BASE, n) for n in sorted((a, b)))
    assert few.step_s <= many.step_s
    assert few.cost_usd_per_mtok >= many.cost_usd_per_mtok * (1 - 1e-12)


@given(BATCHES, st.floats(1, 20))
def test_a_slowdown_stretches_time_and_money_alike(batch, slow):
    bound, real = env.envelope(BASE, batch), env.envelope(BASE, batch, slowdown=slow)
    assert real.answer_s == pytest.approx(slow * bound.answer_s)
    assert real.accelerator_usd == pytest.approx(slow * bound.accelerator_usd)


def test_what_does_not_fit_says_by_how_much():
    with pytest.raises(env.DoesNotFit, match="GB missing"):
        env.envelope(BASE, 5000)
    one = BASE.with_(deployment=Deployment(accelerator="h100-sxm", precision="bf16"))
    with pytest.raises(env.DoesNotFit, match=r"141 GB of weights; 1 × h100-sxm hold 80 GB"):
        env.envelope(one, 1)


def test_a_mixture_of_experts_reads_more_of_itself_in_a_batch():
    moe = BASE.with_(model="gpt-oss-120b")
    alone, shared = env.envelope(moe, 1), env.envelope(moe, 256)
    net = model("gpt-oss-120b")
    others = net.n_params - net.routed_expert_params - net.embedding_params  # a row of the table
    others += net.head_params  # two bytes each
    one = others + net.routed_expert_params * net.experts_per_token / net.n_experts
    assert alone.weights_s == pytest.approx(one / (4 * 3.35e12))
    whole = others + net.routed_expert_params
    assert shared.weights_s == pytest.approx(whole / (4 * 3.35e12), rel=0.01)


def test_measured_runs_lie_above_the_bound():
    frame = env.reality_frame()
    assert (frame["slowdown"] > 1.5).all()  # faster than the bound would be a broken bound
    assert (frame["slowdown"] < 4).all()
    row = frame.set_index("batch").loc[64]
    by_hand = (70.55e9 + 64 * 327_680 * 922 * 1.5) / (4 * 3.35e12)
    assert row.bound_tpot_s == pytest.approx(by_hand, rel=0.01)


@pytest.mark.parametrize("bad", [0, -1, 1.5, float("nan")])
def test_batches_are_counted(bad):
    with pytest.raises(ValueError, match="batch"):
        env.envelope(BASE, bad)


def test_rent_scales_the_rent_only():
    dear = BASE.with_(finance=Finance(cost_usd_per_gpu_hour=7.98))
    a, b = env.envelope(BASE, 8), env.envelope(dear, 8)
    assert b.accelerator_usd == pytest.approx(2 * a.accelerator_usd)
    assert b.electricity_usd == a.electricity_usd


def test_idle_hours_are_paid_for_and_cached_prompts_are_not_computed():
    full, half = (env.envelope(BASE.with_(utilisation_frac=u), 8) for u in (1.0, 0.5))
    assert half.accelerator_usd == pytest.approx(2 * full.accelerator_usd)
    assert half.electricity_usd == full.electricity_usd
    cached = env.envelope(BASE.with_(cached_frac=0.75), 8)
    assert cached.prefill_s == pytest.approx(full.prefill_s / 4)
    assert cached.step_s == full.step_s


def test_own_objects_and_a_narrow_cache():
    chip = dataclasses.replace(accelerator("h100-sxm"), id="mine")
    net = dataclasses.replace(model("llama-3.1-8b"), id="ours")
    own = BASE.with_(accelerator=chip, model=net)
    one = env.envelope(own, 8)
    assert one.weight_bytes < env.envelope(BASE, 8).weight_bytes
    # nobody rents it: times are there, a price is asked for when USD are
    assert one.step_s > 0
    assert "cost_usd_per_mtok" not in one.row()
    with pytest.raises(ValueError, match="mine"):
        _ = one.cost_usd_per_mtok
    assert env.envelope(own.with_(cost_usd_per_gpu_hour=2.0), 8).cost_usd_per_mtok > 0
    assert env.envelope(BASE.with_(kv_precision="fp8"), 8).kv_s == pytest.approx(
        env.envelope(BASE, 8).kv_s / 2
    )
    with pytest.raises(ValueError, match=r"batch = 9 .* max_batch = 8"):
        env.envelope(BASE.with_(max_batch=8), 9)
