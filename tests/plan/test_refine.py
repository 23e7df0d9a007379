"""The smallest fleet that meets the SLO under real arrivals."""

from __future__ import annotations

from econ.plan import Demand, candidates_frame, plan, search_frame
from econ.plan.refine import fleet_of, refine_frame, replica_of_row
from econ.scenario import Scenario
from econ.serving import Service, draw_requests, serve, simulate
from tests.plan.cases import FEW, PRICES, SCENARIO


def test_a_tie_of_whole_replicas_leaves_room_for_bursts():
    """One replica serves this load (simulated below), so that two are not the cheapest fleet."""
    s = Scenario.of("qwen3-32b", "h100-sxm", precision="fp8", rate_per_s=2.0)
    assert simulate(s, n=3000).meets_slo
    best = plan(s, accelerators=["h100-sxm"], precisions=["fp8"], n_refined=1).best
    assert (best["tp"], best["n_replicas"]) == (1, 1)


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


def test_separate_pools_take_two_replicas_at_least():
    made = plan(SCENARIO, n_refined=1, n=500, policies=["disaggregated"], precisions=["fp8"],
                parallelism=[(4, 1, 1, 1)],
                accelerators=["h200-sxm"], prices_usd_per_gpu_hour=PRICES).frame()  # fmt: skip
    row = made[made["policy"] == "disaggregated"].iloc[0]
    assert row["basis"] != "simulated" or row["n_replicas"] >= 2


def test_pipelines_are_screened_and_say_so():
    piped = [(2, 2, 1, 1)]
    answer = plan(SCENARIO, ["h100-sxm"], **FEW | {"parallelism": piped})
    assert set(answer.feasible["basis"]) == {"screened"}
    row = answer.feasible.head(1).assign(accelerator=[answer.accelerators["h100-sxm"]])
    told = refine_frame(row, answer.demand, ["chunked_prefill"])
    assert told["reason"][0] == "pp = 2: pipelines are screened, not simulated"
