"""Two runs are fitted, the rest is predicted: on made times and on the recorded ones."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ.machine import (
    OwnFit,
    fit_runs,
    ladder_frame,
    own_scenario,
    prediction_frame,
    recorded,
    step_times_s,
    tiny_shape,
)

BATCHES = [1, 2, 4, 8, 16, 32]


@pytest.fixture(scope="module")
def scenario():
    return own_scenario(recorded().machine, tiny_shape(64e6))


def runs_of(times_s, batches=BATCHES):
    return pd.DataFrame(
        {"batch": batches, "prompt_tokens": 32, "output_tokens": 16, "p50_itl_s": times_s}
    )


def test_the_bound_by_hand(scenario):
    machine, m = recorded().machine, scenario.resolved_model
    weights_s = 4 * m.n_params / machine.memory_bandwidth_bytes_per_s
    cache_s = 4 * 40 * 2 * m.n_layers * m.n_kv_heads * m.head_dim
    cache_s /= machine.memory_bandwidth_bytes_per_s
    assert step_times_s(scenario, [1])[0] == pytest.approx(weights_s + cache_s, rel=1e-3)


def test_what_was_put_in_is_fitted_and_the_rest_is_predicted(scenario):
    true = OwnFit(weight_bandwidth_frac=0.7, decode_compute_frac=0.4, packing_s=0.01)
    runs = runs_of(step_times_s(scenario, BATCHES, true))
    fit = fit_runs(scenario, runs)
    for name in ("weight_bandwidth_frac", "decode_compute_frac", "packing_s"):
        assert getattr(fit, name) == pytest.approx(getattr(true, name), rel=0.01)
    ladder = ladder_frame(scenario, runs)
    assert ladder["n_fitted"].tolist() == [0, 2, 3]
    assert ladder["median_frac"].is_monotonic_decreasing
    assert ladder["worst_frac"].iloc[-1] < 0.005


def test_a_run_faster_than_the_bound_counts_as_the_bound(scenario):
    fit = fit_runs(scenario, runs_of(0.5 * step_times_s(scenario, BATCHES)))
    assert fit.weight_bandwidth_frac == fit.decode_compute_frac == 1
    assert fit.packing_s == 0


def test_on_the_recorded_machine_every_rung_is_better_than_the_last():
    one = recorded()
    ladder = ladder_frame(one.scenario(), one.runs)
    assert ladder["median_frac"].is_monotonic_decreasing
    assert ladder["median_frac"].iloc[-1] < 0.25
    rows = prediction_frame(one.scenario(), one.runs)
    assert rows["is_fitted"].sum() == 3
    assert rows["is_inside"].all()
    assert (rows["measured_s"] >= 0.95 * rows["bound_s"]).all()


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (runs_of(np.ones(3), [1, 2, 4]), "3 batch sizes are too few"),
        (runs_of(np.ones(6)).drop(columns="batch"), "no column batch"),
        (runs_of([1, 1, 0, 1, 1, 1]), "not above 0"),
    ],
)
def test_runs_that_say_too_little_are_refused(scenario, runs, words):
    with pytest.raises(ValueError, match=words):
        ladder_frame(scenario, runs)


def test_a_batch_that_cannot_be_is_named(scenario):
    with pytest.raises(ValueError, match=r"batches\[1\] = 0.0 is outside its range"):
        step_times_s(scenario, [1, 0])


def test_an_unknown_rung_lists_those_there_are(scenario):
    with pytest.raises(ValueError, match="rung of the ladder 'two'"):
        prediction_frame(scenario, runs_of(np.ones(6)), "two")


def test_the_own_machine_goes_through_every_station():
    s = own_scenario(
        recorded().machine, tiny_shape(64e6), prompt_tokens=24, output_tokens=12,
        cost_usd_per_gpu_hour=0.05, rate_per_s=2.0,
    )  # fmt: skip
    accelerator = s.deployment.resolved_accelerator
    hot = s.with_(accelerator=econ.Accelerator(**{**vars(accelerator), "tdp_w": 60.0}))
    assert econ.latency.predict(s, concurrency=4).tpot_s > 0
    assert econ.serving.simulate(s, n=200).good_frac > 0
    assert econ.energy.energy(hot, concurrency=4).j_per_output_token > 0
    assert econ.tco.cost(s, concurrency=4).usd_per_mtok > 0
    assert econ.Scenario.from_json(s.to_json()) == s
    plan = econ.plan.plan(
        s, accelerators=[accelerator], precisions=["fp32"], n_refined=0, concurrencies=[1, 4]
    )
    assert plan.best["accelerator"] == accelerator.id
