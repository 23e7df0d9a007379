"""The latency model: bounds that no software beats, second routes by hand, and helpful errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import accelerator, model
from econ.catalog.engines import engine_names
from econ.energy import energy_frame
from econ.latency.calibration import Calibration
from econ.latency.deployments import FEWEST_ALIKE
from econ.latency.prediction import (
    DoesNotFit,
    flop_per_token,
    kv_bytes_per_token,
    max_batch,
    max_throughput_frame,
    predict,
    predict_frame,
    weight_bytes,
)
from econ.latency.users import users_within
from econ.scenario import Scenario
from econ.terms import Slo

MODELS = ("llama-3.1-8b", "llama-3.1-70b", "gpt-oss-120b", "qwen3-235b-a22b", "deepseek-v3")
HYBRIDS = ("glm-5", "qwen3.5-397b-a17b", "gemma-3-27b", "minimax-m2.5")
CHIPS = ("h100-sxm", "h200-sxm", "b200-sxm", "mi300x")
RUN = {"input_tokens": 1000, "output_tokens": 500, "concurrency": 16}

deployments = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS + HYBRIDS),
        "accelerator": st.sampled_from(CHIPS),
        "split": st.sampled_from(
            [(1, 1, 1, 1), (4, 1, 1, 1), (8, 1, 1, 1), (8, 2, 8, 1), (2, 1, 8, 4)]
        ),
        "precision": st.sampled_from(["bf16", "fp8", "int4"]),
        "input_tokens": st.floats(1, 30_000),
        "output_tokens": st.floats(1, 5_000),
        "concurrency": st.floats(1, 3_000),
        "engine": st.sampled_from(["", "vllm", "sglang", "trtllm"]),
    }
)


def laid_out(case: dict) -> dict:
    """A drawn deployment as arguments; experts are spread only where there are some."""
    case = dict(case)
    tp, pp, ep, dp = case.pop("split")
    dense = not model(case["model"]).is_moe
    return case | {"n_gpu": tp * pp * dp, "tp": tp, "pp": pp, "ep": 1 if dense else ep, "dp": dp}


def ask(*pair: object, concurrency: float, calibration: Calibration | None = None, **case):
    """The prediction of a drawn deployment."""
    return predict(Scenario.of(*pair, **case), concurrency=concurrency, calibration=calibration)


def ask_if_it_fits(case: dict):
    """The same, or None where the memory is too small."""
    try:
        return ask(**case)
    except DoesNotFit:
        return None


# -- bounds and directions ------------------------------------------------------------------
@given(deployments)
@settings(max_examples=150, deadline=None)
def test_nothing_is_faster_than_the_datasheet(case):
    case = laid_out(case)
    one = ask_if_it_fits(case)
    if one is None:
        return
    m, chip, n = model(case["model"]), accelerator(case["accelerator"]), case["n_gpu"]
    peak = chip.peak_flop_per_s(case["precision"])
    total = one.batch * (case["dp"] if not m.is_moe else 1)  # of all replicas
    assert one.tpot_s >= 2 * m.active_params * total / (n * peak) / case["pp"] * 0.999
    # one token reads at least its own active weights once from all the memory there is
    active_bytes = weight_bytes(m, case["precision"]) * min(m.active_params / m.n_params, 1)
    least = (active_bytes - 2 * m.embedding_params) / (n * chip.memory_bandwidth_bytes_per_s)
    assert one.tpot_s >= least * 0.9
    assert one.ttft_s >= 2 * m.active_params * 0.5 * case["input_tokens"] / (n * peak)
    answer = one.mean_ttft_s + (case["output_tokens"] - 1) * one.tpot_s
    little = case["concurrency"] * case["output_tokens"] / answer / n
    assert one.output_tokens_per_s_per_gpu == pytest.approx(little)
    assert sum(one.shares.values()) == pytest.approx(1)
    assert one.bound_by in one.parts_s


@given(deployments, st.floats(1, 4))
@settings(max_examples=100, deadline=None)
def test_more_users_never_speed_anyone_up(case, more):
    case = laid_out(case)
    few = ask_if_it_fits(case)
    if few is not None:
        many = ask(**case | {"concurrency": case["concurrency"] * more})
        assert many.tpot_s >= few.tpot_s * (1 - 1e-3)
        assert many.ttft_s >= few.ttft_s * (1 - 1e-3)


@given(deployments, st.floats(1, 3))
@settings(max_examples=100, deadline=None)
def test_a_longer_prompt_is_never_answered_sooner(case, longer):
    case = laid_out(case) | {"concurrency": 1}
    long = ask_if_it_fits(case | {"input_tokens": case["input_tokens"] * longer})
    if long is not None:
        short = ask(**case)
        assert long.ttft_s >= short.ttft_s * (1 - 1e-9)
        assert long.tpot_s >= short.tpot_s * (1 - 1e-9)


@given(deployments, st.floats(0.05, 20))
@settings(max_examples=80, deadline=None)
def test_better_software_helps_and_never_beats_the_datasheet(case, maturity):
    case = laid_out(case)
    now = ask_if_it_fits(case)
    if now is None:
        return
    then, best = (ask(**case, software_maturity=m) for m in (maturity, 1000.0))
    better, worse = (then, now) if maturity >= 1 else (now, then)
    for metric in ("ttft_s", "tpot_s"):
        assert getattr(better, metric) <= getattr(worse, metric) * (1 + 1e-9)
        assert getattr(best, metric) <= getattr(better, metric) * (1 + 1e-9)
    bytes_read = best.parts_s.get("weights", 0) * Calibration.fitted().weight_bandwidth_frac
    assert best.tpot_s >= bytes_read * 0.999


# -- second routes --------------------------------------------------------------------------
def test_one_user_on_one_gpu_by_hand():
    """Datasheet bound: every weight but the input table, and the cache, once through the bus."""
    m, chip = model("llama-3.1-8b"), accelerator("h100-sxm")
    one = ask(m, chip, input_tokens=1000, output_tokens=500, concurrency=1,
                  calibration=Calibration.datasheet())  # fmt: skip
    read = 2 * (m.n_params - m.embedding_params)
    step = (read + 131072 * 1250) / chip.memory_bandwidth_bytes_per_s
    assert one.tpot_s == pytest.approx(step, rel=1e-6)
    body = m.active_params - m.head_params
    work = 2 * 1000 * body / chip.peak_bf16_flop_per_s
    attention = 32 * 2 * 32 * 2 * 128 * 1000 * 1000 / 2 / chip.peak_bf16_flop_per_s
    own = max(work + attention, read / chip.memory_bandwidth_bytes_per_s)
    assert one.ttft_s == pytest.approx(own, rel=1e-6)


def test_experts_touched_agree_with_a_draw():
    m = model("qwen3-30b-a3b")
    rng = np.random.default_rng(0)
    batch, draws = 20, []
    for _ in range(400):
        hit = [rng.choice(m.n_experts, m.experts_per_token, replace=False) for _ in range(batch)]
        draws.append(len(np.unique(hit)) / m.n_experts)
    bound = Calibration.datasheet()
    case = {"input_tokens": 1, "output_tokens": 1000, "concurrency": batch, "calibration": bound}
    one = ask(m, "h100-sxm", **case)
    rest = 2 * (m.n_params - m.routed_expert_params - m.embedding_params)
    touched = one.parts_s["weights"] * accelerator("h100-sxm").memory_bandwidth_bytes_per_s - rest
    assert touched / (2 * m.routed_expert_params) == pytest.approx(np.mean(draws), rel=0.01)


def test_kv_and_weights_and_flop_from_the_shape():
    assert kv_bytes_per_token("llama-3.1-70b") == 2 * 80 * 8 * 128 * 2  # not 64 heads: 8 times less
    assert kv_bytes_per_token("deepseek-v3") == 61 * (512 + 64) * 2  # the latent, not the heads
    assert kv_bytes_per_token("llama-3.1-8b", 1) == kv_bytes_per_token("llama-3.1-8b") / 2
    assert weight_bytes("llama-3.1-70b") == pytest.approx(141.1e9, rel=0.001)
    saved = model("llama-3.1-70b").n_params - 2 * 128256 * 8192
    assert weight_bytes("llama-3.1-70b") - weight_bytes("llama-3.1-70b", "fp8") == saved
    assert weight_bytes("deepseek-v3", "fp8") < 0.51 * weight_bytes("deepseek-v3", "bf16") * 1.01
    grows = flop_per_token("llama-3.1-8b", 8192) - flop_per_token("llama-3.1-8b")
    assert grows == 32 * 4 * 32 * 128 * 8192
    sparse = model("glm-5")
    assert flop_per_token(sparse, 100_000) == flop_per_token(sparse, 10_000)  # top 2,048 tokens


def test_pipeline_stages_work_at_the_same_time():
    """Many users: two stages hold half the weights each and the same tokens flow; one user alone
    gains nothing, since a token passes both stages."""
    alone = {"input_tokens": 100, "output_tokens": 1000, "concurrency": 1}
    bound = Calibration.datasheet()
    two = ask("llama-3.1-8b", "h100-sxm", n_gpu=2, tp=1, pp=2, **alone, calibration=bound)
    one = ask("llama-3.1-8b", "h100-sxm", n_gpu=1, tp=1, **alone, calibration=bound)
    assert two.tpot_s == pytest.approx(one.tpot_s, rel=1e-9)
    busy = alone | {"concurrency": 64}
    two = ask("llama-3.1-8b", "h100-sxm", n_gpu=2, tp=1, pp=2, **busy, calibration=bound)
    half = ask("llama-3.1-8b", "h100-sxm", n_gpu=1, tp=1, **alone | {"concurrency": 32},
                   calibration=bound)  # fmt: skip
    assert two.tpot_s == pytest.approx(half.tpot_s, rel=1e-3)


def test_replicas_of_a_dense_model_share_the_users():
    four = ask("llama-3.1-8b", "h100-sxm", n_gpu=4, tp=1, dp=4, **RUN | {"concurrency": 64})
    left = ask("llama-3.1-8b", "h100-sxm", n_gpu=4, tp=1, dp=1, **RUN | {"concurrency": 64})
    one = ask("llama-3.1-8b", "h100-sxm", n_gpu=1, tp=1, **RUN | {"concurrency": 16})
    for other in (four, left):
        assert other.tpot_s == pytest.approx(one.tpot_s)
        assert other.output_tokens_per_s_per_gpu == pytest.approx(one.output_tokens_per_s_per_gpu)


def test_the_largest_batch_fills_the_memory():
    most = max_batch(Scenario.default(), context_tokens=4000)
    k, chip = Calibration.fitted(), accelerator("h100-sxm")
    free = 4 * (chip.device_memory_bytes * k.usable_memory_frac - k.reserved_bytes)
    free -= weight_bytes("llama-3.1-70b", "fp8")
    assert most == int(free / (4000 * 327680))
    assert max_batch(Scenario.of("llama-3.1-70b", "h100-sxm"), context_tokens=1) == 0
    # one latent per token is not split by heads: tensor parallelism stores it on every GPU
    narrow, wide = (
        max_batch(
            Scenario.of("deepseek-v3", "h200-sxm", n_gpu=8, precision="fp8", **split),
            context_tokens=4000,
        )
        for split in ({"tp": 8}, {"tp": 1, "dp": 8, "ep": 8})
    )
    assert wide > 3 * narrow


# -- one case and many ----------------------------------------------------------------------
def test_a_table_gives_what_single_predictions_give():
    rng = np.random.default_rng(3)
    rows = []
    for name in MODELS + HYBRIDS:
        for chip in CHIPS:
            for tp, pp, dp in ((8, 1, 1), (4, 2, 1), (2, 1, 4)):
                moe = model(name).is_moe
                rows.append(
                    {
                        "model": name,
                        "accelerator": chip,
                        "n_gpu": 8,
                        "tp": tp,
                        "pp": pp,
                        "ep": tp * dp if moe and dp > 1 else 1,
                        "dp": dp,
                        "precision": rng.choice(["fp8", "bf16", "int4"]),
                        "input_tokens": rng.uniform(1, 9000),
                        "output_tokens": rng.uniform(1, 3000),
                        "concurrency": rng.integers(1, 2000),
                        "engine": rng.choice(["vllm", "sglang", "trtllm", "lmdeploy"]),
                        "software_maturity": rng.choice([0.5, 1.0, 2.0]),
                    }
                )
    frame = pd.DataFrame(rows)
    many = predict_frame(frame)
    assert (many.reason == "").mean() > 0.8
    for i, row in frame.iterrows():
        engine = row.engine if row.engine in engine_names() else ""  # a table is lenient
        one = ask_if_it_fits(row.to_dict() | {"engine": engine})
        assert (one is not None) == (many.reason[i] == "")
        if one is None:
            continue
        for name in ("ttft_s", "tpot_s", "output_tokens_per_s_per_gpu", "batch"):
            assert many.loc[i, name] == pytest.approx(getattr(one, name), rel=1e-12), name
        assert many.regime[i] == one.regime
        assert many.tpot_high_s[i] == pytest.approx(one.band("tpot_s")[1])


def test_bad_rows_say_why_and_leave_the_others_alone():
    good = {"model": "llama-3.1-8b", "accelerator": "h100-sxm", "n_gpu": 2, "tp": 2} | RUN
    bad = {
        "unknown model 'llama-3.1-9b'; nearest": {"model": "llama-3.1-9b"},
        "unknown accelerator 'h900'": {"accelerator": "h900"},
        "unknown precision 'fp5'": {"precision": "fp5"},
        "a100-sxm-80gb has no fp8 arithmetic; it has": {
            "accelerator": "a100-sxm-80gb",
            "precision": "fp8",
        },
        "tp = 3 is outside its range: a divisor of the 32": {"tp": 3, "n_gpu": 3},
        "n_gpu = 3 is outside its range: a multiple": {"n_gpu": 3},
        "ep = 2 is outside its range: 1, a dense model": {"ep": 2},
        "ep = 256 is outside its range: 1 to": {"model": "gpt-oss-120b", "ep": 256},
        "pp = 40 is outside its range: 1 to the 32 layers": {"pp": 40, "n_gpu": 80},
        "input_tokens = -1 is outside its range: above 0": {"input_tokens": -1},
        "output_tokens = nan is outside its range": {"output_tokens": np.nan},
        "concurrency = 0 is outside": {"concurrency": 0},
        "tp = 1.5 is outside its range: a whole number": {"tp": 1.5},
        "software_maturity = 0 is outside": {"software_maturity": 0},
        "does not fit: ": {"model": "llama-3.1-405b"},
    }
    base = good | {"pp": 1, "ep": 1, "dp": 1, "precision": "bf16", "software_maturity": 1.0}
    frame = pd.DataFrame([base, *(base | change for change in bad.values()), base])
    frame.index = frame.index * 7 + 3  # any index is kept
    out = predict_frame(frame)
    assert out.index.equals(frame.index)
    assert out.reason.iloc[0] == out.reason.iloc[-1] == ""
    assert out.tpot_s.iloc[0] == out.tpot_s.iloc[-1] > 0
    for (says, _), reason in zip(bad.items(), out.reason.iloc[1:-1], strict=True):
        assert reason.startswith(says), reason
    for column in ("ttft_s", "tpot_s", "batch", "tokens_per_s_per_user", "tpot_high_s"):
        assert out[column].iloc[1:-1].isna().all(), column
    offline = max_throughput_frame(frame)
    assert list(offline.reason) == list(out.reason)


def test_rows_of_a_kind_are_answered_as_they_are_alone():
    """Many rows of one kind go through the equations apart from the others; nobody can tell."""
    rng = np.random.default_rng(5)
    few = [
        {"model": "gpt-oss-120b", "accelerator": "b200-sxm", "tp": 2, "engine": "sglang"},
        {"model": "llama-3.1-405b", "accelerator": "h100-sxm", "tp": 1, "engine": "vllm"},
        {"model": "llama-9", "accelerator": "mi300x", "tp": 1, "engine": "vllm"},
        {"model": "deepseek-v3", "accelerator": "h200-sxm", "tp": 8, "engine": "trtllm"},
    ]
    many = {"model": "llama-3.1-8b", "accelerator": "h100-sxm", "tp": 2, "engine": "vllm"}
    frame = pd.DataFrame([many] * (FEWEST_ALIKE + 60) + few * 10).assign(precision="fp8")
    size = len(frame)
    frame["input_tokens"] = rng.uniform(1, 9000, size)
    frame["output_tokens"] = rng.uniform(1, 3000, size)
    frame["concurrency"] = rng.choice([np.nan, -1.0, 3.0, 40.0, 900.0], size)
    frame = frame.sample(frac=1, random_state=0)
    for answer in (predict_frame, max_throughput_frame, energy_frame):
        whole = answer(frame)
        parts = pd.concat([answer(frame[i : i + 500]) for i in range(0, size, 500)])
        pd.testing.assert_frame_equal(whole, parts, rtol=1e-12)


def test_columns_may_be_left_out_and_objects_given():
    least = pd.DataFrame([{"model": "llama-3.1-8b", "accelerator": "h100-sxm"} | RUN])
    out = predict_frame(least).iloc[0]
    assert out.tpot_s == ask("llama-3.1-8b", "h100-sxm", **RUN).tpot_s
    objects = least.assign(model=[model("llama-3.1-8b")], accelerator=[accelerator("h100-sxm")])
    assert predict_frame(objects).tpot_s.iloc[0] == out.tpot_s
    spread = pd.DataFrame([{"model": "gpt-oss-120b", "accelerator": "h100-sxm", "n_gpu": 8} | RUN])
    whole = predict_frame(spread.assign(precision="fp4")).iloc[0]
    given_tp = ask("gpt-oss-120b", "h100-sxm", n_gpu=8, tp=8, precision="fp4", **RUN)
    assert whole.tpot_s == pytest.approx(given_tp.tpot_s)
    assert len(predict_frame(least.iloc[:0])) == 0
    with pytest.raises(ValueError, match="the frame has no column model, accelerator"):
        predict_frame(least.drop(columns=["model", "accelerator"]))


# -- offline --------------------------------------------------------------------------------
@given(deployments)
@settings(max_examples=60, deadline=None)
def test_no_closed_loop_outruns_offline_work(case):
    """With as many users as offline work keeps running, streaming users are served no faster."""
    case = laid_out(case)
    frame = pd.DataFrame([case])
    offline = max_throughput_frame(frame.drop(columns="concurrency")).iloc[0]
    capped = max_throughput_frame(frame).iloc[0]
    online = predict_frame(frame).iloc[0]
    assert offline.reason == online.reason
    if online.reason == "":
        chip, m = accelerator(case["accelerator"]), model(case["model"])
        peak = chip.peak_flop_per_s(case["precision"])
        per_answer = 2 * (m.active_params - m.head_params) * case["input_tokens"]
        work = per_answer / case["output_tokens"] + 2 * m.active_params
        assert offline.output_tokens_per_s_per_gpu <= peak / work
        assert capped.batch <= max(case["concurrency"], 1)
        n_out = case["output_tokens"]  # offline work counts a step for the first token too
        most = capped.output_tokens_per_s_per_gpu * 1.15 * (n_out + 1) / n_out
        assert online.output_tokens_per_s_per_gpu <= most * (1 + 1e-4)  # where both are one prompt


# -- errors ---------------------------------------------------------------------------------
def test_errors_name_what_is_possible():
    with pytest.raises(KeyError, match="nearest: h100-sxm"):
        ask("llama-3.1-8b", "h100-sxn", **RUN)
    with pytest.raises(ValueError, match="tp = 5 is outside its range: a divisor of the 32"):
        ask("llama-3.1-8b", "h100-sxm", n_gpu=5, tp=5, **RUN)
    with pytest.raises(ValueError, match="ep = 16 is outside its range: 1 to tp × dp = 8"):
        ask("gpt-oss-120b", "h100-sxm", n_gpu=8, tp=8, ep=16, precision="fp4", **RUN)
    with pytest.raises(ValueError, match="it has bf16, fp16, fp4, int8, int4"):
        ask("llama-3.1-8b", "a100-sxm-80gb", precision="fp8", **RUN)
    with pytest.raises(ValueError, match="unknown precision 'fp12'"):
        weight_bytes("llama-3.1-8b", "fp12")
    with pytest.raises(ValueError, match="concurrency = 0 is outside"):
        ask("llama-3.1-8b", "h100-sxm", **RUN | {"concurrency": 0})


def test_what_does_not_fit_is_never_a_silent_number():
    tight = {"n_gpu": 1, "tp": 1} | RUN
    need = weight_bytes("llama-3.1-70b") + 327680 * 1500
    held = accelerator("h100-sxm").device_memory_bytes
    with pytest.raises(DoesNotFit, match="GB missing") as error:
        ask("llama-3.1-70b", "h100-sxm", **tight)
    assert error.value.missing_bytes == pytest.approx(need - held)


def test_the_most_users_within_the_slo_are_those_of_single_predictions():
    s = Scenario.of("llama-3.1-8b", "h100-sxm", input_tokens=2000, output_tokens=300)
    for slo in (Slo(ttft_s=0.5, tpot_s=0.012), Slo(ttft_s=5.0, tpot_s=0.02)):
        case = s.with_(slo=slo)
        times = [predict(case, concurrency=n) for n in range(1, 101)]
        met = [n for n, p in enumerate(times, 1) if p.ttft_s <= slo.ttft_s
               and p.tpot_s <= slo.tpot_s]  # fmt: skip
        assert 0 < users_within(case, n_most=100) == max(met) == users_within(s, slo, n_most=100)
    assert users_within(s.with_(tpot_s=1e-4)) == 0
    assert users_within(Scenario.of("llama-3.1-70b", "h100-sxm")) == 0
    twice = s.with_(n_gpu=2)
    assert users_within(twice) == 2 * users_within(s)
    # a mixture whose experts are shared by sixteen is one replica, not eight that do not fit
    wide = Scenario.of("deepseek-v3", "h200-sxm", n_gpu=16, tp=2, dp=8, ep=16, precision="fp8")
    assert 100 < users_within(wide.with_(tpot_s=0.1, ttft_s=5.0)) < max_batch(wide)


def test_far_from_what_was_measured_the_band_widens():
    near = ask("llama-3.1-70b", "h100-sxm", n_gpu=4, tp=4, precision="fp8", **RUN)
    assert near.calibrated
    far = ask("llama-3.1-70b", "h100-sxm", n_gpu=8, tp=4, pp=2, precision="fp8", **RUN)
    assert (far.regime, far.calibrated) == ("beyond", False)
    assert far.bands["tpot_s"][1] > near.bands["tpot_s"][1]
    crowd = ask("llama-3.1-8b", "h100-sxm", **RUN | {"concurrency": 1000})
    assert crowd.regime == "beyond"
    crowd = ask("llama-3.1-8b", "h100-sxm", **RUN | {"concurrency": 300})
    assert crowd.regime == "crowded"
    crowd = ask("falcon-180b", "h100-sxm", n_gpu=8, tp=8, **RUN | {"concurrency": 300})
    assert crowd.regime == "beyond"
    new = ask("falcon-180b", "l40s", n_gpu=8, tp=8, precision="fp8", **RUN)
    assert new.regime == "new both"
    low, high = near.band("ttft_s", 0.5)
    assert (
        near.ttft_s / low
        == pytest.approx(high / near.ttft_s)
        == pytest.approx(near.bands["ttft_s"][0])
    )
    with pytest.raises(ValueError, match=r"coverage_frac = 0\.8"):
        near.band("ttft_s", 0.8)
    with pytest.raises(ValueError, match="unknown metric"):
        near.band("tpot")


def test_software_of_2024_reached_a_fourth_of_the_prediction():
    from econ.energy.fit import power_runs

    runs = power_runs().query("source == 'mlenergy-v2'").reset_index(drop=True)
    given = runs.drop(columns=["output_tokens_per_s_per_gpu", "energy_j_per_token"])
    rate = predict_frame(given)["output_tokens_per_s_per_gpu"]
    assert 3 < (rate / runs["output_tokens_per_s_per_gpu"]).median() < 6


def test_a_concurrency_that_is_missing_or_max_means_as_many_as_fit():
    row = {"model": "llama-3.1-8b", "accelerator": "h100-sxm", "precision": "fp8",
           "input_tokens": 1000, "output_tokens": 500}  # fmt: skip
    most = max_batch(Scenario.of("llama-3.1-8b", "h100-sxm", precision="fp8"), context_tokens=1250)
    frame = pd.DataFrame([row] * 4).assign(concurrency=["max", None, most, "lots"])
    out = predict_frame(frame)
    assert out["tpot_s"].iloc[:2].to_numpy() == pytest.approx(out["tpot_s"].iloc[2])
    assert out["reason"].iloc[3].startswith("concurrency = nan is outside its range")
    whole = predict_frame(frame.drop(columns="concurrency"))
    assert whole["tpot_s"].to_numpy() == pytest.approx(out["tpot_s"].iloc[2])
    offline = max_throughput_frame(frame.iloc[:2])["output_tokens_per_s_per_gpu"]
    assert (offline > out["output_tokens_per_s_per_gpu"].iloc[0] * 0.9).all()
