"""Continuous batching under load, exactly and fast: when does each request get its tokens?

One step follows another without a gap. At the start of a step, requests that have arrived and fit
(a place in the batch, KV blocks, token budget) are admitted in order of arrival; the end of a
prefill yields the first token, every decode step one more per sequence. The policies:

``prefill_first``
    A prefill of whole prompts goes before any decode and stalls them. Prompts are taken together
    up to ``token_budget`` tokens; a longer one is prefilled alone.
``chunked_prefill``
    Each step decodes every running sequence and fills the rest of ``token_budget`` with prefill.
``disaggregated``
    `Disaggregated` pools: one prefills, the KV cache moves, the other decodes.

When a decode step does not fit into KV memory the latest arrival is preempted: its cache is
dropped, and it is prefilled again, with what it had generated, before anything newer is admitted.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from econ.catalog.guard import count
from econ.latency.prediction import predict
from econ.scenario import Scenario
from econ.serving import compiled
from econ.serving.cost import StepCost
from econ.serving.from_scenario import draw_requests
from econ.serving.from_scenario import replica as replica_of_scenario
from econ.serving.pools import simulate_arrays
from econ.serving.replicas import Disaggregated, Replica
from econ.serving.result import RequestTimes, Service
from econ.station import require_certain, require_power

N_REQUESTS = 10_000  # of a scenario's simulation


@overload
def simulate(
    scenario: Scenario,
    /,
    *,
    rate_per_s: float | None = None,
    n: int | None = None,
    seed: int = 0,
    engine: str = "auto",
    replica: Replica | Disaggregated | None = None,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> Service: ...


@overload
def simulate(
    arrival_s: ArrayLike,
    input_tokens: ArrayLike,
    output_tokens: ArrayLike,
    replica: Replica | Disaggregated,
    engine: str = "auto",
    *,
    cached_tokens: ArrayLike | None = None,
    seed: int = 0,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> RequestTimes: ...


def simulate(
    arrival_s: Any,
    input_tokens: Any = None,
    output_tokens: Any = None,
    replica: Any = None,
    engine: str = "auto",
    *,
    rate_per_s: float | None = None,
    n: int | None = None,
    cached_tokens: Any = None,
    seed: int = 0,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> Service | RequestTimes:
    """Serve requests and say when each got its first and its last token.

    Takes a scenario, ``simulate(s, rate_per_s=8)``, and answers with a `Service`; or the requests
    as arrays with a replica, ``simulate(arrival_s, input_tokens, output_tokens, replica)``, and
    answers with the `RequestTimes`.

    Parameters
    ----------
    arrival_s : Scenario or array
        A scenario; or the time of each arrival, from 0, in rising order.
    input_tokens, output_tokens : array
        Tokens of each request, e.g. 1000 and 200; with arrays only.
    replica : Replica or Disaggregated
        What serves. Of a scenario it is built by `econ.serving.replica` unless one is given.
    engine : str
        c, numba or python, which agree to the picosecond; auto takes c where it was built with the
        package, else numba where it is compiled already or pays.
    rate_per_s : float, optional
        Arrivals per second, e.g. 8; the workload's own by default. With a scenario only.
    n : int, optional
        Requests to draw; 10,000 by default. With a scenario only.
    cached_tokens : array, optional
        Tokens of each prompt that a prefix cache holds; by default the replica's share.
    seed : int
        Draws the requests of a scenario, and speculative acceptance.
    until_s : float, optional
        No step starts later.
    n_most_events : int, optional
        Where the run stops; by default 1,000 a request and a million, which a queue that merely
        grows never reaches. ``RequestTimes.stopped`` says so, and unfinished requests are NaN.

    Returns
    -------
    Service or RequestTimes
        What users get under the scenario's SLO; or the times of the requests.

    Raises
    ------
    ValueError
        Names the first offending request by its position, from 0; or the setting of the scenario.
    DoesNotFit
        Where weights and one sequence of the scenario exceed the memory.

    Notes
    -----
    Time is counted in whole picoseconds, so results do not depend on the engine or the machine.
    The policies are described in `econ.serving.simulation`.

    References
    ----------
    Yu et al., Orca, OSDI 2022 (continuous batching); Kwon et al., PagedAttention, SOSP 2023 (blocks
    and preemption); Agrawal et al., Sarathi-Serve, OSDI 2024 (chunked prefill); Zhong et al.,
    DistServe, OSDI 2024 (separate pools, goodput).

    Examples
    --------
    >>> service = simulate(Scenario.default(), rate_per_s=8, n=1000)
    >>> service.good_frac > 0.9, service.binding, round(service.goodput)
    (True, 'tpot', 8)
    >>> cost = StepCost.affine(5e-3, 20e-6, per_ctx_token_s=40e-9)
    >>> replica = Replica(cost=cost, kv_tokens=100_000, max_batch=64, token_budget=512)
    >>> times = simulate([0.0, 0.1], [1000, 200], [3, 2], replica)
    >>> times.first_token_s.round(4).tolist(), times.done_s.round(4).tolist()
    ([0.03, 0.109], [0.0401, 0.114])
    """
    more: dict[str, Any] = {"seed": seed, "until_s": until_s, "n_most_events": n_most_events}
    if isinstance(arrival_s, Scenario):
        scenario = arrival_s
        require_certain("simulate", scenario)
        require_power(scenario)
        if input_tokens is not None or output_tokens is not None or cached_tokens is not None:
            raise TypeError("the requests of a scenario are drawn from its workload: change that")
        load = scenario.workload
        trace = draw_requests(load, rate_per_s, N_REQUESTS if n is None else n, seed)
        serving = replica_of_scenario(scenario) if replica is None else replica
        rate = float(load.rate_per_s) if rate_per_s is None else rate_per_s
        times = serve(trace, serving, engine, **more)
        service = Service.of(times, scenario.slo, serving, rate, float(load.reasoning_frac))
        return service if replica is not None else _with_bands(service, scenario)
    if rate_per_s is not None or n is not None:
        raise TypeError("rate_per_s and n belong to a scenario; arrays hold the requests already")
    return simulate_arrays(
        arrival_s, input_tokens, output_tokens, replica, engine, cached_tokens, **more
    )


def _with_bands(service: Service, s: Scenario) -> Service:
    """With the regime and the bands of the step equations at as many users as were present."""
    users = service.rate_per_s * service.mean_e2e_s
    users = min(max(users, 1.0), float(s.n_replicas * s.deployment.launch.max_batch))
    alike = s.with_(policy="chunked_prefill")  # separate pools take the same steps
    prediction = predict(alike, concurrency=users)
    bands = {
        ours: prediction.bands[metric]
        for ours, metric in (("mean_ttft_s", "ttft_s"), ("request_mean_tpot_s", "tpot_s"))
    }
    return dataclasses.replace(service, regime=prediction.regime, bands=bands)


def _station_form(
    scenario: Scenario,
    *,
    rate_per_s: float | None = None,
    n: int | None = None,
    seed: int = 0,
    replica: Replica | Disaggregated | None = None,
) -> Service:
    """What `econ.sweep` sees of `simulate`: there, ``engine`` is the deployment's."""
    raise NotImplementedError


simulate.headline = "goodput"  # type: ignore[attr-defined]
simulate.vector = None  # type: ignore[attr-defined]
simulate.__signature__ = inspect.signature(_station_form)  # type: ignore[attr-defined]


def serve(
    trace: pd.DataFrame,
    replica: Replica | Disaggregated,
    engine: str = "auto",
    **more: Any,
) -> RequestTimes:
    """Simulate the rows of a trace: arrival_s, input_tokens, output_tokens; ``more`` as there.

    >>> trace = pd.DataFrame({"arrival_s": [0.0], "input_tokens": [10], "output_tokens": [3]})
    >>> serve(trace, Replica(cost=StepCost.affine(1.0), kv_tokens=100)).done_s.tolist()
    [3.0]
    """
    arrival_s, prompt, out = (
        trace[c].to_numpy() for c in ("arrival_s", "input_tokens", "output_tokens")
    )
    return simulate_arrays(arrival_s, prompt, out, replica, engine, **more)


def warm_up(n_requests: int | None = None) -> bool:
    """Compile the engine, or load it from numba's cache, so that the next call only runs.

    Returns whether machine code is ready; with the engine in C it always is. With ``n_requests``,
    which are about to be simulated, nothing is done unless the engine lies on disk and so many pay
    for loading it.
    """
    if compiled.loaded() or not compiled.available():
        return compiled.loaded()
    if n_requests is not None and not (compiled.on_disk() and compiled.pays(0, n_requests)):
        return False
    tiny = Replica(cost=StepCost.affine(1.0), kv_tokens=64, max_batch=2)
    simulate([0.0], [4], [2], tiny, engine="numba")
    return True


def simulate_closed(
    input_tokens: ArrayLike,
    output_tokens: ArrayLike,
    replica: Replica,
    concurrency: int,
    engine: str = "auto",
    **more: Any,
) -> RequestTimes:
    """A closed loop: users who each ask again as soon as they are answered.

    Parameters
    ----------
    input_tokens, output_tokens : array
        Tokens of each request, sent in the order given.
    replica : Replica
        One replica of a single pool.
    concurrency : int
        Users, e.g. 32.
    engine : str
        As in `simulate`, and so are ``more``.

    Notes
    -----
    Exact without a feedback: with all requests queued at 0 and at most ``concurrency`` in the
    batch, request i starts as if submitted at the (i − concurrency)-th completion, which is its
    arrival here (unless steps take no time).

    Examples
    --------
    >>> replica = Replica(cost=StepCost.affine(0.01), kv_tokens=1000)
    >>> simulate_closed([10] * 3, [2] * 3, replica, concurrency=1).arrival_s.tolist()
    [0.0, 0.02, 0.04]
    """
    count("concurrency", concurrency, 1)
    if not isinstance(replica, Replica) or replica.policy == "disaggregated":
        raise TypeError("a closed loop is simulated on one Replica of a single pool")
    count("n_replicas", replica.n_replicas, 1, 1)
    narrow = replica.replace(max_batch=min(replica.max_batch, concurrency))
    zeros = np.zeros(len(np.atleast_1d(np.asarray(input_tokens))))
    times = simulate(zeros, input_tokens, output_tokens, narrow, engine, **more)
    arrival = np.zeros(len(zeros), "int64")
    arrival[concurrency:] = np.sort(times.done_ps)[: max(len(zeros) - concurrency, 0)]
    return dataclasses.replace(times, arrival_ps=arrival)
