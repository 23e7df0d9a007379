"""How many replicas of separate pools read prompts: in proportion to the work on either side.

>>> from econ.scenario import Scenario
>>> from econ.serving import replica
>>> chat = Scenario.default().with_(n_gpu=40, policy="disaggregated")
>>> pools = replica(chat)
>>> pools.prefill.n_replicas, pools.decode.n_replicas
(6, 4)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from econ.catalog.guard import count, positive
from econ.scenario import Scenario
from econ.serving.replicas import Replica


def prefill_per_decode(
    *, prefill_s: float, step_s: float, batch: int, output_tokens: float
) -> float:
    """Machines that read prompts, for each one that writes answers.

    Parameters
    ----------
    prefill_s : float
        Seconds in which a machine reads one prompt, e.g. 0.91.
    step_s : float
        Seconds of a decode step, e.g. 0.019.
    batch : int
        Sequences that it takes together, e.g. 32.
    output_tokens : float
        Mean length of an answer, e.g. 512.

    Returns
    -------
    float
        Prefill machines over decode machines where neither waits for the other.

    Notes
    -----
    prefill_s · batch / (step_s · output_tokens): a request takes prefill_s of one kind of machine
    and step_s · output_tokens / batch of the other.

    References
    ----------
    Austin et al., How to scale your model, 2025, chapter on inference

    Examples
    --------
    >>> round(prefill_per_decode(prefill_s=0.91, step_s=0.019, batch=32, output_tokens=512), 1)
    3.0
    """
    positive("prefill_s", prefill_s)
    positive("step_s", step_s)
    positive("output_tokens", output_tokens)
    return prefill_s * count("batch", batch, 1, 10_000_000) / (step_s * output_tokens)


class PoolWork(NamedTuple):
    """What a mean request asks of a replica: its prompt, its steps, and a step by the batch."""

    prefill_s: float
    n_steps: float
    steps_s: NDArray[np.float64]

    def best_batch(self, tpot_s: float) -> int:
        """The batch that serves most tokens per second with steps in time; 0 where none is."""
        within = self.steps_s <= tpot_s
        pace_s = np.where(within, self.steps_s / np.arange(1, len(self.steps_s) + 1), np.inf)
        return int(pace_s.argmin()) + 1 if within.any() else 0


def pool_work(one: Replica, s: Scenario) -> PoolWork:
    """The means of a scenario on a replica that reads or writes alone."""
    load, cost = s.workload, one.cost
    prompt, n_steps = load.mean_input_tokens, max(load.mean_output_tokens - 1, 0.0)
    fresh = max(prompt * (1 - float(load.cached_frac)), 1.0)
    per_token_s = np.min(cost.linear_s[1:] / np.arange(1, len(cost.linear_s)))
    prefill_s = fresh * per_token_s + fresh * (2 * prompt - fresh) * cost.prefill_per_pair_s
    context = prompt + n_steps / 2
    most = min(one.max_batch, max(int(one.kv_tokens / context), 1))
    return PoolWork(float(prefill_s), n_steps, cost.decode_steps_s(most, context))


def n_prefill_replicas(one: Replica, n_replicas: int, s: Scenario) -> int:
    """Replicas of the prefill pool, of so many in all; at least one is left to decode.

    Parameters
    ----------
    one : Replica
        What each of both pools consists of.
    n_replicas : int
        Replicas of both pools, 2 or more.
    s : Scenario
        Its workload's means and its TPOT limit, which ends the batch of the decode pool.

    Notes
    -----
    share = prefill_s / (prefill_s + decode_s), the seconds of a replica that a mean request takes
    on either side: its prompt at the best rate of tokens in a step, its answer in steps of the
    batch that serves most tokens per second within the TPOT limit and the memory.
    """
    work = pool_work(one, s)
    batch = max(work.best_batch(float(s.slo.tpot_s)), 1)
    if work.n_steps == 0:
        return n_replicas - 1
    ratio = prefill_per_decode(
        prefill_s=work.prefill_s,
        step_s=float(work.steps_s[batch - 1]),
        batch=batch,
        output_tokens=work.n_steps,
    )
    return int(np.clip(round(ratio / (1 + ratio) * n_replicas), 1, n_replicas - 1))
