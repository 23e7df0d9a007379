"""The answers that exercises are held against: computed by the functions the notebooks teach."""

from __future__ import annotations

from econ.facts import price, table
from econ.facts.units import HOUR_S, MILLI, MTOK
from econ.models.envelope import envelope, parts_frame, reality_frame
from econ.models.scenario import Scenario
from econ.models.token_bill import agent_loop_tokens, conversation_tokens, token_bill
from econ.models.token_cases import AGENT, AGENT_STEPS
from econ.models.tokens import count_tokens, image_tokens
from econ.views.check import exercise


@exercise("00-1", unit="ms", hint="Bytes of all weights over the bandwidth of four chips.")
def step_at_batch_one() -> float:
    """The time to read the default scenario's weights once."""
    return envelope(Scenario.default(), batch=1).weights_s / MILLI


def _measured_throughput() -> float:
    run = reality_frame().set_index("batch").loc[64]
    return float(64 / run.measured_tpot_s / run.n_gpu)


@exercise("00-2", unit="tokens/s per GPU", hint="64 users, one token each per step, four GPUs.")
def measured_throughput() -> float:
    """Decode throughput of the measured run at batch 64."""
    return _measured_throughput()


@exercise("00-3", unit="USD per million tokens", hint="Rent per second over tokens per second.")
def rent_of_a_million_tokens() -> float:
    """What a million output tokens of that run cost in rent."""
    rent = Scenario.default().finance.cost_usd_per_gpu_hour
    return rent / HOUR_S / _measured_throughput() * MTOK


@exercise("00-4", unit="", hint="Divide each part of the longer bill by the shorter one's.")
def fastest_growing_part() -> str:
    """The part of the bill that grows most when the output is ten times as long."""
    case = Scenario.default()
    short, long = (parts_frame(case, 50, output_tokens=n) for n in (200, 2000))
    growth = long["usd_per_1000"] / short["usd_per_1000"]
    return str(long["part"][growth.idxmax()])


@exercise("01-1", unit="characters per token", hint="Length of the text over its tokens.")
def characters_per_token() -> float:
    """Characters per Tekken token of the Georgian paragraph."""
    text = table("parallel_text").loc["ka", "text"]
    return len(text) / count_tokens(text, "tekken")


@exercise("01-2", unit="tokens", tolerance_frac=1e-9, hint="Scale first, then count tiles.")
def screenshot() -> float:
    """Tokens of a full-HD screenshot by the tile rule."""
    return float(image_tokens(1920, 1080, "openai-tile"))


@exercise("01-3", unit="tokens", hint="Sum the input of every turn, history included.")
def thirty_turns() -> float:
    """All input tokens of a thirty-turn conversation."""
    turns = conversation_tokens(30, user_tokens=60, assistant_tokens=250, system_tokens=500)
    return float(turns["input_tokens"].sum())


@exercise("01-4", unit="share", hint="Equal cost: h·read + (1 − h)·write = fresh.")
def caching_pays() -> float:
    """The hit rate above which writing a cache pays."""
    p = price("claude-sonnet-4-6", "Anthropic")
    fresh, read, write = (
        p.input_usd_per_mtok,
        p.cached_input_usd_per_mtok,
        p.cache_write_usd_per_mtok,
    )
    return (write - fresh) / (write - read)


@exercise("01-5", unit="USD per million tokens", hint="All dollars over all tokens, both ways.")
def agent_blend() -> float:
    """The blended price of the lesson's agent without caching."""
    steps = agent_loop_tokens(AGENT_STEPS, **AGENT)
    bill = token_bill(
        price("gpt-5.6-terra", "OpenAI"),
        input_tokens=steps["input_tokens"].sum(),
        output_tokens=steps["output_tokens"].sum(),
    )
    return bill.blended_usd_per_mtok
