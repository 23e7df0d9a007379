"""Queues with an answer in closed form: what the simulator must reproduce, and why it blows up.

Waits are means in the queue, before service starts; ρ = arrivals × service / servers. A queue with
ρ ≥ 1 grows without end: its wait is infinite.

>>> round(mm1_wait_s(0.8, 1.0), 9), round(md1_wait_s(0.8, 1.0), 9)     # fixed service halves it
(4.0, 2.0)
>>> round(mm1_e2e_quantile_s(0.8, 1.0, 0.99), 1)    # P99 at 80 % load: 23 service times
23.0
>>> mm1_wait_s(1.0, 1.0)
inf

Sources: any text on queueing, such as Kleinrock, Queueing Systems I (1975); Lindley (1952) and
Kiefer & Wolfowitz (1955) for the recursions along a path.
"""

from __future__ import annotations

import heapq
import math

import numpy as np

from econ.catalog.guard import count, fraction, in_range, not_negative, positive


def load_frac(arrival_per_s: float, service_s: float, servers: int = 1) -> float:
    """ρ = λ·s/c, the share of time a server is busy if the queue is stable.

    >>> load_frac(6.0, 0.5, servers=4)
    0.75
    """
    not_negative("arrival_per_s", arrival_per_s)
    positive("service_s", service_s)
    return arrival_per_s * service_s / count("servers", servers, 1)


def mm1_wait_s(arrival_per_s: float, service_s: float) -> float:
    """Poisson arrivals, exponential service, one server: s·ρ/(1 − ρ)."""
    return mg1_wait_s(arrival_per_s, service_s, service_cv=1.0)


def md1_wait_s(arrival_per_s: float, service_s: float) -> float:
    """Poisson arrivals, constant service, one server: s·ρ/(2(1 − ρ))."""
    return mg1_wait_s(arrival_per_s, service_s, service_cv=0.0)


def mg1_wait_s(arrival_per_s: float, service_s: float, service_cv: float) -> float:
    """Pollaczek–Khinchine: s·ρ/(1 − ρ)·(1 + cv²)/2, cv the coefficient of variation of service.

    >>> mg1_wait_s(0.5, 1.0, service_cv=3.0)
    5.0
    """
    rho = load_frac(arrival_per_s, service_s)
    not_negative("service_cv", service_cv)
    if rho >= 1:
        return math.inf
    return service_s * rho / (1 - rho) * (1 + service_cv**2) / 2


def kingman_wait_s(
    arrival_per_s: float, service_s: float, arrival_cv: float, service_cv: float
) -> float:
    """Kingman's approximation for any arrivals: s·ρ/(1 − ρ)·(cv_a² + cv_s²)/2, good near ρ = 1.

    >>> round(kingman_wait_s(0.9, 1.0, arrival_cv=3.0, service_cv=0.0), 1)     # 9 × M/D/1
    40.5
    """
    rho = load_frac(arrival_per_s, service_s)
    not_negative("arrival_cv", arrival_cv)
    not_negative("service_cv", service_cv)
    if rho >= 1:
        return math.inf
    return service_s * rho / (1 - rho) * (arrival_cv**2 + service_cv**2) / 2


def erlang_b(offered_load: float, servers: int) -> float:
    """The share of arrivals turned away when all servers are busy and nobody may wait.

    ``offered_load`` a = λ·s in erlangs; by the stable recursion B(k) = a·B(k−1)/(k + a·B(k−1)).

    >>> round(erlang_b(8.0, 10), 4)
    0.1217
    """
    a = not_negative("offered_load", offered_load)
    blocked = 1.0
    for k in range(1, count("servers", servers, 1, 100_000_000) + 1):
        blocked = a * blocked / (k + a * blocked)
    return blocked


def erlang_c(offered_load: float, servers: int) -> float:
    """The probability that an arrival waits in M/M/c; ``offered_load`` a = λ·s in erlangs.

    From Erlang's B: C = B/(1 − ρ(1 − B)). 1 if a ≥ servers: everybody waits.

    >>> erlang_c(0.8, 1), round(erlang_c(8.0, 10), 4)
    (0.8, 0.4092)
    """
    blocked = erlang_b(offered_load, servers)
    if offered_load >= servers:
        return 1.0
    return blocked / (1 - offered_load / servers * (1 - blocked))


def mm1k_loss_frac(arrival_per_s: float, service_s: float, n_places: int) -> float:
    """The share turned away by M/M/1 with room for ``n_places``, the one in service included.

    (1 − ρ)·ρ^K/(1 − ρ^(K+1)), which is 1/Σ ρ^(−j) for j = 0 … K: finite at any load.

    >>> round(mm1k_loss_frac(0.9, 1.0, 10), 4), mm1k_loss_frac(1.0, 1.0, 4)
    (0.0508, 0.2)
    """
    rho = load_frac(arrival_per_s, service_s)
    lost = 1.0
    for _ in range(count("n_places", n_places, 1, 1_000_000)):
        lost = rho * lost / (1 + rho * lost)
    return lost


def mmc_wait_s(arrival_per_s: float, service_s: float, servers: int) -> float:
    """Poisson arrivals, exponential service, c servers, one queue: C(a, c)·s/(c − a).

    >>> mmc_wait_s(0.8, 1.0, 1) == mm1_wait_s(0.8, 1.0)
    True
    >>> round(mmc_wait_s(8.0, 1.0, 10), 4)     # ten servers at the same 80 %: 1/20 of the wait
    0.2046
    """
    if load_frac(arrival_per_s, service_s, servers) >= 1:
        return math.inf
    offered = arrival_per_s * service_s
    return erlang_c(offered, servers) * service_s / (servers - offered)


def mm1_e2e_quantile_s(arrival_per_s: float, service_s: float, quantile_frac: float) -> float:
    """The quantile of wait and service in M/M/1: s/(1 − ρ)·ln(1/(1 − q)); it is exponential."""
    rho = load_frac(arrival_per_s, service_s)
    in_range("quantile_frac", fraction("quantile_frac", quantile_frac), 0, 1 - 1e-15)
    return math.inf if rho >= 1 else service_s / (1 - rho) * -math.log1p(-quantile_frac)


def processor_sharing_e2e_s(
    arrival_per_s: float,
    output_tokens: float,
    step_base_s: float,
    step_per_sequence_s: float,
) -> float:
    """Mean time to decode ``output_tokens`` with step d0 + d1·B: L·(d0 + d1)/(1 − λ·L·d1).

    Decode batching is processor sharing with a base cost: by Little B = λ·E, and each of the L
    steps takes d0 + d1·(1 + B) as an arrival sees it (it meets the B others). Only the mean length
    counts, not its law. Stepping adds about 1/(2L) of it: an arrival waits for a step to end.

    >>> round(processor_sharing_e2e_s(2.0, 200, 0.010, 0.001), 3)
    3.667
    >>> processor_sharing_e2e_s(5.0, 200, 0.010, 0.001)      # 1,000 tokens/s × 1 ms: saturated
    inf
    """
    not_negative("arrival_per_s", arrival_per_s)
    positive("output_tokens", output_tokens)
    not_negative("step_base_s", step_base_s)
    not_negative("step_per_sequence_s", step_per_sequence_s)
    busy = arrival_per_s * output_tokens * step_per_sequence_s
    if busy >= 1:
        return math.inf
    return output_tokens * (step_base_s + step_per_sequence_s) / (1 - busy)


def little_concurrency(arrival_per_s: float, time_s: float) -> float:
    """Little's law: the mean number present = rate × mean time; no assumption on either law.

    >>> little_concurrency(4.0, 12.5)
    50.0
    """
    return not_negative("arrival_per_s", arrival_per_s) * not_negative("time_s", time_s)


def lindley_wait(arrival, service) -> np.ndarray:
    """The wait of each request at one first-come server: W' = max(0, W + S − gap), Lindley.

    Any unit; whole numbers stay exact.

    >>> lindley_wait([0, 1, 2, 30], [5, 5, 5, 5]).tolist()
    [0, 4, 8, 0]
    """
    return kiefer_wolfowitz_wait(arrival, service, 1)


def kiefer_wolfowitz_wait(arrival, service, servers: int) -> np.ndarray:
    """The same at ``servers`` equal servers behind one queue: each takes the first that is free.

    >>> kiefer_wolfowitz_wait([0, 1, 2], [5, 5, 5], servers=2).tolist()
    [0, 0, 3]
    """
    arrival, service = np.asarray(arrival), np.asarray(service)
    free = [arrival[0] * 0 for _ in range(count("servers", servers, 1))]
    start = np.zeros_like(arrival)
    for i, (at, need) in enumerate(zip(arrival, service, strict=True)):
        start[i] = max(at, free[0])
        heapq.heapreplace(free, start[i] + need)
    return start - arrival
