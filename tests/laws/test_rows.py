"""The order of a table's rows changes no answer: a row keeps its own, a set keeps its one."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.latency import compare_frame, max_throughput_frame
from econ.plan.frontier import on_frontier
from econ.scaling.fit import loss_points
from econ.serving import StepCost
from econ.tokens import read_trace
from econ.tokens.workloads import Workload
from econ.trends.fits import fit_break, fit_trend
from econ.trends.forecast import backtest_frame, steps_of
from tests.laws.cases import law

SEEDS = st.integers(0, 999)
RUNS = pd.DataFrame(
    {
        "model": ["llama-3.1-8b", "qwen3-32b", "gpt-oss-120b", "llama-3.1-8b", "qwen3-32b"],
        "accelerator": ["h100-sxm", "b200-sxm", "h200-sxm", "l40s", "tpu-v5e"],
        "n_gpu": [1, 2, 2, 1, 8],
        "tp": [1, 2, 2, 1, 8],
        "input_tokens": [200.0, 1500.0, 8000.0, 700.0, 700.0],
        "output_tokens": [100.0, 500.0, 50.0, 900.0, 900.0],
        "concurrency": [1, 40, 300, 7, 7],
    }
)
MEASURED = RUNS.iloc[:4].assign(output_tokens_per_s=900.0, ttft_s=0.2, tpot_s=0.02)
POINTS = pd.DataFrame(
    {
        "date": ["2023-03-01", "2023-07-10", "2023-11-06", "2024-02-01", "2024-05-13", "2024-08-06",
                 "2025-01-20", "2025-06-01"],
        "value": [60.0, 33.0, 30.0, 12.0, 10.0, 4.0, 2.2, 1.5],
    }
)  # fmt: skip
HEAD = "created_at,tokens_prompt,tokens_completion\n"
LOG = [f"2026-03-02 10:{i:02d}:{3 * i}.5,{200 + 37 * i},{90 - 4 * i}\n" for i in range(20)]


def moved(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows in another order, each with its own label."""
    return frame.sample(frac=1, random_state=seed)


@pytest.mark.parametrize(
    ("answers", "frame"),
    [(econ.energy.energy_frame, RUNS), (max_throughput_frame, RUNS), (compare_frame, MEASURED)],
    ids=["energy", "throughput", "compared"],
)
@law
@given(seed=SEEDS)
def test_every_row_keeps_its_own_answer(answers, frame, seed):
    again = moved(frame, seed)
    answered = answers(again).set_axis(again.index).sort_index()
    pd.testing.assert_frame_equal(answered, answers(frame), rtol=1e-12)


@law
@given(seed=SEEDS)
def test_a_frontier_is_the_same_rows(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.integers(0, 6, (40, 3)).astype(float), columns=["a", "b", "c"])
    both = frame.assign(stays=on_frontier(frame, ["a", "b"], ["c"]))
    again = moved(both, seed)
    assert (on_frontier(again, ["a", "b"], ["c"]) == again["stays"]).all()


@pytest.mark.parametrize("fit", [fit_trend, fit_break, steps_of, backtest_frame])
@law
@given(seed=SEEDS)
def test_dated_points_are_in_the_order_of_their_dates(fit, seed):
    one, other = fit(POINTS), fit(moved(POINTS, seed))
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(other, one, rtol=1e-12)
    else:
        values = [vars(x).values() if dataclasses.is_dataclass(x) else [x] for x in (one, other)]
        for before, after in zip(*values, strict=True):
            np.testing.assert_array_equal(after, before)


@law
@given(seed=SEEDS)
def test_a_log_is_the_same_load_whatever_the_order_of_its_lines(seed):
    lines = pd.Series(LOG).sample(frac=1, random_state=seed)
    one, other = (
        read_trace((HEAD + "".join(rows)).encode(), name="log.csv") for rows in (LOG, lines)
    )
    pd.testing.assert_frame_equal(other, one)
    assert Workload.from_trace(other) == Workload.from_trace(one)


@law
@given(seed=SEEDS)
def test_a_fit_of_steps_is_the_same(seed):
    rng = np.random.default_rng(seed)
    true = StepCost.affine(4e-3, 2e-5, per_ctx_token_s=3e-8)
    decoded, read = rng.integers(1, 200, 30), rng.integers(0, 4000, 30)
    context = decoded * rng.integers(100, 9000, 30)
    steps = pd.DataFrame({"n_decode": decoded, "prefill_tokens": read, "context_tokens": context})
    steps["prefill_pairs"] = steps["prefill_tokens"] ** 2
    steps["step_s"] = [
        true.step_s(int(n), int(c), [(0, int(x))] if x else [])
        for n, c, x in zip(decoded, context, read, strict=True)
    ]
    one, other = StepCost.fit(steps), StepCost.fit(moved(steps, seed))
    for name in ("linear_s", "decode_base_s", "decode_per_ctx_token_s"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-6, atol=1e-12)


def test_a_law_of_scaling_is_the_same():
    rows = loss_points("gadre-c4")
    one, other = (econ.scaling.fit_law(r, n_bootstrap=0) for r in (rows, moved(rows, 1)))
    for name in ("E", "A", "B", "alpha", "beta"):
        assert getattr(other.law, name) == pytest.approx(getattr(one.law, name), rel=1e-3)
