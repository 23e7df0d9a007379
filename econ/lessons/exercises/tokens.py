"""Answers to the exercises of notebook 01."""

from __future__ import annotations

from econ.catalog import price, table
from econ.lessons.answers import exercise
from econ.lessons.l01_tokens import AGENT, AGENT_STEPS
from econ.tokens.bill import agent_loop_tokens, conversation_tokens, token_bill
from econ.tokens.count import count_tokens, image_tokens


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
