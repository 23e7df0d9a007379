"""Cascades and routers: ask a small model first, or only, and a large one where it is needed.

A *cascade* asks the small model, checks its answer, and asks the large one where the check rejects
it. A *router* looks at the question alone and sends it to one of the two. Both buy right answers
with fewer questions to the large model; both make errors that a single model does not.

>>> check = Check(keeps_right_frac=0.9, keeps_wrong_frac=0.2, usd_per_answer=0.0)
>>> small, large = Single(right_frac=0.6, usd_per_answer=0.1), Single(0.8, 1.0)
>>> both = cascade(small, large, check, nested_frac=1.0)
>>> round(both.asked_large_frac, 2), round(both.right_frac, 2), round(both.usd_per_right, 2)
(0.38, 0.76, 0.63)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import fraction, not_negative, positive
from econ.catalog.units import HOUR_S
from econ.scenario import Scenario
from econ.value.worth import Value, value


@dataclass(frozen=True)
class Single:
    """A model on its own.

    Attributes
    ----------
    right_frac : float
        Share of its answers that are right, e.g. 0.6.
    usd_per_answer : float
        Of an answer, right or not.
    """

    right_frac: float
    usd_per_answer: float


@dataclass(frozen=True, kw_only=True)
class Check:
    """What decides whether the small model's answer is kept, or a question is sent to it.

    Parameters
    ----------
    keeps_right_frac : float
        Share of the questions that the small model gets right and that stay with it, e.g. 0.9.
    keeps_wrong_frac : float
        Share of those it gets wrong and that stay with it too, e.g. 0.2: measure both.
    usd_per_answer : float
        What a check costs: the tokens of a judge, or a classifier's.
    """

    keeps_right_frac: float
    keeps_wrong_frac: float
    usd_per_answer: float = 0.0

    def __post_init__(self) -> None:
        fraction("keeps_right_frac", self.keeps_right_frac)
        fraction("keeps_wrong_frac", self.keeps_wrong_frac)
        not_negative("usd_per_answer", self.usd_per_answer)


@dataclass(frozen=True, kw_only=True)
class Both:
    """Two models together.

    Attributes
    ----------
    right_frac : float
        Share of right answers in the end.
    asked_small_frac, asked_large_frac : float
        Questions that each model answers; a cascade's sum is above 1.
    usd_per_answer, usd_per_right : float
        Mean cost, and that of a right answer.
    """

    right_frac: float
    asked_small_frac: float
    asked_large_frac: float
    usd_per_answer: float

    @property
    def usd_per_right(self) -> float:
        """USD of a right answer."""
        return self.usd_per_answer / self.right_frac if self.right_frac else np.inf


def cascade(small: Single, large: Single, check: Check, *, nested_frac: float = 1.0) -> Both:
    """The small model, a check of its answer, and the large one where the check rejects it.

    Parameters
    ----------
    small, large : Single
        The two models.
    check : Check
        Of the small model's answers.
    nested_frac : float
        How far the large model's errors are also the small one's: 1 where it gets right all that
        the small one does, 0 where the two are right independently. Real pairs lie near 1.

    Notes
    -----
    asked again = 1 − r₁·a − (1 − r₁)·b with the check's shares a, b. Right in the end
    = r₁·a + r₁·(1 − a)·p + (1 − r₁)·(1 − b)·q, where p and q are the large model's shares among
    questions that the small one gets right and wrong: p = q = r₂ if independent; p = min(1, r₂/r₁),
    q = max(0, r₂ − r₁)/(1 − r₁) if nested.

    References
    ----------
    Chen, Zaharia and Zou, FrugalGPT (2023), the idea of cascades of models by price.
    """
    a, b = check.keeps_right_frac, check.keeps_wrong_frac
    r1 = fraction("right_frac", small.right_frac)
    on_right, on_wrong = _large_right(r1, large.right_frac, nested_frac)
    again = 1 - r1 * a - (1 - r1) * b
    right = r1 * a + r1 * (1 - a) * on_right + (1 - r1) * (1 - b) * on_wrong
    usd = small.usd_per_answer + check.usd_per_answer + again * large.usd_per_answer
    return Both(right_frac=right, asked_small_frac=1.0, asked_large_frac=again, usd_per_answer=usd)


def router(small: Single, large: Single, check: Check, *, nested_frac: float = 1.0) -> Both:
    """Each question to one of two models, by a guess made before any answer.

    Parameters and formula as in `cascade`, but a question that is sent on never meets the small
    model, so that its answer is not paid.

    >>> guess = Check(keeps_right_frac=0.8, keeps_wrong_frac=0.4)
    >>> one = router(Single(0.6, 0.1), Single(0.8, 1.0), guess)
    >>> round(one.asked_small_frac + one.asked_large_frac, 9)
    1.0
    """
    both = cascade(small, large, check, nested_frac=nested_frac)
    stays = 1 - both.asked_large_frac
    usd = (
        check.usd_per_answer
        + stays * small.usd_per_answer
        + both.asked_large_frac * large.usd_per_answer
    )
    return Both(
        right_frac=both.right_frac,
        asked_small_frac=stays,
        asked_large_frac=both.asked_large_frac,
        usd_per_answer=usd,
    )


def _large_right(r1: float, r2: float, nested_frac: float) -> tuple[float, float]:
    """The large model's share among what the small one gets right, and wrong."""
    share = fraction("nested_frac", nested_frac)
    r2 = fraction("right_frac", r2)
    on_right = min(1.0, r2 / r1) if r1 else r2
    on_wrong = max(0.0, r2 - r1) / (1 - r1) if r1 < 1 else r2
    return share * on_right + (1 - share) * r2, share * on_wrong + (1 - share) * r2


def cascades_frame(
    s: Scenario,
    *,
    value_usd_per_answer: float,
    models: Sequence[str],
    check: Check,
    guess: Check | None = None,
    nested_frac: float = 1.0,
    demand_per_s: float | None = None,
    floor_frac: float = 0.0,
    **menu: Any,
) -> pd.DataFrame:
    """Single models, cascades and routers of a menu, by profit on whole fleets.

    Parameters
    ----------
    s : Scenario
        As in `econ.value.value`.
    value_usd_per_answer : float
        Of an answer that is right and in time, e.g. 0.002.
    models : sequence of str
        The menu, e.g. ``["llama-3.1-8b", "qwen3-32b"]``.
    check : Check
        Of an answer, for cascades.
    guess : Check, optional
        Of a question, for routers; None for none.
    nested_frac : float
        See `cascade`.
    demand_per_s : float, optional
        Questions per second; by default the workload's rate.
    floor_frac : float
        Least share of right answers of an option, e.g. 0.7; a pair may reach it where its small
        model does not.
    **menu
        More of `econ.value.value`: accelerators, precisions, right_frac, benchmark.

    Returns
    -------
    DataFrame
        Best first: ``option, kind, right_frac, asked_large_frac, answer_s`` (of the
        question that waits longest), ``n_gpu, cost_usd_per_hour, usd_per_answer,
        usd_per_accepted`` and ``profit_usd_per_hour``.

    Raises
    ------
    ValueError
        For a floor that no option reaches, with the best, and as in `econ.value.value`.

    Notes
    -----
    Each model stands on its own whole replicas, sized for the questions that reach it, on the
    option of its that makes an answer at least cost within the SLO. A question that is asked twice
    waits for both answers: ``answer_s`` says how long; the SLO's limits hold for each answer.

    Examples
    --------
    >>> pair = ["llama-3.1-8b", "qwen3-32b"]
    >>> rows = cascades_frame(Scenario.default(), value_usd_per_answer=0.002, models=pair,
    ...                       check=Check(keeps_right_frac=0.9, keeps_wrong_frac=0.2))
    >>> rows["kind"].value_counts().to_dict()
    {'single': 2, 'cascade': 1}
    """
    demand = positive(
        "demand_per_s", s.workload.rate_per_s if demand_per_s is None else demand_per_s
    )
    bases = {}
    for name in models:
        one: Value = value(
            s, value_usd_per_answer=value_usd_per_answer, models=[name], demand_per_s=demand, **menu
        )
        rows = one.options.assign(
            usd=lambda f: f["cost_usd_per_hour"] / (HOUR_S * f["answers_per_s"])
        )
        bases[name] = rows.loc[rows["usd"].idxmin()]
    out = []
    for name, base in bases.items():
        out.append(_priced(name, "single", {name: 1.0}, bases, float(base.right_frac), 0.0, demand))
    for small, large in permutations(models, 2):
        if bases[small].right_frac > bases[large].right_frac:
            continue
        first, second = (
            Single(float(bases[n].right_frac), float(bases[n].usd)) for n in (small, large)
        )
        kinds = [("cascade", cascade, check)] + ([("router", router, guess)] if guess else [])
        for kind, rule, by in kinds:
            both = rule(first, second, by, nested_frac=nested_frac)
            shares = {small: both.asked_small_frac, large: both.asked_large_frac}
            out.append(
                _priced(f"{small} then {large}" if kind == "cascade" else f"{small} or {large}",
                        kind, shares, bases, both.right_frac, by.usd_per_answer, demand)
            )  # fmt: skip
    frame = pd.DataFrame(out)
    best = frame.loc[frame["right_frac"].idxmax()]
    frame = frame[frame["right_frac"] >= fraction("floor_frac", floor_frac)]
    if frame.empty:
        raise ValueError(
            f"floor_frac = {floor_frac}: no option reaches it; the best is {best['option']} with "
            f"{best['right_frac']:.3g}"
        )
    accepted = demand * frame["right_frac"] * s.slo.attainment_frac
    usd = frame["cost_usd_per_hour"]
    frame = frame.assign(
        usd_per_accepted=usd / (HOUR_S * accepted),
        profit_usd_per_hour=HOUR_S * accepted * value_usd_per_answer - usd,
    )
    return frame.sort_values("profit_usd_per_hour", ascending=False, ignore_index=True)


def _priced(
    option: str,
    kind: str,
    shares: Mapping[str, float],
    bases: Mapping[str, pd.Series],
    right_frac: float,
    check_usd: float,
    demand_per_s: float,
) -> dict[str, Any]:
    """Whole replicas of each model for its share of the questions, and what all costs."""
    n_gpu, usd = 0, HOUR_S * demand_per_s * check_usd
    for name, share in shares.items():
        base = bases[name]
        size = int(base.gpus_per_replica)
        per_replica = base.output_tokens_per_s_per_gpu * size / base.output_tokens
        n = int(np.ceil(demand_per_s * share / per_replica * (1 - 1e-12))) * size
        n_gpu, usd = n_gpu + n, usd + n * float(base.usd_per_gpu_hour)
    last = list(shares)[-1]
    waits = [float(bases[name].answer_s) for name in shares]
    return {
        "option": option,
        "kind": kind,
        "right_frac": right_frac,
        "asked_large_frac": shares[last] if len(shares) > 1 else 0.0,
        "answer_s": sum(waits) if kind == "cascade" else max(waits),
        "n_gpu": n_gpu,
        "cost_usd_per_hour": usd,
        "usd_per_answer": usd / (HOUR_S * demand_per_s),
    }
