"""Questions of lesson 02: where does the time go?"""

from __future__ import annotations

import functools

import econ.latency as latency
from econ.catalog.units import GB, MILLI
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario

NET = "llama-3.1-70b"


@functools.cache
def _speedup(users: int) -> float:
    """Time of a step in bf16 over that in fp8."""
    served = Scenario.of(NET, "h100-sxm", tp=4, n_gpu=4, precision="fp8", input_tokens=1000,
                         output_tokens=500)  # fmt: skip
    times = [latency.predict(served.with_(precision=p), concurrency=users).tpot_s
             for p in ("bf16", "fp8")]  # fmt: skip
    return float(times[0] / times[1])


def _prefill_share() -> float:
    """Prefill's share of the machine's time for one request of the default scenario."""
    one = latency.bound.envelope(Scenario.default(), batch=64)
    return float(one.prefill_s / one.machine_s)


question(
    "02-true",
    "Which of these six sentences is **true**?",
    options={
        "five": "Output costs four to five times as much as input, because of physics.",
        "moe": "A mixture of experts needs a smaller KV cache than a dense model.",
        "free": "Prefill is so fast that it costs nothing.",
        "half": "Weights of half the size write tokens twice as fast.",
        "smi": "An accelerator that nvidia-smi calls 100 % utilised does all the work it can.",
        "once": "One reading of the weights serves every user of the batch.",
    },
    wrong=[
        Wrong("five", "That is a price list. The machine's time for an output token falls with the "
              "batch, and for an input token it does not, so the ratio has no fixed value.",
              "output-costs-five"),
        Wrong("moe", "Experts replace the feed-forward part. The cache belongs to attention: its "
              "layers, KV heads and their width.", "moe-shrinks-kv"),
        Wrong("free", lambda q: f"In this service prefill takes {_prefill_share():.0%} of the "
              "machine's time, at a batch of 64.", "prefill-free"),
        Wrong("half", lambda q: f"From bf16 to fp8 a step gets {_speedup(1):.1f} times as fast for "
              f"one user and {_speedup(256):.1f} times for 256: caches, launches and links stay as "
              "they are.", "quantisation-always-wins"),
        Wrong("smi", "That figure says that some kernel was running, not how much of the bandwidth "
              "or of the arithmetic it used.", "utilisation-is-work"),
    ],
    because="That is why sharing makes tokens cheap.",
    truth=lambda q: "once",
)  # fmt: skip


def _kv_bytes(layers: int, kv_heads: int) -> float:
    return float(layers * 2 * kv_heads * 128 * 2)


question(
    "02-1",
    "A model has **{layers}** layers, 64 query heads, and **{kv_heads}** KV heads of width 128. "
    "How many **bytes** of KV cache does one token take in bf16?",
    unit="bytes",
    inputs={"layers": (80, 60, 48), "kv_heads": (8, 4)},
    tolerance_frac=1e-6,
    wrong=[
        Wrong(lambda q: _kv_bytes(q.layers, 64), "That takes the full hidden size, with all 64 "
              "heads. Only the KV heads are stored.", "kv-hidden-size"),
        Wrong(lambda q: _kv_bytes(q.layers, q.kv_heads) / 2, "Half is missing: a key *and* a value "
              "for each head, two bytes for each number."),
        Wrong(lambda q: _kv_bytes(1, q.kv_heads), "That is one layer. Each of the {layers} keeps "
              "its own cache."),
        Wrong(lambda q: _kv_bytes(q.layers, 1), "That is one KV head. There are {kv_heads}."),
    ],
    hints=("What is stored for one token, in which layers, for which heads?",
           "Layers × 2 (key and value) × KV heads × width × bytes per number."),
    work=lambda q: f"{q.layers} layers × 2 × {q.kv_heads} KV heads × 128 × 2 bytes = "
    f"{_kv_bytes(q.layers, q.kv_heads):,.0f} bytes.",
    truth=lambda q: _kv_bytes(q.layers, q.kv_heads),
)  # fmt: skip


def _sequences(context_tokens: int, precision: str = "fp8") -> float:
    per_token = latency.kv_bytes_per_token(NET)
    return float(latency.weight_bytes(NET, precision) / (context_tokens * per_token))


question(
    "02-2",
    "At how many **sequences** of **{context_tokens:,}** tokens do the caches (in bf16) of "
    "Llama-3.1-70B weigh as much as its weights in fp8?",
    unit="sequences",
    inputs={"context_tokens": (2000, 1000, 4000)},
    tolerance_frac=0.04,  # with or without the few weights that stay in 16 bits
    whole=True,
    wrong=[
        Wrong(lambda q: _sequences(q.context_tokens, "bf16"), "That is for weights of two bytes. "
              "In fp8 a weight is one."),
        Wrong(lambda q: _sequences(1), "Those are tokens. A sequence has {context_tokens:,} of "
              "them."),
        Wrong(lambda q: _sequences(q.context_tokens) / 8, "That caches all 64 heads. The model "
              "stores 8 KV heads.", "kv-hidden-size"),
    ],
    hints=("How many bytes is one sequence's cache?",
           "Bytes of the weights ÷ (tokens of a sequence × KV bytes of a token)."),
    work=lambda q: f"{latency.weight_bytes(NET, 'fp8') / GB:.0f} GB ÷ ({q.context_tokens:,} × "
    f"327,680 bytes) = {_sequences(q.context_tokens):.0f} sequences.",
    truth=lambda q: _sequences(q.context_tokens),
)  # fmt: skip


TTFT_S = 0.3


def _answer(q: Inputs, n_gaps: int) -> float:
    return float(TTFT_S + n_gaps * q.tpot_ms * MILLI)


question(
    "02-3",
    "An answer has **{tokens}** tokens, a TTFT of 0.3 s and a TPOT of **{tpot_ms} ms**. After how "
    "many **seconds** is it complete? Give two digits after the point.",
    unit="s",
    inputs={"tokens": (500, 400, 250), "tpot_ms": (20, 25, 30)},
    tolerance_frac=0.0006,
    wrong=[
        Wrong(lambda q: _answer(q, q.tokens), "You counted {tokens} gaps. The first token comes "
              "with the TTFT, so one gap fewer follows."),
        Wrong(lambda q: q.tokens * q.tpot_ms * MILLI, "The wait for the first token is missing."),
        Wrong(lambda q: (q.tokens - 1) * q.tpot_ms * MILLI, "The wait for the first token is "
              "missing."),
    ],
    hints=("How many gaps lie between that many tokens?", "TTFT + (tokens − 1) × TPOT."),
    work=lambda q: f"0.3 s + {q.tokens - 1} × {q.tpot_ms} ms = {_answer(q, q.tokens - 1):.2f} s.",
    truth=lambda q: float(latency.answer_s(TTFT_S, q.tpot_ms * MILLI, q.tokens)),
)  # fmt: skip
