"""The answers that exercises are held against: computed by the functions the notebooks teach."""

from __future__ import annotations

from econ.facts import model, price, table
from econ.facts.units import HOUR_S, MILLI, MTOK
from econ.models.envelope import envelope, parts_frame, reality_frame
from econ.models.roofline import kv_bytes_per_token, weight_bytes
from econ.models.scenario import Scenario
from econ.models.speculation import tokens_per_check
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


@exercise(
    "02-1", unit="bytes", tolerance_frac=1e-6, hint="Layers, K and V, KV heads, width, 2 bytes."
)
def kv_of_one_token() -> float:
    """KV cache of one token of Llama-3.1-70B in bf16."""
    return kv_bytes_per_token("llama-3.1-70b")


@exercise("02-2", unit="sequences", tolerance_frac=0.02, hint="Equal bytes read in a step.")
def cache_as_heavy_as_weights() -> float:
    """The batch at which the KV caches of 2,000 tokens weigh as much as the fp8 weights."""
    return weight_bytes("llama-3.1-70b", "fp8") / (2000 * kv_bytes_per_token("llama-3.1-70b"))


@exercise("02-3", unit="s", hint="The first token comes with the TTFT: 499 gaps follow.")
def whole_answer() -> float:
    """End to end from TTFT 0.3 s and TPOT 20 ms for 500 tokens."""
    return 0.3 + 499 * 20 * MILLI


@exercise("02-4", unit="tokens", hint="1 + a + a² + a³ + a⁴.")
def checked_step() -> float:
    """Tokens out of one checked step with four drafts accepted at 0.8."""
    return tokens_per_check(0.8, 4)


@exercise(
    "02-5", unit="share", hint="One token misses an expert with 1 − k/E; sixteen, to that power."
)
def experts_touched() -> float:
    """Share of gpt-oss-120b's experts that a batch of 16 touches."""
    net = model("gpt-oss-120b")
    return 1 - (1 - net.experts_per_token / net.n_experts) ** 16
