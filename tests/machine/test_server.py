"""The server in one process does what the simulator computes, step by step."""

import numpy as np
import pandas as pd
import pytest

from econ.machine.server import measured_times, serve
from econ.machine.simulator import compare_frame, own_replica, simulated, step_cost, steps_frame
from econ.machine.transformer import tiny_model
from econ.serving import Replica, StepCost, simulate
from econ.serving.cost import FIT_COLUMNS

PROMPT = 8  # tokens of every request, so that the clock can tell a prompt from an answer


class Clock:
    """A model whose steps take what a cost says, on a clock that only they and sleep move."""

    def __init__(self, cost, tiny):
        self.cost, self.now = cost, 0.0
        self.shape, self.cache = tiny.shape, tiny.cache

    def step(self, cache, work):
        before = [cache.n_tokens[slot] for slot, _ in work]
        decodes = [n for n in before if n >= PROMPT]
        chunks = [(n, len(part)) for n, (_, part) in zip(before, work, strict=True) if n < PROMPT]
        self.now += self.cost.step_s(len(decodes), sum(decodes) + len(decodes), chunks)
        for slot, part in work:
            cache.n_tokens[slot] += len(part)
        return [1] * len(work)


@pytest.mark.parametrize("policy", ["chunked_prefill", "prefill_first"])
def test_on_a_given_clock_it_is_the_simulator(monkeypatch, policy):
    cost = StepCost.affine(0.01, 0.001, per_ctx_token_s=1e-5)
    clock, rng = Clock(cost, tiny_model(1e6)), np.random.default_rng(1)
    monkeypatch.setattr("econ.machine.server.time.perf_counter", lambda: clock.now)
    monkeypatch.setattr(
        "econ.machine.server.time.sleep", lambda s: setattr(clock, "now", clock.now + s)
    )
    n_in, n_out = np.full(12, PROMPT), rng.integers(2, 9, 12)
    arrival_s = np.sort(rng.uniform(0, 0.5, 12))
    requests = pd.DataFrame({"arrival_s": arrival_s, "input_tokens": n_in, "output_tokens": n_out})
    served = serve(clock, requests, max_batch=4, token_budget=10, policy=policy).times
    replica = Replica(cost=cost, kv_tokens=10_000, max_batch=4, token_budget=10, policy=policy)
    expected = simulate(arrival_s, n_in, n_out, replica)
    np.testing.assert_allclose(served.first_token_s, expected.first_token_s, atol=1e-9)
    np.testing.assert_allclose(served.done_s, expected.done_s, atol=1e-9)


def test_every_token_is_written_and_timed():
    requests = pd.DataFrame(
        {"arrival_s": [0.0, 0.0, 0.01], "input_tokens": [30, 5, 9], "output_tokens": [3, 1, 6]}
    )
    out = serve(tiny_model(1e6), requests, max_batch=2, token_budget=8)
    times = out.times
    assert out.steps["prefill_tokens"].sum() == 44
    assert out.steps["n_decode"].sum() == len(out.itl_s) == 3 + 1 + 6 - 3
    assert (times.first_token_s > times.arrival_s).all()
    assert (times.done_s >= times.first_token_s).all()
    assert times.done_s[1] == times.first_token_s[1]
    assert (out.steps[["prefill_tokens", "n_decode"]].sum(axis=1) <= 8).all()


def test_a_closed_loop_has_no_more_users_than_it_says():
    requests = pd.DataFrame({"arrival_s": 0.0, "input_tokens": [6] * 7, "output_tokens": 3})
    times = serve(tiny_model(1e6), requests, concurrency=2, max_batch=4, token_budget=8).times
    assert (times.arrival_s[:2] == 0).all()
    np.testing.assert_allclose(times.arrival_s[2:], np.sort(times.done_s)[:-2])


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"policy": "chunked"}, "nearest: chunked_prefill"),
        ({"token_budget": 2}, "token_budget = 2 is outside its range"),
        ({"concurrency": 0}, "concurrency = 0 is outside its range"),
    ],
)
def test_settings_that_cannot_be_are_named(setting, words):
    requests = pd.DataFrame({"arrival_s": [0.0], "input_tokens": [3], "output_tokens": [2]})
    with pytest.raises(ValueError, match=words):
        serve(tiny_model(1e6), requests, **{"max_batch": 4, "token_budget": 8, **setting})


def test_measured_steps_become_the_cost_that_made_them():
    true = StepCost.affine(0.01, 0.001, per_ctx_token_s=1e-5)
    rows = []
    for batch in (1, 2, 4, 8):
        for context in (10, 100):
            rows.append((true.step_s(batch, batch * context), 0, batch, batch * context, 0))
    rows += [(true.step_s(0, 0, [(0, n)]), n, 0, 0, n * n) for n in (16, 64)]
    cost = step_cost(pd.DataFrame(rows, columns=FIT_COLUMNS))
    for batch, context in ((1, 50), (3, 200), (8, 40)):
        expected = true.step_s(batch, batch * context)
        assert cost.step_s(batch, batch * context) == pytest.approx(expected, rel=1e-6)
    assert cost.step_s(0, 0, [(0, 40)]) == pytest.approx(true.step_s(0, 0, [(0, 40)]), rel=1e-6)


@pytest.mark.parametrize("rows", ["no chunk", "one batch", "no column"])
def test_too_few_steps_are_refused(rows):
    steps = steps_frame(
        tiny_model(1e6), batches=(1, 2), contexts_tokens=(4, 8), chunks_tokens=(4,), n_repeats=1
    )
    assert len(steps) == 5
    bad = {
        "no chunk": steps[steps["n_decode"] > 0],
        "one batch": steps[steps["n_decode"] != 2],
        "no column": steps.drop(columns="context_tokens"),
    }[rows]
    with pytest.raises(ValueError, match=r"no column context_tokens|measure decodes of two batch"):
        step_cost(bad)


def test_the_same_requests_are_simulated_and_compared():
    n_in, n_out = np.array([8, 8, 8]), np.array([3, 3, 3])
    start_s = np.array([0.0, 0.1, 0.2])
    times = measured_times(start_s, start_s + 0.02, start_s + 0.04, n_in, n_out)
    steps = pd.DataFrame(
        [(0.01, 0, b, b * c, 0) for b in (1, 2) for c in (4, 8)] + [(0.02, 8, 0, 0, 64)],
        columns=FIT_COLUMNS,
    )
    replica = own_replica(steps, max_tokens=11, max_batch=2, token_budget=8)
    frame = compare_frame(times, simulated(times, replica))
    assert frame["ratio"].to_numpy() == pytest.approx(1.0)  # 20 ms to read, 10 ms a token
    closed = simulated(times, replica, concurrency=1)
    assert closed.done_s[-1] == pytest.approx(3 * 0.04)


def test_a_slope_that_a_busy_computer_inflated_gives_no_negative_cost():
    """Decodes at a long context were interrupted: the line through them starts below zero."""
    rows = [(0.001, 0, n, n * 10, 0) for n in (1, 2)] + [(0.5, 0, n, n * 12, 0) for n in (1, 2)]
    cost = step_cost(pd.DataFrame([*rows, (0.002, 4, 0, 0, 16)], columns=FIT_COLUMNS))
    assert min(cost.linear_s) == 0.0
    assert np.all(np.asarray(cost.decode_per_ctx_token_s) > 0)
