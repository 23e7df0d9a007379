"""Answers to the exercises of notebook 02."""

from __future__ import annotations

from econ.catalog import model
from econ.catalog.units import MILLI
from econ.latency.prediction import kv_bytes_per_token, weight_bytes
from econ.latency.speculation import tokens_per_check
from econ.lessons.answers import exercise


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
