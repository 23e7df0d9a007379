"""Questions of lesson 00: what does an answer cost?"""

from __future__ import annotations

import functools
import math

from econ.catalog import accelerator, model
from econ.catalog.units import GB, HOUR_S, MILLI, MTOK, TERA
from econ.latency.bound import reality_frame
from econ.lessons.l00_start import batches_frame, bill_frame, parts_frame
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario
from econ.tco import cost_usd_per_mtok

NET, CHIP = "llama-3.1-70b", "h100-sxm"


@functools.cache
def _alone_usd_per_mtok() -> float:
    """A million tokens when one user has the server, at the measured slowdown."""
    slowdown = reality_frame()["slowdown"].median()
    return float(batches_frame(Scenario.default(), [1], slowdown)["cost_usd_per_mtok"].iloc[0])


def _shared_cost(q: Inputs) -> float:
    bill = bill_frame(Scenario.default(), batch=64).set_index("link")
    return float(bill.loc["rent per million output tokens", "typical"])


question(
    "00-cost",
    "What will a **million output tokens** of this service cost when 64 users share the "
    "accelerators?",
    unit="USD per million output tokens",
    slider=(0.01, 1000),
    tolerance_frac=0.3,
    wrong=[
        Wrong((0, 0.5), "That is below what physics allows: the bytes of the weights have to be "
              "read, and the hours of four accelerators have to be paid."),
        Wrong((20, math.inf), lambda q: "That is about the price of a server with one user "
              f"(${_alone_usd_per_mtok():.0f}). The users share each reading of the weights, and "
              "so they share the bill."),
    ],
    because="All of it is rent, electricity included, and the users of one batch share it.",
    truth=_shared_cost,
)  # fmt: skip


def _weights_bytes() -> float:
    return float(model(NET).n_params)


def _reading_ms(n_gpu: float) -> float:
    return _weights_bytes() / (n_gpu * accelerator(CHIP).memory_bandwidth_bytes_per_s) / MILLI


question(
    "00-1",
    "How long does one reading of all weights of Llama-3.1-70B in fp8 take on **{n_gpu}** H100 "
    "together, in **milliseconds**?",
    unit="ms",
    inputs={"n_gpu": (4, 8, 6)},
    wrong=[
        Wrong(lambda q: _reading_ms(1), "That is the time of one accelerator. All {n_gpu} read "
              "their own part at the same time."),
        Wrong(lambda q: 2 * _reading_ms(q.n_gpu), "That is for two bytes per weight. In fp8 a "
              "weight is one byte."),
        Wrong(lambda q: 2 * model(NET).active_params / (q.n_gpu * accelerator(CHIP)
              .peak_flop_per_s("fp8")) / MILLI, "That is the time of the arithmetic. The reading "
              "takes longer, and it is what you were asked for."),
    ],
    hints=("Which bytes are read, and how many accelerators read at the same time?",
           "Bytes of all weights ÷ (number of accelerators × bandwidth of one)."),
    work=lambda q: f"{_weights_bytes() / GB:.1f} GB over {q.n_gpu} × "
    f"{accelerator(CHIP).memory_bandwidth_bytes_per_s / TERA:.2f} TB/s take "
    f"{_reading_ms(q.n_gpu):.2f} ms.",
    truth=lambda q: _reading_ms(q.n_gpu),
)  # fmt: skip


def _run(batch: int) -> tuple[float, int]:
    """Measured TPOT in seconds and GPUs of the run at a batch."""
    row = reality_frame().set_index("batch").loc[batch]
    return float(row.measured_tpot_s), int(row.n_gpu)


def _throughput(q: Inputs) -> float:
    tpot_s, n_gpu = _run(q.batch)
    return float(q.batch / tpot_s / n_gpu)


question(
    "00-2",
    "In the measured run at batch **{batch}**, each of the {batch} users receives one token per "
    "step. How many output **tokens per second per GPU** does the server write while it decodes?",
    unit="tokens/s per GPU",
    inputs={"batch": (64, 32, 16)},
    wrong=[
        Wrong(lambda q: q.batch / _run(q.batch)[0], "That is the whole server. It has four GPUs."),
        Wrong(lambda q: 1 / _run(q.batch)[0], "That is one user's speed. All {batch} users receive "
              "a token in each step."),
        Wrong(lambda q: 1 / _run(q.batch)[0] / 4, "That is one user's speed over four GPUs. All "
              "{batch} users receive a token in each step."),
    ],
    hints=("How many tokens does one step write, and how long does it take?",
           "Batch ÷ measured time per output token ÷ number of GPUs."),
    work=lambda q: f"At batch {q.batch} a step takes {_run(q.batch)[0] / MILLI:.1f} ms: "
    f"{q.batch} ÷ {_run(q.batch)[0]:.4f} s ÷ 4 = {q.batch / _run(q.batch)[0] / 4:,.0f} tokens/s "
    "per GPU.",
    truth=_throughput,
)  # fmt: skip


question(
    "00-3",
    "A GPU writes **{tokens_per_s}** output tokens per second and rents for **{usd_per_hour} USD** "
    "an hour. What does a million output tokens cost, in **USD**?",
    unit="USD per million tokens",
    inputs={"tokens_per_s": (820, 600, 1100), "usd_per_hour": (3.85, 2.2, 3.1)},
    wrong=[
        Wrong(lambda q: 4 * cost_usd_per_mtok(q.usd_per_hour, q.tokens_per_s), "That pays for four "
              "GPUs and counts the tokens of one. Take both per GPU."),
        Wrong(lambda q: q.usd_per_hour / q.tokens_per_s, "That divides the rent of an hour by the "
              "tokens of a second. Bring both to seconds, then take a million tokens."),
        Wrong(lambda q: q.usd_per_hour * q.tokens_per_s * HOUR_S / MTOK, "That multiplies where "
              "it should divide: more tokens per second make a token cheaper."),
    ],
    hints=("How many tokens does the rent of one hour buy?",
           "USD per hour ÷ 3,600 ÷ tokens per second × a million."),
    work=lambda q: f"${q.usd_per_hour} buys {q.tokens_per_s} × 3,600 = "
    f"{q.tokens_per_s * HOUR_S:,.0f} tokens, so a million cost "
    f"${cost_usd_per_mtok(q.usd_per_hour, q.tokens_per_s):.2f}.",
    truth=lambda q: float(cost_usd_per_mtok(q.usd_per_hour, q.tokens_per_s)),
)  # fmt: skip


@functools.cache
def _growth(output_tokens: int) -> dict[str, float]:
    """By how much each part of the bill grows from an output of 200 tokens, at batch 50."""
    short, longer = (
        parts_frame(Scenario.default(), 50, output_tokens=n).set_index("part")["usd_per_1000"]
        for n in (200, output_tokens)
    )
    return {str(part): float(factor) for part, factor in (longer / short).items()}


def _fastest_growing_part(q: Inputs) -> str:
    growth = _growth(q.output_tokens)
    return max(growth, key=growth.__getitem__)


question(
    "00-4",
    "At batch 50, make the output longer, from 200 to **{output_tokens:,}** tokens. Which part of "
    "the bill grows by the largest factor?",
    inputs={"output_tokens": (2000, 1000, 4000)},
    options={name: name for name in
             ("prefill", "reading weights", "reading the KV cache", "all alike")},
    wrong=[
        Wrong("prefill", "Prefill reads the prompt, and the prompt is as long as before."),
        Wrong("reading weights", lambda q: "Every new token reads the weights once, so this part "
              f"grows {_growth(q.output_tokens)['reading weights']:.0f}-fold, exactly as the "
              "output does. One part grows faster."),
        Wrong("all alike", "The prompt is read once, however long the answer, and a step late in "
              "the answer reads more cache than an early one."),
    ],
    hints=("Which part is read once per token *and* gets longer with each token?",
           "Divide each part of the longer bill by the same part of the shorter one."),
    work=lambda q: f"From 200 to {q.output_tokens:,} tokens: " + "; ".join(
        f"{part} × {factor:.1f}" for part, factor in _growth(q.output_tokens).items()) + ".",
    truth=_fastest_growing_part,
)  # fmt: skip
