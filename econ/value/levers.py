"""The levers of a service's cost, each with its fair share of the fall.

A waterfall credits each lever with what it brings in one order; another order gives other shares.
Here every combination is priced by `econ.tco.cost`, and each lever gets its Shapley share with
the range over all orders (`econ.uncertainty.credits_frame`).

>>> from econ.scenario import Scenario
>>> two = {"use": {"utilisation_frac": 0.8}, "batch": {"concurrency": 64}}
>>> fall = levers(Scenario.default().with_(utilisation_frac=0.4), two)
>>> fall.factor > 4, bool(fall.shares["share_frac"].sum().round(9) == 1)
(True, True)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.menus import Answering, answering
from econ.latency.prediction import predict
from econ.latency.speculation import speculation_frame
from econ.scenario import Scenario
from econ.serving import pool_speed
from econ.station import require_certain
from econ.tco.bill import cost_scenarios
from econ.uncertainty.sensitivity import credits_frame

# what an operator of 2026 can change about a service on rented H100s that runs at low load
LEVERS_2026: dict[str, dict[str, Any]] = {
    "more users a step": {"concurrency": None},
    "weights in 4 bit": {"precision": "fp4"},
    "busier machines": {"utilisation_frac": 0.75},
    "owned machines": {"tenure": "owned", "cost_usd_per_gpu_hour": None},
    "a newer machine": {"accelerator": "b200-sxm"},
    "cached prompts": {"cached_frac": 0.5},
}
# and what changes more than the machine's settings: counted per accepted answer, not per token
LEVERS_OF_ANSWERS_2026 = LEVERS_2026 | {
    "a rack-scale machine": {"accelerator": "gb200-nvl72"},
    "speculative decoding": {"speculation": {"acceptance_frac": 0.7, "n_draft": 4}},
    "pools for prompts and answers": {"policy": "disaggregated"},
    "another model": {"model": "gpt-oss-120b"},
}
FEW_USERS = 8  # before the first lever


@dataclass(frozen=True, kw_only=True)
class Levers:
    """What levers do to the cost of a token, alone and together.

    Attributes
    ----------
    before_usd_per_mtok, after_usd_per_mtok : float
        Without any, and with all.
    before_usd_per_answer, after_usd_per_answer : float
        The same of an answer that is right and in time; nan where no lever changes the model.
    shares : DataFrame
        See `econ.uncertainty.credits_frame`: share, its range over orders, mean factor; of USD per
        accepted answer where a lever changes the model, else of USD per Mtok.
    combinations : DataFrame
        The price of each combination: ``changes``, ``usd_per_mtok``, ``usd_per_answer``.
    """

    before_usd_per_mtok: float
    after_usd_per_mtok: float
    before_usd_per_answer: float = math.nan
    after_usd_per_answer: float = math.nan
    shares: pd.DataFrame
    combinations: pd.DataFrame

    @property
    def factor(self) -> float:
        """How many times cheaper with all levers: an accepted answer, or else a token."""
        by_answer = self.before_usd_per_answer / self.after_usd_per_answer
        by_token = self.before_usd_per_mtok / self.after_usd_per_mtok
        return by_token if math.isnan(by_answer) else by_answer


def levers(
    s: Scenario,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    concurrency: float | None = FEW_USERS,
    right_frac: Mapping[str, float] | None = None,
) -> Levers:
    """Price every combination of levers, and credit each one.

    Parameters
    ----------
    s : Scenario
        The service before.
    changes : mapping, optional
        Name → settings for `Scenario.with_`; ``concurrency`` may be among them, None for the most
        users within the SLO, and ``speculation`` with arguments of
        `econ.latency.speculation.speculation_frame`. By default `LEVERS_2026`; a lever with a
        ``model`` makes accepted answers the measure (`LEVERS_OF_ANSWERS_2026`).
    concurrency : float, optional
        Users before any lever, e.g. 8; None for the most within the SLO.
    right_frac : mapping of str to float, optional
        Model → share of right answers; else its score (`econ.catalog.menus.answering`).

    Returns
    -------
    Levers
        Shares that sum to 1, with their range over all orders.

    Raises
    ------
    ValueError
        Where a combination has no price, with its reason.

    Notes
    -----
    Speculation shortens decoding at the users there are, and no prompt that is read between the
    steps; where its checks cost more than they bring, an operator leaves it off. Pools
    (``policy="disaggregated"``) are in proportion to their work (`econ.serving.pool_speed`), so
    that neither waits for the other: a fleet of few replicas cannot be so fine, and
    ``plan(policies=["disaggregated"])`` simulates it.

    Examples
    --------
    >>> one = levers(Scenario.default(), {"machine": {"accelerator": "h200-sxm"}})
    >>> one.shares["share_frac"].tolist()
    [1.0]
    """
    require_certain("levers", s)
    chosen = LEVERS_2026 if changes is None else changes
    subsets = [
        frozenset(names) for k in range(len(chosen) + 1) for names in combinations(chosen, k)
    ]
    has_models = any("model" in change for change in chosen.values())

    @functools.cache
    def choice(model: str | Model) -> tuple[Answering, float]:
        of = answering([model], right_frac)[0]
        return of, of.longer_than(s.model_id)

    scenarios, users, speculations, accepted = [], [], [], []
    for subset in subsets:
        settings: dict[str, Any] = {"concurrency": concurrency}
        for name in chosen:
            if name in subset:
                settings |= chosen[name]
        users.append(settings.pop("concurrency"))
        speculations.append(settings.pop("speculation", None))
        one = s.with_(**settings) if settings else s
        share = math.nan
        if has_models:
            one, share = _accepted(one, *choice(one.model))
        scenarios.append(one)
        accepted.append(share)
    prices = cost_scenarios(
        [one.with_(policy="") if one.deployment.has_pools else one for one in scenarios],
        concurrency=[
            one.n_replicas if one.deployment.has_pools else n
            for one, n in zip(scenarios, users, strict=True)
        ],
    )
    for subset, reason in zip(subsets, prices["reason"], strict=True):
        if reason:
            raise ValueError(f"no price with {sorted(subset) or 'no lever'}: {reason}")
    known: dict[Any, float] = {}  # who pays, and how long, changes no latency
    times = []
    rows = zip(subsets, scenarios, users, speculations, prices.to_dict("records"), strict=True)
    for subset, one, n, how, price in rows:
        drafts = tuple(sorted((how or {}).items()))
        case = (one.model, one.deployment, one.workload, one.slo, n, drafts)
        if case not in known:
            try:
                known[case] = _times(one, n, how, price)
            except ValueError as error:
                raise ValueError(f"no price with {sorted(subset) or 'no lever'}: {error}") from None
        times.append(known[case])
    usd = (prices["usd_per_mtok"] * times).tolist()
    usd_per_answer = (prices["usd_per_request"] * times / accepted).tolist()
    names = [" + ".join(n for n in chosen if n in subset) or "none" for subset in subsets]
    measured = usd_per_answer if has_models else usd
    shares = credits_frame(dict(zip(subsets, measured, strict=True)))
    order = {name: i for i, name in enumerate(chosen)}
    return Levers(
        before_usd_per_mtok=usd[0],
        after_usd_per_mtok=usd[-1],
        before_usd_per_answer=usd_per_answer[0],
        after_usd_per_answer=usd_per_answer[-1],
        shares=shares.sort_values("change", key=lambda c: c.map(order), ignore_index=True),
        combinations=pd.DataFrame(
            {"changes": names, "usd_per_mtok": usd, "usd_per_answer": usd_per_answer}
        ),
    )


def _accepted(one: Scenario, of: Answering, times: float) -> tuple[Scenario, float]:
    """The scenario with as many tokens as its model writes, and the share of accepted answers."""
    longer = tuple(times * float(n) for n in one.workload.output_quantile_tokens)
    share = of.right_in(one.deployment.precision) * float(one.slo.attainment_frac)
    return one.with_(output_quantile_tokens=longer), share


def _times(
    s: Scenario, users: float | None, how: Mapping[str, Any] | None, price: Mapping[Any, Any]
) -> float:
    """What pools and drafts multiply the price of one pool without them by."""
    if s.deployment.has_pools:
        return float(price["output_tokens_per_s_per_gpu"]) / _pooled(s, users, how)
    return _speculated(s, float(price["concurrency"]), how) if how else 1.0


def _pooled(s: Scenario, users: float | None, how: Mapping[str, Any] | None) -> float:
    """Output tokens per second and accelerator of pools in proportion; drafts shorten decoding."""
    pools = pool_speed(s, concurrency=users)
    rate = pools.output_tokens_per_s_per_gpu
    if not how:
        return rate
    decoding_frac = 1 / (1 + pools.n_prefill_per_decode)
    return rate / (1 - decoding_frac * (1 - 1 / _gain(_decoding(s), pools.batch, how)))


def _speculated(s: Scenario, users: float, how: Mapping[str, Any]) -> float:
    """Time of an answer with speculation over that without: drafts shorten no prompt."""
    plain, alone = predict(s, concurrency=users), _decoding(s)
    gain = _gain(alone, max(round(users / s.n_replicas), 1), how)
    steps = max(s.workload.mean_output_tokens - 1, 0)
    saved_s = predict(alone, concurrency=users).tpot_s * steps * (1 - 1 / gain)
    return float(1 - saved_s / plain.answer_s)


def _decoding(s: Scenario) -> Scenario:
    """The same machines where no prompt is read between the steps."""
    policy = "" if s.deployment.has_pools else s.deployment.policy
    return s.with_(policy=policy, cached_frac=1.0)


def _gain(s: Scenario, batch: int, how: Mapping[str, Any]) -> float:
    """Decoding without drafts over that with them; 1 where they would lengthen it."""
    gains = speculation_frame(s, batches=(batch,), **how)["speedup"]
    return max(float(gains.iloc[0]), 1.0) if len(gains) else 1.0
