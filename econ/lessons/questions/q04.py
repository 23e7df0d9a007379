"""Questions of lesson 04: does it hold on the computer you sit at?"""

from __future__ import annotations

import dataclasses
import functools
import math

from econ.catalog import table
from econ.catalog.units import GIGA, HOURS_PER_DAY, KWH_J, MEGA, MILLI, MTOK
from econ.lessons.question import Inputs, Wrong, question
from econ.machine import fit_runs, own_cost, own_scenario, recorded, step_times_s, tiny_shape

FP32_BYTES = 4


@functools.cache
def _step_ratio(users: int, more_users: int) -> float:
    """The step that more users share over that of fewer, on the recorded machine."""
    times = recorded().runs.set_index("batch")["p50_itl_s"]
    return float(times[more_users] / times[users])


question(
    "04-two",
    "A small model decodes for one user on the recorded computer. A second user joins, and both "
    "share each reading of the weights. **How many times as long** does a step take?",
    unit="times as long",
    slider=(0.5, 5),
    tolerance_frac=0.2,
    wrong=[
        Wrong((0.9, 1.2), "That is what the bound says: the weights are read once for both. The "
              "library does more than read: it packs the weights before it multiplies two vectors, "
              "and for a single one it does not.", "batch-two-is-free"),
    ],
    because=lambda q: "The library takes another path for two vectors than for one, and that path "
    "packs the weights first. Fourteen more users share it: a step of sixteen takes "
    f"{_step_ratio(2, 16):.1f} times as long as one of two.",
    truth=lambda q: _step_ratio(1, 2),
)  # fmt: skip


@functools.cache
def _reach_percent() -> float:
    one = recorded()
    return 100 * fit_runs(one.scenario(), one.runs).weight_bandwidth_frac


question(
    "04-reach",
    "The recorded computer reads a long array at a measured bandwidth. Which share of it, in "
    "**percent**, does decoding for one user reach?",
    unit="percent",
    slider=(0, 100),
    tolerance_frac=0.15,
    wrong=[
        Wrong((90, 100), "That would be a library without any overhead. Decoding is dozens of "
              "products, with small steps in between that read no weights at all.",
              "library-reaches-datasheet"),
    ],
    because="What is lost is software: small operations, and a product that reads a matrix less "
            "smoothly than a sum reads an array.",
    truth=lambda q: _reach_percent(),
)  # fmt: skip


@functools.cache
def _clock_gain() -> float:
    """How much faster a step is where products are twice as fast and memory is the same."""
    one = recorded()
    fast = dataclasses.replace(
        one.machine, peak_fp32_flop_per_s=2 * one.machine.peak_fp32_flop_per_s
    )
    times = [float(step_times_s(own_scenario(m, one.shape), [1])[0]) for m in (one.machine, fast)]
    return times[0] / times[1]


def _faster_clock(q: Inputs) -> str:
    return "hardly" if _clock_gain() < 1.1 else "half" if _clock_gain() < 1.75 else "twice"


question(
    "04-clock",
    "Two computers have the same memory. The second one's processor computes twice as fast. How "
    "much faster does it write tokens for one user, at the bound?",
    options={"twice": "about twice as fast", "half": "about one and a half times as fast",
             "hardly": "hardly faster"},
    wrong=[
        Wrong("twice", "The processor waits for the weights. With twice the arithmetic it waits "
              "longer, and the token comes no sooner.", "clock-is-speed"),
        Wrong("half", "There is no mixture of the two at this batch: the slower of reading and "
              "computing sets the pace, and that is reading.", "clock-is-speed"),
    ],
    because=lambda q: f"The step is {_clock_gain():.2f} times as fast: it is as long as the "
    "reading of the weights.",
    truth=_faster_clock,
)  # fmt: skip


@functools.cache
def _thread_gain() -> float:
    """Reading with four threads a core over reading with one a core."""
    rates = table("recorded_threads")["bandwidth_bytes_per_s"]
    return float(rates[8] / rates[2])


def _more_threads(q: Inputs) -> str:
    gain = _thread_gain()
    return "none" if gain < 1.2 else "some" if gain < 3 else "four"


question(
    "04-threads",
    "The recorded computer has two cores. It reads a matrix with two threads, then with eight. "
    "How much faster does it read?",
    options={"four": "four times as fast", "some": "a quarter faster, or better",
             "none": "hardly faster"},
    wrong=[
        Wrong("four", "Threads share the cores, and the cores share the memory. Neither grew.",
              "more-threads-help"),
        Wrong("some", "A core that waits for memory waits with every thread. The bus was busy "
              "already.", "more-threads-help"),
    ],
    because=lambda q: f"Eight threads read {_thread_gain():.2f} times as fast as two.",
    truth=_more_threads,
)  # fmt: skip


def _bound_ms(params_m: float, gb_per_s: float, n_bytes: float = FP32_BYTES) -> float:
    return n_bytes * params_m * MEGA / (gb_per_s * GIGA) / MILLI


question(
    "04-1",
    "A computer reads **{gb_per_s}** GB/s. A model has **{params_m}** million weights in float32. "
    "What is the least time of a token for one user, in **milliseconds**, caches left out?",
    unit="ms",
    inputs={"gb_per_s": (40, 60, 25), "params_m": (150, 240, 90)},
    wrong=[
        Wrong(lambda q: _bound_ms(q.params_m, q.gb_per_s, 2), "That is for two bytes a weight. A "
              "float32 has four."),
        Wrong(lambda q: _bound_ms(q.params_m, q.gb_per_s, 1), "That counts weights as bytes. A "
              "float32 has four."),
        Wrong(lambda q: 2 * _bound_ms(q.params_m, q.gb_per_s), "Two operations a weight are the "
              "arithmetic. Each weight is read once."),
    ],
    hints=("How many bytes does one token read?", "4 × weights ÷ bandwidth."),
    work=lambda q: f"4 × {q.params_m} million bytes over {q.gb_per_s} GB/s take "
    f"{_bound_ms(q.params_m, q.gb_per_s):.2f} ms.",
    truth=lambda q: _bound_ms(q.params_m, q.gb_per_s),
)  # fmt: skip


def _ridge_batch(gflop_per_s: float, gb_per_s: float) -> float:
    return gflop_per_s / gb_per_s * FP32_BYTES / 2


question(
    "04-2",
    "A computer computes **{gflop_per_s}** GFLOP/s in float32 and reads **{gb_per_s}** GB/s. From "
    "which **batch** on do the products of a step take longer than reading the weights?",
    unit="users",
    inputs={"gflop_per_s": (600, 450, 900), "gb_per_s": (40, 25, 50)},
    wrong=[
        Wrong(lambda q: q.gflop_per_s / q.gb_per_s, "That is the ridge in FLOP per byte. A weight "
              "has four bytes and takes two operations for each user."),
        Wrong(lambda q: q.gflop_per_s / q.gb_per_s / 2, "That forgets that a float32 has four "
              "bytes to read."),
        Wrong(lambda q: q.gflop_per_s / q.gb_per_s * FP32_BYTES, "That counts one operation a "
              "weight. There are two: a multiplication and an addition."),
    ],
    hints=("Set the two times equal: one grows with the batch, the other does not.",
           "FLOP/s ÷ bytes/s × 4 bytes ÷ 2 FLOP."),
    work=lambda q: f"{q.gflop_per_s} ÷ {q.gb_per_s} × 4 ÷ 2 = "
    f"{_ridge_batch(q.gflop_per_s, q.gb_per_s):.0f} users.",
    truth=lambda q: _ridge_batch(q.gflop_per_s, q.gb_per_s),
)  # fmt: skip


def _token_cost(q: Inputs, hours_per_day: float | None = None) -> float:
    return own_cost(
        q.tokens_per_s, price_usd=q.price_usd, power_w=q.power_w, electricity_usd_per_kwh=0.25,
        life_years=4, hours_per_day=q.hours if hours_per_day is None else hours_per_day,
    ).usd_per_mtok  # fmt: skip


def _electricity_alone(q: Inputs) -> float:
    return float(q.power_w / q.tokens_per_s / KWH_J * 0.25 * MTOK)


question(
    "04-3",
    "A laptop for **{price_usd} USD** lasts four years and writes **{tokens_per_s}** tokens per "
    "second for **{hours}** hours a day at **{power_w} W**; a kWh costs 0.25 USD. What does a "
    "million tokens cost, in **USD** (365 days a year, no interest)?",
    unit="USD per million tokens",
    inputs={"price_usd": (1600, 2400, 1200), "tokens_per_s": (8, 20, 12), "hours": (2, 3, 1),
            "power_w": (50, 80, 40)},
    wrong=[
        Wrong(lambda q: _token_cost(q, HOURS_PER_DAY), "That spreads the price over nights in "
              "which the laptop writes nothing."),
        Wrong(_electricity_alone, "That is the electricity alone. The laptop was paid for."),
        Wrong(lambda q: _token_cost(q) - _electricity_alone(q), "That leaves the electricity out."),
    ],
    hints=("What does one hour cost in which the laptop writes, and how many tokens does it hold?",
           "(price ÷ hours of its life in use + kW × USD per kWh) ÷ (3,600 × tokens per second), "
           "times a million."),
    work=lambda q: f"{q.price_usd} USD over {4 * 365 * q.hours:,} hours and {q.power_w} W make "
    f"${q.price_usd / (4 * 365 * q.hours) + q.power_w / 1000 * 0.25:.3f} an hour; "
    f"{3600 * q.tokens_per_s:,} tokens in it make ${_token_cost(q):.2f} a million.",
    truth=_token_cost,
)  # fmt: skip


def _memory_users(q: Inputs) -> float:
    shape = tiny_shape(64e6)
    free = q.gb * GIGA - FP32_BYTES * shape.n_params
    return float(free / (q.tokens * shape.kv_bytes_per_token(FP32_BYTES)))


question(
    "04-4",
    "The small model of this lesson keeps **{tokens:,}** tokens of every user in float32, beside "
    "its weights, in **{gb} GB** of memory. How many **users** fit?",
    unit="users",
    inputs={"tokens": (4000, 2000, 8000), "gb": (8, 16, 4)},
    tolerance_frac=0.02,
    whole=True,
    wrong=[
        Wrong(lambda q: _memory_users(q) * 2, "A number in float32 has four bytes, not two."),
        Wrong(lambda q: _memory_users(q) / 4, "That counts the query heads. Four of them share one "
              "KV head."),
        Wrong(lambda q: _memory_users(q) * tiny_shape(64e6).n_layers, "Every layer keeps keys and "
              "values of its own."),
    ],
    hints=("How many bytes does one token of one user keep, over all layers?",
           "2 (K and V) × layers × KV heads × 64 × 4 bytes, then divide what the weights leave."),
    work=lambda q: f"{q.gb} GB less {FP32_BYTES * tiny_shape(64e6).n_params / GIGA:.2f} GB of "
    f"weights hold {_memory_users(q):.0f} users of {q.tokens:,} tokens.",
    truth=lambda q: math.floor(_memory_users(q)),
)  # fmt: skip
