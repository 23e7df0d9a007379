"""Sentences that were wrong stay out of the course; what can be computed of them is."""

import re
from pathlib import Path

import nbformat
import pytest

from econ import energy, latency
from econ.catalog import accelerator, model
from econ.latency.bound import envelope, reality_frame
from econ.scenario import Scenario
from econ.serving import replica, simulate

ROOT = Path(__file__).resolve().parents[2]
WITHDRAWN = (
    r"are here today", r"whatever the software does", r"almost no time", r"cannot show a queue",
    r"1\.8 pJ", r"decide more than how", r"no fall since", r"the low price has survived",
    r"252 held", r"99 of 99", r"where and when decide",
)  # fmt: skip
BASE = Scenario.default()


@pytest.mark.parametrize(
    "path",
    sorted(p for p in (ROOT / "notebooks").glob("*.ipynb") if p.stem[:2] != "16"),  # quotes them
    ids=lambda p: p.stem,
)
def test_no_notebook_says_them_again(path):
    text = " ".join(c.source for c in nbformat.read(path, as_version=4).cells)
    text = re.sub(r"\s+", " ", text)
    assert [words for words in WITHDRAWN if re.search(words, text, re.I)] == []


def test_below_the_ridge_more_users_do_take_time():
    chip = accelerator("h100-sxm")
    ridge = chip.peak_flop_per_s("bf16") / chip.memory_bandwidth_bytes_per_s
    one, many = (latency.predict(BASE, concurrency=n).tpot_s for n in (1, 64))
    assert ridge > 64
    assert many > 1.5 * one


def test_sharing_costs_a_user_more_than_the_bound_says():
    bound = envelope(BASE, 16).step_s / envelope(BASE, 1).step_s
    model_x = (
        latency.predict(BASE, concurrency=16).tpot_s / latency.predict(BASE, concurrency=1).tpot_s
    )
    runs = reality_frame().set_index("batch")["measured_tpot_s"]
    assert bound < 1.1
    assert runs[16] / runs[4] > 1.1
    assert model_x > 1.2


def test_speculation_passes_what_a_step_allows_one_user():
    gain = latency.speculation_frame(BASE, acceptance_frac=0.8).set_index("batch")["speedup"]
    assert gain[1] > 1.5


def test_a_window_stops_growing():
    net = model("gpt-oss-120b")
    early, late = (net.kv_bytes(n + 1) - net.kv_bytes(n) for n in (50, 5000))
    assert early == pytest.approx(2 * late)  # half of the layers look back 128 tokens


def test_a_closed_loop_shows_no_longer_a_queue_than_its_clients():
    n_clients, seats = 12, 4
    run = replica(BASE).replace(max_batch=seats)
    times = simulate([0.0] * n_clients, [500] * n_clients, [50] * n_clients, run)
    waiting = sum(t > times.first_token_s.min() + 1e-9 for t in times.first_token_s)
    assert 0 < waiting <= n_clients - 1


def test_an_accelerator_draws_no_more_than_its_tdp():
    for users in (1, 16, 64):
        drawn = energy.energy(BASE, concurrency=users)
        one = latency.predict(BASE, concurrency=users)
        tokens_per_s = one.output_tokens_per_s_per_gpu * BASE.deployment.n_gpu
        watts = drawn.j_per_output_token * tokens_per_s / BASE.deployment.n_gpu
        assert watts <= accelerator("h100-sxm").tdp_w
