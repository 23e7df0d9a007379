"""The smallest fleet of a shape that keeps the SLO under real arrivals."""

from __future__ import annotations

import pytest

from econ.plan import Demand, candidates_frame, plan, search_frame
from econ.plan.fleets import Row, Shape
from econ.plan.trials import N_DRAWS, Draws
from econ.scenario import Scenario
from econ.serving import simulate
from tests.plan.cases import FEW, PRICES, SCENARIO


def rows_of(frame) -> list[Row]:
    return [Row(*row) for row in frame[list(Row._fields)].itertuples(index=False)]


def shape_of(demand: Demand, limits: list[int], policy: str = "chunked_prefill", **row) -> Shape:
    row = {"accelerator": "h100-sxm", "precision": "fp8", "split": (2, 1, 1, 1)} | row
    rows = candidates_frame(demand.scenario, [row["accelerator"]], [row["precision"]],
                            [row["split"]], PRICES)  # fmt: skip
    found = search_frame(rows, limits, demand)
    found = found[found["constraint"].isin(["", "ttft", "tpot"])]
    return Shape(rows_of(found), policy, demand, Draws(demand, None, 500, 0))


def test_a_tie_of_whole_replicas_leaves_room_for_bursts():
    """One replica serves this load (simulated below), so that two are not the cheapest fleet."""
    s = Scenario.of("qwen3-32b", "h100-sxm", precision="fp8", rate_per_s=2.0)
    assert simulate(s, n=3000).meets_slo
    best = plan(s, accelerators=["h100-sxm"], precisions=["fp8"], n_refined=1).best
    assert (best["tp"], best["n_replicas"]) == (1, 1)


def test_the_smallest_fleet_is_enough_and_one_less_is_not():
    """By trials of every size, one after the other."""
    shape = shape_of(Demand(SCENARIO), [32])
    found = shape.least_fleet()
    assert found.trial.keeps
    assert found.n_replicas > 1
    assert found.trial.good_frac >= SCENARIO.slo.attainment_frac
    assert found.trial.n_requests == N_DRAWS * 500
    assert not any(shape.trial(n, 0).keeps for n in range(1, found.n_replicas))


def test_the_bound_is_below_what_is_enough():
    for policy in ("chunked_prefill", "prefill_first", "disaggregated"):
        for change in ({}, {"tpot_s": 0.03}, {"rate_per_s": 40.0}, {"cached_frac": 0.7}):
            shape = shape_of(Demand(SCENARIO.with_(**change)), [4, 32, 256], policy)
            found = shape.least_fleet()
            if found is not None and found.trial.keeps:
                assert shape.n_least[found.n_row] <= found.n_replicas
            for n in (int(shape.n_least.min()) - 1, int(shape.n_least.min()) // 2):
                for row in range(len(shape.rows)):
                    if 2 <= n < shape.n_least[row] and n < 100:
                        assert not shape.trial(n, row).keeps


def test_separate_pools_take_two_replicas_at_least_and_split_by_work():
    shape = shape_of(Demand(SCENARIO), [64], "disaggregated", accelerator="h200-sxm",
                     split=(4, 1, 1, 1))  # fmt: skip
    assert shape.n_least.min() >= 2
    pools = shape.fleet(10, 64)
    assert pools.prefill.n_replicas + pools.decode.n_replicas == 10
    long = shape_of(Demand(SCENARIO.with_(cached_frac=0.9)), [64], "disaggregated",
                    accelerator="h200-sxm", split=(4, 1, 1, 1))  # fmt: skip
    assert long.fleet(40, 64).prefill.n_replicas < shape.fleet(40, 64).prefill.n_replicas
    answer = plan(SCENARIO, ["h200-sxm"], ["fp8"], [(4, 1, 1, 1)], policies=["disaggregated"],
                  concurrencies=[64], n_refined=1, n=500)  # fmt: skip
    best = answer.best
    assert best["policy"] == "disaggregated"
    assert best["n_replicas"] >= 2
    again = simulate(answer.scenario(), n=500, seed=0)
    assert again.good_frac >= SCENARIO.slo.attainment_frac


def test_the_simulator_confirms_a_fleet_of_several_replicas():
    """The scenario that a plan answers with, simulated on its own: the same share is good."""
    s = SCENARIO.with_(rate_per_s=40.0)
    answer = plan(s, ["h100-sxm"], ["fp8"], [(2, 1, 1, 1)], concurrencies=[32], n_refined=1, n=2000)
    assert answer.best["n_replicas"] > 2
    shares = [simulate(answer.scenario(), n=2000, seed=seed).good_frac for seed in range(N_DRAWS)]
    assert sum(shares) / N_DRAWS == pytest.approx(answer.best["good_frac"], abs=1e-9)
    assert min(shares) >= s.slo.attainment_frac


def test_pipelines_are_screened_and_say_so():
    answer = plan(SCENARIO, ["h100-sxm"], **FEW | {"parallelism": [(2, 2, 1, 1)]})
    assert set(answer.feasible["basis"]) == {"screened"}
    assert set(answer.feasible["rests_on"]) == {"means"}
    assert answer.proof == "nothing was simulated"
    shape = answer.feasible.assign(accelerator=[answer.accelerators["h100-sxm"]] * 2)
    with pytest.raises(ValueError, match="pp = 2"):
        Shape(rows_of(shape), "chunked_prefill", answer.demand, Draws(answer.demand, None, 100, 0))


@pytest.mark.parametrize("change", [{}, {"model": "gpt-oss-120b", "rate_per_s": 20}])
def test_what_machines_alike_share_changes_no_answer(monkeypatch, change):
    """On an H100 both formats of a byte and both ways to divide the experts compute alike."""
    s = SCENARIO.with_(**change)
    settings = {"accelerators": ["h100-sxm"], "precisions": ["fp8", "int8"], "n": 400,
                "parallelism": [(2, 1, 1, 1), (2, 1, 2, 1), (4, 1, 1, 1)]}  # fmt: skip
    shared = plan(s, n_refined=6, **settings)
    monkeypatch.setattr(Shape, "sharing", lambda self, twin: self)
    apart = plan(s, n_refined=6, **settings)
    columns = ["accelerator", "precision", "tp", "ep", "concurrency", "n_replicas", "good_frac",
               "cost_usd_per_good_mtok"]  # fmt: skip
    assert shared.simulated[columns].equals(apart.simulated[columns])
    assert shared.gap_frac == apart.gap_frac == 0
    assert shared.n_simulated < apart.n_simulated
