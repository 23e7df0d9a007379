"""Value in a decision: what accepted answers are worth, over models, tiers and ways of serving.

An answer is accepted if it is right (the model's share, less what a narrow format costs) and in
time (the share the SLO asks for). With a value the option that earns the most is chosen; without
one, among several models, the least USD per accepted answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.menus import Answering, answering
from econ.catalog.provisioned import Unit
from econ.catalog.units import DAY_S, DAYS_PER_YEAR, HOURS_PER_DAY
from econ.decision import chance
from econ.decision.books import Books, Market
from econ.decision.fleets import Fleet
from econ.decision.named import OnlySold, model_named
from econ.decision.result import Option, Weighing
from econ.scenario import Scenario
from econ.tco.earning import Earning, Tiers, Worth, limits, profits, questions, worths


@dataclass(frozen=True, kw_only=True)
class Offer(Earning):
    """What the best option of a decision earns, and what all others would.

    ``options`` holds every option of every model and tier that can be chosen, best first.

    Attributes
    ----------
    option, kind : str
        Its name and kind.
    value_usd_per_answer : float
        What an accepted answer is worth in its tier; nan where none was given.
    right_frac : float
        Share of its answers that are right.
    usd_per_answer : float
        What an accepted answer costs today.
    profit_npv_usd, profit_low_npv_usd, profit_high_npv_usd : float
        Over the horizon in today's money: mean, 5 % and 95 % of the draws.
    """

    option: str = ""
    kind: str = ""
    value_usd_per_answer: float = float("nan")
    right_frac: float = float("nan")
    usd_per_answer: float = float("nan")
    profit_npv_usd: float = 0.0
    profit_low_npv_usd: float = 0.0
    profit_high_npv_usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """How many of the answers count, and what they are worth.

    Attributes
    ----------
    of : Answering
        The model and its share of right answers.
    in_time_frac : float
        Share of answers in time: what the SLO asks for.
    usd_per_answer : float, optional
        What an accepted answer is worth.
    """

    of: Answering
    in_time_frac: float
    usd_per_answer: float | None = None

    def accepted_frac(self, fleet: Fleet | None) -> float:
        """Share of answers that are right and in time; a seller's format is not known."""
        right = self.of.right_frac
        if fleet is not None:
            right = self.of.right_in(fleet.scenario.deployment.precision)
        return right * self.in_time_frac

    def less_value(
        self, present_usd: np.ndarray, market: Market, accepted_frac: float
    ) -> np.ndarray:
        """What is minimised, draw by draw: cost less value; without a value, cost over the share.

        Both in today's money over the horizon.
        """
        if self.usd_per_answer is None:
            return (
                present_usd / accepted_frac if accepted_frac else np.full_like(present_usd, np.inf)
            )
        return present_usd - self.usd_per_answer * accepted_frac * present_answers(market)


def present_answers(market: Market) -> np.ndarray:
    """Answers over the horizon, those of later years discounted as money is: one a draw."""
    answers = market.requests_per_year(market.grown[..., None] * market.load_per_s)
    return Books(answers, np.zeros_like(answers)).present_usd(market.draws.of(chance.RATE))


def acceptance_of(
    scenario: Scenario,
    model: str | Model,
    worth: Worth | None,
    right_frac: Mapping[str, float] | None,
    benchmark: str,
    floor_frac: float,
    deadline_h: float,
) -> Acceptance | None:
    """What a decision about one model in one tier counts; None where nothing was said of value."""
    if worth is None and right_frac is None and not floor_frac:
        return None
    tier, slo = next(iter(limits(scenario, None).items()))
    return Acceptance(
        of=answering([model], right_frac, benchmark=benchmark, floor_frac=floor_frac)[0],
        in_time_frac=1.0 if deadline_h else float(slo.attainment_frac),
        usd_per_answer=None if worth is None else worths({tier: slo}, worth)[tier],
    )


def offer_rows(
    options: Sequence[Option],
    npv: pd.DataFrame,
    fleets: Mapping[str, Fleet],
    market: Market,
    count: Acceptance,
    pue: float | None,
) -> pd.DataFrame:
    """Value, cost and profit of every option that can be chosen, in the decision's order."""
    answers = present_answers(market)
    per_day = float(market.load_per_s.mean()) * DAY_S * market.at_work_frac
    usd = float("nan") if count.usd_per_answer is None else count.usd_per_answer
    rows = []
    for option in options:
        fleet = fleets.get(option.name)
        frac = count.accepted_frac(fleet)
        accepted = per_day * frac
        worth = accepted * usd
        over = usd * frac * answers[1:] - npv[option.name].to_numpy()
        low, high = np.quantile(over, [0.05, 0.95])
        watts = _site_w_per_gpu(fleet.accelerator, pue) if fleet else float("nan")
        hourly = profits(
            worth / HOURS_PER_DAY, option.usd_per_day / HOURS_PER_DAY,
            accepted_per_hour=accepted / HOURS_PER_DAY, n_gpu=option.n_gpu, site_w_per_gpu=watts,
        )  # fmt: skip
        rows.append(
            {"model": count.of.id, "option": option.name, "kind": option.kind,
             "accelerator": option.accelerator, "n_gpu": option.n_gpu,
             "precision": fleet.scenario.deployment.precision if fleet else "",
             "p_keeps_slo": option.p_keeps_slo, "right_frac": frac / count.in_time_frac,
             "value_usd_per_answer": usd, "value_usd_per_day": worth,
             "usd_per_day": option.usd_per_day, "npv_usd": option.npv_usd, **hourly,
             "usd_per_answer": option.usd_per_day / accepted if accepted else np.inf,
             "profit_low_usd_per_hour":
                 (worth - option.high_usd_per_year / DAYS_PER_YEAR) / HOURS_PER_DAY,
             "profit_high_usd_per_hour":
                 (worth - option.low_usd_per_year / DAYS_PER_YEAR) / HOURS_PER_DAY,
             "profit_npv_usd": float(over.mean()), "profit_low_npv_usd": float(low),
             "profit_high_npv_usd": float(high)}
            | {"break_even_usd_per_answer":
                   option.npv_usd / (frac * float(answers[1:].mean())) if frac else np.inf}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _site_w_per_gpu(chip: Accelerator, pue: float | None) -> float:
    unit = Unit.of(chip)
    return unit.power_w / unit.n_gpu * (pue or float("nan"))


def offer_of(rows: pd.DataFrame) -> Offer:
    """The offer whose best row stands first: it earns something over the horizon, or nobody gave a
    value."""
    first = rows.iloc[0]
    serves = bool(np.isnan(first["value_usd_per_answer"]) or first["profit_npv_usd"] > 0)
    return Offer.of(rows, first, serves=serves)


def best_of_menu(
    ask: Any,
    scenario: Scenario,
    settings: Mapping[str, Any],
    *,
    models: Sequence[str | Model] | None,
    tiers: Tiers | None,
    worth: Worth | None,
    right_frac: Mapping[str, float] | None,
    benchmark: str,
    floor_frac: float,
) -> Any:
    """The decision for the model and tier that earn the most, with an offer over all of them.

    ``ask`` is `econ.decide`; it is asked for each model above the floor in each tier.

    Raises
    ------
    ValueError
        For a floor that no model reaches, or where no model keeps any tier: with the reasons.
    """
    own = settings["sold_as"] or scenario.model
    menu = answering(
        [own] if models is None else models, right_frac, benchmark=benchmark, floor_frac=floor_frac
    )
    of_tier = limits(scenario, tiers)
    usd = dict.fromkeys(of_tier) if worth is None else worths(of_tier, worth)
    answers: list[Weighing] = []
    tables: list[pd.DataFrame] = []
    problems: list[str] = []
    for one, tier, question in questions(scenario, menu, of_tier, benchmark):
        says = dict(settings)
        if models is not None:
            question, served = _on(question, one)
            says |= served
        shares = {one.id: one.right_frac} if one.is_measured else {}
        try:
            answer = ask(question, **says, value_usd_per_answer=usd[tier], right_frac=shares,
                         benchmark=benchmark)  # fmt: skip
        except ValueError as error:
            problems.append(f"{one.id}, {tier}: {error}")
            continue
        tables.append(answer.offer.options.assign(tier=tier, of=len(answers)))
        answers.append(answer)
    if not answers:
        raise ValueError(f"no model keeps any tier: {'; '.join(problems)}")
    by, rising = (
        ("profit_npv_usd", False) if worth is not None else ("break_even_usd_per_answer", True)
    )
    firsts = pd.concat([table.head(1) for table in tables])
    best = int(firsts.sort_values(by, ascending=rising, kind="stable")["of"].iloc[0])
    rows = pd.concat(tables).sort_values(by, ascending=rising, kind="stable")
    is_chosen = (rows["of"] == best) & (rows["option"] == tables[best]["option"].iloc[0])
    rows = pd.concat([rows[is_chosen], rows[~is_chosen]], ignore_index=True).drop(columns="of")
    chosen = answers[best]
    return dataclasses.replace(
        chosen, offer=offer_of(rows), notes=(*chosen.notes, *(f"Left out: {p}" for p in problems))
    )


def _on(question: Scenario, one: Answering) -> tuple[Scenario, dict[str, Any]]:
    """The scenario on a model of the menu; one that is only sold is bought by the token."""
    if isinstance(one.model, Model):
        return question.with_(model=one.model), {"sold_as": ""}
    try:
        named = model_named(one.model)
    except OnlySold:
        return question, {"sold_as": one.model, "terms": ["api"]}
    says: dict[str, Any] = {"sold_as": named.sold_as}
    return question.with_(model=named.model), says | (
        {"precisions": [named.precision]} if named.precision else {}
    )
