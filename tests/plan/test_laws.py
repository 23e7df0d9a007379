"""Laws of a planner, on random questions: each is a sentence that no answer may break."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from econ.plan import Demand, candidates_frame, plan, search_frame
from econ.plan.fleets import Shape
from econ.plan.search import KEYS
from econ.plan.trials import Draws
from econ.scenario import Scenario
from tests.plan.test_fleets import rows_of

CHIPS = ["h100-sxm", "l40s", "mi300x"]
SPLITS = [(1, 1, 1, 1), (2, 1, 1, 1)]
LIMITS = [4, 24, 96]
PRICES = {"h100-sxm": 3.0, "l40s": 1.0, "mi300x": 2.4}
SPACE = {"accelerators": CHIPS, "precisions": ["fp8"], "parallelism": SPLITS,
         "concurrencies": LIMITS, "prices_usd_per_gpu_hour": PRICES, "n_refined": 1,
         "n": 400}  # fmt: skip
SEEDS = range(4)


def question(seed: int) -> Scenario:
    """A model, a load and an SLO; most can be met."""
    rng = np.random.default_rng(seed)
    model = str(rng.choice(["llama-3.1-8b", "qwen3-32b"]))
    s = Scenario.of(model, "h100-sxm", precision="fp8", rate_per_s=float(rng.uniform(1, 30)),
                    arrival_cv=float(rng.choice([1.0, 2.0])))  # fmt: skip
    return s.with_(
        ttft_s=float(rng.uniform(0.6, 2)),
        tpot_s=float(rng.uniform(0.03, 0.08)),
        attainment_frac=float(rng.choice([0.9, 0.95, 0.99])),
        cached_frac=float(rng.choice([0.0, 0.5])),
    )


def cost(s: Scenario, **space) -> float:
    """Of the best, infinite where nothing meets the SLO."""
    answer = plan(s, **SPACE | space)
    return answer.cost_usd_per_good_mtok if len(answer.simulated) else math.inf


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_is_no_worse_than_any_part_of_the_space(seed):
    s = question(seed)
    best = cost(s)
    parts = [{"concurrencies": [limit]} for limit in LIMITS]
    parts += [{"parallelism": [split]} for split in SPLITS]
    parts += [{"accelerators": [chip]} for chip in CHIPS]
    for part in parts:
        assert best <= cost(s, **part) * (1 + 1e-9), part


@pytest.mark.parametrize("seed", SEEDS)
def test_more_load_never_takes_a_smaller_fleet(seed):
    s = question(seed)
    rates = [s.workload.rate_per_s * factor for factor in (0.3, 1.0, 1.2, 2.0, 5.0)]
    for chips in (["h100-sxm"], CHIPS):
        plans = [plan(s.with_(rate_per_s=r), **SPACE | {"accelerators": chips}) for r in rates]
        met = [p.best for p in plans if len(p.simulated)]
        assert len(met) in (0, len(plans))
        for less, more in itertools.pairwise(met):
            assert more["usd_per_hour"] >= less["usd_per_hour"]
            assert more["fleet_gpus"] >= less["fleet_gpus"] or len(chips) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_cheaper_prices_and_looser_limits_never_cost_more(seed):
    s = question(seed)
    plain = cost(s)
    for chip in CHIPS:
        cheaper = PRICES | {chip: 0.8 * PRICES[chip]}
        assert cost(s, prices_usd_per_gpu_hour=cheaper) <= plain * (1 + 1e-9)
    slo = s.slo
    for looser in (
        {"ttft_s": 1.5 * slo.ttft_s},
        {"tpot_s": 1.3 * slo.tpot_s},
        {"attainment_frac": slo.attainment_frac - 0.05},
    ):
        assert cost(s.with_(**looser)) <= plain * (1 + 1e-9), looser


def test_where_a_draw_in_four_is_too_much_a_smaller_batch_is_tried_all_the_same():
    """Long waits are allowed, machines are nearly full: only a queue that grows is refused."""
    s = Scenario.of("qwen3-32b", "h100-sxm", precision="fp8", rate_per_s=85.8)
    fleets = [
        plan(s.with_(ttft_s=10 * k, tpot_s=0.2 * k), accelerators=["h100-sxm"], precisions=["fp8"])
        for k in (1, 2, 4)
    ]
    sizes = [fleet.best["n_replicas"] for fleet in fleets]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_trying_everything_finds_nothing_better(seed):
    """All fleets up to the price of the best, one after the other; and its band holds it."""
    s = question(seed)
    answer = plan(s, **SPACE)
    demand, draws = Demand(s), Draws(Demand(s), None, SPACE["n"], 0)
    rows = search_frame(candidates_frame(s, CHIPS, ["fp8"], SPLITS, PRICES), LIMITS, demand)
    rows = rows[rows["constraint"].isin(["", "ttft", "tpot"])]
    best = answer.best["cost_usd_per_good_mtok"] if len(answer.simulated) else 1e9
    at_most = answer.best["usd_per_hour"] if len(answer.simulated) else 20.0
    assert answer.gap_frac == 0 or not len(answer.simulated)
    for _, shape_rows in rows.groupby(list(KEYS), observed=True, sort=False):
        shape = Shape(rows_of(shape_rows), s.deployment.policy, demand, draws)
        usd = float((shape_rows["n_gpu"] * shape_rows["usd_per_gpu_hour"]).iloc[0])
        for n in range(1, int(at_most / usd + 1e-9) + 1):
            for row in range(len(shape_rows)):
                trial = shape.trial(n, row)
                if trial.keeps:
                    good_mtok = demand.output_tokens_per_s * trial.good_frac * 3600 / 1e6
                    assert n * usd / good_mtok >= best * (1 - 1e-9)
    if len(answer.simulated):
        low, high = answer.band("cost_usd_per_good_mtok")
        assert low <= best <= high


def test_who_owns_machines_owns_whole_servers():
    s = Scenario.of("llama-3.1-8b", "h100-sxm", precision="fp8", rate_per_s=4.0, tenure="owned",
                    site="france")  # fmt: skip
    space = {"accelerators": ["h100-sxm"], "prices_usd_per_gpu_hour": {"h100-sxm": 2.0}}
    best = plan(s, **SPACE | space).best
    assert best["paid_gpus"] % 8 == 0
    assert best["usd_per_hour"] == best["paid_gpus"] * 2.0
    assert best["paid_gpus"] - best["fleet_gpus"] < 8


def test_forty_million_tokens_a_day_of_a_32b_model_take_one_accelerator():
    """1.0 answered two or three; the simulator confirms one on every draw."""
    s = Scenario.of("qwen3-32b", "h100-sxm", ttft_s=1.0, tpot_s=0.05)
    w = s.workload
    tokens_per_request = w.mean_input_tokens + w.mean_output_tokens
    s = s.with_(rate_per_s=40e6 / tokens_per_request / 86_400)
    answer = plan(s, ["h100-sxm", "h200-sxm", "mi300x"])
    assert answer.best["fleet_gpus"] == 1
    assert answer.best["good_frac"] - answer.best["good_frac_se"] > s.slo.attainment_frac
    assert answer.gap_frac == 0
    assert "1 × " in answer.headline
    assert "requests/s, gamma arrivals" in answer.headline


def test_what_a_row_rests_on_stands_beside_it():
    answer = plan(question(0), **SPACE)
    rows = answer.rows
    assert (
        set(rows["arrivals"]) == {"Poisson arrivals"} or rows["arrivals"].str.contains("cv").all()
    )
    simulated = rows["basis"] == "simulated"
    assert (rows.loc[simulated, "rests_on"] == "share of requests").all()
    assert (rows.loc[rows["basis"] == "screened", "rests_on"] == "means").all()
    assert (rows.loc[simulated, "good_frac_se"] > 0).any()


def test_a_plan_beyond_the_calibrated_region_says_so_first():
    s = Scenario.of("llama-3.1-8b", "l40s", precision="fp8", rate_per_s=2.0)
    answer = plan(s, ["l40s"], **FEW_SPACE)
    assert answer.regime != "calibrated"
    assert "Beyond the calibrated region" in answer.headline


FEW_SPACE = {name: value for name, value in SPACE.items() if name != "accelerators"}


def test_accelerators_on_pcie_are_slow_not_refused():
    s = Scenario.of("qwen3-32b", "l40s", precision="fp8", rate_per_s=0.2).with_(
        tpot_s=0.2, ttft_s=5
    )
    rows = candidates_frame(s, ["l40s", "h100-sxm"], ["fp8"], [(2, 1, 1, 1), (16, 1, 1, 1)], PRICES)
    assert rows["constraint"].tolist() == ["", "split", "", "split"]
    screened = search_frame(rows.iloc[[0, 2]], [4], Demand(s))
    slow, fast = screened["tpot_s"]
    assert slow > fast
    assert plan(s, ["l40s"], **FEW_SPACE | {"parallelism": [(2, 1, 1, 1)]}).best["tp"] == 2


def test_power_rules_fleets_out_and_never_makes_the_best_better():
    s = Scenario.of("llama-3.1-8b", "h100-sxm", precision="fp8", rate_per_s=60.0)
    free = plan(s, **SPACE)
    for mw in (1.0, 0.03, 0.015):
        limited = plan(s.with_(site_mw=mw, pue=1.2), **SPACE)
        assert cost(s.with_(site_mw=mw, pue=1.2)) >= free.cost_usd_per_good_mtok * (1 - 1e-9)
        for row in limited.feasible.itertuples():
            held, _ = limited.demand.scenario.power_limit(limited.accelerators[row.accelerator])
            assert row.fleet_gpus <= held
    nothing = plan(s.with_(site_mw=0.001), **SPACE)
    with pytest.raises(ValueError, match=r"power \d+.*site_mw = 0.001 holds 0"):
        nothing.best  # noqa: B018
    racks = plan(s.with_(rack_kw=7), **SPACE)
    assert set(racks.feasible["accelerator"]) <= {"l40s"}


def test_where_no_number_of_replicas_is_enough_the_limit_is_named_and_not_a_power():
    slow = plan(Scenario.default(), ["v100-sxm2-32gb"], ["bf16"], [(8, 1, 1, 1)]).rows
    assert "power" not in set(slow["constraint"])
    assert (
        slow["reason"].str.contains("no number of replicas") & slow["constraint"].eq("ttft")
    ).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_fleet_earns_more_and_more_value_never_serves_less(seed):
    """Every fleet of the space, one after the other, at three values of an answer."""
    s = question(seed)
    space = SPACE | {"accelerators": ["h100-sxm"], "parallelism": [(1, 1, 1, 1)]}
    demand, draws = Demand(s), Draws(Demand(s), None, 400, 0)
    candidates = candidates_frame(s, ["h100-sxm"], ["fp8"], [(1, 1, 1, 1)], PRICES)
    rows = rows_of(search_frame(candidates, LIMITS, demand))
    shape = Shape(rows, s.deployment.launch.policy, demand, draws)
    good = 0.0
    for worth in (0.0, 0.002, 0.05):
        answer = plan(s, value_usd_per_answer=worth, right_frac=0.7, **space)
        if answer.simulated.empty:
            return
        best = answer.best
        most = 3600 * s.workload.rate_per_s * 0.7 * worth
        tried = (
            most * trial.good_frac - 3.0 * n
            for n in range(1, int(best["fleet_gpus"]) + 3)
            for k in range(len(LIMITS))
            if (trial := shape.trial(n, k)).keeps
        )
        one = most / space["n"]  # a request that another limit happens to answer in time
        assert max(tried) <= best["profit_usd_per_hour"] + one + 1e-9
        assert answer.serves == (best["profit_usd_per_hour"] > 0)
        assert best["good_frac"] >= good
        good = best["good_frac"]
    near = plan(s, value_usd_per_answer=worth, right_frac=0.7, gap_frac=0.1, **space)
    assert near.best["profit_usd_per_hour"] * 1.1 >= best["profit_usd_per_hour"] > 0
    assert near.n_simulated <= answer.n_simulated
