"""Users of a replica in the long run: who waits for whom, and how much work gets done.

`steady` is a closed loop (each user asks again when answered), `offline` a queue that never ends.
Both are built of the step and the prompt of `econ.latency.steps` and, like them, take numbers and
arrays alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from econ.latency.calibration import Calibration
from econ.latency.shapes import Numbers
from econ.latency.steps import (
    FEWEST_FREE,
    Case,
    Prefill,
    Prepared,
    Step,
    core_s,
    host_s,
    most_sequences,
    prefill,
    prepare,
    step,
)
from econ.latency.waits import (
    QUANTILES,
    burst_s,
    gap_quantiles,
    gathered,
    others_wait_s,
    queue,
    queue_quantiles,
    sum_quantile,
)

N_NEWTON = 2


class Stall(NamedTuple):
    """What a foreign prompt takes from those who decode, how long it keeps the machine busy, and
    the chunks that it is read in."""

    lost_s: Numbers
    busy_s: Numbers
    n_chunks: Numbers


class Steady(NamedTuple):
    """Users in a closed loop: times, the batch that decodes, and what the times are made of.

    ``ttft_s`` and ``itl_s`` hold the quantiles of `econ.latency.waits.QUANTILES`.
    """

    ttft_s: tuple[Numbers, ...]
    mean_ttft_s: Numbers
    itl_s: tuple[Numbers, ...]
    tpot_s: Numbers
    benchmark_mean_ttft_s: Numbers
    benchmark_tpot_s: Numbers
    batch: Numbers
    interference_s: Numbers
    queue_s: Numbers
    memory_wait_s: Numbers
    step: Step
    prefill: Prefill


class Offline(NamedTuple):
    """More work waiting than fits: the batch that runs and the time per token."""

    batch: Numbers
    tpot_s: Numbers


def stall(
    p: Prepared, reading: Prefill, one: Step, per_step: Numbers, streams: bool = True
) -> Stall:
    """What one foreign prompt costs those who decode, and the machine.

    With prompts first all decoding stops while a prompt is read. In chunks, the tokens of those who
    decode ride along: a step with a chunk reads the weights once for both and hides the host's work
    behind both, so that only what it takes longer is lost. ``per_step`` prompts come per decode
    step and share it. A prompt in a queue keeps the machine busy for the steps that it fills.
    """
    first, prefill_s = p.load.launch.is_prefill_first, reading.prefill_s
    n_full = p.fresh_tokens / p.load.launch.prefill_budget_tokens
    n_chunks = np.maximum(n_full, 1.0)
    if not isinstance(first, np.ndarray) and first:
        return Stall(prefill_s, prefill_s, n_chunks)
    n_mixed = np.minimum(n_chunks, 1 / np.maximum(per_step, FEWEST_FREE))
    rest_s = one.step_s - one.host_s - one.core_s

    def mixed_s(n_steps: Numbers) -> Any:
        """So many steps with an equal part of the prompt in each."""
        device_s = rest_s + core_s(one.weights_s, one.compute_s + prefill_s / n_steps)
        return n_steps * (device_s + host_s(p, one.host_work_s, device_s, streams))

    lost_s, busy_s = mixed_s(n_mixed) - n_mixed * one.step_s, mixed_s(n_full)
    if isinstance(first, np.ndarray):
        lost_s, busy_s = np.where(first, prefill_s, lost_s), np.where(first, prefill_s, busy_s)
    return Stall(lost_s, busy_s, n_chunks)


def steady(p: Prepared, cal: Calibration, n_rounds: int = 4) -> Steady:
    """Users who each ask again when answered (a closed loop), long after the first wave.

    A request's first token waits for its own prompt, for the steps until the engine looks for
    requests, for the prompts in front of it (`econ.latency.waits.queue`) and, under attention
    replicas, for those of the other replicas. Its later tokens meet the foreign prompts of the
    share of a cycle in which it decodes. Between prompts all decode but those being admitted
    (Little's law), and four rounds settle that batch. Every other user's prompt is read once in a
    cycle: those of the share of it that a request spends in steps lengthen these (Newton's method
    finds it), the rest are waited for. Users beyond what memory or the engine's
    limit allows wait a whole cycle.
    """
    shapes, load, launch = p.shapes, p.load, p.load.launch
    reading = prefill(p, cal)
    present = np.minimum(load.concurrency, most_sequences(p, cal))
    others = np.maximum(present - 1, 0) * cal.interference_frac
    fixed_s = reading.own_prefill_s + shapes.first_token_s
    n_gaps = np.maximum(load.output_tokens - 1, 0)
    n_look = cal.recv_wait_frac * np.maximum(launch.recv_interval - 1, 0)
    n_steps = n_gaps + shapes.n_wait_steps + n_look  # of a cycle, that foreign prompts lengthen
    n_hold, n_mates = gathered(launch.batch_wait_steps, others / np.maximum(n_steps, 1))
    n_steps = n_steps + n_hold
    per_step = 1 / np.maximum(n_steps, 1)
    decoding, seated = present * (n_gaps * per_step), np.minimum(present, 1)
    prompts_per_step, users = others * per_step, others + 1
    waits = bool(np.any(launch.dp_wait_steps))
    held_s: Numbers = 0.0
    one = step(p, cal, present)
    share = np.sqrt(n_steps * one.step_s / (n_steps * one.step_s + fixed_s))
    for _ in range(n_rounds):
        batch = np.maximum(decoding * share, seated)
        one = step(p, cal, batch)
        lost = stall(p, reading, one, prompts_per_step * share)
        met_s = others * lost.lost_s  # of foreign prompts in a whole cycle
        alone_s = n_steps * one.step_s
        most_s, stepping_s = alone_s + met_s, alone_s + met_s * share
        for _ in range(N_NEWTON):
            apart_s = stepping_s + shapes.first_token_s
            ahead = queue(service_s=lost.busy_s, think_s=apart_s, users=users)
            cycle_s = fixed_s + ahead.mean_s + stepping_s
            if waits:
                timeout_s = launch.dp_wait_steps * (one.step_s + met_s * share * per_step)
                held_s = others_wait_s(p.split.dp, timeout_s, present, cycle_s)
                cycle_s = cycle_s + held_s
            longer_s = stepping_s - alone_s
            slope = cycle_s + longer_s * (1 + ahead.slope) - met_s
            off = longer_s * cycle_s - met_s * stepping_s
            nearer_s = stepping_s - off / np.maximum(slope, FEWEST_FREE)
            stepping_s = np.minimum(np.maximum(nearer_s, alone_s), most_s)
            share = stepping_s / cycle_s
    interference_s = met_s * share * per_step
    tpot_s = one.step_s + interference_s
    look_s, admitted_s = n_look * tpot_s, fixed_s + shapes.n_wait_steps * tpot_s
    held_s = held_s + n_hold * tpot_s + n_mates * lost.busy_s
    dated_s = _dated_step_s(p, one, batch)  # the date of software is felt in steps alone
    tpot_s = dated_s + interference_s
    in_all_s = cycle_s + n_gaps * (dated_s - one.step_s)
    memory_wait_s = (load.concurrency / present - 1) * in_all_s
    base_s = admitted_s + held_s + memory_wait_s
    ahead_s = queue_quantiles(ahead)
    ttft_s = tuple(
        base_s + sum_quantile(q, ((look_s, 2 * q * look_s), (ahead.mean_s, others_s)))
        for q, others_s in zip(QUANTILES, ahead_s, strict=True)
    )
    per_message = launch.stream_interval
    itl_s = gap_quantiles(
        step_s=dated_s * per_message,
        stall_s=lost.lost_s / lost.n_chunks,
        n_stalls=prompts_per_step * share * lost.n_chunks * per_message,
        n_most=per_message * launch.prefill_budget_tokens / p.fresh_tokens,
    )
    opening_s = burst_s(present, lost.busy_s, p.fresh_tokens, launch.prefill_budget_tokens)
    mean_s = base_s + look_s + ahead.mean_s
    # a benchmark's near equal lengths keep users in order: they queue for a full machine alone
    ordered_s = np.maximum(others * lost.busy_s - apart_s, 0.0)
    if np.any(load.is_even):  # who was read in one step after the other ends in one after the other
        n_ahead = np.minimum(2.0 - launch.is_sync, others) * (1 - 1 / load.n_rounds)
        ordered_s = np.maximum(ordered_s, load.is_even * n_ahead * lost.busy_s)
    shorter_s = ahead.mean_s - ordered_s
    first_round_s = opening_s + load.is_cold * shapes.opening_s
    benchmark_s = mean_s - shorter_s + first_round_s / load.n_rounds
    ordered_share = np.minimum(stepping_s / (cycle_s - shorter_s), 1.0)
    # a prompt that is waited for before the first token stalls none of the later ones
    before = np.minimum(opening_s / np.maximum(others * lost.busy_s, FEWEST_FREE), 1)
    met_in_order_s = met_s * ordered_share * per_step
    benchmark_tpot_s = dated_s + met_in_order_s * (1 - before / load.n_rounds)
    if np.any(load.software_maturity != 1):
        least, alone = _bound(p, batch)
        m = load.software_maturity
        ttft_s = tuple(matured_s(t, alone.own_prefill_s, m) for t in ttft_s)
        itl_s = tuple(matured_s(t, least.step_s, m) for t in itl_s)
        mean_s = matured_s(mean_s, alone.own_prefill_s, m)
        benchmark_s = matured_s(benchmark_s, alone.own_prefill_s, m)
        tpot_s = matured_s(tpot_s, least.step_s, m)
        benchmark_tpot_s = matured_s(benchmark_tpot_s, least.step_s, m)
    queue_s = look_s + ahead_s[0] + held_s
    return Steady(
        ttft_s=ttft_s,
        mean_ttft_s=mean_s,
        itl_s=itl_s,
        tpot_s=tpot_s,
        benchmark_mean_ttft_s=benchmark_s,
        benchmark_tpot_s=benchmark_tpot_s,
        batch=batch,
        interference_s=interference_s,
        queue_s=queue_s,
        memory_wait_s=memory_wait_s,
        step=one,
        prefill=reading,
    )


def offline(p: Prepared, cal: Calibration) -> Offline:
    """Time per token of a replica with always more work waiting: as many sequences as fit.

    Formula: step + batch · stall / output, batch = what memory holds and stall what a prompt takes
    from those who decode; nobody waits for a stream, so that the host's least step does not bind.
    Requests of mixed age hold the mean context. A run that ends works in waves, the last one
    smaller.
    """
    many = p.load.n_requests
    most = np.minimum(np.minimum(most_sequences(p, cal), p.load.concurrency), many)
    batch = np.maximum(most, 1)
    tpot_s = _offline_tpot_s(p, cal, batch)
    if np.all(np.isinf(many)):
        return Offline(batch, tpot_s)
    waves = np.floor(np.where(np.isinf(many), 1.0, many / batch))
    rest = np.where(np.isinf(many), 0.0, np.maximum(many - waves * batch, 0.0))
    last_s = np.where(rest > 0, _offline_tpot_s(p, cal, np.maximum(rest, 1.0)), 0.0)
    whole_s = waves * tpot_s + last_s  # per output token of a request
    return Offline(batch, whole_s * batch / (waves * batch + rest))


def _offline_tpot_s(p: Prepared, cal: Calibration, batch: Numbers) -> Any:
    """Time per token while a batch is kept full."""
    one, reading = step(p, cal, batch, streams=False), prefill(p, cal)
    per_step = batch / p.load.output_tokens
    lost_s = stall(p, reading, one, per_step, streams=False).lost_s
    tpot_s = _dated_step_s(p, one, batch) + batch * lost_s / p.load.output_tokens
    if np.any(p.load.software_maturity != 1):
        least, alone = _bound(p, batch)
        least_s = least.step_s + batch * alone.prefill_s / p.load.output_tokens
        tpot_s = matured_s(tpot_s, least_s, p.load.software_maturity)
    return tpot_s


def _dated_step_s(p: Prepared, one: Step, batch: Numbers) -> Any:
    """A step under the software of the date that was asked for."""
    if np.all(p.load.dated_maturity == 1):
        return one.step_s
    return matured_s(one.step_s, _bound(p, batch)[0].step_s, p.load.dated_maturity)


def _bound(p: Prepared, batch: Numbers) -> tuple[Step, Prefill]:
    """A step and a prompt by the datasheet; what is not streamed has no least host time."""
    bound = Calibration.datasheet()
    bare = prepare(Case(p.shapes, p.split, p.load), bound)
    return step(bare, bound, batch, streams=False), prefill(bare, bound)


def matured_s(time_s: Numbers, least_s: Numbers, software_maturity: Numbers) -> Any:
    """The time under software that is better (above 1) or worse than that of the calibration.

    Only what exceeds the physical floor scales: floor + (time − floor) / maturity, so no software
    beats the datasheet.

    >>> round(float(matured_s(0.03, 0.01, 2.0)), 6)
    0.02
    """
    return least_s + np.maximum(time_s - least_s, 0) / software_maturity
