"""The terms of the step equations by hand, and the whole domain without a surprise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from econ.catalog import accelerator, model, table
from econ.catalog.precision import BYTES_PER_ELEMENT
from econ.catalog.units import GB
from econ.latency import steps
from econ.latency.calibration import Calibration
from econ.latency.prediction import max_throughput_frame, predict_frame
from econ.latency.shapes import KERNELS_MOE, KERNELS_MOE_FUSED, KERNELS_QUANTISE, Shapes
from econ.latency.steps import Case, Load, Split

BOUND = Calibration.datasheet()


def prepared(net="llama-3.1-70b", chip="h100-sxm", precision="bf16", k=BOUND, **split):
    split = {"n_gpu": 1, "tp": 1, "pp": 1, "dp": 1} | split
    net = model(net)
    shapes = Shapes.of(net, accelerator(chip), precision, 2.0, k.engine(""))
    split = Split.of(float(net.is_moe), **split)
    return steps.prepare(Case(shapes, split, Load(1000.0, 500.0)), k)


def test_experts_in_four_bits_take_fewer_kernels_where_the_chip_computes_in_them():
    k = BOUND.replace(kernel_s=1.0)
    net = model("gpt-oss-120b")
    new, old = (prepared(net.id, chip, "fp4", k).kernels_s for chip in ("b200-sxm", "h100-sxm"))
    fused = (KERNELS_MOE - KERNELS_MOE_FUSED) * net.n_moe_layers
    assert old - new == pytest.approx(fused - KERNELS_QUANTISE * 2 * net.n_moe_layers)
    # int4 is nowhere computed in, so no chip saves on it; fp8 pays for quantising each input
    assert prepared(net.id, "b200-sxm", "int4", k).kernels_s == pytest.approx(old)
    dense = model("llama-3.1-8b")
    wide, narrow = (prepared(dense.id, "h100-sxm", p, k).kernels_s for p in ("bf16", "fp8"))
    assert narrow - wide == pytest.approx(KERNELS_QUANTISE * 4 * dense.n_layers)


def test_a_pipeline_waits_for_its_slowest_part():
    k = BOUND.replace(pipeline_bubble_frac=1.0)
    split = {"n_gpu": 8, "tp": 1, "pp": 8}
    even, odd = (steps.step(prepared("llama-3.1-8b", k=c, **split), c, 64.0) for c in (BOUND, k))
    # eight exponential servers and as many customers in a ring work 8 / 15 of the time
    assert odd.step_s / even.step_s == pytest.approx(15 / 8)


def test_links_end_at_the_server():
    k = BOUND.replace(network_bytes_per_s=50 * GB)

    def wire(*pair: str, n: int) -> float:
        return prepared(*pair, k=k, n_gpu=n, tp=n).wire_bytes_per_s

    assert wire(n=8) == 450 * GB
    assert wire(n=16) == 400 * GB  # eight cards share the ring
    assert wire("deepseek-v3", "gb200-nvl72", n=64) == 900 * GB
    assert wire("llama-3.1-8b", "h100-pcie", n=4) == 100 * GB  # pairs


def test_a_slow_link_carries_small_messages_as_well_as_large_ones():
    k = BOUND.replace(
        link_frac=0.1, prefill_link_frac=0.5, large_message_bytes=1e6, slow_link_bytes_per_s=50 * GB
    )
    fast = prepared(n_gpu=8, tp=8, k=k).wire_bytes_per_s
    assert steps.transfer_s(fast, k, 1e6) == pytest.approx(1e6 / (50 * GB))  # 0.11 of 450 GB/s
    assert steps.transfer_s(fast, k, 3e6) == pytest.approx(1e6 / (50 * GB) + 2e6 / (225 * GB))
    slow = prepared("llama-3.1-8b", "l40s", n_gpu=2, tp=2, k=k).wire_bytes_per_s
    assert steps.transfer_s(slow, k, 1e6) == pytest.approx(1e6 / (16 * GB))  # half of 32 GB/s


def test_the_host_is_waited_for_in_part_or_sets_the_pace():
    k = BOUND.replace(host_s_per_sequence=1e-4, host_exposed_frac=0.25)
    device_s = steps.step(prepared("llama-3.1-8b"), BOUND, 16.0).step_s
    few = steps.step(prepared("llama-3.1-8b", k=k), k, 16.0)
    assert few.step_s == pytest.approx(device_s + 0.25 * 16e-4)
    many = steps.step(prepared("llama-3.1-8b", k=k), k, 2000.0)
    assert many.step_s == pytest.approx(0.2)
    offline = steps.step(prepared("llama-3.1-8b", k=k), k, 2000.0, streams=False)
    assert offline.step_s < 0.2


def test_a_short_prompt_shares_the_padding_of_the_experts():
    k = BOUND.replace(n_prefill_tile_tokens=64.0, prefill_chunk_tokens=2048.0)
    net = model("kimi-k2.5")
    padded_s = steps.prefill(prepared(net.id, k=k), k).compute_s
    plain_s = steps.prefill(prepared(net.id), BOUND).compute_s
    touched = 1 - (1 - net.experts_per_token / net.n_experts) ** 2048
    padding = 64 * net.n_experts * touched / net.experts_per_token / 2048  # of each token
    active = net.routed_expert_params * net.experts_per_token / net.n_experts
    extra_s = 2 * 1000 * padding * active / accelerator("h100-sxm").peak_flop_per_s("bf16")
    assert padded_s - plain_s == pytest.approx(extra_s, rel=1e-6)


def test_an_accelerator_of_amd_takes_longer_for_what_is_no_arithmetic():
    k = Calibration.fitted()
    equal = k.replace(amd_overhead_factor=1.0)
    ours, theirs = (prepared(chip="mi300x", k=c).kernels_s for c in (k, equal))
    assert ours / theirs == pytest.approx(k.amd_overhead_factor)
    assert prepared(k=k).kernels_s == prepared(k=equal).kernels_s


@pytest.fixture(scope="module")
def anything():
    """Deployments of every model on every accelerator, split and loaded at random."""
    rng, n = np.random.default_rng(7), 12_000
    widths = {"tp": (1, 2, 4, 8, 16), "pp": (1, 2, 4, 8), "ep": (1, 2, 8), "dp": (1, 2, 8)}
    frame = pd.DataFrame(
        {
            "model": rng.choice(table("models").index, n),
            "accelerator": rng.choice(table("accelerators").index, n),
            "precision": rng.choice(list(BYTES_PER_ELEMENT), n),
            "engine": rng.choice(["", "vllm", "sglang", "trtllm", "other"], n),
            "input_tokens": 10 ** rng.uniform(0, 6, n),
            "output_tokens": 10 ** rng.uniform(0, 6, n),
            "concurrency": 2 ** rng.uniform(0, 13, n),
            **{name: rng.choice(values, n) for name, values in widths.items()},
        }
    )
    frame["ep"] = np.minimum(frame["ep"], frame["tp"] * frame["dp"])
    return frame.assign(n_gpu=frame["tp"] * frame["pp"] * frame["dp"])


def test_every_deployment_has_finite_times_or_a_reason(anything):
    for answer in (predict_frame(anything), max_throughput_frame(anything)):
        good = answer["reason"] == ""
        assert 3000 < good.sum() < len(answer)
        made = answer.drop(columns=list(anything)).select_dtypes("number")
        assert np.isfinite(made[good].to_numpy()).all()
        assert (made[good] > 0).all(axis=None)
        assert made[~good].isna().all(axis=None)


def test_twice_the_users_wait_longer_and_get_no_less_in_all(anything):
    few = predict_frame(anything)
    many = predict_frame(anything.assign(concurrency=2 * anything["concurrency"]))
    good = (few["reason"] == "") & (many["reason"] == "")
    ratio = (many[few.select_dtypes("number").columns] / few.select_dtypes("number"))[good]
    assert (ratio["ttft_s"] > 1 - 1e-6).all()
    assert (ratio["tpot_s"] > 1 - 1e-6).all()
    # while fewer than all of memory is used more users can read more experts for little: 2 %
    assert (ratio["output_tokens_per_s_per_gpu"] > 0.98).all()
