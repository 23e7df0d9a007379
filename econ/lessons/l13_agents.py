"""Lesson 13, agents: sessions against a cache, and what a finished task costs.

>>> case().deployment.n_gpu, LOAD.context_limit_tokens
(8, 120000)
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import pandas as pd

from econ.catalog import table
from econ.catalog.units import HOUR_S
from econ.charts import Drawing, Panel, figure, panel, slider
from econ.plan import AgentCost, agent_cost, typical_bill
from econ.scenario import Scenario
from econ.serving import Replica, replica, simulate_sessions, ttft_by_cache
from econ.serving.session_service import calls_of
from econ.tco import cost_usd_per_accepted_task
from econ.terms import Slo
from econ.tokens import agent_loop_tokens, session_load

MODEL, PRICE = "glm-5.2", "glm-5.2"
LOAD = session_load("task-agent").replace(context_limit_tokens=120_000)
N_SESSIONS = 100
RATE_PER_H = 54.0
TOOL_TOKENS, ANSWER_TOKENS = 1500, 300
TIERS: dict[str, tuple[str, ...]] = {"HBM alone": (), "with host memory": ("host",)}


@functools.cache
def case() -> Scenario:
    """GLM-5.2 on eight H200, as an agent's team would rent it."""
    return Scenario.of(
        MODEL,
        "h200-sxm",
        n_gpu=8,
        tp=8,
        precision="fp8",
        slo=Slo(ttft_s=5.0, tpot_s=0.05, attainment_frac=0.9),
        name="An agent's service",
    )


@functools.lru_cache(maxsize=128)
def cost_at(n_sessions_per_h: float, tiers: tuple[str, ...] = ()) -> AgentCost:
    """`econ.plan.agent_cost` of the case at a rate of sessions an hour."""
    cost: AgentCost = agent_cost(
        case(), LOAD, rate_per_s=n_sessions_per_h / HOUR_S, n=N_SESSIONS, price=PRICE, tiers=tiers
    )
    return cost


def kv_tokens() -> int:
    """Tokens of context that fit beside the weights of the case."""
    calls = calls_of(LOAD.draw(N_SESSIONS))
    server = replica(case().with_(workload=calls))
    assert isinstance(server, Replica)
    return server.kv_tokens


def measured_frame() -> pd.DataFrame:
    """What others measured of agents on four MI355X: users, memory, hit share and first token."""
    rows = table("measured_hits").sort_values(["concurrency", "offload"], ascending=[True, False])
    return rows[["concurrency", "offload", "hit_frac", "ttft_s"]].reset_index(drop=True)


def loop_frame(n_turns: int, system_tokens: float) -> pd.DataFrame:
    """The loop of the exercises: 1,500 tokens of a tool's result and 300 of answer a turn."""
    return agent_loop_tokens(
        n_turns,
        system_tokens=system_tokens,
        task_tokens=TOOL_TOKENS,
        step_output_tokens=ANSWER_TOKENS,
        tool_result_tokens=TOOL_TOKENS,
    )


def rates_frame(n_sessions_per_h: Iterable[float]) -> pd.DataFrame:
    """Load against memory: ``sessions_per_h``, ``memory``, hit share, turn, USD, SLO."""
    rows = []
    for rate in n_sessions_per_h:
        for memory, tiers in TIERS.items():
            cost = cost_at(rate, tiers)
            rows.append(
                {
                    "sessions_per_h": rate,
                    "memory": memory,
                    "hit_percent": 100 * cost.hit_frac,
                    "mean_turn_s": cost.mean_turn_s,
                    "good_percent": 100 * cost.good_frac,
                    "usd_per_task": cost.usd_per_task,
                    "api_usd_per_task": cost.api_usd_per_task,
                    "meets_slo": cost.meets_slo,
                    "cheaper": cost.cheaper,
                }
            )
    return pd.DataFrame(rows)


def levers_frame() -> pd.DataFrame:
    """One change each: ``lever``, hit share, seconds a turn, USD and joules a task, the SLO."""
    s, rate = case(), RATE_PER_H / HOUR_S
    short = LOAD.replace(context_limit_tokens=60_000, compact_to_tokens=10_000)
    twice = s.with_(n_gpu=16)
    rows = []
    more: dict[str, Any]
    for lever, scenario, load, times, more in (
        ("as it is", s, LOAD, 1, {}),
        ("host memory", s, LOAD, 1, {"tiers": ("host",)}),
        ("shorter context", s, short, 1, {}),
        ("two servers, random routing", twice, LOAD, 2, {"routing": "random"}),
        ("two servers, prefix-aware", twice, LOAD, 2, {}),
        ("no prefix cache", s, LOAD, 1, {"cached": False}),
    ):
        cost = agent_cost(scenario, load, rate_per_s=times * rate, n=N_SESSIONS, **more)
        rows.append(
            {
                "lever": lever,
                "hit_frac": cost.hit_frac,
                "mean_turn_s": cost.mean_turn_s,
                "good_frac": cost.good_frac,
                "site_j_per_task": cost.site_j_per_task,
                "usd_per_task": cost.usd_per_task,
                "meets_slo": cost.meets_slo,
            }
        )
    return pd.DataFrame(rows)


def where_frame(input_tokens: int) -> pd.DataFrame:
    """One turn alone, by where its prefix lies: ``prefix``, ``ttft_s``."""
    ttft_s = ttft_by_cache(case(), input_tokens, tiers=("host", "disk", "store"))
    return pd.DataFrame({"prefix": list(ttft_s), "ttft_s": list(ttft_s.values())})


def lifetimes_frame(lifetimes_s: Iterable[float], model: str = "claude-opus-4-8") -> pd.DataFrame:
    """Coding agents at a seller: ``ttl_s``, hit shares, mean USD per session."""
    rows = []
    for ttl_s in lifetimes_s:
        bill = typical_bill("coding-agent", model, ttl_s=ttl_s)
        rows.append(
            {
                "ttl_s": ttl_s,
                "hit_frac": bill.hit_frac,
                "user_hit_frac": bill.user_hit_frac,
                "tool_hit_frac": bill.tool_hit_frac,
                "usd_per_session": float(bill.session_usd.mean()),
            }
        )
    return pd.DataFrame(rows)


def bill_frame(model: str = "claude-opus-4-8") -> pd.DataFrame:
    """Parts of the bill of coding agents: ``part``, ``percent``."""
    shares = typical_bill("coding-agent", model).shares()
    return pd.DataFrame({"part": shares.index, "percent": 100 * shares.to_numpy()})


def models_frame(review_usd: float) -> pd.DataFrame:
    """One agent with many models: an attempt, and a finished task with its review."""
    rows = table("agent_tasks")[["model", "solved_frac", "usd_per_attempt", "calls_per_attempt"]]
    usd = cost_usd_per_accepted_task(
        rows["usd_per_attempt"].to_numpy(), rows["solved_frac"].to_numpy(), review_usd
    )
    return rows.assign(usd_per_task=usd).sort_values("usd_per_task").reset_index(drop=True)


def live_frame(n_sessions_per_h: float, context_limit_tokens: float) -> pd.DataFrame:
    """Share of cached prompt tokens and of turns in time, with and without a tier below."""
    load = LOAD.replace(context_limit_tokens=int(context_limit_tokens), compact_to_tokens=10_000)
    sessions = load.draw(40, rate_per_s=n_sessions_per_h / HOUR_S)
    rows = []
    for memory, tiers in TIERS.items():
        served = simulate_sessions(case(), sessions, tiers=tiers)
        rows.append((memory, "prompt from a cache", 100 * served.hit_frac))
        rows.append((memory, "turns in time", 100 * served.good_frac))
    return pd.DataFrame(rows, columns=["memory", "what", "percent"])


def live_chart(frame: pd.DataFrame) -> Drawing:
    """`live_frame` as points."""
    good = frame[frame["what"] == "turns in time"].set_index("memory")["percent"]
    words = ", ".join(f"{value:.0f} % {memory}" for memory, value in good.items())
    return figure(frame, "percent", "memory", by="what", kind="point", legend=True,
                  x_title="Share (%)", x_domain=(0.0, 100.0),
                  finding=f"Turns in time: {words}")  # fmt: skip


def memory_panel() -> Panel:
    """Sessions an hour against the memory: the reader moves load and context."""
    return panel(
        live_frame,
        live_chart,
        n_sessions_per_h=slider(10, 120, value=54, step=2, label="Sessions per hour"),
        context_limit_tokens=slider(50_000, 120_000, value=120_000, step=10_000,
                             label="Context limit (tokens)"),
        presets={
            "36 sessions/h": {"n_sessions_per_h": 36},
            "72 sessions/h": {"n_sessions_per_h": 72},
            "72 sessions/h, short context": {
                "n_sessions_per_h": 72,
                "context_limit_tokens": 60_000,
            },
        },
        heading="Where does the prompt come from, and does it come in time?",
    )  # fmt: skip
