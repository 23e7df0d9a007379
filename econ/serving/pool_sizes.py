"""How many replicas of separate pools read prompts: in proportion to the work on either side.

>>> from econ.scenario import Scenario
>>> from econ.serving import replica
>>> chat = Scenario.default().with_(n_gpu=40, policy="disaggregated")
>>> pools = replica(chat)
>>> pools.prefill.n_replicas, pools.decode.n_replicas
(6, 4)
"""

from __future__ import annotations

import numpy as np

from econ.scenario import Scenario
from econ.serving.replicas import Replica


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
    load, cost = s.workload, one.cost
    prompt, steps = load.mean_input_tokens, max(load.mean_output_tokens - 1, 0.0)
    fresh = max(prompt * (1 - float(load.cached_frac)), 1.0)
    per_token_s = np.min(cost.linear_s[1:] / np.arange(1, len(cost.linear_s)))
    prefill_s = fresh * per_token_s + fresh * (2 * prompt - fresh) * cost.prefill_per_pair_s
    context = prompt + steps / 2
    most = min(one.max_batch, max(int(one.kv_tokens / context), 1))
    step_s = cost.decode_steps_s(most, context)
    pace_s = step_s / np.arange(1, most + 1)
    within = step_s <= float(s.slo.tpot_s)
    decode_s = steps * float(pace_s[within].min() if within.any() else pace_s[0])
    share = prefill_s / (prefill_s + decode_s)
    return int(np.clip(round(share * n_replicas), 1, n_replicas - 1))
