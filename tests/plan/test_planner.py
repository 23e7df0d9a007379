"""The planner: rows against single predictions, fleets by hand, frontiers by brute force."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import Site, accelerator, accelerators_frame, model
from econ.catalog.rents import rents
from econ.latency.calibration import Calibration
from econ.latency.prediction import max_batch, predict
from econ.plan import (
    Demand,
    candidates_frame,
    concurrency_grid,
    on_frontier,
    plan,
    prices_of,
    search_frame,
    splits_of,
)
from econ.plan.candidates import CONSTRAINTS
from econ.plan.refine import fleet_of, refine_frame, replica_of_row
from econ.plan.search import KEYS
from econ.scenario import Scenario
from econ.serving import Service, draw_requests, serve
from econ.tco.layers import owner
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.workloads import workload

SCENARIO = Scenario.default()
PRICES = {"h100-sxm": 3.0, "h200-sxm": 4.0, "a100-sxm-80gb": 1.5, "l4": 0.5}
BOTH = ["chunked_prefill", "prefill_first"]
QUICK = {
    "prices_usd_per_gpu_hour": PRICES,
    "accelerators": list(PRICES),
    "concurrencies": [1, 8, 32, 128],
}


@pytest.fixture(scope="module")
def screened():
    return plan(SCENARIO, n_refined=0, **QUICK).frame()


@pytest.fixture(scope="module")
def answer():
    splits = [(2, 1, 1, 1), (4, 1, 1, 1)]
    return plan(SCENARIO, n_refined=3, n=1000, parallelism=splits, policies=BOTH, **QUICK)


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
    more = plan(SCENARIO, n_refined=0, peak_factor=3.0, n_spare=1, **QUICK).frame()
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
    counts = plan(SCENARIO, n_refined=0, **QUICK).constraints()
    assert (
        counts["n_deployments"].sum()
        == len(screened)
        == 4 * 2 * len(splits_of("llama-3.1-70b")) * 4
    )


def test_price_domain_and_context_rule_out_too():
    small = Scenario.of("llama-3.1-8b", "l4", input_tokens=4000, output_tokens=1000)
    splits = [(1, 1, 1, 1), (16, 1, 1, 1)]
    rows = candidates_frame(small, ["l4", "tpu-v6e"], ["bf16"], splits, {"l4": 0.5})
    assert rows["constraint"].tolist() == ["", "split", "price", "price"]
    assert rows["reason"][2] == "no price of tpu-v6e: give one"
    assert rows["reason"][1] == "tp × dp = 16 accelerators, 1 are linked"
    long = candidates_frame(small.with_(model="llama-2-7b"), ["h100-sxm"], ["bf16"], splits[:1])
    assert long["constraint"][0] == "context"
    assert "the longest request has 5,000 tokens, the model takes 4,096" in long["reason"][0]
    ranks = candidates_frame(small, ["h100-sxm"], ["bf16"], [(1, 1, 1, 2)])
    assert ranks["constraint"][0] == "split"
    assert "dp = 2: data-parallel ranks of a dense model are replicas" in ranks["reason"][0]


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


def test_the_smallest_fleet_is_enough_and_one_less_is_not():
    """The same search on the row itself: its replicas meet the SLO, one fewer do not."""
    demand = Demand(SCENARIO)
    rows = candidates_frame(SCENARIO, ["h100-sxm"], ["fp8"], [(2, 1, 1, 1)], PRICES)
    row = search_frame(rows, [32], demand)
    again = refine_frame(row, demand, ["chunked_prefill"], n=1000)
    size = int(again["n_replicas"][0])
    assert size > 1
    one, _ = replica_of_row(next(row.itertuples()), "chunked_prefill", demand)
    trace = draw_requests(SCENARIO.workload, demand.rate_per_s, 1000, 0)

    def service(n_replicas: int) -> Service:
        fleet = fleet_of(one, n_replicas, "chunked_prefill")
        return Service.of(serve(trace, fleet), SCENARIO.slo, fleet, demand.rate_per_s)

    assert service(size).good_frac >= SCENARIO.slo.attainment_frac
    less = service(size - 1)
    assert less.good_frac < SCENARIO.slo.attainment_frac or less.overloaded


def test_an_slo_nobody_meets_says_what_stands_in_the_way():
    hard = SCENARIO.with_(ttft_s=1e-3, tpot_s=1e-4)
    lost = plan(hard, n_refined=2, **QUICK)
    assert set(lost.rows["basis"]) == {"rejected"}
    for ask in (lambda: lost.best, lambda: lost.fewest_gpus, lost.scenario):
        with pytest.raises(ValueError, match=r"none of 1?[\d,]+ deployments meets the SLO.*ttft"):
            ask()
    tails = SCENARIO.with_(ttft_s=0.25, tpot_s=0.05, attainment_frac=1.0)
    some = plan(tails, n_refined=1, n=1000, policies=["prefill_first"], **QUICK).frame()
    bad = some[(some["policy"] == "prefill_first") & (some["basis"] == "rejected")]
    assert bad["reason"].str.contains("meet the SLO for").all()


def test_separate_pools_take_two_replicas_at_least():
    made = plan(SCENARIO, n_refined=1, n=500, policies=["disaggregated"], precisions=["fp8"],
                parallelism=[(4, 1, 1, 1)],
                accelerators=["h200-sxm"], prices_usd_per_gpu_hour=PRICES).frame()  # fmt: skip
    row = made[made["policy"] == "disaggregated"].iloc[0]
    assert row["basis"] != "simulated" or row["n_replicas"] >= 2


def test_a_trace_takes_the_workloads_place():
    trace = workload("chat").sample(400, seed=5)
    made = plan(SCENARIO, n_refined=1, n=400, trace=trace, policies=["chunked_prefill"],
                parallelism=[(4, 1, 1, 1)], **QUICK)  # fmt: skip
    assert made.best["basis"] == "simulated"


def test_work_without_arrivals_is_only_screened():
    batch = SCENARIO.with_(workload=workload("batch")).with_(ttft_s=60, tpot_s=0.5)
    assert set(plan(batch, n_refined=3, **QUICK).rows["basis"]) == {"screened", "rejected"}


def test_a_prefix_cache_saves_reading(screened):
    cached = plan(SCENARIO.with_(cached_frac=0.8), n_refined=0, **QUICK).frame()
    keys = [*KEYS, "concurrency"]
    both = screened.merge(cached, on=keys, suffixes=("", "_c")).dropna(subset=["ttft_s"])
    assert (both["ttft_s_c"] < both["ttft_s"]).all()
    assert (both["tpot_s_c"] <= both["tpot_s"] * (1 + 1e-12)).all()


def test_ones_own_stack_slows_search_and_simulation_alike(answer):
    found = answer.frame()
    args = {"n_refined": 3, "n": 1000, "parallelism": [(2, 1, 1, 1), (4, 1, 1, 1)], **QUICK}
    own = SCENARIO.with_(software_maturity=0.6)
    slow_answer = plan(own, policies=BOTH, step_overhead_s=2e-3, **args)
    slow = slow_answer.frame()
    keys = [*KEYS, "concurrency", "policy"]
    both = found.merge(slow, on=keys, suffixes=("", "_slow"))
    both = both[both[["tpot_s", "tpot_s_slow"]].notna().all(axis=1)]
    assert (both["tpot_s_slow"] > both["tpot_s"] + 2e-3).all()
    real = both.dropna(subset=["p95_tpot_s", "p95_tpot_s_slow"])
    assert len(real) >= 1
    assert (real["p95_tpot_s_slow"] > real["p95_tpot_s"]).all()
    assert slow_answer.cost_usd_per_good_mtok >= answer.cost_usd_per_good_mtok


@pytest.mark.slow
def test_more_workers_find_the_same():
    args = {"n_refined": 2, "n": 500, "parallelism": [(4, 1, 1, 1)], **QUICK}
    one, two = plan(SCENARIO, **args), plan(SCENARIO, n_jobs=2, **args)
    pd.testing.assert_frame_equal(one.frame(), two.frame())


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
    pd.testing.assert_frame_equal(one.frame(), two.frame())


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


def test_the_fewest_accelerators(answer):
    row = answer.fewest_gpus
    assert row["fleet_gpus"] == answer.simulated["fleet_gpus"].min()
    assert row["basis"] == "simulated"


def test_a_plan_is_a_result_with_bands(answer):
    assert answer.row()["cost_usd_per_good_mtok"] == answer.cost_usd_per_good_mtok
    low, high = answer.band("cost_usd_per_good_mtok")
    assert low <= answer.cost_usd_per_good_mtok <= high
    assert answer.band("ttft_s") == (answer.best["ttft_low_s"], answer.best["ttft_high_s"])
    assert answer.regime == answer.best["regime"]
    assert plan.headline == "cost_usd_per_good_mtok"
    with pytest.raises(ValueError, match="unknown metric with a band 'price'"):
        answer.band("price")
    with pytest.raises(ValueError, match=r"coverage_frac = 0\.5"):
        answer.band("ttft_s", 0.5)


def test_a_bar_shows_how_far_it_is(capsys):
    plan(SCENARIO, n_refined=1, n=100, progress=True, parallelism=[(4, 1, 1, 1)], **QUICK)
    told = capsys.readouterr().err
    assert "100%" in told
    assert "deployment" in told


def test_the_plan_becomes_a_scenario(answer):
    best, made = answer.best, answer.scenario()
    assert made.deployment.n_gpu == best["fleet_gpus"]
    assert made.deployment.max_batch == best["concurrency"]
    assert made.finance.cost_usd_per_gpu_hour == PRICES[best["accelerator"]]
    assert Scenario.from_json(made.to_json()) == made


def test_mixtures_with_attention_replicas_come_as_whole_fleets():
    load = {"rate_per_s": 60.0, "ttft_s": 3.0, "tpot_s": 0.1}
    base = Scenario.of("deepseek-v3", "gb200-nvl72", tp=2, dp=8, ep=16, precision="fp8", **load)
    answer = plan(base, ["gb200-nvl72"], ["fp8"], [(2, 1, 16, 8)], n_refined=1, n=400,
                  concurrencies=[64])  # fmt: skip
    best, made = answer.best, answer.scenario()
    assert best["n_replicas"] > 1
    assert (made.deployment.tp, made.deployment.dp, made.deployment.ep) == (2, 8, 16)
    assert made.deployment.n_gpu == best["fleet_gpus"] == 16 * best["n_replicas"]
    assert made.n_replicas == best["n_replicas"]
    assert made.workload == base.workload


GPU = dataclasses.replace(accelerator("h100-sxm"), id="my-gpu", name="Mine")
NET = dataclasses.replace(model("llama-3.1-70b"), id="my-model", n_layers=40, n_dense_layers=40,
                          n_attention_layers=40)  # fmt: skip
PLACE = Site(id="my-hall", electricity_usd_per_kwh=0.31, carbon_g_per_kwh=12.0, pue=1.05)
FEW = {"parallelism": [(4, 1, 1, 1)], "concurrencies": [8, 32], "n_refined": 1, "n": 400,
       "precisions": ["fp8"]}  # fmt: skip


def test_own_objects_are_planned_like_those_of_the_catalogue():
    named = plan(SCENARIO, ["h100-sxm", "h200-sxm"], **FEW)
    mixed = plan(SCENARIO, [GPU, "h200-sxm"], prices_usd_per_gpu_hour={"my-gpu": 3.85}, **FEW)
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


def test_own_accelerators_need_a_price_and_a_name_of_their_own():
    with pytest.raises(ValueError, match="no price of my-gpu, an accelerator of your own"):
        plan(SCENARIO, [GPU], **FEW)
    with pytest.raises(ValueError, match="no price of my-gpu"):
        plan(SCENARIO.with_(accelerator=GPU), **FEW)
    twin = dataclasses.replace(GPU, id="h100-sxm", memory_bandwidth_bytes_per_s=5e12)
    with pytest.raises(ValueError, match="no price of h100-sxm, an accelerator of your own"):
        plan(SCENARIO, [twin], **FEW)
    prices = {"h100-sxm": 3.0}
    with pytest.raises(ValueError, match="two accelerators are called 'h100-sxm'"):
        plan(SCENARIO, [twin, "h100-sxm"], prices_usd_per_gpu_hour=prices, **FEW)


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


def test_utilisation_prices_the_hours_without_load():
    half = plan(SCENARIO.with_(utilisation_frac=0.5), ["h100-sxm"], **FEW)
    whole = plan(SCENARIO, ["h100-sxm"], **FEW)
    assert half.cost_usd_per_good_mtok == pytest.approx(2 * whole.cost_usd_per_good_mtok)
    assert half.best["usd_per_hour"] == whole.best["usd_per_hour"]
    assert half.best["site_energy_j_per_token"] > whole.best["site_energy_j_per_token"]


def test_an_owner_pays_for_server_and_site():
    owned = SCENARIO.with_(tenure="owned")
    chips = ["h100-sxm", "h200-sxm"]
    answer = plan(owned, chips, **FEW)
    hour = answer.rows.drop_duplicates("accelerator").set_index("accelerator")["usd_per_gpu_hour"]
    assert hour["h100-sxm"] == pytest.approx(owner(owned).cost_usd_per_gpu_hour)
    assert hour["h200-sxm"] > hour["h100-sxm"]
    assert answer.scenario().finance == owned.finance
    dear = plan(owned.with_(electricity_usd_per_kwh=0.5), chips, **FEW)
    assert dear.cost_usd_per_good_mtok > answer.cost_usd_per_good_mtok
    server = plan(owned.with_(server_usd=900_000.0), chips, **FEW)
    assert server.best["accelerator"] == "h200-sxm"
    assert server.scenario().finance.server_usd is None
    given = plan(owned, chips, prices_usd_per_gpu_hour={"h100-sxm": 0.5}, **FEW)
    assert given.scenario().finance.cost_usd_per_gpu_hour == 0.5
    with pytest.raises(ValueError, match="server_usd"):
        plan(owned.with_(accelerator=GPU), **FEW)
    everywhere = plan(owned, **FEW).rows
    assert set(everywhere.loc[everywhere["constraint"] != "price", "accelerator"]) >= set(chips)


def test_a_rental_term_selects_the_price():
    spot = plan(SCENARIO.with_(term="spot"), ["h100-sxm"], **FEW).best["usd_per_gpu_hour"]
    assert spot == rents("spot")["h100-sxm"]
    with pytest.raises(ValueError, match="unknown rental term 'sopt'"):
        plan(SCENARIO.with_(term="sopt"), ["h100-sxm"], **FEW)


def test_a_batch_limit_ends_the_search():
    rows = plan(SCENARIO.with_(max_batch=8), ["h100-sxm"], **FEW).rows
    assert rows.loc[rows["concurrency"] == 32, "constraint"].tolist() == ["max batch"]
    assert rows.loc[rows["concurrency"] == 32, "reason"].iloc[0] == (
        "32 sequences at a time, max_batch is 8"
    )


def test_pipelines_are_screened_and_say_so():
    piped = [(2, 2, 1, 1)]
    answer = plan(SCENARIO, ["h100-sxm"], **FEW | {"parallelism": piped})
    assert set(answer.feasible["basis"]) == {"screened"}
    row = answer.feasible.head(1).assign(accelerator=[answer.accelerators["h100-sxm"]])
    told = refine_frame(row, answer.demand, ["chunked_prefill"])
    assert told["reason"][0] == "pp = 2: pipelines are screened, not simulated"


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


def test_prices_go_from_the_general_to_the_special():
    assert prices_of(SCENARIO) == rents() | {"h100-sxm": 3.85}
    assert prices_of(SCENARIO, {"h100-sxm": 1.0})["h100-sxm"] == 1.0


def test_a_hundred_thousand_deployments_are_looked_at():
    names = accelerators_frame()["id"].tolist()
    rows = candidates_frame(SCENARIO, names, ["bf16", "fp8", "fp4", "int4"],
                            prices_usd_per_gpu_hour=dict.fromkeys(names, 2.0))  # fmt: skip
    assert len(search_frame(rows, concurrency_grid(1024, 8), Demand(SCENARIO))) >= 100_000


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
                    parallelism=[(4, 1, 1, 1)], **QUICK).frame()  # fmt: skip
        kept = made.loc[made["basis"] == "screened", objective].dropna()
        if objective == "tokens_per_s_per_user":
            assert kept.is_monotonic_decreasing
        else:
            assert kept.is_monotonic_increasing
