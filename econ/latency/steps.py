"""The equations of a serving step, written once for a number and for an array of a million.

Every quantity is an attribute of a `Case`: a float for one deployment, an array for many. Only
operators and numpy's elementwise functions are used, so both take the same path.

Symbols: a replica of ``tp`` × ``dp`` accelerators per pipeline stage, ``batch`` sequences running
in it, context the mean over an answer's life (the prompt and half the output).
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from econ.latency.calibration import Calibration

ACTIVATION_BYTES = 2.0
FEWEST_FREE = 1e-9  # keeps a quotient of two zeros defined


class DoesNotFit(ValueError):
    """Weights and KV cache exceed the memory, by ``missing_bytes``."""

    def __init__(self, message: str, missing_bytes: float) -> None:
        super().__init__(message)
        self.missing_bytes = missing_bytes


def answer_s(ttft_s, tpot_s, output_tokens):
    """Time of a whole answer: its first token, then one TPOT for each of the others.

    >>> round(float(answer_s(0.2, 0.02, 101)), 6)
    2.2
    """
    return ttft_s + np.maximum(output_tokens - 1, 0) * tpot_s


class Case(SimpleNamespace):
    """The numbers of one deployment (or many): `shapes.SHAPE`, `shapes.CHIP`, the parallelism
    ``tp pp dp`` inside a replica, ``input_tokens``, ``output_tokens``, ``concurrency`` per
    replica, and the flags ``is_sglang`` and ``is_trtllm``."""


def prepare(c: Case, k: Calibration) -> Case:
    """What does not depend on the batch: shards, memory, kernels, the time to read one prompt."""
    c.n = c.tp * c.dp  # accelerators that share the experts
    c.kv_shard = np.minimum(c.tp, c.kv_heads) * c.pp
    c.context = c.input_tokens + 0.5 * c.output_tokens
    seen = np.minimum(c.context, c.top_k_tokens)
    window = np.minimum(c.context, c.window_tokens)
    c.kv_read = c.kv_full_bytes * seen + c.kv_index_bytes * c.context + c.kv_window_bytes * window
    c.kv_held = held(c, c.context)
    c.decode_attention_flop = c.attention_flop * seen + c.window_flop * window
    c.weights_held = ((c.dense_bytes + c.stored_bytes) / c.tp + c.expert_bytes / c.n) / c.pp
    amd = 1 - c.is_mesh * (1 - k.amd_compute_frac)
    c.launch_factor = 1 + c.is_mesh * (k.amd_overhead_factor - 1)
    c.kernels_s = k.kernel_s * c.launch_factor * (c.n_kernels + c.is_native * c.n_kernels_native)
    c.work = c.peak * amd
    c.work16 = c.peak16 * amd
    partners = np.minimum((c.n - 1) / np.maximum(c.domain - 1, 1), 1)
    c.wire = c.link * (1 - c.is_mesh * (1 - partners))
    # rings that leave the fast links share the network cards of those inside
    outside = np.minimum(c.wire, c.domain * k.network_bytes_per_s)
    c.wire = np.maximum(np.where(c.n > c.domain, outside, c.wire), FEWEST_FREE)
    c.pipeline_factor = 1 + k.pipeline_bubble_frac * (c.pp - 1) / c.pp
    c.apart = (c.dp > 1) * 1.0
    c.hops = np.log2(c.tp) / 3
    return prefill(c, k)


def held(c: Case, context):
    """KV cache and state of one sequence of ``context`` tokens, in bytes over all accelerators."""
    growing = (c.kv_full_bytes + c.kv_index_bytes) * context
    return growing + c.kv_window_bytes * np.minimum(context, c.window_tokens) + c.state_bytes


def room(c: Case, k: Calibration, context):
    """Sequences of ``context`` tokens that fit beside the weights, per replica (not rounded).

    Formula: (memory · usable − weights − reserved) · dp / (bytes per sequence / KV shard).
    """
    free = c.memory * k.usable_memory_frac - k.reserved_bytes - c.weights_held
    return free * c.dp * c.kv_shard / np.maximum(held(c, context), FEWEST_FREE)


def prefill(c: Case, k: Calibration) -> Case:
    """The time to read one prompt.

    ``prefill_s`` is the machine time a prompt costs the replica (others wait for it),
    ``own_prefill_s`` how long its own reader waits. Formula: 2·parameters·tokens / FLOP/s, plus
    attention (over half the prompt on average, less under a window), plus all-reduces of the
    activations, plus linear-state traffic; never faster than the weights can be read once.
    Short prompts are read together, so that a chunk's tokens share the padding of the experts.
    """
    n_in = c.input_tokens
    chosen = np.minimum(n_in, c.top_k_tokens)
    window = np.minimum(n_in, c.window_tokens)
    pairs = chosen * (n_in - 0.5 * chosen)
    attention = c.prefill_flop * pairs + c.window_flop * window * (n_in - 0.5 * window)
    idle = np.exp(n_in * c.touch_log)
    chunk = np.maximum(n_in, k.prefill_chunk_tokens)
    touched = 1 - np.exp(chunk * c.touch_log)
    experts = expert_products(c, k, chunk, touched, k.n_prefill_tile_tokens) * (n_in / chunk)
    products = n_in * c.dense_params + experts
    c.prefill_compute_s = 2 * products / (c.n * c.work * k.prefill_compute_frac)
    c.prefill_attention_s = attention / (c.n * c.work16 * k.attention_compute_frac)
    moved = 2 * (c.tp - 1) / c.n * n_in * c.hidden_size * ACTIVATION_BYTES
    c.prefill_link_s = 2 * c.n_layers * moved / (c.wire * k.prefill_link_frac)
    c.prefill_state_s = n_in * c.state_bytes * k.n_state_passes / (c.n * c.bandwidth)
    total = c.prefill_compute_s + c.prefill_attention_s + c.prefill_link_s + c.prefill_state_s
    read = c.dense_bytes / c.tp + (1 - idle) * c.expert_bytes / c.n
    c.prefill_read_s = read / (c.bandwidth * k.weight_bandwidth_frac)
    # the stages read different prompts at the same time
    c.prefill_s = total * c.pipeline_factor / c.pp
    c.own_prefill_s = np.maximum(total * c.dp, c.prefill_read_s) + c.kernels_s
    return c


def expert_products(c: Case, k: Calibration, tokens, touched, tile_tokens):
    """Multiplications of the routed experts for a batch of tokens, as dense ones would count.

    Grouped products are less efficient, and each touched expert works on whole tiles: an expert
    with few tokens pads up to one.
    """
    padding = tile_tokens * touched * c.n_experts / np.maximum(c.experts_per_token, 1)
    return c.active_expert_params * (tokens + padding) / k.expert_compute_frac


def transfer(c: Case, k: Calibration, message):
    """Time to move ``message`` bytes over an accelerator's link.

    Up to ``large_message_bytes`` at the slow rate of decode's small messages, what exceeds it at
    the rate of prefill's large ones. What slows small messages is the software: a link no faster
    than ``slow_link_bytes_per_s`` carries them at the large ones' rate.
    """
    small = np.minimum(message, k.large_message_bytes)
    fast = np.maximum(k.prefill_link_frac, k.link_frac)
    share = np.minimum(np.maximum(k.link_frac, k.slow_link_bytes_per_s / c.wire), fast)
    return (small / share + (message - small) / k.prefill_link_frac) / c.wire


def step(c: Case, k: Calibration, batch, streams: bool = True) -> Case:
    """The time between two tokens of a sequence when ``batch`` sequences run and nobody prefills.

    (weights⁴ + compute⁴)^¼ + KV cache + kernels + collectives + the host's work per sequence that
    does not overlap with the device; where tokens are streamed to users (``streams``) never less
    than all of the host's work. A pipeline of ``pp`` stages works on as many parts of the batch at
    a time: a token passes all stages, each reading its share of the weights for one part; the
    parts differ, so that a share of the stages waits for the slowest.
    """
    parts = np.maximum(np.minimum(batch, c.pp), 1)
    together = batch / parts
    local = together / c.dp
    touched = 1 - np.exp(together * c.touch_log)
    read = c.dense_bytes / c.tp + touched * c.expert_bytes / c.n
    c.weights_s = read / (c.bandwidth * k.weight_bandwidth_frac)
    experts = expert_products(c, k, together, touched, k.n_tile_tokens)
    dense = local * (c.dense_params + c.head_params) / c.tp
    c.compute_s = 2 * (dense + experts / c.n) / (c.work * k.decode_compute_frac)
    shard = c.kv_shard / c.pp
    kv_bytes = c.kv_read / shard + 2 * c.state_bytes / c.tp  # a state is read and written
    kv_s = local * kv_bytes / (c.bandwidth * k.kv_bandwidth_frac)
    attend_s = local * c.decode_attention_flop / (c.tp * c.work16 * k.attention_compute_frac)
    c.kv_s = np.maximum(kv_s, attend_s)
    message = local * c.hidden_size * ACTIVATION_BYTES
    hop_s = k.collective_s * c.launch_factor
    reduce_s = hop_s * c.hops + 2 * (c.tp - 1) / c.tp * transfer(c, k, message)
    # attention replicas exchange tokens with the experts: sent in 1 byte, returned in 2
    shuffle = hop_s * np.log2(c.n) / 3
    sent = 0.75 * c.experts_per_token * message
    shuffle = shuffle + (c.n - 1) / c.n * transfer(c, k, sent)
    c.links_s = 2 * (c.n_layers * reduce_s + c.apart * c.n_moe_layers * shuffle)
    w2, c2 = c.weights_s * c.weights_s, c.compute_s * c.compute_s
    core = np.sqrt(np.sqrt(w2 * w2 + c2 * c2))
    device = core + c.kv_s + c.kernels_s + c.links_s
    device = device * c.pipeline_factor
    python, compiled = k.host_s_per_sequence, k.host_trtllm_s_per_sequence
    host = batch / c.dp * (python + c.is_trtllm * (compiled - python))
    exposed = k.host_exposed_frac * host
    c.host_s = np.maximum(host - device, exposed) if streams else exposed
    c.step_s = device + c.host_s
    return c


def steady(c: Case, k: Calibration, n_rounds: int = 3) -> Case:
    """TTFT and TPOT of ``concurrency`` users who each ask again when answered (a closed loop).

    Each request meets batch − 1 foreign prefills between its arrival and its last token. The share
    ``prefill_wait_frac`` of them delays its first token, the rest is spread over all its tokens.
    While a prompt is read everybody pauses; between prompts all decode but those being admitted
    (Little's law), and three rounds settle that batch. Users beyond what memory holds wait a whole
    cycle.
    """
    cap = np.maximum(np.floor(room(c, k, c.context)), 1)
    c.present = np.minimum(c.concurrency, cap)
    wait = k.prefill_wait_frac + c.is_sglang * (k.prefill_wait_sglang_frac - k.prefill_wait_frac)
    first = c.own_prefill_s + (
        k.first_token_s
        + c.is_sglang * k.first_token_sglang_s
        + c.is_trtllm * k.first_token_trtllm_s
    )
    foreign = np.maximum(c.present - 1, 0) * c.prefill_s * k.interference_frac
    c.interference_s = foreign * (1 - wait) / c.output_tokens
    c.queue_s = foreign * (wait + (1 - wait) / c.output_tokens)
    batch = c.present
    for _ in range(n_rounds):
        c.batch = batch
        step(c, k, batch)
        c.tpot_s = c.step_s + c.interference_s
        c.ttft_s = first + c.queue_s + k.n_wait_steps * c.step_s
        answer = c.output_tokens * c.step_s
        decoding = c.present * answer / (first + k.n_wait_steps * c.step_s + answer)
        batch = np.maximum(decoding, np.minimum(c.present, 1))
    alone_s = answer_s(c.ttft_s, c.tpot_s, c.output_tokens)
    c.memory_wait_s = (c.concurrency / c.present - 1) * alone_s
    c.ttft_s = c.ttft_s + c.memory_wait_s
    return c


def offline(c: Case, k: Calibration) -> Case:
    """Output tokens/s of a replica with always more work waiting: as many sequences as fit.

    Formula: batch / (step + batch · prefill / output), batch = what memory holds; nobody waits
    for a stream, so that the host's least step does not bind. Requests of mixed age hold the mean
    context.
    """
    c.batch = np.maximum(np.minimum(np.floor(room(c, k, c.context)), c.concurrency), 1)
    step(c, k, c.batch, streams=False)
    c.tpot_s = c.step_s + c.batch * c.prefill_s / c.output_tokens
    return c


def floor(c: Case, bound: Calibration) -> tuple:
    """The least TTFT, TPOT and offline time per token of a case, at its batch, by the datasheet."""
    least = step(prepare(Case(**c.__dict__), bound), bound, c.batch)
    offline_s = least.step_s + c.batch * least.prefill_s / c.output_tokens
    return least.own_prefill_s, least.step_s, offline_s


def mature(time_s, least_s, software_maturity):
    """The time under software that is better (above 1) or worse than that of the calibration.

    Only what exceeds the physical floor scales: floor + (time − floor) / maturity, so no software
    beats the datasheet.

    >>> round(float(mature(0.03, 0.01, 2.0)), 6)
    0.02
    """
    return least_s + np.maximum(time_s - least_s, 0) / software_maturity
