"""How long a first token and the gaps between tokens are: a distribution, not one number.

In a closed loop every user is either waiting for a first token, which takes the machine a prompt's
service time, or having the answer written. What a request waits for is known in turn: its own
prompt, the engine's fixed time, the steps until the engine looks for requests, the other attention
replicas' prompts, and the prompts in front of it. A benchmark that starts all users at once adds
its opening burst to the mean, never to what a user waits later on.

>>> w = queue(service_s=0.1, think_s=10.0, users=1.0)
>>> float(w.mean_s)                                    # alone, nobody waits for others
0.0
>>> crowd = queue(service_s=0.1, think_s=1.0, users=100.0)
>>> 8 < float(crowd.mean_s) < 9                        # saturated: 100 services less the thinking
True
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from econ.latency.shapes import Numbers

QUANTILES = (0.50, 0.95, 0.99)
DEVIATES = (0.0, 1.645, 2.326)  # of a normal law at these
MOST_PROMPTS = 6  # between two tokens, counted one by one; more are spread evenly
LEAST = 1e-12  # keeps a quotient of two zeros defined


class Queue(NamedTuple):
    """The wait for other users' prompts: its mean, the share of time the machine reads, and by how
    much the mean changes with the time that users spend elsewhere."""

    mean_s: Numbers
    reading_frac: Numbers
    slope: Numbers


def queue(*, service_s: Numbers, think_s: Numbers, users: Numbers) -> Queue:
    """The wait for service of users who return ``think_s`` after each service.

    Parameters
    ----------
    service_s : float or array
        Time that the machine takes for one prompt, e.g. 0.05.
    think_s : float or array
        Time from the first token to the next request, e.g. 10.
    users : float or array
        Users of the replica, e.g. 32.

    Returns
    -------
    Queue
        Mean wait before the service begins, the machine's utilisation by prompts, and the slope of
        the mean over ``think_s``.

    Notes
    -----
    Schweitzer's approximation of a closed queue, solved for its residence time R:
    R² + (Z − N·s) R − s·Z = 0 with service s, think time Z, N users. A wait under even service
    times is half of that under random ones while the machine is mostly free (Pollaczek and
    Khinchine), and the same once it is saturated: (1 + u)/2 of R − s at utilisation u.

    References
    ----------
    Schweitzer, Approximate analysis of multiclass closed networks of queues, 1979.
    """
    load_s = users * service_s
    half = 0.5 * (load_s - think_s)
    root = np.sqrt(half * half + service_s * think_s)
    residence_s = half + root
    cycle_s = np.maximum(residence_s + think_s, LEAST)
    used = np.minimum(load_s / cycle_s, 1.0)
    over_s = np.maximum(residence_s - service_s, 0.0)
    half_used = 0.5 * used
    weight = half_used + 0.5
    mean_s = weight * over_s
    steep = 0.5 * (service_s - half) / np.maximum(root, LEAST)  # of the residence, and a half
    slope = weight * (steep - 0.5) - half_used / cycle_s * over_s * (steep + 0.5)
    return Queue(mean_s, used, slope)


def queue_quantiles(wait: Queue) -> tuple[Any, ...]:
    """The waits that the shares of `QUANTILES` do not exceed.

    Formula: a share 1 − u of requests waits for nobody. The others' waits are even (what is left of
    one prompt) where the machine is mostly free, exponential with weight u; those of a saturated
    machine are all near the mean, with weight u².
    """
    used = np.maximum(wait.reading_frac, LEAST)
    free, full, waiting_s = 2 * (1 - used), used * used, wait.mean_s / used

    def at(quantile: float) -> Any:
        among = np.maximum(1 - (1 - quantile) / used, 0.0)  # the quantile among those who wait
        tail_s = waiting_s * (free * among - used * np.log1p(-among))
        return tail_s + full * (wait.mean_s - tail_s)

    return tuple(at(quantile) for quantile in QUANTILES)


def sum_quantile(quantile: float, parts: tuple[tuple[Numbers, Numbers], ...]) -> Any:
    """The quantile of a sum of independent waits, from each one's mean and its own quantile.

    Formula: the means add; the distances from the means add in squares.
    """
    total = sum(mean for mean, _ in parts)
    below = quantile <= 0.5
    if below:  # medians of a few uneven waits add nearly like themselves
        return sum(own for _, own in parts)
    squares = sum(np.square(np.maximum(own - mean, 0.0)) for mean, own in parts)
    return total + np.sqrt(squares)


def others_wait_s(dp: Numbers, timeout_s: Numbers, users: Numbers, cycle_s: Numbers) -> Any:
    """The time for which an attention replica holds a prompt back for those of the others.

    Formula: until every other of ``dp`` replicas has one, H(dp − 1) · cycle · dp / users with the
    harmonic number H, but no longer than the time-out.
    """
    if not np.any(timeout_s):
        return timeout_s * 0.0
    ranks = np.maximum(dp - 1, 1)
    harmonic = np.log(ranks) + 0.5772 + 0.5 / ranks - 1 / (12 * ranks * ranks)
    return (dp > 1) * np.minimum(timeout_s, harmonic * cycle_s * dp / np.maximum(users, 1.0))


def gathered(n_wait_steps: Numbers, prompts_per_step: Numbers) -> tuple[Any, Any]:
    """Steps that a prompt is held back where an engine gathers prompts, and how many others it is
    then read with.

    Formula: the first of them waits for T steps, in which a = T · prompts a step come and wait for
    half of that on average: T (1 + a/2) / (1 + a). A prompt has a + a/(1 + a) others beside it,
    since most stand in the fuller of the groups.
    """
    if not np.any(n_wait_steps):
        return 0.0, 0.0
    comers = n_wait_steps * prompts_per_step
    return (
        n_wait_steps * (1 + 0.5 * comers) / (1 + comers),
        comers + comers / (1 + comers),
    )


def gap_quantiles(
    *, step_s: Numbers, stall_s: Numbers, n_stalls: Numbers, n_most: Numbers = np.inf
) -> tuple[Any, ...]:
    """The gaps between two tokens that the shares of `QUANTILES` do not exceed.

    Formula: a step, and ``stall_s`` for each prompt (or chunk of one) that is read in between;
    their number is Poisson with mean ``n_stalls``, and no step reads more than ``n_most``.
    """
    chance = np.exp(-n_stalls)
    below = chance
    counts: list[Any] = [0.0 + (below < quantile) for quantile in QUANTILES]
    for k in range(1, MOST_PROMPTS):
        chance = chance * (n_stalls / k)
        below = below + chance
        for i, quantile in enumerate(QUANTILES):
            counts[i] = counts[i] + (below < quantile)
    if np.any(many := counts[-1] >= MOST_PROMPTS):  # as a normal law
        spread = np.sqrt(n_stalls)
        for i, deviate in enumerate(DEVIATES):
            counts[i] = np.where(many, n_stalls + deviate * spread, counts[i])
    return tuple(step_s + stall_s * np.minimum(count, n_most) for count in counts)


def burst_s(users: Numbers, service_s: Numbers, prompt_tokens: Numbers, budget: Numbers) -> Any:
    """The mean extra wait where all users send their first prompt at once.

    Formula: b · (N − 1) · s with b = (1 + k/N)/2, where k prompts are read together: half of the
    burst on average where each is read alone, all of it where the budget takes them in one go.
    """
    together = np.clip(budget / np.maximum(prompt_tokens, 1.0), 1.0, np.maximum(users, 1.0))
    share = 0.5 * (1 + together / np.maximum(users, 1.0))
    return share * np.maximum(users - 1, 0.0) * service_s
