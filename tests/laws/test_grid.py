"""Laws of the latency model on a grid over every accelerator."""

import dataclasses
import functools
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import accelerator
from econ.latency import predict_frame, users_within
from econ.latency.calibration import Calibration
from econ.latency.software import Software
from econ.latency.steps import answer_s
from econ.terms import Slo
from tests.laws.cases import CHIPS, law, services

AXES = {
    "accelerator": CHIPS,
    "model": ("llama-3.1-8b", "gpt-oss-120b", "deepseek-v3"),
    "engine": ("vllm", "sglang", "trtllm"),
    "tp": (1, 8),
    "input_tokens": (100, 1000, 8000, 30_000),
    "output_tokens": (30, 200, 1500),
    "concurrency": (1, 8, 64, 256, 1000),
}
PEAKS = tuple(f"peak_{kind}_flop_per_s" for kind in ("bf16", "fp8", "fp4", "fp32"))
BANDWIDTH = ("memory_bandwidth_bytes_per_s",)
LINKS = ("scaleup_bandwidth_bytes_per_s",)
TIMES = ["ttft_p50_s", "ttft_p99_s", "mean_ttft_s", "itl_p99_s", "tpot_s", "benchmark_mean_ttft_s"]


@functools.cache
def grid() -> pd.DataFrame:
    rows = pd.DataFrame(itertools.product(*AXES.values()), columns=list(AXES))
    return rows.assign(n_gpu=rows["tp"], precision="fp8")


def predicted(quantities=(), times=1.0, calibration=None) -> pd.DataFrame:
    """The grid where every accelerator's ``quantities`` are multiplied."""

    def multiplied(name):
        chip = accelerator(name)
        own = {n: getattr(chip, n) * times for n in quantities if getattr(chip, n)}
        return dataclasses.replace(chip, **own)

    chips = {name: multiplied(name) for name in CHIPS}
    rows = grid().assign(accelerator=grid()["accelerator"].map(chips))
    return predict_frame(rows, calibration)


@functools.cache
def answers_s(*better) -> pd.Series:
    """A whole answer's mean time."""
    out = predicted(*better)
    return answer_s(out["mean_ttft_s"], out["tpot_s"], out["output_tokens"])


@pytest.mark.parametrize(
    ("quantities", "slack"),
    # what is left: the mean wait in a queue of prompts is an approximation, and so is the batch
    # that decodes between prompts which are read first
    [(BANDWIDTH, 0.014), (PEAKS, 0.004), (LINKS, 0.001), (BANDWIDTH + PEAKS + LINKS, 0.008)],
    ids=["bandwidth", "peaks", "links", "all"],
)
def test_a_better_machine_never_slows(quantities, slack):
    before, after = answers_s(), answers_s(quantities, 1.3)
    assert before.notna().mean() > 0.4  # the rest does not fit
    assert after.notna().equals(before.notna())
    ratio = (after / before).dropna()
    assert ratio.max() < 1 + slack
    assert (ratio > 1 + 1e-9).mean() < 0.02
    assert ratio.min() < 0.9  # and the machine is felt


def test_other_seconds_are_other_answers_in_proportion():
    """All rates times a thousand and all times of the software a thousandth: no term has a unit
    that another lacks."""
    k = dataclasses.replace(Calibration.fitted(), software=Software())  # dates hold to a datasheet
    host = ("first_token_s", "opening_s", "host_s_per_sequence")
    names = (*k.names(), *(f"{engine.name}.{name}" for engine in k.engines for name in host))
    rates = {n for n in names if n.endswith("_per_s")}
    times = {n for n in names if n.endswith(("_s", "_s_per_sequence"))} - rates
    factors = dict.fromkeys(rates, 1000.0) | dict.fromkeys(times, 0.001)
    quicker = k.replace(**{name: k.value(name) * factor for name, factor in factors.items()})
    plain, quick = predicted((), 1.0, k), predicted(BANDWIDTH + PEAKS + LINKS, 1000.0, quicker)
    for name in TIMES:
        np.testing.assert_allclose(quick[name] * 1000, plain[name], rtol=1e-9)
    np.testing.assert_allclose(quick["batch"], plain["batch"], rtol=1e-9)


def test_a_row_is_answered_alike_wherever_it_stands():
    rows = grid().iloc[::97]
    moved = predict_frame(rows.sample(frac=1, random_state=1)).sort_index()
    pd.testing.assert_frame_equal(moved, predict_frame(rows))
    few = rows.index[[3, 50, -1]]
    pd.testing.assert_frame_equal(predict_frame(rows.loc[few]), moved.loc[few], rtol=1e-12)


@law
@given(services(), st.floats(0.01, 30), st.floats(0.002, 1), st.floats(1, 10))
def test_a_looser_slo_never_serves_fewer_users(service, ttft_s, tpot_s, more):
    s, _ = service
    tight = users_within(s, Slo(ttft_s=ttft_s, tpot_s=tpot_s))
    for ttft, tpot in ((more, 1), (1, more), (more, more)):
        assert users_within(s, Slo(ttft_s=ttft_s * ttft, tpot_s=tpot_s * tpot)) >= tight
