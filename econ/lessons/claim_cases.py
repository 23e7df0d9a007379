"""What it takes to recompute a published claim: limits, denominators, boundaries.

Each takes the claimed figure and published inputs, or names of the catalogue. It returns what the
claim's own terms give, the answer to the question beside it (`econ.lessons.claims`), and its steps.

>>> found, asked, steps = INVESTIGATE["per_gpu"](30, headline_ratio=30, n_new=72, n_old=8)
>>> found, round(asked, 2), steps[2]
(30, 3.33, ('GPUs, new over old', 9.0, 'times'))
"""

from __future__ import annotations

import math
from collections.abc import Callable

from econ.catalog import accelerator
from econ.catalog.units import BITS_PER_BYTE, GB, GIGA, KILO, PETA, TERA
from econ.latency.prediction import flop_per_token, weight_bytes
from econ.lessons.claim_frames import ceiling_tokens_per_s
from econ.tco import cost_usd_per_mtok

Step = tuple[str, float, str]  # what, how much, in which unit
Found = tuple[float, float, list[Step]]  # recomputed, asked, the way there
INVESTIGATE: dict[str, Callable[..., Found]] = {}


def investigation(function: Callable) -> Callable:
    """Register an investigation under its name."""
    INVESTIGATE[function.__name__] = function
    return function


# -- memory and bandwidth ------------------------------------------------------------------------
@investigation
def one_user_ceiling(claimed: float, model: str, chip: str, precision: str) -> Found:
    """Tokens per second of one user: bandwidth over the bytes of all weights."""
    ceiling = ceiling_tokens_per_s(model, chip, precision)
    bandwidth = accelerator(chip).memory_bandwidth_bytes_per_s
    chips = math.ceil(claimed / ceiling)
    return (
        ceiling,
        float(chips),
        [
            ("weights, all read for each token", weight_bytes(model, precision) / GB, "GB"),
            ("memory of one chip", accelerator(chip).memory_bytes / GB, "GB"),
            (
                "bandwidth of one chip",
                bandwidth / TERA,
                "TB/s",
            ),
            ("ceiling: bandwidth over weights", ceiling, "tokens/s"),
            ("chips to reach the claim at full bandwidth", chips, "chips"),
        ],
    )


@investigation
def rack_ceiling(claimed: float, model: str, chip: str, n_gpu: int, precision: str) -> Found:
    """The most tokens per second that the peak arithmetic of many chips allows."""
    flop = flop_per_token(model)
    peak = n_gpu * accelerator(chip).peak_flop_per_s(precision)
    return (
        peak / flop,
        claimed * flop / peak,
        [
            ("work to write one token", flop / GIGA, "GFLOP"),
            (f"peak of {n_gpu} chips", peak / PETA, "PFLOP/s"),
            ("ceiling: peak over work", peak / flop, "tokens/s"),
            ("the claim's share of it", claimed * flop / peak, "share"),
        ],
    )


@investigation
def bandwidth_chips(
    claimed: float, tokens_per_s: float, weights_gb: float, chip: str, other_chip: str
) -> Found:
    """Accelerators whose memory bandwidth together streams the weights so many times a second."""
    needed = tokens_per_s * weights_gb * GB
    chips, others = (
        needed / accelerator(name).memory_bandwidth_bytes_per_s for name in (chip, other_chip)
    )
    steps = [
        ("bytes streamed: tokens/s times weights", needed / TERA, "TB/s"),
        (f"over the bandwidth of {chip}", chips, "chips"),
        (f"over the bandwidth of {other_chip}", others, "chips"),
    ]
    return chips, others, steps


@investigation
def caches_beside(
    claimed: float,
    memory_gb: float,
    weights_gb: float,
    kv_bytes_per_token: float,
    context_tokens: float,
) -> Found:
    """KV caches that fit into the memory that weights leave free."""
    cache = kv_bytes_per_token * context_tokens
    fit, half = ((memory_gb - held) * GB / cache for held in (weights_gb, weights_gb / 2))
    steps = [
        ("memory left free", memory_gb - weights_gb, "GB"),
        ("one cache", cache / GB, "GB"),
        ("caches that fit", fit, "caches"),
        ("caches beside half the weights", half, "caches"),
    ]
    return fit, half, steps


# -- the denominator -----------------------------------------------------------------------------
@investigation
def cache_saved(
    claimed: float, new_elements: float, new_bits: float, old_elements: float, old_bits: float
) -> Found:
    """The share of a KV cache saved, with the bits of each and with equal bits."""
    new, old = (
        elements * bits / BITS_PER_BYTE
        for elements, bits in ((new_elements, new_bits), (old_elements, old_bits))
    )
    return (
        1 - new / old,
        1 - new_elements / old_elements,
        [
            ("old cache of one token", old / KILO, "kB"),
            (f"new cache of one token, at {new_bits:g} bits", new / KILO, "kB"),
            ("saved, each at its own bits", 1 - new / old, "share"),
            ("saved, at equal bits", 1 - new_elements / old_elements, "share"),
        ],
    )


@investigation
def per_gpu(claimed: float, headline_ratio: float, n_new: int, n_old: int) -> Found:
    """A ratio of systems as a ratio of accelerators."""
    return (
        headline_ratio,
        headline_ratio * n_old / n_new,
        [
            ("GPUs of the new system", n_new, "GPUs"),
            ("GPUs of the old system", n_old, "GPUs"),
            ("GPUs, new over old", n_new / n_old, "times"),
            ("gain of one GPU", headline_ratio * n_old / n_new, "times"),
        ],
    )


@investigation
def margin_on(claimed: float, revenue_usd: float, cost_usd: float) -> Found:
    """Profit over cost, and over revenue."""
    profit = revenue_usd - cost_usd
    return (
        profit / cost_usd,
        profit / revenue_usd,
        [
            ("revenue of a day, at list price", revenue_usd, "USD"),
            ("cost of a day, at a rent", cost_usd, "USD"),
            ("profit over cost", profit / cost_usd, "profit over cost"),
            ("profit over revenue", profit / revenue_usd, "share of revenue"),
        ],
    )


# -- the boundary --------------------------------------------------------------------------------
@investigation
def decode_only(
    claimed: float,
    decode_tokens_per_s: float,
    prefill_tokens_per_s: float,
    n_gpu: int,
    cost_usd_per_gpu_hour: float,
    input_output_ratio: float,
) -> Found:
    """USD per million output tokens of the decode nodes, and with the prompts' nodes."""
    decode, prefill = (
        cost_usd_per_mtok(cost_usd_per_gpu_hour, rate / n_gpu)
        for rate in (decode_tokens_per_s, prefill_tokens_per_s)
    )
    whole = decode + input_output_ratio * prefill
    return (
        decode,
        whole,
        [
            ("rent of a node", n_gpu * cost_usd_per_gpu_hour, "USD per hour"),
            ("decode alone", decode, "USD per million output tokens"),
            ("prefill", prefill, "USD per million input tokens"),
            (f"decode and {input_output_ratio:g} input tokens each", whole,
             "USD per million output tokens"),
            ("the same at half use", 2 * whole, "USD per million output tokens"),
        ],
    )  # fmt: skip


@investigation
def boundary_sum(
    claimed: float, accelerator_wh: float, host_wh: float, idle_wh: float, overhead_wh: float
) -> Found:
    """A prompt's energy, boundary by boundary."""
    parts = {"accelerators": accelerator_wh, "hosts": host_wh, "idle machines": idle_wh,
             "cooling and power supply": overhead_wh}  # fmt: skip
    whole = sum(parts.values())
    return whole, whole, [*((name, wh, "Wh") for name, wh in parts.items()), ("sum", whole, "Wh")]
