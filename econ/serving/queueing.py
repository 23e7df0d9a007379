"""Queues with an answer in closed form: what the simulator must reproduce, and why it blows up.

Waits are means in the queue, before service starts. λ is the rate of arrivals, s the mean service,
c the number of servers and ρ = λ·s/c the load. A queue with ρ ≥ 1 grows without end: its wait is
infinite. Every function takes arrivals per second and services in seconds; any other unit of time
serves as well, as long as both use it.

>>> round(mm1_wait_s(0.8, 1.0), 9), round(md1_wait_s(0.8, 1.0), 9)     # fixed service halves it
(4.0, 2.0)
>>> round(mm1_e2e_quantile_s(0.8, 1.0, 0.99), 1)    # P99 at 80 % load: 23 service times
23.0
>>> mm1_wait_s(1.0, 1.0)
inf

Sources: Kleinrock, Queueing Systems I (1975), unless a function names another.
"""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from econ.catalog.guard import count, fraction, in_range, not_negative, positive, shown


def load_frac(arrival_per_s: float, service_s: float, servers: int = 1) -> float:
    """The share of time that a server is busy, if the queue is stable.

    Parameters
    ----------
    arrival_per_s : float
        Arrivals per second over all servers, e.g. 6.
    service_s : float
        Mean service in seconds, e.g. 0.5.
    servers : int
        Equal servers.

    Returns
    -------
    float
        1 or more where arrivals outrun the servers.

    Notes
    -----
    ρ = λ·s/c

    Examples
    --------
    >>> load_frac(6.0, 0.5, servers=4)
    0.75
    """
    not_negative("arrival_per_s", arrival_per_s)
    positive("service_s", service_s)
    return arrival_per_s * service_s / count("servers", servers, 1)


def mm1_wait_s(arrival_per_s: float, service_s: float) -> float:
    """The mean wait with Poisson arrivals, exponential services and one server (M/M/1).

    Notes
    -----
    s·ρ/(1 − ρ)

    Examples
    --------
    >>> round(mm1_wait_s(0.9, 1.0), 9)
    9.0
    """
    return mg1_wait_s(arrival_per_s, service_s, service_cv=1.0)


def md1_wait_s(arrival_per_s: float, service_s: float) -> float:
    """The mean wait with Poisson arrivals, equal services and one server (M/D/1).

    Notes
    -----
    s·ρ/(2(1 − ρ)), half of the wait under exponential services.

    Examples
    --------
    >>> round(md1_wait_s(0.9, 1.0), 9)
    4.5
    """
    return mg1_wait_s(arrival_per_s, service_s, service_cv=0.0)


def mg1_wait_s(arrival_per_s: float, service_s: float, service_cv: float) -> float:
    """The mean wait with Poisson arrivals, services of any law and one server (M/G/1).

    Parameters
    ----------
    arrival_per_s, service_s : float
        Arrivals per second and mean service in seconds.
    service_cv : float
        Standard deviation of the services over their mean, e.g. 1 for exponential ones.

    Notes
    -----
    s·ρ/(1 − ρ)·(1 + cv²)/2

    References
    ----------
    Pollaczek (1930), Khinchine (1932).

    Examples
    --------
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
    """The approximate mean wait with arrivals and services of any law and one server (G/G/1).

    Parameters
    ----------
    arrival_per_s, service_s : float
        Arrivals per second and mean service in seconds.
    arrival_cv, service_cv : float
        Standard deviation over mean, of the gaps between arrivals and of the services.

    Notes
    -----
    s·ρ/(1 − ρ)·(cv_a² + cv_s²)/2, good near ρ = 1.

    References
    ----------
    Kingman, The single server queue in heavy traffic (1961).

    Examples
    --------
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
    """The share of arrivals turned away when all servers are busy and nobody may wait (M/G/c/c).

    Parameters
    ----------
    offered_load : float
        a = λ·s in erlangs, e.g. 8.
    servers : int
        Servers, e.g. 10.

    Notes
    -----
    B(0) = 1, B(k) = a·B(k − 1)/(k + a·B(k − 1)), a recursion that is stable for many servers.

    References
    ----------
    Erlang (1917).

    Examples
    --------
    >>> round(erlang_b(8.0, 10), 4)
    0.1217
    """
    a = not_negative("offered_load", offered_load)
    blocked = 1.0
    for k in range(1, count("servers", servers, 1, 100_000_000) + 1):
        blocked = a * blocked / (k + a * blocked)
    return blocked


def erlang_c(offered_load: float, servers: int) -> float:
    """The probability that an arrival has to wait (M/M/c).

    Parameters
    ----------
    offered_load : float
        a = λ·s in erlangs, e.g. 8.
    servers : int
        Servers, e.g. 10. With a ≥ servers everybody waits.

    Notes
    -----
    C = B/(1 − ρ(1 − B)), with B of `erlang_b`.

    References
    ----------
    Erlang (1917).

    Examples
    --------
    >>> erlang_c(0.8, 1), round(erlang_c(8.0, 10), 4)
    (0.8, 0.4092)
    """
    blocked = erlang_b(offered_load, servers)
    if offered_load >= servers:
        return 1.0
    return blocked / (1 - offered_load / servers * (1 - blocked))


def mm1k_loss_frac(arrival_per_s: float, service_s: float, n_places: int) -> float:
    """The share turned away by a queue of limited length (M/M/1/K).

    Parameters
    ----------
    arrival_per_s, service_s : float
        Arrivals per second and mean service in seconds.
    n_places : int
        K, the place in service included, e.g. 10.

    Notes
    -----
    (1 − ρ)·ρ^K/(1 − ρ^(K + 1)), which is 1/Σ ρ^(−j) for j = 0 … K: finite at any load.

    Examples
    --------
    >>> round(mm1k_loss_frac(0.9, 1.0, 10), 4), mm1k_loss_frac(1.0, 1.0, 4)
    (0.0508, 0.2)
    """
    rho = load_frac(arrival_per_s, service_s)
    lost = 1.0
    for _ in range(count("n_places", n_places, 1, 1_000_000)):
        lost = rho * lost / (1 + rho * lost)
    return lost


def mmc_wait_s(arrival_per_s: float, service_s: float, servers: int) -> float:
    """The mean wait of Poisson arrivals, exponential services and one queue for c servers (M/M/c).

    Notes
    -----
    C·s/(c − a), with C of `erlang_c` and a = λ·s.

    Examples
    --------
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
    """A quantile of wait and service together (M/M/1).

    Parameters
    ----------
    arrival_per_s, service_s : float
        Arrivals per second and mean service in seconds.
    quantile_frac : float
        q, e.g. 0.99.

    Notes
    -----
    The sum is exponential: s/(1 − ρ)·ln(1/(1 − q)).

    Examples
    --------
    >>> round(mm1_e2e_quantile_s(0.8, 1.0, 0.5), 2)
    3.47
    """
    rho = load_frac(arrival_per_s, service_s)
    in_range("quantile_frac", fraction("quantile_frac", quantile_frac), 0, 1 - 1e-15)
    return math.inf if rho >= 1 else service_s / (1 - rho) * -math.log1p(-quantile_frac)


def processor_sharing_e2e_s(
    arrival_per_s: float,
    output_tokens: float,
    step_base_s: float,
    step_per_sequence_s: float,
) -> float:
    """The mean time to decode an answer when each step is longer the more sequences it serves.

    Parameters
    ----------
    arrival_per_s : float
        Arrivals per second, e.g. 2.
    output_tokens : float
        L, mean tokens of an answer, e.g. 200.
    step_base_s, step_per_sequence_s : float
        d0 and d1: a step of B sequences takes d0 + d1·B, e.g. 0.010 and 0.001.

    Returns
    -------
    float
        Seconds; infinite where λ·L·d1 reaches 1.

    Notes
    -----
    L·(d0 + d1)/(1 − λ·L·d1). Decode batching is processor sharing with a base cost: by Little
    B = λ·E, and each of the L steps takes d0 + d1·(1 + B) as an arrival sees it, which meets the B
    others. Only the mean length counts, not its law. Stepping adds about 1/(2L) of it: an arrival
    waits for a step to end.

    Examples
    --------
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
    """The mean number of requests present: rate × mean time, under any law.

    References
    ----------
    Little, A proof for the queuing formula L = λW (1961).

    Examples
    --------
    >>> little_concurrency(4.0, 12.5)
    50.0
    """
    return not_negative("arrival_per_s", arrival_per_s) * not_negative("time_s", time_s)


def lindley_wait(arrival: NDArray[Any], service: NDArray[Any]) -> NDArray[Any]:
    """The wait of each request at one server that serves in order of arrival.

    Parameters
    ----------
    arrival, service : array
        Of each request, in any unit; whole numbers stay exact.

    Notes
    -----
    W' = max(0, W + S − gap)

    References
    ----------
    Lindley, The theory of queues with a single server (1952).

    Examples
    --------
    >>> lindley_wait([0, 1, 2, 30], [5, 5, 5, 5]).tolist()
    [0, 4, 8, 0]
    """
    return kiefer_wolfowitz_wait(arrival, service, 1)


def kiefer_wolfowitz_wait(
    arrival: NDArray[Any], service: NDArray[Any], servers: int
) -> NDArray[Any]:
    """The wait of each request at equal servers behind one queue: the first free server takes it.

    Parameters
    ----------
    arrival, service : array
        Of each request, in any unit; whole numbers stay exact.
    servers : int
        Equal servers.

    References
    ----------
    Kiefer and Wolfowitz, On the theory of queues with many servers (1955).

    Examples
    --------
    >>> kiefer_wolfowitz_wait([0, 1, 2], [5, 5, 5], servers=2).tolist()
    [0, 0, 3]
    """
    arrivals, services = np.asarray(arrival), np.asarray(service)
    if arrivals.ndim != 1 or arrivals.shape != services.shape or not arrivals.size:
        raise ValueError(
            "arrival and service are outside their range: as many of each, one or more"
        )
    if not (np.isfinite(arrivals).all() and (np.diff(arrivals) >= 0).all()):
        raise ValueError(
            f"arrival = {shown(arrivals)} is outside its range: finite and not falling"
        )
    if not (np.isfinite(services).all() and (services >= 0).all()):
        raise ValueError(f"service = {shown(services)} is outside its range: finite, 0 or above")
    free = [arrivals[0] * 0] * min(count("servers", servers, 1), arrivals.size)
    start: NDArray[Any] = np.zeros_like(arrivals)
    for i, (arrived, needed) in enumerate(zip(arrivals, services, strict=True)):
        start[i] = max(arrived, free[0])
        heapq.heapreplace(free, start[i] + needed)
    waits: NDArray[Any] = start - arrivals
    return waits
