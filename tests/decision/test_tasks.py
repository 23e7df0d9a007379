"""Decisions about sessions: fleets are sized by them, and a finished task has its price."""

from __future__ import annotations

import pytest

from econ import decide
from econ.catalog import Price
from econ.decision.tasks import tasks_of
from econ.plan.sellers import seller_times
from econ.scenario import Scenario
from econ.terms import Slo
from econ.tokens import session_load
from econ.tokens.session_traces import begin_rate_per_s

S = Scenario.of(
    "qwen3-32b", "h200-sxm", precision="fp8", slo=Slo(ttft_s=2.0, tpot_s=0.05, attainment_frac=0.9)
)
LOG = session_load("support").draw(200, rate_per_s=0.5, seed=5)  # stands for a log of one's own


@pytest.fixture(scope="module")
def answer():
    return decide(S, ["h200-sxm"], ["fp8"], sessions=LOG, sessions_per_s=3.0, n_refined=1,
                  n_draws=60)  # fmt: skip


def test_a_finished_task_has_its_price_on_every_option(answer):
    frame = answer.per_task_frame().set_index("option")
    tasks = answer.tasks
    day = tasks.rate_per_s * 86400
    for option in answer.options:
        row = frame.loc[option.name]
        assert row["usd_per_session"] * day == pytest.approx(option.usd_per_day, rel=1e-3)
        assert row["usd_per_turn"] < row["usd_per_session"] < row["usd_per_task"]
    own = frame[frame["site_j_per_task"].notna()]
    assert len(own)
    assert (own["task_s"] > own["session_s"]).all()


def test_hit_shares_come_out_of_seller_and_fleet(answer):
    frame = answer.per_task_frame()
    seller = frame.loc[frame["option"].str.contains("API"), "hit_frac"].unique()
    assert seller.tolist() == [seller_times(answer.tasks.draws[0]).hit_frac]
    cost = answer.tasks.costs[answer.fleets["h200-sxm", "rent"].label]
    assert cost.meets_slo
    assert cost.hit_frac in set(frame["hit_frac"])
    assert any("Sessions (own log" in note for note in answer.notes)


def test_a_seller_whose_entries_live_longer_serves_more_and_asks_more_to_write_them():
    """By the list: what is new in a turn is written, since the next turn reads it."""
    quote = Price(model="", provider="Acme", input_usd_per_mtok=3.0, output_usd_per_mtok=15.0,
                  cached_input_usd_per_mtok=0.3, cache_write_usd_per_mtok=3.75,
                  cache_write_1h_usd_per_mtok=6.0)  # fmt: skip
    for ttl_s, write in ((300.0, 3.75), (3600.0, 6.0)):
        answer = decide(S, sessions=LOG, sessions_per_s=0.1, terms=["api"], sellers=["Acme"],
                        api_prices=[quote], cache_ttl_s=ttl_s, n_draws=60)  # fmt: skip
        hit = seller_times(answer.tasks.draws[0], ttl_s=ttl_s).hit_frac
        w = answer.scenario.workload
        usd = w.mean_input_tokens * (hit * 0.3 + (1 - hit) * write) + w.mean_output_tokens * 15
        best = answer.best_of("api")
        assert best.usd_per_day == pytest.approx(w.rate_per_s * 86400 * usd / 1e6, rel=1e-3)
        assert best.rates == pytest.approx((write, 0.3, 15.0, hit))


def test_a_log_comes_at_its_own_rate_or_another():
    tasks = tasks_of(S, LOG, None, 0)
    assert tasks.rate_per_s == pytest.approx(begin_rate_per_s(LOG))
    asked = tasks_of(S, "support", 2.0, 0).load
    window = S.resolved_model.max_context_tokens  # before which agents compact
    assert asked == session_load("support").replace(context_limit_tokens=window)


def test_machines_are_looked_for_where_agents_fill_the_window():
    """No turn has both the longest prompt and the longest answer, so none is too long."""
    agents = Scenario.of("glm-4.6", "h200-sxm", precision="fp8")
    tasks = tasks_of(agents, "coding-agent", 0.02, 0)
    turns, window = tasks.draws[0], agents.resolved_model.max_context_tokens
    assert (turns.input_tokens + turns.output_tokens).max() <= window
    own, seller = tasks.own.workload, tasks.seller.workload
    tops = seller.input_quantile_tokens[-1], seller.output_quantile_tokens[-1]
    assert tops == (turns.input_tokens.max(), turns.output_tokens.max())
    assert sum(tops) > window  # what made the search refuse every machine
    assert own.input_quantile_tokens[-1] + own.output_quantile_tokens[-1] <= window
    assert own.mean_input_tokens == pytest.approx(seller.mean_input_tokens, rel=0.05)


def test_what_belongs_to_sessions_is_refused_without_them():
    with pytest.raises(TypeError, match="sessions_per_s"):
        decide(S, sessions_per_s=1.0)
    with pytest.raises(ValueError, match="deadline_h"):
        decide(S, sessions="support", deadline_h=24)
    with pytest.raises(TypeError, match="SessionLoad"):
        decide(S, sessions=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no sessions"):
        decide(S, ["h200-sxm"], ["fp8"], n_refined=0, n_draws=60).per_task_frame()
