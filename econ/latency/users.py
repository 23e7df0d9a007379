"""How many users a deployment serves within an SLO, by the mean latency of the closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.latency.calibration import Calibration
from econ.latency.frame import predict_frame
from econ.latency.prediction import predict_scenarios, scenarios_frame
from econ.scenario import Scenario
from econ.station import require_certain
from econ.terms import Slo

MOST_USERS = 512  # of a replica
FEW = 3  # scenarios for which a table of all users each is quicker than halving


def users_within(
    s: Scenario,
    slo: Slo | None = None,
    *,
    n_most: int = MOST_USERS,
    calibration: Calibration | None = None,
) -> int:
    """The most concurrent users whose mean TTFT and TPOT are within the SLO, over all replicas.

    Parameters
    ----------
    s : Scenario
        The case; its own SLO counts unless another is given.
    slo : Slo, optional
        Limits on TTFT and TPOT in seconds.
    n_most : int
        Users of one replica that are tried: 1 to ``n_most``.
    calibration : Calibration, optional
        As in `predict`.

    Returns
    -------
    int
        A multiple of the replicas, which share the users evenly; 0 where one user of each is
        already too many or the model does not fit.

    Examples
    --------
    >>> users_within(Scenario.default().with_(tpot_s=0.02)) < users_within(Scenario.default())
    True
    """
    require_certain("users_within", s)
    limits = slo or s.slo
    users = np.arange(1, count("n_most", n_most, 1, 1_000_000) + 1)
    frame = scenarios_frame([s], 0.0).iloc[np.zeros(len(users), int)]
    frame = frame.assign(concurrency=users * s.n_replicas)
    out = predict_frame(frame.reset_index(drop=True), calibration)
    return int(users[_within(out, limits.ttft_s, limits.tpot_s)].max(initial=0)) * s.n_replicas


def users_within_each(scenarios: Sequence[Scenario]) -> list[int]:
    """`users_within` of each, all halving at once: waits never fall with the users.

    >>> s = Scenario.default()
    >>> users_within_each([s] * 4) == [users_within(s)] * 4
    True
    """
    if len(scenarios) <= FEW:
        return [users_within(s) for s in scenarios]
    limits = pd.DataFrame([vars(s.slo) for s in scenarios])
    replicas = np.array([s.n_replicas for s in scenarios])
    low, high = np.zeros(len(scenarios), int), np.full(len(scenarios), MOST_USERS + 1)
    while (high - low > 1).any():
        users = np.maximum((low + high) // 2, 1)
        served = predict_scenarios(scenarios, concurrency=users * replicas)
        within = _within(served, limits["ttft_s"], limits["tpot_s"])
        low, high = np.where(within, users, low), np.where(within, high, users)
    return [int(n) for n in low * replicas]


def _within(predicted: pd.DataFrame, ttft_s: Any, tpot_s: Any) -> np.ndarray:
    return np.asarray((predicted["ttft_s"] <= ttft_s) & (predicted["tpot_s"] <= tpot_s))
