"""Lesson 02: its tables by a second route, its panels, speculation against its formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import accelerator, model
from econ.latency.prediction import DoesNotFit
from econ.latency.speculation import speculation_frame, tokens_per_check
from econ.lessons import l02_latency as cases
from econ.scenario import Scenario

SERVED = {"tp": 4, "precision": "fp8", "input_tokens": 1000}
PAIR = ("llama-3.1-70b", "h100-sxm")


def test_the_parts_of_a_step_are_about_its_time():
    frame = cases.anatomy_frame(*PAIR, **SERVED)
    whole = frame.groupby("batch")["time_ms"].sum()
    total = frame.groupby("batch")["total_ms"].first()
    # weights and compute overlap smoothly; the larger is shown whole
    assert (whole <= total * 1.001).all()
    assert (whole >= total * 0.8).all()


def test_the_anatomy_ends_where_memory_does():
    assert cases.anatomy_frame(*PAIR, **SERVED)["batch"].max() <= 1024
    with pytest.raises(DoesNotFit, match="GB missing"):
        cases.anatomy_frame("deepseek-v3", "h100-sxm", tp=1, precision="fp8", input_tokens=100)


def test_memory_by_hand():
    frame = cases.memory_frame(
        *PAIR, n_gpu=4, precision="fp8", context_tokens=5000, batch=50
    ).set_index("part")
    assert frame.loc["KV cache", "size_gb"] == pytest.approx(50 * 5000 * 327_680 / 1e9)
    limit = 0.9 * 4 * accelerator("h100-sxm").device_memory_bytes / 1e9
    assert frame["limit_gb"].iloc[0] == pytest.approx(limit)
    free = (limit - frame.loc["weights", "size_gb"]) * 1e9
    assert frame["n_fit"].iloc[0] == int(free // (5000 * 327_680))


def test_the_trap_is_the_ratio_of_heads():
    frame = cases.kv_trap_frame(["llama-3.1-70b", "llama-2-13b"]).set_index("model")
    assert frame.loc["llama-3.1-70b", "ratio"] == 64 / 8
    assert frame.loc["llama-2-13b", "ratio"] == 1


def test_no_point_lies_above_the_roof():
    frame = cases.roof_frame(*PAIR, precision="bf16", context_tokens=4000)
    chip = accelerator("h100-sxm")
    assert (frame["rate_tflops"] <= chip.peak_bf16_flop_per_s / 1e12 + 1e-9).all()
    one = frame[frame["label"] == "batch 1"].iloc[0]
    net = model("llama-3.1-70b")
    assert one.intensity == pytest.approx(
        (2 * net.active_params + 4000 * net.attention_flop_per_context_token)
        / (2 * net.n_params + 4000 * 327_680)
    )


def test_gaps_average_to_the_tpot():
    frame = cases.stalls_frame(
        model=PAIR[0], accelerator=PAIR[1], **SERVED, output_tokens=500, concurrency=64
    )
    plain, stall, mean = frame.itertuples()
    assert plain.gap_ms * plain.share + stall.gap_ms * stall.share == pytest.approx(mean.gap_ms)


def test_touched_experts_by_counting():
    frame = cases.touched_frame(["mixtral-8x7b"], (1, 2)).set_index("batch")["touched_percent"]
    assert frame[1] == pytest.approx(25)
    assert frame[2] == pytest.approx(100 * (1 - 0.75**2))


def test_the_shipped_sample_is_predicted_within_reason():
    factor = cases.parity_frame()["factor"]
    assert 0.9 < factor.median() < 1.1
    assert (factor - 1).abs().median() < 0.12


@given(st.floats(0, 1), st.integers(0, 20))
def test_tokens_per_check_is_a_sum_of_powers(a, k):
    assert tokens_per_check(a, k) == pytest.approx(sum(a**i for i in range(k + 1)))


@pytest.mark.parametrize("bad", [-0.1, 1.1, 70])
def test_acceptance_is_a_share(bad):
    with pytest.raises(ValueError, match="acceptance_frac"):
        tokens_per_check(bad, 4)


def test_speculation_fades_with_the_batch_and_can_lose():
    good = speculation_frame(Scenario.of(*PAIR, **SERVED, output_tokens=500))["speedup"]
    assert (good.diff().dropna() <= 1e-9).all()
    assert good.iloc[0] < tokens_per_check(0.7, 4)
    poor = speculation_frame(
        Scenario.of(*PAIR, **SERVED, output_tokens=500), acceptance_frac=0.1, draft_cost_frac=0.2
    )["speedup"]
    assert poor.iloc[-1] < 1


@pytest.mark.parametrize("name", ["anatomy", "memory", "roof"])
def test_panels_follow_their_controls(name):
    panel = getattr(cases, f"{name}_panel")()
    before = panel.readout
    panel.set(model="gpt-oss-120b")
    assert panel.readout != before
    assert len(panel.static().description) > 200


def test_a_model_too_large_is_said_not_drawn():
    panel = cases.anatomy_panel().set(model="deepseek-v3", tp=1)
    assert "does not fit" in panel.readout
    assert panel._live.rows == []
