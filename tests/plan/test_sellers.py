"""A seller's side of a service: cached price, time to live and tier, by hand."""

import dataclasses
import math

import pytest

import econ
from econ.plan import seller_side
from econ.plan.sellers import cache_shares
from econ.serving import simulate_sessions
from econ.tokens import Replay, Task, session_load

CHAT = econ.Scenario.default().with_(cached_frac=0.5)
PRICE = econ.catalog.Price(
    model="m", provider="Anthropic", input_usd_per_mtok=3.0, output_usd_per_mtok=15.0,
    cached_input_usd_per_mtok=0.3, cache_write_usd_per_mtok=3.75,
    cache_write_1h_usd_per_mtok=6.0,
)  # fmt: skip
S = econ.Scenario.of("qwen3-32b", "h200-sxm", precision="fp8")


def test_an_answer_by_hand_where_a_prefix_lives_or_dies_between_requests():
    rare = CHAT.with_(rate_per_s=1 / 300, arrival_cv=1.0)
    alive = 1 - math.exp(-1)  # of exponential gaps of 300 s on average
    w = rare.workload
    for ttl_s, found, write in ((300.0, alive, 3.75), (3600.0, 1 - math.exp(-12), 6.0)):
        usd = 0.5 * 3 + 0.5 * found * 0.3 + 0.5 * (1 - found) * write
        side = seller_side(rare, PRICE, ttl_s=ttl_s)
        by_hand = (w.mean_input_tokens * usd + w.mean_output_tokens * 15) / 1e6
        assert side.usd_per_answer == pytest.approx(by_hand)
        assert side.cached_frac == pytest.approx(0.5 * found)
    assert seller_side(rare, PRICE, ttl_s=None).cached_frac == 0.5


def test_the_share_alive_is_that_of_drawn_gaps():
    load = CHAT.with_(rate_per_s=1 / 200, arrival_cv=2.5).workload
    gaps = load.sample(100_000, seed=3)["arrival_s"].diff().dropna()
    assert load.alive_frac(300.0) == pytest.approx((gaps <= 300).mean(), abs=0.01)
    assert load.alive_frac(60.0) < load.alive_frac(300.0) < load.alive_frac(None) == 1
    assert CHAT.with_(arrival="all_at_once").workload.alive_frac(0.0) == 1


def test_the_bill_speaks_of_the_seller_in_the_same_units():
    served = simulate_sessions(S, "support", rate_per_s=0.2)
    s = served.scenario
    whole = econ.bill(s, concurrency=8, n=200, price=PRICE)
    bill = econ.plan.api_bill(served.times.sessions, PRICE)
    task = s.workload.task
    assert whole.api.cached_frac == bill.hit_frac
    per = whole.per_frame().set_index("per")["api_usd"]
    assert per["turn"] == pytest.approx(bill.total_usd / served.n_turns)
    assert per["session"] == pytest.approx(bill.total_usd / served.n_sessions)
    assert per["task"] == pytest.approx(per["session"] / task.solved_frac)
    lines = whole.frame().set_index("quantity")
    assert lines.loc["api_usd_per_task", "value"] == per["task"]
    assert set(lines["station"]) == {"tokens", "latency", "serving", "energy", "tco", "seller"}
    hour = econ.bill(s, concurrency=8, n=200, price=PRICE, ttl_s=3600.0)
    assert hour.api.cached_frac > whole.api.cached_frac
    plain = econ.bill(CHAT, concurrency=32, n=200, price="gpt-5", service="priority")
    assert "api_usd_per_task" not in plain.lines()
    assert plain.api.usd_per_answer == pytest.approx(2 * seller_side(CHAT, "gpt-5").usd_per_answer)


def test_what_no_seller_says_is_not_made_up():
    assert "publishes no energy of a prompt; Google, OpenAI do" in seller_side(CHAT, PRICE).energy
    assert "nothing of these tokens" in seller_side(CHAT, "gpt-5").energy
    rungs = econ.catalog.table("prompt_boundaries")["energy_wh"]
    assert econ.energy.disclosed_prompt("google").energy_wh == rungs.iloc[-1]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"sessions": "support"}, "single requests"),
        ({"task": Task(load="own log", n_turns=8)}, {}, "'own log' is no kind of session"),
        ({"task": Task(load="support", n_turns=80)}, {}, "these are other sessions"),
        ({"task": Task(load="support", n_turns=8)}, {"service": "batch"}, "waits for the answer"),
        ({}, {"service": "flex"}, "lists no price of flex"),
        ({}, {"ttl_s": -1.0}, "ttl_s = -1"),
    ],
)
def test_bad_input_says_what_is_wrong(change, options, words):
    drawn = simulate_sessions(S, "support", rate_per_s=0.2).asked if change else CHAT
    with pytest.raises(ValueError, match=words):
        seller_side(drawn.with_(**change), PRICE, **options)


def test_an_own_log_is_its_own_sessions():
    log = session_load("support").draw(200, seed=0)
    served = simulate_sessions(S, Replay(log), rate_per_s=0.2)
    side = seller_side(served.scenario, PRICE, sessions=log)
    assert side.cached_frac == econ.plan.api_bill(log, PRICE).hit_frac


def test_turns_write_what_they_add_and_read_the_rest():
    load = dataclasses.replace(CHAT.workload, cached_frac=0.9)
    assert cache_shares(load, 300.0, are_turns=True) == pytest.approx((0.9, 0.1))
