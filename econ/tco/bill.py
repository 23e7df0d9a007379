"""What a scenario costs: layers of a GPU-hour, and the same layers per million output tokens.

The hour is rented (a list rent or a price of your own) or owned (`econ.tco.layers`, with the
electricity price and PUE of the scenario's site); the tokens are those of `econ.latency.predict`
at a number of users, by default the most that the SLO allows. Hours in which nobody is served are a
layer of their own.

>>> from econ.scenario import Scenario
>>> s = Scenario.default().with_(utilisation_frac=0.6)
>>> rented, owned = cost(s), cost(s.with_(tenure="owned"))
>>> rented.frame()["layer"].tolist()
['rent', 'idle hours']
>>> owned.frame()["layer"].tolist()[:3], owned.usd_per_mtok < rented.usd_per_mtok
(['server', 'network', 'storage'], True)

How sure an owner's cost is: the same scenario with the ranges of ``data/`` in it.

>>> import econ
>>> answer = econ.uncertain(econ.tco.cost, with_ranges(econ.Scenario.default()), n=64)
>>> answer.interval.low < answer.interval.median < answer.interval.high
True
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import given
from econ.catalog.guard import positive
from econ.catalog.ranges import Range
from econ.catalog.units import HOURS_PER_DAY, usd_per_token_from_usd_per_mtok
from econ.latency.calibration import bands
from econ.latency.prediction import Prediction, predict, predict_scenarios
from econ.latency.users import users_within, users_within_each
from econ.scenario import Scenario
from econ.station import Result, station
from econ.tco.hours import Part, hour_parts, hours_usd
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.tasks import NO_TASK, Task, per_frame, tasks_frame

IDLE = "idle hours"


@dataclass(frozen=True, kw_only=True)
class Cost(Result):
    """What tokens, requests and days of a scenario cost.

    Attributes
    ----------
    usd_per_mtok : float
        USD per million output tokens; they carry the whole bill, input included.
    usd_per_gpu_hour : float
        USD of one hour in which a GPU serves: the paid hour over ``utilisation_frac``.
    paid_usd_per_gpu_hour : float
        USD of one hour that is paid for, used or not: a rent, or an owner's hour.
    usd_per_request : float
        USD of a request of mean length.
    usd_per_day : float
        USD of all accelerators of the deployment for a day, used or not; what comes in whole
        servers is rounded up by `econ.tco.units`.
    output_tokens_per_s_per_gpu : float
        Output tokens per second and GPU while it serves.
    concurrency : float
        Users over all replicas at which that is so.
    parts : tuple of Part
        The layers, idle hours last.
    task : Task, optional
        The workload's: its requests are turns, and `row` says what a session and a finished task
        cost.
    regime, bands
        As in `econ.latency.predict`: the band of the cost is that of the throughput.
    """

    usd_per_mtok: float
    usd_per_gpu_hour: float
    paid_usd_per_gpu_hour: float
    usd_per_request: float
    usd_per_day: float
    output_tokens_per_s_per_gpu: float
    concurrency: float
    utilisation_frac: float
    tenure: str
    parts: tuple[Part, ...]
    regime: str = "calibrated"
    bands: dict[str, tuple[float, float]] = field(default_factory=dict)
    task: Task | None = None

    def row(self) -> dict[str, Any]:
        """The numbers and words, and of sessions USD per turn, session and finished task."""
        return super().row() | (self.task.figures(usd=self.usd_per_request) if self.task else {})

    def per_frame(self) -> pd.DataFrame:
        """USD ``per`` turn, session and finished task; of a workload of sessions only."""
        if self.task is None:
            raise ValueError(NO_TASK)
        return per_frame(self.task.figures(usd=self.usd_per_request))

    def frame(self) -> pd.DataFrame:
        """The layers, which sum to the cost.

        Returns
        -------
        pandas.DataFrame
            Columns layer, group, usd_per_gpu_hour (of an hour that serves), usd_per_mtok,
            share_frac, source.
        """
        frame = pd.DataFrame([vars(part) for part in self.parts])
        frame.insert(3, "share_frac", frame["usd_per_gpu_hour"] / self.usd_per_gpu_hour)
        frame.insert(3, "usd_per_mtok", frame["share_frac"] * self.usd_per_mtok)
        return frame

    def groups(self) -> pd.Series:
        """USD per million output tokens of each group, in the order of the layers."""
        return self.frame().groupby("group", sort=False)["usd_per_mtok"].sum()


def cost_scenarios(
    scenarios: Sequence[Scenario],
    *,
    concurrency: Any = None,
    include: Any = (),
) -> pd.DataFrame:
    """`cost` for many scenarios at once: a row each, with a ``reason`` where none is possible.

    ``concurrency`` and ``include`` are one value or one a scenario; latency and owners are
    computed once for all.
    """
    n = len(scenarios)
    users: list[Any] = list(concurrency) if isinstance(concurrency, Iterable) else [concurrency] * n
    named = include is None or all(isinstance(layer, str) for layer in include)
    includes = [tuple(include or ())] * n if named else [tuple(one or ()) for one in include]
    reasons = [""] * n
    alike: dict[Any, list[int]] = {}
    for i, s in enumerate(scenarios):
        if users[i] is None:
            alike.setdefault((s.model, s.deployment, s.workload, s.slo), []).append(i)
    most = users_within_each([scenarios[rows[0]] for rows in alike.values()])
    for rows, load in zip(alike.values(), most, strict=True):
        why = "" if load else _no_users(scenarios[rows[0]])
        for i in rows:
            users[i], reasons[i] = load or np.nan, why
    loads = [1.0 if np.isnan(load) else load for load in users]
    served = predict_scenarios(scenarios, concurrency=loads)
    hours = hours_usd(scenarios, includes, reasons)
    rate = served["output_tokens_per_s_per_gpu"].to_numpy()
    use = np.array([s.finance.utilisation_frac for s in scenarios])
    reason = [own or of_latency for own, of_latency in zip(reasons, served["reason"], strict=True)]
    known = np.array([text == "" for text in reason]) & (rate > 0)
    rate, hours = np.where(known, rate, np.nan), np.where(known, hours, np.nan)
    usd = cost_usd_per_mtok(hours, rate, use)
    output = np.array([s.workload.mean_output_tokens for s in scenarios])
    n_gpu = np.array([s.deployment.n_gpu for s in scenarios])
    answers = pd.DataFrame(
        {
            "usd_per_mtok": usd,
            "usd_per_gpu_hour": hours / use,
            "paid_usd_per_gpu_hour": hours,
            "usd_per_request": usd_per_token_from_usd_per_mtok(usd) * output,
            "usd_per_day": hours * n_gpu * HOURS_PER_DAY,
            "output_tokens_per_s_per_gpu": rate,
            "concurrency": users,
            "utilisation_frac": use,
            "tenure": [s.finance.tenure for s in scenarios],
            "regime": served["regime"],
            "reason": reason,
        }
    )
    of_tasks = [s.workload.task for s in scenarios]
    return answers.join(tasks_frame(of_tasks, answers.index, usd=answers["usd_per_request"]))


@station(headline="usd_per_mtok", vector=cost_scenarios)
def cost(s: Scenario, *, concurrency: float | None = None, include: Collection[str] = ()) -> Cost:
    """What a scenario costs per million *output* tokens, per request, per hour and per day.

    Parameters
    ----------
    s : Scenario
        Model, deployment and workload give the throughput; finance and, for an owner, the site
        give the hour.
    concurrency : float, optional
        Users over all replicas, e.g. 64; by default the most that the SLO allows
        (`econ.latency.users_within`).
    include : collection of str
        Layers that are counted only when asked for: licences, staff; of an owner also support,
        insurance.

    Returns
    -------
    Cost
        Its `frame` holds the layers; `band` the range that the error of the throughput leaves.

    Raises
    ------
    DoesNotFit
        Where the model exceeds the memory.
    ValueError
        For an unknown price, or where not even one user of each replica is within the SLO: the
        message names what to set.

    Notes
    -----
    USD per Mtok = USD per paid GPU-hour / 3600 / (output tokens/s per GPU · utilisation) · 10⁶.
    All input is on the account of the output tokens; `econ.tco.marginal_cost_frame` splits it by
    machine time.

    Examples
    --------
    >>> s = Scenario.default()
    >>> one = cost(s, concurrency=64)
    >>> one.paid_usd_per_gpu_hour, one.usd_per_day
    (3.99, 383.04)
    >>> half = cost(s.with_(utilisation_frac=0.5), concurrency=64)
    >>> half.usd_per_mtok == 2 * one.usd_per_mtok, half.usd_per_day == one.usd_per_day
    (True, True)
    """
    if concurrency is None:
        concurrency = _users(s)
    else:
        positive("concurrency", concurrency)
    served: Prediction = predict(s, concurrency=concurrency)
    rate, use = served.output_tokens_per_s_per_gpu, float(s.finance.utilisation_frac)
    paid = hour_parts(s, include)
    hour = sum(part.usd_per_gpu_hour for part in paid)
    usd = cost_usd_per_mtok(hour, rate, use)
    idle = Part(layer=IDLE, group=IDLE, usd_per_gpu_hour=hour / use - hour)
    return Cost(
        usd_per_mtok=usd,
        usd_per_gpu_hour=hour / use,
        paid_usd_per_gpu_hour=hour,
        usd_per_request=usd_per_token_from_usd_per_mtok(usd) * s.workload.mean_output_tokens,
        usd_per_day=hour * s.deployment.n_gpu * HOURS_PER_DAY,
        output_tokens_per_s_per_gpu=rate,
        concurrency=concurrency,
        utilisation_frac=use,
        tenure=s.finance.tenure,
        parts=(*paid, idle),
        regime=served.regime,
        bands=dict.fromkeys(
            ("usd_per_mtok", "usd_per_request"), served.bands["output_tokens_per_s_per_gpu"]
        ),
        task=s.workload.task,
    )


def _users(s: Scenario) -> int:
    """The most users within the SLO, or the reason why there is none."""
    users = users_within(s)
    if not users:
        one: Prediction = predict(s, concurrency=s.n_replicas)  # or raises DoesNotFit
        raise ValueError(
            f"concurrency = 0: one user of each replica waits {one.ttft_s:.3g} s (ttft_s of the "
            f"SLO: {s.slo.ttft_s:g}) and {one.tpot_s:.3g} s a token (tpot_s: {s.slo.tpot_s:g}); "
            "loosen the SLO or give concurrency"
        )
    return users


def _no_users(s: Scenario) -> str:
    """Why no user is within the SLO."""
    try:
        _users(s)
    except ValueError as error:
        return str(error)
    return ""


def with_ranges(s: Scenario, *, regime: str = "calibrated") -> Scenario:
    """The owner of this scenario's machines, with a `Range` for what is not known to a digit.

    Parameters
    ----------
    s : Scenario
        Its server price, life, cost of capital, electricity price and PUE are the typical values
        where it gives them.
    regime : str
        Whose band the throughput has: calibrated, interpolated, … as in `econ.latency.predict`.

    Returns
    -------
    Scenario
        Owned, with ranges for ``server_usd``, ``cost_of_capital_frac``, ``life_years``,
        ``utilisation_frac`` (hours that are available and busy), ``electricity_usd_per_kwh``,
        ``pue`` and ``software_maturity``: for `econ.uncertain`, not for a station.

    Notes
    -----
    Low and high are the ends of what the sources of ``data/`` give. ``software_maturity`` stands
    for the error of the throughput: within the factor of nine held-out runs in ten.

    Examples
    --------
    >>> sorted(with_ranges(Scenario.default()).ranges())[:2]
    ['deployment.software_maturity', 'finance.cost_of_capital_frac']
    """
    finance, site = s.finance, s.resolved_site
    available, busy = given("tco_inputs", "available"), given("tco_inputs", "busy")
    useful = Range(
        available.low * busy.low,
        available.typical * busy.typical,
        available.high * busy.high,
        "share",
        source=busy.source,
    )
    factor = bands()[regime, "output_tokens_per_s_per_gpu"].p90_factor
    maturity = Range.within_factor(s.deployment.software_maturity, factor, "1")
    price = given("servers", s.deployment.accelerator_id)
    return s.with_(
        tenure="owned",
        cost_usd_per_gpu_hour=None,
        server_usd=_around(price, finance.server_usd),
        cost_of_capital_frac=_around(
            given("tco_inputs", "cost-of-capital"), finance.cost_of_capital_frac
        ),
        life_years=_around(given("tco_inputs", "life"), finance.life_years),
        utilisation_frac=useful,
        electricity_usd_per_kwh=_around(
            given("layers", "electricity"), site.electricity_usd_per_kwh
        ),
        pue=_around(given("tco_inputs", "pue"), site.pue),
        software_maturity=maturity,
    )


def _around(span: Range, typical: float | None) -> Range:
    """The range, moved to the value that is given: wider where it lies outside."""
    if typical is None:
        return span
    return replace(span, low=min(span.low, typical), typical=typical, high=max(span.high, typical))
