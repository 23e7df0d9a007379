"""The equations of a serving step, written once for a number and for an array of a million.

A `Case` is what goes in: `Shapes` (model, accelerator, engine), `Split` (how the model is divided)
and `Load` (who asks what). Every function returns new values and changes nothing that it was given.
Only operators and numpy's elementwise functions are used, so that numbers and arrays take the same
path. ``cal`` is the `Calibration`.

A replica is ``tp`` × ``dp`` accelerators in each of ``pp`` stages; ``batch`` sequences run in it,
and their context is the mean over an answer's life: the prompt and half the output.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from econ.catalog.catalog import links_frac
from econ.catalog.engines import Launch
from econ.catalog.units import GB
from econ.deployment import Split
from econ.latency.calibration import Calibration
from econ.latency.shapes import Numbers, Shapes

ACTIVATION_BYTES = 2.0
FEWEST_FREE = 1e-9  # keeps a quotient of two zeros defined
NO_LIMIT = float("inf")
BENCHMARK_ROUNDS = 10.0  # requests of each user in a benchmark that starts all users at once


class DoesNotFit(ValueError):
    """Weights and KV cache exceed the memory, by ``missing_bytes``."""

    def __init__(self, message: str, missing_bytes: float) -> None:
        super().__init__(message)
        self.missing_bytes = missing_bytes


class Load(NamedTuple):
    """Requests of mean length, how many users a replica has at a time, and the engine's launch."""

    input_tokens: Numbers
    output_tokens: Numbers
    concurrency: Numbers = 1.0
    cached_frac: Numbers = 0.0
    max_batch: Numbers = NO_LIMIT
    software_maturity: Numbers = 1.0
    dated_maturity: Numbers = 1.0  # of decoding alone
    n_rounds: Numbers = BENCHMARK_ROUNDS
    n_requests: Numbers = NO_LIMIT  # of a run that ends, per replica
    is_cold: Numbers = 1.0  # whether a benchmark's requests are the server's first
    is_even: Numbers = 0.0  # whether a benchmark's requests are all equally long
    launch: Launch = Launch()


@dataclass(frozen=True)
class Case:
    """One deployment under one load, or many of them."""

    shapes: Shapes
    split: Split
    load: Load


class Prepared(NamedTuple):
    """A case with what does not depend on the batch: of a step, the time that each of its terms
    takes per sequence, token, expert or byte."""

    shapes: Shapes
    split: Split
    load: Load
    n_sharing: Numbers  # accelerators that share the experts
    kv_shard: Numbers
    context_tokens: Numbers
    fresh_tokens: Numbers  # of a prompt, computed and not from the cache
    kv_read_bytes: Numbers  # of one sequence and step
    decode_attention_flop: Numbers
    held_weight_bytes: Numbers  # by one accelerator
    launch_factor: Numbers
    kernels_s: Numbers
    work_flop_per_s: Numbers
    work16_flop_per_s: Numbers
    wire_bytes_per_s: Numbers
    pipeline_factor: Numbers
    dense_read_s: Numbers
    expert_read_s: Numbers  # of all experts
    dense_token_s: Numbers
    expert_token_s: Numbers
    kv_sequence_s: Numbers
    small_byte_s: Numbers  # of a message
    large_byte_s: Numbers
    hops_s: Numbers
    n_reduced: Numbers  # messages that an all-reduce sends, over all layers
    n_shuffled: Numbers  # messages between attention replicas and experts, over all layers
    reach_scale: Numbers  # of `reached`
    group_spread: Numbers  # of `busiest`
    host_sequence_s: Numbers
    host_exposed_frac: Numbers  # of the host's work, whatever the device does
    host_hidden_frac: Numbers  # of the device's time, behind which the host works
    has_experts: bool  # any of the case
    has_groups: bool  # of experts, that wait for the busiest
    is_apart: bool  # whether any attention replicas exchange tokens with the experts


class Prefill(NamedTuple):
    """The time to read one prompt.

    ``prefill_s`` is the machine time that it costs the replica (others wait for it),
    ``own_prefill_s`` how long its own reader waits. The rest are its terms.
    """

    prefill_s: Numbers
    own_prefill_s: Numbers
    compute_s: Numbers
    attention_s: Numbers
    link_s: Numbers
    state_s: Numbers
    read_s: Numbers


class Step(NamedTuple):
    """The time between two tokens of a sequence when nobody prefills, and its terms."""

    step_s: Numbers
    weights_s: Numbers
    compute_s: Numbers
    kv_s: Numbers
    kernels_s: Numbers
    links_s: Numbers
    host_s: Numbers
    core_s: Numbers  # weights and compute together
    host_work_s: Numbers  # waited for or not


def answer_s(ttft_s: Numbers, tpot_s: Numbers, output_tokens: Numbers) -> Any:
    """Time of a whole answer: its first token, then one TPOT for each of the others.

    Parameters
    ----------
    ttft_s, tpot_s : float or array
        Time to first token, e.g. 0.2, and per later token, e.g. 0.02.
    output_tokens : float or array
        Tokens of the answer; 1 or fewer leave the time to first token alone.

    Returns
    -------
    float or array
        TTFT + (output tokens − 1) · TPOT, in seconds.

    Examples
    --------
    >>> round(float(answer_s(0.2, 0.02, 101)), 6)
    2.2
    """
    return ttft_s + np.maximum(output_tokens - 1, 0) * tpot_s


def prepare(case: Case, cal: Calibration) -> Prepared:
    """What does not depend on the batch: shards, memory, and the terms of a step."""
    shapes, split, load = case.shapes, case.split, case.load
    n = split.tp * split.dp
    context = load.input_tokens + 0.5 * load.output_tokens
    seen = np.minimum(context, shapes.top_k_tokens)
    window = np.minimum(context, shapes.window_tokens)
    cdna3, cdna4 = shapes.is_amd - shapes.is_cdna4, shapes.is_cdna4
    other = 1 - shapes.is_amd
    amd = other + cdna3 * cal.cdna3_compute_frac + cdna4 * cal.cdna4_compute_frac
    launch_factor = other + cdna3 * cal.cdna3_overhead_factor + cdna4 * cal.cdna4_overhead_factor
    n_kernels = shapes.n_kernels + shapes.is_native * shapes.n_kernels_native
    used = links_frac(n, shapes.is_mesh, shapes.n_domain, shapes.n_torus_links)
    wire = shapes.link_bytes_per_s * used
    # rings that leave the fast links share the network cards of those inside
    outside = np.minimum(wire, shapes.n_domain * cal.network_bytes_per_s)
    wire = np.maximum(np.where(n > shapes.n_domain, outside, wire), FEWEST_FREE)
    small_byte_s, large_byte_s = message_byte_s(wire, cal)
    work, work16 = shapes.peak_flop_per_s * amd, shapes.peak16_flop_per_s * amd
    stored_bytes = (shapes.dense_bytes + shapes.stored_bytes) / split.tp + shapes.expert_bytes / n
    read_bytes_per_s = shapes.bandwidth_bytes_per_s * cal.weight_bandwidth_frac
    multiply_s = 2 / (work * cal.decode_compute_frac)
    kv_shard = np.minimum(split.tp, shapes.n_kv_heads) * split.pp
    kv_read_bytes = shapes.kv_full_bytes * seen + shapes.kv_index_bytes * context
    kv_read_bytes = kv_read_bytes + shapes.kv_window_bytes * window
    # a state is read and written
    kv_bytes = kv_read_bytes * (split.pp / kv_shard) + 2 * shapes.state_bytes / split.tp
    attention_flop = shapes.attention_flop * seen + shapes.window_flop * window
    is_apart = split.dp > 1
    hop_s = 2 * cal.collective_s * launch_factor
    n_hops = shapes.n_layers * (split.tp > 1) + is_apart * shapes.n_moe_layers
    sync = load.launch.is_sync
    return Prepared(
        shapes=shapes,
        split=split,
        load=load,
        n_sharing=n,
        kv_shard=kv_shard,
        context_tokens=context,
        fresh_tokens=computed_tokens(load),
        kv_read_bytes=kv_read_bytes,
        decode_attention_flop=attention_flop,
        held_weight_bytes=stored_bytes / split.pp,
        launch_factor=launch_factor,
        kernels_s=cal.kernel_s * launch_factor * n_kernels,
        work_flop_per_s=work,
        work16_flop_per_s=work16,
        wire_bytes_per_s=wire,
        pipeline_factor=1 + cal.pipeline_bubble_frac * (split.pp - 1) / split.pp,
        dense_read_s=shapes.dense_bytes / split.tp / read_bytes_per_s,
        expert_read_s=shapes.expert_bytes / n / read_bytes_per_s,
        dense_token_s=(shapes.dense_params + shapes.head_params) / split.tp * multiply_s,
        expert_token_s=shapes.active_expert_params / cal.expert_compute_frac / n * multiply_s,
        kv_sequence_s=np.maximum(
            kv_bytes / (shapes.bandwidth_bytes_per_s * cal.kv_bandwidth_frac),
            attention_flop / (split.tp * work16 * cal.attention_compute_frac),
        ),
        small_byte_s=small_byte_s,
        large_byte_s=large_byte_s,
        hops_s=hop_s * n_hops,
        n_reduced=4 * shapes.n_layers * (split.tp - 1) / split.tp,
        n_shuffled=2 * is_apart * shapes.n_moe_layers * (n - 1) / n,
        reach_scale=np.expm1(-cal.expert_skew_factor * shapes.touch_log),
        group_spread=_group_spread(split.ep, shapes.n_experts),
        host_sequence_s=shapes.host_s_per_sequence / split.dp,
        host_exposed_frac=cal.host_exposed_frac + sync * (1 - cal.host_exposed_frac),
        host_hidden_frac=1 - sync,
        has_experts=bool(np.any(shapes.is_moe)),
        has_groups=bool(np.any(split.ep > 1)),
        is_apart=bool(np.any(is_apart)),
    )


def held_bytes(shapes: Shapes, context_tokens: Numbers) -> Any:
    """KV cache and state of one sequence of that length, over all accelerators."""
    growing = (shapes.kv_full_bytes + shapes.kv_index_bytes) * context_tokens
    window = np.minimum(context_tokens, shapes.window_tokens)
    return growing + shapes.kv_window_bytes * window + shapes.state_bytes


def room(p: Prepared, cal: Calibration, context_tokens: Numbers) -> Any:
    """Sequences of that length that fit beside the weights, per replica (not rounded).

    Formula: (memory · usable − reserved − weights) · dp / (bytes per sequence / KV shard).
    """
    usable = p.shapes.memory_bytes * cal.usable_memory_frac - cal.reserved_bytes
    free = usable - p.held_weight_bytes
    one = np.maximum(held_bytes(p.shapes, context_tokens), FEWEST_FREE)
    return free * p.split.dp * p.kv_shard / one


def most_sequences(p: Prepared, cal: Calibration) -> Any:
    """Sequences of a replica at a time: what memory holds, up to the engine's limit, at least 1."""
    fits = np.maximum(np.floor(room(p, cal, p.context_tokens)), 1)
    return np.minimum(fits, p.load.max_batch)


def missing_bytes(p: Prepared) -> Any:
    """Bytes by which weights and one sequence exceed the memory of a replica (0 if they fit)."""
    one = held_bytes(p.shapes, p.load.input_tokens + p.load.output_tokens)
    lacking = p.held_weight_bytes + one / p.kv_shard - p.shapes.memory_bytes
    return np.maximum(lacking, 0) * p.split.tp * p.split.pp * p.split.dp


def too_large(
    missing: Iterable[float], n_gpu: Iterable[float], memory_bytes: Iterable[float]
) -> list[str]:
    """The sentence for each replica of so many accelerators that does not fit."""
    return [
        f"does not fit: {lacking / GB:.1f} GB missing; weights and one sequence need "
        f"{(lacking + n * one) / GB:.1f} GB, "
        f"{'1 accelerator holds' if n == 1 else f'{n:g} accelerators hold'} {n * one / GB:.1f} GB"
        for lacking, n, one in zip(missing, n_gpu, memory_bytes, strict=True)
    ]


def computed_tokens(load: Load) -> Any:
    """Tokens of a prompt that no prefix cache serves: at least one is always computed."""
    least = np.minimum(load.input_tokens, 1.0)
    return np.maximum(load.input_tokens * (1 - load.cached_frac), least)


def prefill(p: Prepared, cal: Calibration) -> Prefill:
    """The time to read one prompt.

    Formula: 2·parameters·tokens / FLOP/s, plus attention (over half the prompt on average, less
    under a window; a cached prefix is attended to but not computed; its products, and its softmax
    at a rate of its own), plus all-reduces of the
    activations, plus linear-state traffic; never faster than the weights can be read once.
    Short prompts are read together, so that a chunk's tokens share the padding of the experts.
    """
    shapes, split, n, tokens = p.shapes, p.split, p.n_sharing, p.fresh_tokens
    pairs = _pairs(p.load.input_tokens, tokens, shapes.top_k_tokens)
    in_window = _pairs(p.load.input_tokens, tokens, shapes.window_tokens)
    attention = shapes.prefill_flop * pairs + shapes.window_flop * in_window
    products, read = tokens * shapes.dense_params, shapes.dense_bytes / split.tp
    if p.has_experts:
        chunk = np.maximum(tokens, cal.prefill_chunk_tokens)
        touched = reached(p, cal, chunk)
        padding = touched * padding_tokens(shapes, cal.n_prefill_tile_tokens)
        active = shapes.active_expert_params / cal.expert_compute_frac
        products = products + active * (chunk + padding) * (tokens / chunk)
        read = read + reached(p, cal, tokens) * (shapes.expert_bytes / n)
    compute_s = products * (2 / (n * p.work_flop_per_s * cal.prefill_compute_frac))
    attention_s = attention / (n * attention_flop_per_s(p, cal))
    moved = 4 * (split.tp - 1) / n * shapes.hidden_size * ACTIVATION_BYTES * shapes.n_layers
    link_s = tokens * (moved / (p.wire_bytes_per_s * cal.prefill_link_frac))
    state = shapes.state_bytes * cal.n_state_passes
    state_s = tokens * (state / (n * shapes.bandwidth_bytes_per_s))
    total_s = compute_s + attention_s + link_s + state_s
    read_s = read / (shapes.bandwidth_bytes_per_s * cal.weight_bandwidth_frac)
    return Prefill(
        # the stages read different prompts at the same time
        prefill_s=total_s * p.pipeline_factor / split.pp,
        own_prefill_s=np.maximum(total_s * split.dp, read_s) + p.kernels_s,
        compute_s=compute_s,
        attention_s=attention_s,
        link_s=link_s,
        state_s=state_s,
        read_s=read_s,
    )


def attention_flop_per_s(p: Prepared, cal: Calibration) -> Any:
    """Rate of attention over a prompt on one accelerator: its products, and their softmax."""
    products = p.work16_flop_per_s * cal.attention_compute_frac
    return 1 / (1 / products + 1 / cal.softmax_flop_per_s)


def _pairs(tokens: Numbers, computed: Numbers, most: Numbers) -> Any:
    """Pairs of tokens that attention visits for the last ``computed`` of a prompt's tokens, where
    each sees at most ``most`` before it: the integral of min(x, most)."""

    def below(x: Numbers) -> Any:
        seen = np.minimum(x, most)
        return seen * (x - 0.5 * seen)

    return below(tokens) - below(tokens - computed)


def reached(p: Prepared, cal: Calibration, tokens: Numbers) -> Any:
    """The share of the experts that so many tokens reach.

    Formula: 1 − (1 + c·x)^(−1/s) for x tokens, where popularity among experts follows a gamma law
    with the squared coefficient of variation s, and c = (1 − k/E)^(−s) − 1, so that one token
    reaches k of E experts. Where all are used alike (s = 0) this is 1 − (1 − k/E)^x.
    """
    if not cal.expert_skew_factor:
        return -np.expm1(p.shapes.touch_log * tokens)
    return -np.expm1(-np.log1p(p.reach_scale * tokens) / cal.expert_skew_factor)


def busiest(p: Prepared, touched: Numbers) -> Any:
    """The share of its experts that the busiest of ``ep`` groups reads: the others wait for it.

    Formula: the mean share φ and a times its chance deviation, φ + a √(φ (1 − φ) (1 − 1/g) g / E)
    for g groups of E/g experts, a being the expected largest of g normal numbers; at most what was
    reached in all, and all of its own.
    """
    spread = touched + p.group_spread * np.sqrt(np.maximum(touched * (1 - touched), 0.0))
    return np.minimum(spread, np.minimum(p.split.ep * touched, 1.0))


def _group_spread(n_groups: Numbers, n_experts: Numbers) -> Any:
    """The factor of `busiest`; 1.15 (1 − 1/g) √ln g is within 3 % of the largest of g normal
    numbers from four on, and 15 % below it of two."""
    apart = 1 - 1 / n_groups
    in_group = np.maximum(n_experts, 1) / n_groups
    return 1.15 * apart * np.sqrt(np.log(n_groups) * apart / in_group)


def padding_tokens(shapes: Shapes, tile_tokens: float) -> Any:
    """By how much the routed experts' work on a batch exceeds its tokens' own if all are touched.

    Grouped products work on whole tiles: an expert with few tokens pads up to one.
    """
    return tile_tokens * shapes.n_experts / np.maximum(shapes.experts_per_token, 1)


def message_byte_s(wire_bytes_per_s: Numbers, cal: Calibration) -> tuple[Any, Any]:
    """Time that a byte of a small and of a large message takes over an accelerator's link.

    Decode's small messages are slower than prefill's large ones. What slows them is the software: a
    link no faster than ``slow_link_bytes_per_s`` carries them at the large ones' rate.
    """
    fast = np.maximum(cal.prefill_link_frac, cal.link_frac)
    slow = np.maximum(cal.link_frac, cal.slow_link_bytes_per_s / wire_bytes_per_s)
    small = 1 / (np.minimum(slow, fast) * wire_bytes_per_s)
    return small, 1 / (cal.prefill_link_frac * wire_bytes_per_s)


def transfer_s(p: Prepared, cal: Calibration, message_bytes: Numbers) -> Any:
    """Time to move a message over an accelerator's link: up to ``large_message_bytes`` at the slow
    rate, what exceeds it at the fast one (`message_byte_s`)."""
    small = np.minimum(message_bytes, cal.large_message_bytes)
    return small * p.small_byte_s + (message_bytes - small) * p.large_byte_s


def core_s(weights_s: Numbers, compute_s: Numbers) -> Any:
    """What reading weights and computing take together: (weights⁴ + compute⁴)^¼."""
    weights2, compute2 = weights_s * weights_s, compute_s * compute_s
    return np.sqrt(np.sqrt(weights2 * weights2 + compute2 * compute2))


def host_s(p: Prepared, work_s: Numbers, device_s: Numbers, streams: bool = True) -> Any:
    """The host's work of a step that the device's time does not hide.

    A share of it is always exposed, and where tokens are streamed the step takes no less than all
    of it; a synchronous engine waits for all.
    """
    least_s = p.host_exposed_frac * work_s
    return np.maximum(work_s - p.host_hidden_frac * device_s, least_s) if streams else least_s


def step(p: Prepared, cal: Calibration, batch: Numbers, streams: bool = True) -> Step:
    """The time between two tokens of a sequence when ``batch`` sequences run and nobody prefills.

    `core_s` of weights and arithmetic + KV cache + kernels + collectives + `host_s`. A pipeline of
    ``pp`` stages works on as many parts of the batch at a time: a token passes all stages, each
    reading its share of the weights for one part; the parts differ, so that a share of the stages
    waits for the slowest.
    """
    shapes = p.shapes
    together = batch / np.maximum(np.minimum(batch, p.split.pp), 1)
    local = together / p.split.dp
    weights_s, compute_s = p.dense_read_s, local * p.dense_token_s
    if p.has_experts:
        touched = reached(p, cal, together)
        touched = busiest(p, touched) if p.has_groups else touched
        weights_s = weights_s + touched * p.expert_read_s
        padding = touched * padding_tokens(shapes, cal.n_tile_tokens)
        compute_s = compute_s + (together + padding) * p.expert_token_s
    kv_s = local * p.kv_sequence_s
    message = local * (shapes.hidden_size * ACTIVATION_BYTES)
    links_s = p.hops_s + p.n_reduced * transfer_s(p, cal, message)
    if p.is_apart:  # attention replicas send tokens to the experts in 1 byte and get them in 2
        sent = 0.75 * shapes.experts_per_token * message
        links_s = links_s + p.n_shuffled * transfer_s(p, cal, sent)
    core = core_s(weights_s, compute_s)
    device_s = (core + kv_s + p.kernels_s + links_s) * p.pipeline_factor
    work_s = batch * p.host_sequence_s
    host = host_s(p, work_s, device_s, streams)
    return Step(
        device_s + host, weights_s, compute_s, kv_s, p.kernels_s, links_s, host, core, work_s
    )
