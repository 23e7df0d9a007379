"""From what was asked to what can be weighed: load of the day, terms, fleets, prices of servers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import catalog, given
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import in_range, unknown
from econ.catalog.ranges import Range, ends
from econ.catalog.rents import rents
from econ.catalog.tables import table
from econ.catalog.units import DAY_S, HOUR_S, HOURS_PER_DAY
from econ.decision.books import hourly_load
from econ.decision.fleets import Fleet, fleets_of, fleets_to_buy
from econ.decision.hours import OWN, Quotes
from econ.decision.menu import COMMITMENT_MONTHS, USUAL
from econ.decision.waiting import spread_load
from econ.deployment import MOST_GPU
from econ.plan import Plan, plan
from econ.scenario import Scenario
from econ.tco import owner
from econ.terms import Finance

Stated = float | None  # what a scenario states itself, if it does
Weights = Sequence[float]  # 24, one an hour of the day
N_FLEETS, N_TO_BUY = 3, 2  # to rent, and those that can be bought
N_SAMPLED = 20_000  # requests, for the share that is too long
MOST_REPLICAS = 100_000  # that a simulation takes
SLOWEST_TPOT_S = HOUR_S  # where work may wait, only the rate counts


def as_range(value: float | Range, name: str, low: float, high: float) -> Range:
    """A number or a range, both ends within the limits."""
    ends(in_range, name, value, low, high)
    return value if isinstance(value, Range) else Range(value, value, value)


def around(span: Range, stated: Stated) -> Range:
    """The data's range; a value that the scenario states is certain."""
    return span if stated is None else Range(stated, stated, stated, span.unit)


def terms_of(terms: Iterable[str] | None, on_premises: bool) -> tuple[str, ...]:
    kinds = tuple(USUAL if terms is None else terms)
    for kind in kinds:
        if kind not in (*COMMITMENT_MONTHS, "api"):
            raise unknown("term", kind, [*COMMITMENT_MONTHS, "api"])
    if on_premises:
        return ("own",)
    return tuple(kind for kind in kinds if kind != "api")


def question_of(
    scenario: Scenario,
    peak_factor: float,
    load_by_hour: Weights | None,
    deadline_h: float,
) -> tuple[Scenario, np.ndarray]:
    """The scenario to plan for, and the load of the day: smoothed where work may wait."""
    mean = float(scenario.workload.rate_per_s)
    if load_by_hour is None:
        load = hourly_load(mean, peak_factor)
    else:
        weights = np.asarray(load_by_hour, dtype=float)
        if weights.shape != (24,) or not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError("load_by_hour is outside its range: 24 weights of 0 or above")
        if not weights.any():
            raise ValueError("load_by_hour is outside its range: not all of them 0")
        load = weights / weights.mean() * mean
    if not deadline_h:
        return scenario, load
    slo = {"ttft_s": min(deadline_h * HOUR_S, DAY_S), "tpot_s": SLOWEST_TPOT_S}
    return scenario.with_(arrival="all_at_once", **slo), spread_load(load, deadline_h)


def within_window(
    scenario: Scenario, trace: pd.DataFrame | None, has_shape: bool
) -> tuple[Scenario, pd.DataFrame | None, str]:
    """The scenario and trace with requests cut to what the model takes, and what was cut in words.

    Engines and sellers refuse or cut what is longer, so all options are asked the same.

    Raises
    ------
    ValueError
        Where more requests are too long than the SLO lets go: no option can keep it.
    """
    model, load = scenario.resolved_model, scenario.workload
    window, outputs = model.max_context_tokens, load.output_quantile_tokens
    longest = load.input_quantile_tokens[-1] + outputs[-1]
    if not (has_shape and window and longest > window):
        return scenario, trace, ""
    requests = load.sample(N_SAMPLED, 0) if trace is None else trace
    over = requests["input_tokens"] + requests["output_tokens"] > window
    share = float(over.mean())
    words = f"{max(share, 1e-3):.1%} of the requests are longer than the {window:,} tokens that "
    words += f"{model.name or model.id} takes"
    if share > 1 - float(scenario.slo.attainment_frac):
        raise ValueError(f"{words}: name a model with a longer window, or shorten them")
    least_in = min(load.input_quantile_tokens[-1], window / 4)  # room for prompts beside answers
    most_out = min(outputs[-1], window - least_in)
    most_in = window - most_out
    cut = {
        f"{name}_quantile_tokens": tuple(
            min(n, most) for n in getattr(load, f"{name}_quantile_tokens")
        )
        for name, most in (("input", most_in), ("output", most_out))
    }
    if trace is not None:
        trace = trace.assign(
            input_tokens=trace["input_tokens"].clip(upper=int(most_in)),
            output_tokens=trace["output_tokens"].clip(upper=int(most_out)),
        )
    note = f"{words}: they are cut to it, as engines and sellers do."
    return scenario.with_(**cut), trace, note


def searched_fleets(
    asked: Scenario,
    accelerators: Iterable[str | Accelerator] | None,
    precisions: Iterable[str] | None,
    quotes: Quotes | None,
    kinds: Sequence[str],
    settings: Mapping[str, Any],
    step: Callable[[str], Any],
) -> tuple[Plan, list[Fleet], str]:
    """The plan and its fleets; where none keeps the SLO, the nearest that can be kept in words.

    One search finds the best of what can be rented and of what can be bought. Where all is owned,
    whole servers are searched, at what their hour costs an owner.
    """
    prices = {name: usd for name, usd in (quotes or {}).items() if ":" not in name}
    named = None if accelerators is None else _listed(accelerators)
    if tuple(kinds) == (OWN,):
        named, prices = _for_sale(asked, named)
        most = max(prices.values())
        use, source = asked.finance.utilisation_frac, asked.finance.source
        asked = asked.with_(finance=Finance(tenure="owned", cost_usd_per_gpu_hour=most,
                                            utilisation_frac=use, source=source))  # fmt: skip
        groups: list[Collection[str]] = [set(prices)]
    else:
        prices = _any_prices(asked, named) | prices
        own = asked.deployment.resolved_accelerator
        named_ids = {_id(item, own) for item in named or [*rents(), *prices, own.id]}
        groups = [named_ids]
        if OWN in kinds and not named:  # what is cheap to rent is not what is cheap to buy
            groups.append(_for_sale(asked, None)[1])
    step("searching and simulating fleets")
    searched = _searched(asked, named, precisions, prices, {**settings, "groups": groups})
    try:
        _ = searched.best
    except ValueError as error:
        return searched, [], _nearest(searched, str(error))
    fleets = fleets_of(searched, N_FLEETS, groups[0])
    for group in groups[1:]:
        assert isinstance(group, Mapping)
        fleets += fleets_to_buy(searched, N_TO_BUY, group, fleets)
    return searched, fleets, ""


def _id(item: str | Accelerator, own: Accelerator) -> str:
    if isinstance(item, Accelerator):
        return item.id
    return own.id if item == own.id else catalog.accelerator(item).id


def _for_sale(
    asked: Scenario, accelerators: Sequence[str | Accelerator] | None
) -> tuple[list[str | Accelerator], dict[str, float]]:
    """What can be bought, and what an hour of it costs its owner."""
    servers = list(table("servers").index)
    able: list[str | Accelerator] = []
    hours: dict[str, float] = {}
    for item in servers if accelerators is None else accelerators:
        chip = item if isinstance(item, Accelerator) else catalog.accelerator(item)
        if chip.id in servers or chip.server_power_w:
            able.append(item)
            hours[chip.id] = _owned_hour(asked, chip)
    if not able:
        raise ValueError(
            f"only own machines are asked for, and no server is known of {accelerators}: servers "
            f"of {', '.join(servers)} are; others need server_usd (owned)"
        )
    return able, hours


def _searched(
    asked: Scenario,
    named: Sequence[str | Accelerator] | None,
    precisions: Iterable[str] | None,
    prices: Quotes,
    settings: Mapping[str, Any],
) -> Plan:
    """The plan; where its fleets would be too large to simulate, the screen says how large."""
    words: dict[str, Any] = {"prices_usd_per_gpu_hour": prices}
    try:
        searched: Plan = plan(asked, named, precisions, **words, **settings)
    except ValueError as error:
        if not str(error).startswith("n_replicas"):
            raise
        searched = plan(asked, named, precisions, **words, **{**settings, "n_refined": 0})
        _refuse_endless(searched)
        rate, n = searched.demand.peak_per_s, float(searched.best["n_replicas"])
        raise ValueError(
            f"rate_per_s = {rate:g} is outside its range: at most about "
            f"{rate * MOST_REPLICAS / n:,.0f} requests per second, what {MOST_REPLICAS:,} replicas "
            "serve"
        ) from None
    _refuse_endless(searched)
    return searched


def _refuse_endless(searched: Plan) -> None:
    """Raise where even the smallest fleet is larger than any that a deployment can be."""
    able = searched.rows[searched.rows["fleet_gpus"].notna() & (searched.rows["pp"] == 1)]
    least = able["fleet_gpus"].min()
    if least > MOST_GPU:
        rate = searched.demand.peak_per_s
        raise ValueError(
            f"rate_per_s = {rate:g} is outside its range: at most {rate * MOST_GPU / least:,.0f} "
            f"requests per second, what {MOST_GPU:,} accelerators serve"
        )


def _listed(accelerators: Iterable[str | Accelerator]) -> list[str | Accelerator]:
    return [accelerators] if isinstance(accelerators, str | Accelerator) else list(accelerators)


def _any_prices(
    asked: Scenario, accelerators: Sequence[str | Accelerator] | None
) -> dict[str, float]:
    """A price for what has no rent by the hour but another: for the order of the search alone."""
    own = asked.deployment.resolved_accelerator
    stated = asked.finance.cost_usd_per_gpu_hour
    hourly: dict[str, float] = rents()
    prices: dict[str, float] = {}
    for term in ("spot", "reserved", "reserved-3y"):
        listed = rents(term)
        dearer = np.median([hourly[name] / listed[name] for name in listed if name in hourly])
        for name in listed.keys() - hourly.keys():
            prices.setdefault(name, float(listed[name] * dearer))
    if accelerators is None:
        return {n: usd for n, usd in prices.items() if stated is None or n != own.id}
    for item in accelerators:
        chip = item if isinstance(item, Accelerator) else catalog.accelerator(item)
        is_stated = stated is not None and chip == own
        if chip.id not in hourly and chip.id not in prices and not is_stated:
            if chip.id not in table("servers").index and not chip.server_power_w:
                raise ValueError(
                    f"nobody in the tables rents out {chip.id}: give prices_usd_per_gpu_hour="
                    f"{{{chip.id!r}: …}} (--price), or set cost_usd_per_gpu_hour"
                )
            prices[chip.id] = _owned_hour(asked, chip)
    ids = {c.id if isinstance(c, Accelerator) else catalog.accelerator(c).id for c in accelerators}
    return {n: usd for n, usd in prices.items() if n in ids and (stated is None or n != own.id)}


def _owned_hour(asked: Scenario, chip: Accelerator) -> float:
    own: dict[str, Any] = {"pue": asked.resolved_site.pue or 1.35}
    is_own = chip == asked.deployment.resolved_accelerator
    if is_own and asked.finance.server_usd is not None:
        own["server_usd"] = asked.finance.server_usd
    return float(owner(chip, **own).cost_usd_per_gpu_hour)


def _nearest(searched: Plan, problem: str) -> str:
    """The nearest SLO that a fleet can keep, and what it then costs a day."""
    slo, rows = searched.demand.slo, searched.rows
    too_long = rows[rows["constraint"] == "context"]
    if len(too_long) and searched.feasible.empty:
        return f"no machine serves all requests: {too_long['reason'].iloc[0]}; shorten them"
    late = rows[rows["constraint"].isin(["ttft", "tpot"]) & rows["ttft_s"].notna()]
    if late.empty or len(searched.feasible):  # arrivals, not means, rule the fleets out
        return problem
    beyond = np.maximum(late["ttft_s"] / slo.ttft_s, late["tpot_s"] / slo.tpot_s)
    best = late.loc[beyond.idxmin()]
    ttft_s, tpot_s = (
        max(float(best[f"{name}_s"]) * 1.05, getattr(slo, f"{name}_s")) for name in ("ttft", "tpot")
    )
    relaxed = searched.demand.scenario.with_(ttft_s=ttft_s, tpot_s=tpot_s)
    chip = str(best["accelerator"])
    row = plan(
        relaxed, [searched.accelerators[chip]], peak_factor=searched.demand.peak_factor,
        n_refined=0, prices_usd_per_gpu_hour={chip: best["usd_per_gpu_hour"]},
    ).best  # fmt: skip
    return (
        f"no fleet keeps TTFT {slo.ttft_s:g} s and {slo.tpot_s:g} s per token; the nearest that "
        f"can be kept is TTFT {ttft_s:.2g} s and {tpot_s:.2g} s per token, on "
        f"{row['fleet_gpus']:.0f} × {row['accelerator']} {row['precision']}, for "
        f"${row['usd_per_hour'] * HOURS_PER_DAY:,.0f} a day"
    )


def server_prices(
    scenario: Scenario, fleets: Sequence[Fleet]
) -> tuple[dict[str, Range], list[str]]:
    """Price of a server of each accelerator that can be bought, and why others cannot."""
    rows, finance = table("servers"), scenario.finance
    own = scenario.deployment.resolved_accelerator
    servers, notes = {}, []
    for chip in (fleet.accelerator for fleet in fleets):
        if chip == own and finance.server_usd is not None:
            servers[chip.id] = as_range(finance.server_usd, "server_usd", 0.0, 1e9)
        elif chip.id in rows.index:
            servers[chip.id] = given("servers", chip.id)
        else:
            notes.append(f"own {chip.id}: no price of a server is known; set server_usd (owned)")
    return servers, notes
