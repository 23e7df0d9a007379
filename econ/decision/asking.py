"""From what was asked to what can be weighed: load of the day, terms, lengths, servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from econ.catalog import given
from econ.catalog.guard import in_range, unknown
from econ.catalog.ranges import Range, ends
from econ.catalog.tables import table
from econ.catalog.units import DAY_S, HOUR_S
from econ.decision.books import hourly_load
from econ.decision.fleets import Fleet
from econ.decision.menu import COMMITMENT_MONTHS, USUAL
from econ.decision.waiting import spread_load
from econ.scenario import Scenario
from econ.tokens import Workload

Stated = float | None  # what a scenario states itself, if it does
Weights = Sequence[float]  # 24, one an hour of the day
N_SAMPLED = 20_000  # requests, for the share that is too long
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
    cut = cut_to(load, window)
    most_in, most_out = (cut[f"{name}_quantile_tokens"][-1] for name in ("input", "output"))
    if trace is not None:
        trace = trace.assign(
            input_tokens=trace["input_tokens"].clip(upper=int(most_in)),
            output_tokens=trace["output_tokens"].clip(upper=int(most_out)),
        )
    note = f"{words}: they are cut to it, as engines and sellers do."
    return scenario.with_(**cut), trace, note


def cut_to(load: Workload, window_tokens: int) -> dict[str, tuple[float, ...]]:
    """Lengths of which the longest prompt and the longest answer fit into a window together.

    >>> from econ.tokens import workload
    >>> cut = cut_to(workload("chat"), 8_192)
    >>> cut["input_quantile_tokens"][-1] + cut["output_quantile_tokens"][-1]
    8192.0
    """
    most_in, most_out = load.input_quantile_tokens[-1], load.output_quantile_tokens[-1]
    least_in = min(most_in, window_tokens / 4)  # room for prompts beside answers
    most_out = min(most_out, window_tokens - least_in)
    most_in = window_tokens - most_out
    return {
        f"{name}_quantile_tokens": tuple(
            min(n, most) for n in getattr(load, f"{name}_quantile_tokens")
        )
        for name, most in (("input", most_in), ("output", most_out))
    }


def server_prices(
    scenario: Scenario, fleets: Sequence[Fleet]
) -> tuple[dict[str, Range], list[str]]:
    """Price of a server of each accelerator that can be bought, and why others cannot."""
    rows, finance = table("servers"), scenario.finance
    own = scenario.deployment.resolved_accelerator
    servers, notes = {}, []
    for chip in dict.fromkeys(fleet.accelerator for fleet in fleets if fleet.is_owned):
        if chip == own and finance.server_usd is not None:
            servers[chip.id] = as_range(finance.server_usd, "server_usd", 0.0, 1e9)
        elif chip.id in rows.index:
            servers[chip.id] = given("servers", chip.id)
        else:
            notes.append(f"own {chip.id}: no price of a server is known; set server_usd (owned)")
    return servers, notes
