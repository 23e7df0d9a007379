"""Which fleets a decision weighs: the best to rent on each term, and the best to buy.

One screen says how fast everything is. Each term has its own price list, and what is bought comes
in whole servers: so the cheapest fleet is proven for each, and more accelerators are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.catalog.tables import remember, table
from econ.catalog.units import HOURS_PER_DAY, HOURS_PER_YEAR
from econ.decision.books import Crew
from econ.decision.fleets import Fleet, fleets_at
from econ.decision.hours import OWN, Lists, hours_of
from econ.decision.menu import COMMITMENT_MONTHS
from econ.decision.result import chips_words
from econ.deployment import MOST_GPU
from econ.plan import Plan, plan
from econ.plan.market import own_or_listed
from econ.plan.screens import Screen, proven, screened
from econ.plan.surest import Chance, Extra, Wanted
from econ.plan.tasks import TOO_MANY
from econ.plan.trials import n_parts
from econ.scenario import Scenario
from econ.tco import owner
from econ.terms import Finance

N_RENTED, N_BOUGHT = 3, 2  # accelerators shown, beside those that are sure of the SLO
MOST_REPLICAS = 100_000  # that a simulation takes
SLACKS = (1.05, 1.2, 1.4, 1.7, 2.0, 3.0, 5.0)  # of the mean waiting, until enough requests keep it
USUAL_PUE = 1.35  # where a place's is unknown, for the order of the search alone
Chips = dict[str, Accelerator]
Prices = dict[str, float]  # by accelerator, USD per GPU-hour


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What was looked at to rent and to buy, the fleets found, and why there are none.

    Of a load that is too large to simulate, one of ``n_parts`` equal parts was looked at.
    """

    rented: Plan | None = None
    owned: Plan | None = None
    fleets: list[Fleet] = field(default_factory=list)
    problem: str = ""
    n_parts: int = 1

    @property
    def plan(self) -> Plan | None:
        """The evidence to show: of what can be rented, else of what can be bought."""
        return self.rented or self.owned


def searched_fleets(
    question: Scenario,
    accelerators: Iterable[str | Accelerator] | None,
    precisions: Iterable[str] | None,
    lists: Lists,
    kinds: Sequence[str],
    settings: dict[str, Any],
    step: Callable[[str], Any],
    chances: Sequence[Chance],
    usd_per_year: Crew,
) -> Searched:
    """The best fleets to rent on each term and to buy; where none keeps the SLO, the nearest.

    Of each list also the cheapest that keep the SLO with each of the chances ``chances``, staff and
    licences (``usd_per_year``) included.
    """
    question, parts = _part_of(question, float(settings["peak_factor"]))
    chips = _chips(question, accelerators, lists)
    terms = _price_lists(chips, lists, [kind for kind in kinds if kind != OWN])
    rents: Prices = {}
    for prices in terms.values():  # in the order of the terms: the usual one says the row's price
        rents = prices | rents
    owned = _for_sale(question, chips) if OWN in kinds else {}
    stated = {} if OWN not in kinds else _price_lists(chips, lists, [OWN]).get(OWN, {})
    owned |= stated
    if not rents and not owned:
        raise ValueError(_nothing_priced(question, chips, kinds))
    named = [chips[name] for name in {**rents, **owned}]
    step("searching and simulating fleets")
    n_refined = settings.pop("n_refined")
    screen = screened(
        question, named, precisions, prices_usd_per_gpu_hour=owned | rents,
        is_simulated=n_refined > 0, **settings,
    )  # fmt: skip
    finance = question.finance
    plans: dict[str, Plan] = {}
    fleets: list[Fleet] = []
    problem = ""
    searches = (
        ("rent", rents, "rented", terms, N_RENTED, 0.0),
        (OWN, owned, "owned", {OWN: owned}, N_BOUGHT, 1 / float(question.slo.attainment_frac) - 1),
    )
    for family, prices, tenure, of_terms, n_kinds, gap_frac in searches:
        if not prices:
            continue
        paid = screen.paid(_paying(finance, tenure, max(prices.values())), prices)
        extras = (_beside(usd_per_year, parts, kind, finance) for kind in of_terms)
        one = _proven(
            paid, n_refined, parts, gap_frac=gap_frac, lists=[*of_terms.values()], n_kinds=n_kinds,
            wanted=[Wanted(chances, extra) for extra in extras if chances],
            is_fewest=family == OWN,
        )  # fmt: skip
        plans[family] = one
        if refusal := _refusal(one):
            problem = problem or _nearest(one, refusal, parts)
            continue
        for n_list, (kind, usd) in enumerate(of_terms.items()):
            n_most = n_kinds if kind == OWN or not COMMITMENT_MONTHS[kind] else 1
            sure = one.evidence.sure[n_list] if one.evidence.sure else []
            fleets = fleets_at(paid, one, usd, n_most, sure, fleets)
    return Searched(
        rented=plans.get("rent"), owned=plans.get(OWN), problem="" if fleets else problem,
        fleets=[
            fleet.times(parts)
            for fleet in fleets
            if fleet.n_replicas * fleet.n_gpu_per_replica * parts <= MOST_GPU
        ],
        n_parts=parts,
    )  # fmt: skip


def _part_of(question: Scenario, peak_factor: float) -> tuple[Scenario, int]:
    """The part of a load that can be simulated, and how many such parts it has."""
    load = question.workload
    if load.arrival == "all_at_once":
        return question, 1
    parts = n_parts(float(load.rate_per_s) * peak_factor, load.mean_output_tokens)
    return (question.with_(rate_per_s=load.rate_per_s / parts) if parts > 1 else question), parts


def _refusal(one: Plan) -> str:
    """Why no fleet keeps the SLO; empty where one does."""
    if (one.evidence.rows["constraint"] == "").any():  # then no row needs its energy to say so
        return ""
    try:
        _ = one.best
    except ValueError as error:
        return str(error)
    return ""


def _beside(usd_per_year: Crew, n_parts: int, kind: str, finance: Finance) -> Extra:
    """What accelerators cost beside their price, for each hour that is paid."""
    paid_frac = 1.0 if COMMITMENT_MONTHS[kind] else float(finance.utilisation_frac)
    hours = paid_frac * HOURS_PER_YEAR * n_parts
    return lambda gpus: usd_per_year.usd_per_year(gpus * n_parts) / hours


def _paying(finance: Finance, tenure: str, usd_per_gpu_hour: float) -> Finance:
    if finance.tenure == tenure == "rented":
        return finance
    return Finance(
        tenure=tenure, cost_usd_per_gpu_hour=usd_per_gpu_hour,
        utilisation_frac=finance.utilisation_frac, source=finance.source,
    )  # fmt: skip


def _chips(
    question: Scenario, accelerators: Iterable[str | Accelerator] | None, lists: Lists
) -> Chips:
    """The accelerators to look at: those named, or all that are rented out or sold."""
    own = question.deployment.resolved_accelerator
    if accelerators is None:
        quoted = [name.partition(":")[0] for name in lists.quotes]
        named: list[str | Accelerator] = [*_all_priced(), *quoted, own]
    elif isinstance(accelerators, str | Accelerator):
        named = [accelerators]
    else:
        named = list(accelerators)
    chips: Chips = {}
    for item in named:
        chip = item if isinstance(item, Accelerator) else own_or_listed(item, own)
        if chips.setdefault(chip.id, chip) != chip:
            if chip != own:
                raise ValueError(f"two accelerators are called {chip.id!r}: rename one of them")
            chips[chip.id] = own
    return chips


@remember
def _all_priced() -> tuple[str, ...]:
    """All that is rented out or sold, by name."""
    rows = table("rentals"), table("rent_offers"), table("servers")
    return tuple(sorted({name for frame in rows for name in frame["accelerator"]}))


def _price_lists(chips: Chips, lists: Lists, kinds: Sequence[str]) -> dict[str, Prices]:
    """Of each term that can be had, what an hour of each accelerator costs at least."""
    prices_by_kind = {
        kind: {
            name: min(hour.usd for hour in hours)
            for name, chip in chips.items()
            if (hours := hours_of(lists, chip, kind))
        }
        for kind in kinds
    }
    return {kind: prices for kind, prices in prices_by_kind.items() if prices}


def _for_sale(question: Scenario, chips: Chips) -> Prices:
    """What can be bought, and what an hour of it costs its owner."""
    servers = set(table("servers").index)
    own, finance = question.deployment.resolved_accelerator, question.finance
    pue = question.resolved_site.pue or USUAL_PUE
    hours: Prices = {}
    for name, chip in chips.items():
        server_usd = finance.server_usd if chip == own else None
        if chip.id in servers or server_usd is not None:
            hours[name] = _owned_hour(chip, float(pue), server_usd)
    return hours


@remember
def _owned_hour(chip: Accelerator, pue: float, server_usd: float | None) -> float:
    server: dict[str, Any] = {} if server_usd is None else {"server_usd": server_usd}
    return float(owner(chip, pue=pue, **server).cost_usd_per_gpu_hour)


def _nothing_priced(question: Scenario, chips: Chips, kinds: Sequence[str]) -> str:
    if tuple(kinds) == (OWN,):
        return (
            f"only own machines are asked for, and no server is known of {', '.join(chips)}: "
            f"servers of {', '.join(table('servers').index)} are; others need server_usd (owned)"
        )
    one = next(iter(chips))
    return (
        f"nobody in the tables rents out {', '.join(chips)}"
        + (" on these terms" if set(kinds) - {OWN} else "")
        + f": give prices_usd_per_gpu_hour={{{one!r}: …}} (--price), or set cost_usd_per_gpu_hour"
    )


def _proven(screen: Screen, n_refined: int, parts: int, **settings: Any) -> Plan:
    """The plan; where all its fleets would be too large to simulate, the screen says how large."""
    one: Plan = proven(screen, n_refined=n_refined, **settings)
    lost = [loss.reason for losses in one.evidence.refuted.values() for loss in losses.values()]
    if any(reason.startswith(TOO_MANY) for reason in lost) and one.simulated.empty:
        one = proven(screen, n_refined=0)
        _refuse_endless(one, parts)
        rate, n = one.demand.peak_per_s * parts, float(one.best["n_replicas"]) * parts
        raise ValueError(
            f"rate_per_s = {rate:g} is outside its range: at most about "
            f"{rate * MOST_REPLICAS / n:,.0f} requests per second, what {MOST_REPLICAS:,} replicas "
            "serve"
        )
    _refuse_endless(one, parts)
    return one


def _refuse_endless(searched: Plan, parts: int) -> None:
    """Raise where even the smallest fleet is larger than any that a deployment can be."""
    gpus = searched.screen["fleet_gpus"].to_numpy()[(searched.screen["pp"] == 1).to_numpy()]
    least = np.nanmin(gpus, initial=np.inf) * parts
    if MOST_GPU < least < np.inf:
        rate = searched.demand.peak_per_s * parts
        raise ValueError(
            f"rate_per_s = {rate:g} is outside its range: at most {rate * MOST_GPU / least:,.0f} "
            f"requests per second, what {MOST_GPU:,} accelerators serve"
        )


def _nearest(searched: Plan, problem: str, parts: int) -> str:
    """The nearest SLO that a simulated fleet keeps, and what it then costs a day."""
    slo, rows = searched.demand.slo, searched.rows
    too_long = rows[rows["constraint"] == "context"]
    if len(too_long) and searched.feasible.empty:
        return f"no machine serves all requests: {too_long['reason'].iloc[0]}; shorten them"
    late = rows[rows["constraint"].isin(["ttft", "tpot"]) & rows["ttft_s"].notna()]
    if late.empty or len(searched.feasible):  # arrivals, not means, rule the fleets out
        return problem
    beyond = np.maximum(late["ttft_s"] / slo.ttft_s, late["tpot_s"] / slo.tpot_s)
    best = late.loc[beyond.idxmin()]
    chip = str(best["accelerator"])
    for slack in SLACKS:
        ttft_s, tpot_s = (
            max(rounded_up(float(best[f"{name}_s"]) * slack), getattr(slo, f"{name}_s"))
            for name in ("ttft", "tpot")
        )
        relaxed = searched.demand.scenario.with_(ttft_s=ttft_s, tpot_s=tpot_s)
        eased = plan(
            relaxed, [searched.accelerators[chip]], peak_factor=searched.demand.peak_factor,
            n_refined=1, prices_usd_per_gpu_hour={chip: best["usd_per_gpu_hour"]},
        )  # fmt: skip
        try:
            row: pd.Series = eased.best
        except ValueError:  # means keep it, too few requests do
            continue
        break
    else:
        return problem
    return (
        f"no fleet keeps TTFT {slo.ttft_s:g} s and {slo.tpot_s:g} s per token; the nearest that "
        f"can be kept is TTFT {ttft_s:g} s and {tpot_s:g} s per token, on "
        f"{chips_words(row['fleet_gpus'] * parts, chip)} {row['precision']}, for "
        f"${row['usd_per_hour'] * parts * HOURS_PER_DAY:,.0f} a day without staff"
    )


def rounded_up(value: float) -> float:
    """The next number of two digits: what is said must hold when it is asked.

    >>> rounded_up(0.00641), rounded_up(0.07), rounded_up(1.21)
    (0.0065, 0.07, 1.3)
    """
    digits = 1 - math.floor(math.log10(value))
    return round(math.ceil(value * 10.0**digits - 1e-9) / 10.0**digits, digits)
