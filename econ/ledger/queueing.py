"""Topics ``queueing`` and goodput: closed forms, limits of a benchmark, the simulator's accuracy.

Loads are shares of one server, times are in units of the mean service time.
"""

from __future__ import annotations

import numpy as np

from econ.latency.evidence import sample_runs
from econ.ledger.recompute import recompute
from econ.serving import queueing
from econ.serving.from_scenario import measured_frame
from econ.serving.goodput import slo_preset


@recompute("mm1_wait_s")
def time_in_system(load_frac: float) -> float:
    """Mean wait and service in M/M/1."""
    return queueing.mm1_wait_s(load_frac, 1.0) + 1.0


@recompute("mm1_e2e_quantile_s")
def time_in_system_quantile(load_frac: float, quantile_frac: float) -> float:
    """A quantile of wait and service in M/M/1."""
    return queueing.mm1_e2e_quantile_s(load_frac, 1.0, quantile_frac)


@recompute("md1_wait_s", "mm1_wait_s")
def constant_over_exponential(load_frac: float) -> float:
    """Mean wait at constant service over that at exponential service."""
    return queueing.md1_wait_s(load_frac, 1.0) / queueing.mm1_wait_s(load_frac, 1.0)


@recompute("mg1_wait_s")
def wait_by_variation(load_frac: float, squared_cv: float) -> float:
    """Mean wait in M/G/1 for a squared coefficient of variation of service."""
    return queueing.mg1_wait_s(load_frac, 1.0, squared_cv**0.5)


@recompute("kingman_wait_s")
def wait_of_bursts(load_frac: float, squared_arrival_cv: float, squared_service_cv: float) -> float:
    """Kingman's wait for squared coefficients of variation of gaps and service."""
    return queueing.kingman_wait_s(load_frac, 1.0, squared_arrival_cv**0.5, squared_service_cv**0.5)


@recompute("erlang_c")
def share_that_waits(offered_load: float, servers: int) -> float:
    """Erlang C."""
    return queueing.erlang_c(offered_load, servers)


@recompute("erlang_b")
def share_turned_away(offered_load: float, servers: int) -> float:
    """Erlang B."""
    return queueing.erlang_b(offered_load, servers)


@recompute("mmc_wait_s", "mm1_wait_s")
def pooled_over_separate(load_frac: float, servers: int) -> float:
    """Mean wait behind one queue for all servers over that with a queue for each."""
    together = queueing.mmc_wait_s(load_frac * servers, 1.0, servers)
    return together / queueing.mm1_wait_s(load_frac, 1.0)


@recompute("mm1k_loss_frac")
def share_lost(load_frac: float, n_places: int) -> float:
    """Share lost by a queue of so many places."""
    return queueing.mm1k_loss_frac(load_frac, 1.0, n_places)


@recompute("little_concurrency")
def present_at_once(arrival_per_s: float, time_s: float) -> float:
    """Little's law."""
    return queueing.little_concurrency(arrival_per_s, time_s)


# -- goodput ------------------------------------------------------------------------------------
@recompute("slo_preset")
def limit_tightened(limit: str, old: str, new: str) -> float:
    """How many times tighter a limit of one promise is than that of another."""
    return getattr(slo_preset(old), limit) / getattr(slo_preset(new), limit)


@recompute("measured_frame")
def simulated_answer_error_frac(n_apart: int) -> float:
    """Median error of a whole answer's time, simulated, over every n-th measured run."""
    compared = measured_frame(sample_runs().iloc[::n_apart], n_most=500)
    gaps = compared["output_tokens"] - 1
    ours = compared["ttft_s"] + gaps * compared["tpot_s"]
    there = compared["measured_ttft_s"] + gaps * compared["measured_tpot_s"]
    return float(np.median(np.abs(ours / there - 1)))
