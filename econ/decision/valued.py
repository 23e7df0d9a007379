"""Value as the objective of a decision: which model, tier and way of serving earn the most.

>>> import econ
>>> s = econ.Scenario.of("qwen3-32b", "h100-sxm", rate_per_s=0.34)
>>> offer = decide_value(s, value_usd_per_answer=0.01, right_frac={"qwen3-32b": 0.7},
...                      accelerators=["H100"], precisions=["fp8"], n_refined=1)
>>> offer.serves, offer.model, offer.kind
(True, 'qwen3-32b', 'api')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.guard import not_negative
from econ.catalog.menus import answering
from econ.catalog.provisioned import Unit
from econ.catalog.scores import BENCHMARK
from econ.catalog.units import DAY_S, DAYS_PER_YEAR, HOURS_PER_DAY, MEGA
from econ.decision.answer import Decision
from econ.decision.choice import decide
from econ.decision.result import Option
from econ.scenario import Scenario
from econ.station import Result, require_certain
from econ.terms import Slo


@dataclass(frozen=True, kw_only=True)
class Offer(Result):
    """The option that earns the most over models and tiers, and all others.

    Attributes
    ----------
    serves : bool
        False where every option loses money: the best is to offer nothing.
    model, tier, option, kind : str
        Of the best; empty where nothing is served.
    profit_usd_per_day, profit_low_usd_per_day, profit_high_usd_per_day : float
        Value less cost at today's load; the band is the option's own, of nine draws in ten.
    profit_usd_per_gpu_hour, profit_usd_per_mw_hour : float
        Over its accelerators and their megawatts with cooling; nan for an API.
    break_even_usd_per_answer : float
        Least value of an accepted answer at which any option pays.
    options : DataFrame
        Every option that keeps its tier, best first.
    decision : Decision or None
        Of the best model and tier.
    """

    serves: bool
    model: str = ""
    tier: str = ""
    option: str = ""
    kind: str = ""
    profit_usd_per_day: float = 0.0
    profit_low_usd_per_day: float = 0.0
    profit_high_usd_per_day: float = 0.0
    profit_usd_per_gpu_hour: float = 0.0
    profit_usd_per_mw_hour: float = 0.0
    break_even_usd_per_answer: float
    options: pd.DataFrame = field(repr=False, compare=False)
    decision: Decision | None = field(default=None, repr=False, compare=False)

    def frame(self) -> pd.DataFrame:
        """All options, best first."""
        return self.options


def decide_value(
    scenario: Scenario,
    *,
    value_usd_per_answer: float | Mapping[str, float],
    models: Sequence[str | Model] | None = None,
    tiers: Mapping[str, Slo] | None = None,
    right_frac: Mapping[str, float] | None = None,
    benchmark: str = BENCHMARK,
    floor_frac: float = 0.0,
    **settings: Any,
) -> Offer:
    """Which model, tier and way of serving earn the most: an API, rented, own, or a mix.

    Parameters
    ----------
    scenario : Scenario
        As in `decide`; its model and SLO are the menu where none is given.
    value_usd_per_answer : float or mapping of str to float
        What an answer that is right and in time is worth, e.g. 0.01; by tier if they differ.
    models : sequence of str or Model, optional
        The menu; one that writes more tokens an answer is decided on for that many.
    tiers : mapping of str to Slo, optional
        Name → limits.
    right_frac, benchmark, floor_frac
        As in `econ.catalog.menus.answering`.
    **settings
        Of `decide`, e.g. ``horizon_years=3``.

    Returns
    -------
    Offer
        The best option; ``serves`` is False where none earns anything.

    Raises
    ------
    ValueError
        For a floor that no model reaches, or where no model keeps any tier: with the reasons.

    Notes
    -----
    profit per day = 86,400 · answers/s · use · right share · attainment of the SLO · value − cost
    of the option's first year over its days. A day of fewer answers costs a fleet the same.

    Examples
    --------
    >>> s = Scenario.of("qwen3-32b", "h100-sxm", rate_per_s=0.34)
    >>> nothing = decide_value(s, value_usd_per_answer=0.0, terms=[])
    >>> nothing.serves, nothing.break_even_usd_per_answer > 0
    (False, True)
    """
    require_certain("decide_value", scenario)
    menu = answering(
        [scenario.model] if models is None else models,
        right_frac,
        benchmark=benchmark,
        floor_frac=floor_frac,
    )
    limits = dict(tiers or {"the scenario's": scenario.slo})
    rows: list[dict[str, Any]] = []
    decisions: dict[tuple[str, str], Decision] = {}
    problems = []
    for one in menu:
        times = one.longer_than(scenario.model_id, benchmark)
        longer = tuple(times * float(n) for n in scenario.workload.output_quantile_tokens)
        for tier, slo in limits.items():
            given = value_usd_per_answer
            usd = not_negative(
                "value_usd_per_answer", given[tier] if isinstance(given, Mapping) else given, 1e6
            )
            asked = scenario.with_(model=one.model, slo=slo, output_quantile_tokens=longer)
            try:
                answer: Decision = decide(asked, **settings)
            except ValueError as error:
                problems.append(f"{one.id}, {tier}: {error}")
                continue
            decisions[one.id, tier] = answer
            named = {"model": one.id, "tier": tier, "right_frac": one.right_frac}
            rows += [named | _row(o, asked, answer, one.right_frac, usd) for o in answer.eligible]
    if not rows:
        raise ValueError(f"no model keeps any tier: {'; '.join(problems)}")
    options = pd.DataFrame(rows).sort_values(
        "profit_usd_per_day", ascending=False, kind="stable", ignore_index=True
    )
    edge = float(options["break_even_usd_per_answer"].min())
    first = options.iloc[0].to_dict()
    if first["profit_usd_per_day"] <= 0:
        return Offer(serves=False, break_even_usd_per_answer=edge, options=options)
    names = [n for n in Offer.__dataclass_fields__ if n in first and n[:5] != "break"]
    return Offer(
        serves=True,
        **{name: first[name] for name in names},
        break_even_usd_per_answer=edge,
        options=options,
        decision=decisions[first["model"], first["tier"]],
    )


def _row(
    option: Option, asked: Scenario, answer: Decision, right_frac: float, usd_per_answer: float
) -> dict[str, Any]:
    """An option's value and profit at today's load."""
    load = float(asked.workload.rate_per_s) * float(asked.finance.utilisation_frac)
    accepted = DAY_S * load * right_frac * float(asked.slo.attainment_frac)
    worth = accepted * usd_per_answer
    profit = worth - option.usd_per_day
    hours, power_w = float("nan"), float("nan")
    if option.n_gpu:
        hours = option.n_gpu * HOURS_PER_DAY
        unit = Unit.of(answer.fleets[option.accelerator].accelerator)
        power_w = unit.power_w / unit.n_gpu * (asked.resolved_site.pue or float("nan"))
    return {
        "option": option.name,
        "kind": option.kind,
        "n_gpu": option.n_gpu,
        "p_keeps_slo": option.p_keeps_slo,
        "value_usd_per_day": worth,
        "usd_per_day": option.usd_per_day,
        "profit_usd_per_day": profit,
        "profit_low_usd_per_day": worth - option.high_usd_per_year / DAYS_PER_YEAR,
        "profit_high_usd_per_day": worth - option.low_usd_per_year / DAYS_PER_YEAR,
        "profit_usd_per_gpu_hour": profit / hours,
        "profit_usd_per_mw_hour": profit / hours / power_w * MEGA,
        "break_even_usd_per_answer": option.usd_per_day / accepted if accepted else float("inf"),
    }
