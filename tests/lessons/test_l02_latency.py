"""Lesson 02: its tables by a second route, its panels."""

import pytest

from econ.catalog import accelerator, model
from econ.latency.bound import reality_frame
from econ.lessons import l02_latency as cases

SERVED = {"tp": 4, "precision": "fp8", "input_tokens": 1000}
PAIR = ("llama-3.1-70b", "h100-sxm")


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


@pytest.mark.parametrize("name", ["memory", "roof"])
def test_panels_follow_their_controls(name):
    panel = getattr(cases, f"{name}_panel")()
    before = panel.readout
    panel.set(model="gpt-oss-120b")
    assert panel.readout != before
    assert len(panel.static().description) > 200


def test_measured_steps_lie_under_the_roof_by_their_bytes():
    frame = cases.measured_frame().dropna(subset="measured_tflops")
    runs = reality_frame()
    assert len(frame) == len(runs)
    # memory sets the roof here, so the share reached is that of the bytes: bound over measured
    share = frame["measured_tflops"] / frame["rate_tflops"]
    assert (share < 1).all()
    assert share.tolist() == pytest.approx((1 / runs["slowdown"]).tolist(), rel=0.05)


def test_the_last_lines_follow_the_model():
    frame = cases.prefill_frame()
    assert frame["ttft_s"].is_monotonic_increasing
    assert frame["tpot_ms"].iloc[-1] < 1.1 * frame["tpot_ms"].iloc[0]
