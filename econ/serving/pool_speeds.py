"""What separate pools for prompts and answers deliver, in closed form: both always at work.

>>> from econ.scenario import Scenario
>>> long = Scenario.default().with_(input_tokens=8000, output_tokens=200)
>>> round(pool_speed(long).n_prefill_per_decode)  # machines that read, for each one that writes
5
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from econ.catalog.guard import positive
from econ.latency.users import MOST_USERS
from econ.scenario import Scenario
from econ.serving.from_scenario import replica
from econ.serving.pool_sizes import pool_work
from econ.serving.replicas import Disaggregated
from econ.station import require_certain


@dataclass(frozen=True, kw_only=True)
class PoolSpeed:
    """What pools in proportion to their work deliver, by means.

    Attributes
    ----------
    batch : int
        Sequences that a replica of the decode pool takes together.
    prefill_s, step_s : float
        Seconds of a mean prompt in the prefill pool, and of a step in the decode pool.
    n_prefill_per_decode : float
        Replicas that read for each one that writes.
    output_tokens_per_s_per_gpu : float
        Over the accelerators of both pools.
    ttft_s : float
        Wait for the first token where no prompt waits for another.
    """

    batch: int
    prefill_s: float
    step_s: float
    n_prefill_per_decode: float
    output_tokens_per_s_per_gpu: float
    ttft_s: float


def pool_speed(s: Scenario, *, concurrency: float | None = None) -> PoolSpeed:
    """The speed of separate pools that are so many that neither waits for the other.

    Parameters
    ----------
    s : Scenario
        Model, deployment (a replica of it is what either pool consists of), workload and SLO.
    concurrency : float, optional
        Users that write at a time, over all replicas of the deployment, e.g. 64; by default the
        batch that serves most tokens within the TPOT limit and the memory.

    Raises
    ------
    ValueError
        Where a prompt or a step alone is beyond the SLO.

    Notes
    -----
    A request takes prefill_s of a replica that reads and step_s · (output − 1) / batch of one that
    writes; an accelerator's tokens per second are those of a request over the sum. These are
    means, as in `econ.latency.predict`: a queue in front of the prefill pool, and the rounding of
    small pools to whole replicas, are in `econ.serving.simulate` alone.

    Examples
    --------
    >>> s = Scenario.default().with_(tpot_s=0.02)
    >>> pools = pool_speed(s)
    >>> from econ.latency import predict, users_within
    >>> one_pool = predict(s, concurrency=users_within(s))
    >>> pools.output_tokens_per_s_per_gpu > one_pool.output_tokens_per_s_per_gpu
    True
    """
    require_certain("pool_speed", s)
    d = s.deployment
    n_gpu = d.n_gpu // s.n_replicas
    pair = s.with_(policy="disaggregated", n_gpu=2 * n_gpu, max_batch=d.max_batch or MOST_USERS)
    both = replica(pair)
    assert isinstance(both, Disaggregated)
    work = pool_work(both.decode, s)
    if concurrency is None:
        batch = work.best_batch(float(s.slo.tpot_s))
        if not batch:
            raise ValueError(
                f"tpot_s = {s.slo.tpot_s:g}: a step of one sequence takes {work.steps_s[0]:.3g} s"
            )
    else:
        users = positive("concurrency", concurrency) / s.n_replicas
        batch = min(max(round(users), 1), len(work.steps_s))
    ttft_s = both.prefill.lag_s + work.prefill_s
    if concurrency is None and ttft_s > float(s.slo.ttft_s):
        raise ValueError(f"ttft_s = {s.slo.ttft_s:g}: a prompt alone takes {ttft_s:.3g} s")
    step_s = float(work.steps_s[batch - 1])
    decode_s = step_s * work.n_steps / batch
    return PoolSpeed(
        batch=batch,
        prefill_s=work.prefill_s,
        step_s=step_s,
        n_prefill_per_decode=work.prefill_s / decode_s if decode_s else math.inf,
        output_tokens_per_s_per_gpu=s.workload.mean_output_tokens
        / (n_gpu * (work.prefill_s + decode_s)),
        ttft_s=ttft_s,
    )
