"""The planner: rows against single predictions, fleets by hand, frontiers by brute force."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import accelerators_frame
from econ.catalog.rents import rents
from econ.latency.calibration import Calibration
from econ.latency.prediction import max_batch, predict
from econ.plan.candidates import CONSTRAINTS, candidates_frame, splits_of
from econ.plan.frontier import on_frontier
from econ.plan.planner import (
    best_of,
    constraints_frame,
    demand_of,
    fewest_gpus,
    plan,
    prices_of,
    scenario_of,
)
from econ.plan.refine import refine_frame
from econ.plan.search import KEYS, Demand, concurrency_grid, search_frame
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.terms import Slo
from econ.tokens.workloads import workload

SCENARIO = Scenario.default()
PRICES = {"h100-sxm": 3.0, "h200-sxm": 4.0, "a100-sxm-80gb": 1.5, "l4": 0.5}
QUICK = {
    "prices_usd_per_gpu_hour": PRICES,
    "accelerators": list(PRICES),
    "concurrencies": [1, 8, 32, 128],
}


@pytest.fixture(scope="module")
def screened():
    return plan(SCENARIO, n_refined=0, **QUICK)


@pytest.fixture(scope="module")
def found():
    return plan(SCENARIO, n_refined=3, n=1000, parallelism=[(2, 1, 1, 1), (4, 1, 1, 1)], **QUICK)


def test_a_row_is_what_the_single_prediction_says(screened):
    row = screened[(screened["basis"] == "screened") & (screened["tp"] == 4)].iloc[0]
    w = SCENARIO.workload
    replica = SCENARIO.with_(
        accelerator=row.accelerator, n_gpu=int(row.tp * row.pp), tp=int(row.tp), pp=int(row.pp),
        precision=row.precision,
    )  # fmt: skip
    one = predict(replica, concurrency=float(row.concurrency))
    assert (row.ttft_s, row.tpot_s) == (pytest.approx(one.ttft_s), pytest.approx(one.tpot_s))
    assert (row.tpot_low_s, row.tpot_high_s) == pytest.approx(one.band("tpot_s"))
    rate = row.requests_per_s_per_replica * w.mean_output_tokens / row.n_gpu
    assert rate == pytest.approx(one.output_tokens_per_s_per_gpu)
    assert row.regime == one.regime
    assert row.most_sequences == max_batch(replica)


def test_the_fleet_and_its_cost_by_hand(screened):
    w = SCENARIO.workload
    for row in screened[screened["basis"] == "screened"].sample(20, random_state=0).itertuples():
        n = math.ceil(w.rate_per_s / row.requests_per_s_per_replica)
        assert row.n_replicas == n
        assert row.fleet_gpus == n * row.tp * row.pp * row.dp
        usd_per_s = row.fleet_gpus * PRICES[row.accelerator] / 3600
        per_mtok = usd_per_s / (w.rate_per_s * w.mean_output_tokens) * 1e6
        assert row.cost_usd_per_good_mtok == pytest.approx(per_mtok)
        assert row.cost_low_usd_per_good_mtok <= per_mtok <= row.cost_high_usd_per_good_mtok
        assert row.busy_frac == pytest.approx(w.rate_per_s / n / row.requests_per_s_per_replica)
        assert row.busy_frac <= 1


def test_a_peak_and_spares_enlarge_the_fleet(screened):
    more = plan(SCENARIO, n_refined=0, peak_factor=3.0, n_spare=1, **QUICK)
    keys = [*KEYS, "concurrency"]
    both = screened.merge(more, on=keys, suffixes=("", "_more")).query("basis == 'screened'")
    peak = np.ceil(3 * SCENARIO.workload.rate_per_s / both["requests_per_s_per_replica"]) + 1
    assert (both["n_replicas_more"] == peak).all()
    assert (both["cost_usd_per_good_mtok_more"] > both["cost_usd_per_good_mtok"]).all()


def test_every_loser_names_its_constraint(screened):
    lost = screened[screened["basis"] == "rejected"]
    assert (lost["reason"] != "").all()
    assert set(lost["constraint"]) <= set(CONSTRAINTS)
    assert set(lost["constraint"]) >= {"precision", "memory", "split", "kv cache", "ttft", "tpot"}
    late = lost[lost["constraint"] == "ttft"]
    assert (late["ttft_s"] > SCENARIO.slo.ttft_s).all()
    slow = lost[lost["constraint"] == "tpot"]
    assert (slow["tpot_s"] > SCENARIO.slo.tpot_s).all()
    assert (slow["ttft_s"] <= SCENARIO.slo.ttft_s).all()
    kept = screened[screened["basis"] == "screened"]
    assert (kept["ttft_s"] <= SCENARIO.slo.ttft_s).all()
    assert (kept["tpot_s"] <= SCENARIO.slo.tpot_s).all()
    counts = constraints_frame(screened)
    assert (
        counts["n_deployments"].sum()
        == len(screened)
        == 4 * 2 * len(splits_of("llama-3.1-70b")) * 4
    )


def test_price_domain_and_context_rule_out_too():
    at = {"input_tokens": 1000, "output_tokens": 200}
    rows = candidates_frame(
        "llama-3.1-8b", ["l4", "h100-sxm"], ["fp8"], [(1, 1, 1, 1), (16, 1, 1, 1)], {"l4": 0.5},
        longest_tokens=5000, **at,
    )  # fmt: skip
    assert rows["constraint"].tolist() == ["", "split", "price", "split"]
    assert rows["reason"][2] == "no price of h100-sxm: give one"
    assert rows["reason"][3] == "tp × dp = 16 accelerators, 8 are linked"
    long = candidates_frame("llama-2-7b", ["h100-sxm"], ["bf16"], [(1, 1, 1, 1)], {},
                            longest_tokens=5000, **at)  # fmt: skip
    assert long["constraint"][0] == "context"
    assert "the longest request has 5,000 tokens, the model takes 4,096" in long["reason"][0]


def test_the_simulated_are_first_and_keep_the_promise(found):
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
        assert row.p95_ttft_s > Calibration.fitted().first_token_s


def test_the_smallest_fleet_holds_and_one_less_does_not(found):
    row = found[(found["basis"] == "simulated") & (found["n_replicas"] > 1)].iloc[[0]]
    demand = demand_of(SCENARIO)
    policies = [row["policy"].iloc[0]]
    args = (SCENARIO.workload, SCENARIO.model, demand, policies)
    again = refine_frame(row, *args, n=1000)
    assert again["n_replicas"][0] == row["n_replicas"].iloc[0]
    from econ.plan.refine import fleet_of, replica_of_row
    from econ.serving import draw_requests, serve

    one = replica_of_row(next(row.itertuples()), SCENARIO.model, policies[0], demand)
    trace = draw_requests(SCENARIO.workload, demand.rate_per_s, 1000, 0)
    slo = SCENARIO.slo
    less = serve(trace, fleet_of(one, int(row["n_replicas"].iloc[0]) - 1))
    good_frac = less.goodput(slo.ttft_s, slo.tpot_s).good_frac
    assert good_frac < slo.attainment_frac or less.overloaded


def test_a_promise_nobody_keeps_says_what_stands_in_the_way():
    hard = SCENARIO.with_(slo=Slo(ttft_s=1e-3, tpot_s=1e-4))
    lost = plan(hard, n_refined=2, **QUICK)
    assert set(lost["basis"]) == {"rejected"}
    with pytest.raises(ValueError, match=r"none of 1?[\d,]+ deployments keeps the promise.*ttft"):
        best_of(lost)
    tails = SCENARIO.with_(slo=Slo(ttft_s=0.25, tpot_s=0.05, attainment_frac=1.0))
    some = plan(tails, n_refined=1, n=1000, policies=["prefill_first"], **QUICK)
    bad = some[(some["policy"] == "prefill_first") & (some["basis"] == "rejected")]
    assert bad["reason"].str.contains("keep the promise for").all()


def test_separate_pools_take_two_replicas_at_least():
    made = plan(SCENARIO, n_refined=1, n=500, policies=["disaggregated"], precisions=["fp8"],
                parallelism=[(4, 1, 1, 1)],
                accelerators=["h200-sxm"], prices_usd_per_gpu_hour=PRICES)  # fmt: skip
    row = made[made["policy"] == "disaggregated"].iloc[0]
    assert row["basis"] != "simulated" or row["n_replicas"] >= 2


def test_a_trace_takes_the_workloads_place():
    trace = workload("chat").sample(400, seed=5)
    made = plan(SCENARIO, n_refined=1, n=400, trace=trace, policies=["chunked_prefill"],
                parallelism=[(4, 1, 1, 1)], **QUICK)  # fmt: skip
    assert made["basis"].astype(str)[0] == "simulated"


def test_work_without_arrivals_is_only_screened():
    made = plan(SCENARIO.with_(workload=workload("batch"), slo=Slo(ttft_s=60, tpot_s=0.5)),
                n_refined=3, **QUICK)  # fmt: skip
    assert set(made["basis"]) == {"screened", "rejected"}


def test_a_prefix_cache_speeds_first_tokens_only(screened):
    cached = plan(SCENARIO, n_refined=0, cached_frac=0.8, **QUICK)
    keys = [*KEYS, "concurrency"]
    both = screened.merge(cached, on=keys, suffixes=("", "_c")).dropna(subset=["ttft_s"])
    assert (both["ttft_s_c"] < both["ttft_s"]).all()
    assert both["tpot_s_c"].to_numpy() == pytest.approx(both["tpot_s"].to_numpy())


def test_ones_own_stack_slows_search_and_simulation_alike(found):
    args = {"n_refined": 3, "n": 1000, "parallelism": [(2, 1, 1, 1), (4, 1, 1, 1)], **QUICK}
    slow = plan(SCENARIO, software_maturity=0.6, step_overhead_s=2e-3, **args)
    keys = [*KEYS, "concurrency", "policy"]
    both = found.merge(slow, on=keys, suffixes=("", "_slow"))
    both = both[both[["tpot_s", "tpot_s_slow"]].notna().all(axis=1)]
    assert (both["tpot_s_slow"] > both["tpot_s"] + 2e-3).all()
    real = both.dropna(subset=["p95_tpot_s", "p95_tpot_s_slow"])
    assert len(real) >= 1
    assert (real["p95_tpot_s_slow"] > real["p95_tpot_s"]).all()
    assert best_of(slow)["cost_usd_per_good_mtok"] >= best_of(found)["cost_usd_per_good_mtok"]


@pytest.mark.slow
def test_more_workers_find_the_same():
    args = {"n_refined": 2, "n": 500, "parallelism": [(4, 1, 1, 1)], **QUICK}
    one, two = plan(SCENARIO, **args), plan(SCENARIO, n_jobs=2, **args)
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.slow
def test_a_cluster_of_two_workers_finds_the_same():
    distributed = pytest.importorskip("distributed")
    import joblib

    args = {"n_refined": 2, "n": 500, "parallelism": [(4, 1, 1, 1)], **QUICK}
    one = plan(SCENARIO, **args)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                                 processes=False) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):  # fmt: skip
        two = plan(SCENARIO, **args)
    pd.testing.assert_frame_equal(one, two)


@given(
    rows=st.lists(st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, math.nan])] * 3), max_size=40),
)
@settings(max_examples=200, deadline=None)
def test_the_frontier_is_that_of_brute_force(rows):
    frame = pd.DataFrame(rows, columns=["usd", "joules", "speed"], dtype="float64")
    got = on_frontier(frame, ["usd", "joules"], ["speed"])
    points = np.column_stack([frame["usd"], frame["joules"], -frame["speed"]])
    for i, p in enumerate(points):
        beaten = any((q <= p).all() and (q < p).any() for q in points)
        assert got[i] == (np.isfinite(p).all() and not beaten)


def test_the_frontier_in_the_plan(screened):
    kept = screened[screened["basis"] == "screened"]
    edge = kept[kept["on_frontier"]]
    assert len(edge) >= 3
    assert kept["cost_usd_per_good_mtok"].min() == edge["cost_usd_per_good_mtok"].min()
    assert kept["tokens_per_s_per_user"].max() == edge["tokens_per_s_per_user"].max()


def test_the_fewest_accelerators(found):
    row = fewest_gpus(found)
    kept = found[found["basis"] == "simulated"]
    assert row["fleet_gpus"] == kept["fleet_gpus"].min()
    assert row["basis"] == "simulated"
    with pytest.raises(ValueError, match="none of"):
        fewest_gpus(found[found["basis"] == "rejected"].assign(policy=""))


def test_a_bar_shows_how_far_it_is(capsys):
    plan(SCENARIO, n_refined=1, n=100, progress=True, parallelism=[(4, 1, 1, 1)], **QUICK)
    told = capsys.readouterr().err
    assert "100%" in told
    assert "deployment" in told


def test_the_plan_becomes_a_scenario(found):
    best = best_of(found)
    made = scenario_of(best, SCENARIO)
    assert made.deployment.n_gpu == best["fleet_gpus"]
    assert made.finance.cost_usd_per_gpu_hour == PRICES[best["accelerator"]]
    assert Scenario.from_json(made.to_json()) == made


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
        ({"rate_per_s": 0}, "rate_per_s = 0"),
        ({"peak_factor": 0.5}, "peak_factor = 0.5"),
        ({"cached_frac": 1}, "cached_frac = 1"),
        ({"cached_frac": 40}, "cached_frac = 40"),
        ({"n_spare": -1}, "n_spare = -1"),
        ({"policies": ["fifo"], "n": 100}, "unknown policy 'fifo'"),
        ({"n": 1}, "n = 1 "),
        ({"n_refined": -1}, "n_refined = -1"),
    ],
)
def test_bad_input_is_named(arguments, says):
    with pytest.raises(ValueError, match=says):
        plan(SCENARIO, **({"accelerators": ["h100-sxm"], "precisions": ["fp8"]} | arguments))


def test_prices_go_from_the_general_to_the_special():
    assert prices_of(SCENARIO, None) == rents() | {"h100-sxm": 3.85}
    assert prices_of(SCENARIO, {"h100-sxm": 1.0})["h100-sxm"] == 1.0


def test_a_hundred_thousand_deployments_are_looked_at():
    names = accelerators_frame()["id"].tolist()
    w = SCENARIO.workload
    at = {"input_tokens": w.mean_input_tokens, "output_tokens": w.mean_output_tokens}
    demand = Demand(rate_per_s=w.rate_per_s, slo=SCENARIO.slo, **at)
    made = candidates_frame(SCENARIO.model, names, ["bf16", "fp8", "fp4", "int4"],
                                splits_of(SCENARIO.model), dict.fromkeys(names, 2.0),
                                longest_tokens=4096, **at)  # fmt: skip
    frame = search_frame(made, concurrency_grid(1024, 8), SCENARIO.model, demand)
    assert len(frame) >= 100_000


def test_energy_is_that_of_the_ladder(screened):
    from econ.catalog import site, table
    from econ.energy import footprint
    from econ.energy.boundaries import boundary_frame
    from econ.energy.consumption import energy

    row = screened[(screened["basis"] == "screened") & (screened["pp"] == 1)].iloc[3]
    w = SCENARIO.workload
    changed = SCENARIO.with_(accelerator=row.accelerator, n_gpu=int(row.n_gpu), tp=int(row.tp),
                             precision=row.precision)  # fmt: skip
    one = energy(changed, concurrency=float(row.concurrency * row.n_gpu / row.tp))
    assert row.energy_j_per_token == pytest.approx(one.j_per_output_token)
    place = site(SCENARIO.site, SCENARIO.operator)
    ladder = boundary_frame(one, pue=place.pue, busy_frac=row.busy_frac)
    assert row.site_energy_j_per_token == pytest.approx(ladder["typical"].iloc[-1])
    rows = table("energy_inputs")["typical"]
    made = footprint.embodied_g_per_mtok(
        row.requests_per_s_per_replica * w.mean_output_tokens / row.n_gpu,
        years=rows["life_years"], busy_frac=row.busy_frac,
        accelerator_embodied_g=rows["accelerator_embodied_g"],
        server_embodied_g=rows["server_embodied_g"],
    )  # fmt: skip
    grams = footprint.carbon_g_per_mtok(
        row.site_energy_j_per_token, place.carbon_g_per_kwh, embodied_g_per_mtok=made
    )
    assert row.carbon_g_per_mtok == pytest.approx(grams)
    assert row.carbon_low_g_per_mtok < grams < row.carbon_high_g_per_mtok


def test_other_objectives_order_by_them():
    for objective in ("site_energy_j_per_token", "carbon_g_per_mtok", "tokens_per_s_per_user"):
        made = plan(SCENARIO, objective=objective, n_refined=1, n=400, policies=["prefill_first"],
                    parallelism=[(4, 1, 1, 1)], **QUICK)  # fmt: skip
        kept = made.loc[made["basis"] == "screened", objective].dropna()
        if objective == "tokens_per_s_per_user":
            assert kept.is_monotonic_decreasing
        else:
            assert kept.is_monotonic_increasing
