"""Shapley shares against a count over all orders, and what the levers of 2026 bring."""

import math
from itertools import combinations, permutations

import pytest

from econ.latency import predict
from econ.latency.speculation import speculation_frame
from econ.scenario import Scenario
from econ.serving import pool_speed
from econ.tco import cost
from econ.uncertainty.sensitivity import credits_frame
from econ.value import LEVERS_2026, LEVERS_OF_ANSWERS_2026, levers

LOW_USE = Scenario.default().with_(utilisation_frac=0.4)
ALONE = LOW_USE.with_(cached_frac=1.0)  # decoding between which no prompt is read


def test_shares_are_the_mean_and_the_range_over_all_orders():
    names = "abcd"
    sets = [frozenset(c) for k in range(5) for c in combinations(names, k)]
    price = {s: 10.0 / (1 + len(s) + 2 * ("a" in s and "c" in s)) for s in sets}
    total = math.log(price[frozenset(names)] / price[frozenset()])
    rows = credits_frame(price).set_index("change")
    for name in names:
        gains = []
        for order in permutations(names):
            before = frozenset(order[: order.index(name)])
            gains.append(math.log(price[before | {name}] / price[before]) / total)
        assert rows.share_frac[name] == pytest.approx(sum(gains) / len(gains))
        assert rows.low_share_frac[name] == pytest.approx(min(gains))
        assert rows.high_share_frac[name] == pytest.approx(max(gains))
    assert math.prod(rows.factor) == pytest.approx(math.exp(total))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({frozenset(): 1.0, frozenset("a"): 1.0}, "change nothing"),
        ({frozenset(): 1.0, frozenset("ab"): 2.0}, "no value for the changes"),
        ({frozenset(): 1.0, frozenset("a"): -2.0}, "value of"),
        ({frozenset(): 1.0}, "outside the range"),
    ],
)
def test_what_has_no_credit_says_so(value, words):
    with pytest.raises(ValueError, match=words):
        credits_frame(value)


def test_the_levers_of_2026_start_and_end_at_the_prices_of_tco():
    fall = levers(LOW_USE)
    assert fall.before_usd_per_mtok == pytest.approx(cost(LOW_USE, concurrency=8).usd_per_mtok)
    settings = {k: v for lever in LEVERS_2026.values() for k, v in lever.items()}
    settings.pop("concurrency")
    assert fall.after_usd_per_mtok == pytest.approx(cost(LOW_USE.with_(**settings)).usd_per_mtok)
    assert len(fall.combinations) == 2 ** len(LEVERS_2026)
    assert fall.shares["share_frac"].sum() == pytest.approx(1)


def test_the_order_decides_what_a_new_machine_seems_to_bring():
    """The same machine raises the cost in one order and lowers it in another."""
    machine = levers(LOW_USE).shares.set_index("change").loc["a newer machine"]
    assert machine.low_share_frac < 0 < machine.share_frac < machine.high_share_frac


def test_a_combination_without_a_price_names_itself():
    with pytest.raises(ValueError, match=r"no price with \['tiny'\]"):
        levers(LOW_USE, {"tiny": {"accelerator": "rtx-4090", "n_gpu": 1, "tp": 1}})


def test_levers_of_answers_are_counted_per_accepted_answer_by_hand():
    spec = {"acceptance_frac": 0.7, "n_draft": 4}
    changes = {
        "model": {"model": "llama-4-scout", "n_gpu": 8, "tp": 8},
        "rack": {"accelerator": "gb200-nvl72"},
        "drafts": {"speculation": spec},
    }
    right = {"llama-3.1-70b": 0.4, "llama-4-scout": 0.6}
    fall = levers(LOW_USE, changes, right_frac=right)
    plain = cost(LOW_USE, concurrency=8).usd_per_request / (0.4 * LOW_USE.slo.attainment_frac)
    assert fall.before_usd_per_answer == pytest.approx(plain)
    by_name = fall.combinations.set_index("changes")["usd_per_answer"]
    gain = speculation_frame(ALONE, batches=(8,), **spec)["speedup"].iloc[0]
    decode_s = predict(ALONE, concurrency=8).tpot_s * (LOW_USE.workload.mean_output_tokens - 1)
    shorter = 1 - decode_s * (1 - 1 / gain) / predict(LOW_USE, concurrency=8).answer_s
    assert by_name["drafts"] == pytest.approx(plain * shorter)
    rack = cost(LOW_USE.with_(accelerator="gb200-nvl72"), concurrency=8).usd_per_request
    assert by_name["rack"] == pytest.approx(rack / (0.4 * LOW_USE.slo.attainment_frac))
    assert fall.factor == pytest.approx(plain / fall.after_usd_per_answer)
    assert fall.shares["share_frac"].sum() == pytest.approx(1)


def test_pools_cost_the_machine_time_of_a_prompt_and_of_an_answer():
    """An hour buys so many tokens; drafts shorten the answer's part of it alone."""
    tight = LOW_USE.with_(tpot_s=0.02)
    spec = {"acceptance_frac": 0.7, "n_draft": 4}
    changes = {
        "pools": {"policy": "disaggregated"},
        "drafts": {"speculation": spec},
        "users": {"concurrency": None},
    }
    by_name = levers(tight, changes).combinations.set_index("changes")["usd_per_mtok"]
    pools = pool_speed(tight)
    hour = tight.cost_usd_per_gpu_hour / 0.4
    by_hand = hour / 3600 / pools.output_tokens_per_s_per_gpu * 1e6
    assert by_name["pools + users"] == pytest.approx(by_hand)
    assert by_name["pools + users"] < by_name["users"]  # a tight limit: no prompt disturbs a step
    gain = speculation_frame(ALONE, batches=(pools.batch,), **spec)["speedup"].iloc[0]
    prompt_frac = pools.n_prefill_per_decode / (1 + pools.n_prefill_per_decode)
    drafted = by_hand * (prompt_frac + (1 - prompt_frac) / gain)
    assert by_name["pools + drafts + users"] == pytest.approx(drafted)


def test_pools_that_cannot_keep_the_slo_name_their_combination():
    with pytest.raises(ValueError, match=r"no price with \['pools'\]: tpot_s = 0.005"):
        levers(LOW_USE.with_(tpot_s=0.005),
               {"pools": {"policy": "disaggregated", "concurrency": None}})  # fmt: skip


def test_two_ways_to_draft_are_two_levers():
    few = {"speculation": {"acceptance_frac": 0.7, "n_draft": 1}}
    more = {"speculation": {"acceptance_frac": 0.7, "n_draft": 4}}
    rows = levers(LOW_USE, {"few": few, "more": more}).combinations.set_index("changes")
    assert rows.loc["more", "usd_per_mtok"] < rows.loc["few", "usd_per_mtok"]
    assert rows.loc["few + more", "usd_per_mtok"] == rows.loc["more", "usd_per_mtok"]


def test_all_levers_of_2026_are_priced_in_all_orders():
    fall = levers(LOW_USE, LEVERS_OF_ANSWERS_2026)
    assert len(fall.combinations) == 2 ** len(LEVERS_OF_ANSWERS_2026) == 1024
    assert fall.shares["share_frac"].sum() == pytest.approx(1)
    assert (fall.shares["low_share_frac"] - 1e-9 <= fall.shares["share_frac"]).all()
    assert (fall.shares["share_frac"] <= fall.shares["high_share_frac"] + 1e-9).all()
    assert math.prod(fall.shares["factor"]) == pytest.approx(1 / fall.factor)
