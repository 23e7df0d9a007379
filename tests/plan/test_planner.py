"""The planner: what it simulates, what it feels of a scenario, what it refuses."""

from __future__ import annotations

import pandas as pd
import pytest

from econ.latency.calibration import Calibration
from econ.plan import plan
from econ.plan.search import KEYS
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.workloads import workload
from tests.plan.cases import BOTH, FEW, GPU, NET, PLACE, PRICES, QUICK, SCENARIO


def test_the_simulated_are_first_and_meet_the_slo(answer):
    found = answer.frame()
    top = found[found["basis"] == "simulated"]
    assert len(top) >= 2
    assert found["basis"].astype(str)[0] == "simulated"
    assert top["cost_usd_per_good_mtok"].is_monotonic_increasing
    assert (top["good_frac"] >= SCENARIO.slo.attainment_frac).all()
    w = SCENARIO.workload
    for row in top.itertuples():
        good = w.rate_per_s * w.mean_output_tokens * row.good_frac
        per_gpu = good / row.fleet_gpus
        assert row.cost_usd_per_good_mtok == pytest.approx(
            cost_usd_per_mtok(PRICES[row.accelerator], per_gpu)
        )
        assert row.p95_ttft_s > Calibration.fitted().value("vllm.first_token_s")


def test_a_trace_takes_the_workloads_place():
    trace = workload("chat").sample(400, seed=5)
    made = plan(SCENARIO, n_refined=1, n=400, trace=trace, policies=["chunked_prefill"],
                parallelism=[(4, 1, 1, 1)], **QUICK)  # fmt: skip
    assert made.best["basis"] == "simulated"


def test_cached_prompts_of_a_trace_are_felt_one_by_one():
    trace = workload("chat").sample(400, seed=5)
    cached = trace.assign(cached_tokens=trace["input_tokens"])
    args = {"precisions": ["fp8"], "parallelism": [(4, 1, 1, 1)], "concurrencies": [32],
            "n_refined": 1, "n": 400}  # fmt: skip
    plain, quick = (
        plan(SCENARIO, ["h100-sxm"], trace=rows, **args).best["p95_ttft_s"]
        for rows in (trace, cached)
    )
    assert quick < plain


def test_work_without_arrivals_is_only_screened():
    batch = SCENARIO.with_(workload=workload("batch")).with_(ttft_s=60, tpot_s=0.5)
    assert set(plan(batch, n_refined=3, **QUICK).rows["basis"]) == {"screened", "rejected"}


def test_ones_own_stack_slows_search_and_simulation_alike():
    args = {**FEW, "n": 1000, "n_refined": 3, "policies": BOTH}  # both keep the SLO with 32 users
    answer = plan(SCENARIO, ["h100-sxm"], **args)
    own = SCENARIO.with_(software_maturity=0.6)
    slow_answer = plan(own, ["h100-sxm"], step_overhead_s=2e-3, **args)
    found, slow = answer.frame(), slow_answer.frame()
    keys = [*KEYS, "concurrency", "policy"]
    both = found.merge(slow, on=keys, suffixes=("", "_slow"))
    both = both[both[["tpot_s", "tpot_s_slow"]].notna().all(axis=1)]
    assert (both["tpot_s_slow"] > both["tpot_s"] + 2e-3).all()
    real = both.dropna(subset=["p95_tpot_s", "p95_tpot_s_slow"])
    assert set(real["policy"]) == set(BOTH)
    assert (real["p95_tpot_s_slow"] > real["p95_tpot_s"]).all()
    assert slow_answer.cost_usd_per_good_mtok >= answer.cost_usd_per_good_mtok


@pytest.mark.slow
def test_more_workers_find_the_same():
    args = {"n_refined": 2, "n": 500, "parallelism": [(4, 1, 1, 1)], **QUICK}
    one, two = plan(SCENARIO, **args), plan(SCENARIO, n_jobs=2, **args)
    pd.testing.assert_frame_equal(one.frame(), two.frame())


def test_a_bar_shows_how_far_it_is(capsys):
    plan(SCENARIO, n_refined=1, n=100, progress=True, parallelism=[(4, 1, 1, 1)], **QUICK)
    told = capsys.readouterr().err
    assert "100%" in told
    assert "deployment" in told


def test_own_objects_are_planned_like_those_of_the_catalogue():
    named = plan(SCENARIO, ["h100-sxm", "h200-sxm"], **FEW)
    mixed = plan(SCENARIO, [GPU, "h200-sxm"], prices_usd_per_gpu_hour={"my-gpu": 3.99}, **FEW)
    alike = mixed.rows.assign(accelerator=mixed.rows["accelerator"].astype(str))
    alike["accelerator"] = alike["accelerator"].replace("my-gpu", "h100-sxm")
    # an unknown name is no name of the fit: the bands are wider, all else is the same
    wide = ("_low_", "_high_", "p90", "regime")
    columns = [c for c in alike if not any(w in c for w in wide)]
    same = named.rows.assign(accelerator=named.rows["accelerator"].astype(str))
    pd.testing.assert_frame_equal(alike[columns], same[columns], check_categorical=False)
    assert mixed.scenario(mixed.rows.iloc[-1]).deployment.accelerator in (GPU, "h200-sxm")
    own = SCENARIO.with_(model=NET, site=PLACE, operator="", accelerator=GPU,
                         cost_usd_per_gpu_hour=2.0)  # fmt: skip
    best = plan(own, **FEW).best
    assert best["cost_usd_per_good_mtok"] < named.cost_usd_per_good_mtok
    one = plan(own, [GPU], **FEW)
    assert set(one.rows["accelerator"]) == {"my-gpu"}
    assert Scenario.from_json(one.scenario().to_json()) == one.scenario()


@pytest.mark.parametrize(
    "change",
    [
        {"cached_frac": 0.6},
        {"engine": "sglang"},
        {"kv_precision": "fp8"},
        {"software_maturity": 0.5},
        {"max_batch": 4},
        {"token_budget": 64},
        {"policy": "prefill_first"},
        {"utilisation_frac": 0.25},
        {"cost_usd_per_gpu_hour": 2.5},
        {"site": "france"},
        {"rate_per_s": 50.0},
        {"arrival_cv": 4.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_scenario_says_is_felt(change):
    base = plan(SCENARIO, ["h100-sxm"], **FEW).rows
    other = plan(SCENARIO.with_(**change), ["h100-sxm"], **FEW).rows
    assert not base.equals(other)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"objective": "price"}, "unknown objective 'price'"),
        ({"accelerators": ["h100-smx"]}, "unknown accelerator 'h100-smx'"),
        ({"prices_usd_per_gpu_hour": {"h100-smx": 3}}, "unknown accelerator 'h100-smx'"),
        (
            {"prices_usd_per_gpu_hour": {"h100-sxm": -3}},
            "price of h100-sxm in USD per GPU-hour = -3",
        ),
        ({"accelerators": []}, "name an accelerator"),
        ({"concurrencies": []}, "no concurrency"),
        ({"concurrencies": [0]}, "concurrency = 0"),
        ({"peak_factor": 0.5}, "peak_factor = 0.5"),
        ({"n_spare": -1}, "n_spare = -1"),
        ({"policies": ["fifo"], "n": 100}, "unknown policy 'fifo'"),
        ({"n": 1}, "n = 1 "),
        ({"n_refined": -1}, "n_refined = -1"),
    ],
)
def test_bad_input_is_named(arguments, says):
    with pytest.raises(ValueError, match=says):
        plan(SCENARIO, **({"accelerators": ["h100-sxm"], "precisions": ["fp8"]} | arguments))


def test_other_objectives_order_by_them():
    for objective in ("site_energy_j_per_token", "carbon_g_per_mtok", "tokens_per_s_per_user"):
        made = plan(SCENARIO, objective=objective, n_refined=1, n=400, policies=["prefill_first"],
                    parallelism=[(4, 1, 1, 1)], **QUICK).frame()  # fmt: skip
        kept = made.loc[made["basis"] == "screened", objective].dropna()
        if objective == "tokens_per_s_per_user":
            assert kept.is_monotonic_decreasing
        else:
            assert kept.is_monotonic_increasing
