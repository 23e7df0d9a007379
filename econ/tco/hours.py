"""A scenario's GPU-hour, layer by layer: a rent, a price of one's own, or an owner's.

>>> from econ.scenario import Scenario
>>> hour_parts(Scenario.default())[0].usd_per_gpu_hour
3.99
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.catalog.rents import rent_rows
from econ.catalog.tables import remember
from econ.scenario import Scenario
from econ.tco.layers import extra_charges, owner, owner_inputs
from econ.tco.ownership import Ownership


@dataclass(frozen=True, kw_only=True)
class Part:
    """One layer of the hour: what it is, where a bill shows it, and where its price comes from."""

    layer: str
    group: str
    usd_per_gpu_hour: float
    source: str = ""


def hour_parts(s: Scenario, include: Collection[str] = ()) -> tuple[Part, ...]:
    """The layers of a paid GPU-hour: a rent, a price of one's own, or an owner's.

    >>> [part.layer for part in hour_parts(Scenario.default(), include=["licences"])]
    ['rent', 'licences']
    """
    finance = s.finance
    if _is_built_up(s):
        return _parts(owner(s, include=include))
    if finance.cost_usd_per_gpu_hour is not None:
        first = Part(
            layer="hour",
            group="hour",
            usd_per_gpu_hour=s.cost_usd_per_gpu_hour,
            source=finance.source,
        )
    else:
        latest = rent_rows(s.deployment.accelerator_id, finance.term).iloc[-1]
        first = Part(
            layer="rent",
            group="rent",
            usd_per_gpu_hour=s.cost_usd_per_gpu_hour,
            source=str(latest["source"]),
        )
    return (first, *_extra_parts(tuple(include), s.deployment.n_gpu))


@remember
def _extra_parts(include: tuple[str, ...], n_gpu: int) -> tuple[Part, ...]:
    """Optional layers on top of a rent."""
    return _parts(Ownership(n_gpu=n_gpu, charges=extra_charges(include, n_gpu=n_gpu)))


def _parts(own: Ownership) -> tuple[Part, ...]:
    columns = ["layer", "group", "usd_per_gpu_hour", "source"]
    return tuple(Part(**row) for row in own.frame()[columns].to_dict("records"))


def _is_built_up(s: Scenario) -> bool:
    return s.finance.tenure == "owned" and s.finance.cost_usd_per_gpu_hour is None


def hours_usd(
    scenarios: Sequence[Scenario], includes: Sequence[tuple[str, ...]], reasons: list[str]
) -> np.ndarray:
    """USD of a paid GPU-hour of each scenario; owners of one accelerator in one call."""
    hours = np.full(len(scenarios), np.nan)
    alike: dict[Any, list[int]] = {}
    inputs: list[dict[str, Any]] = [{} for _ in scenarios]
    for i, s in enumerate(scenarios):
        try:
            if _is_built_up(s):
                inputs[i] = owner_inputs(s)
                chip = s.deployment.resolved_accelerator
                alike.setdefault((chip, includes[i], *inputs[i]), []).append(i)
            else:
                hours[i] = sum(part.usd_per_gpu_hour for part in hour_parts(s, includes[i]))
        except ValueError as error:
            reasons[i] = reasons[i] or str(error)
    for (chip, include, *names), rows in alike.items():
        columns: dict[str, Any] = {
            name: np.array([inputs[i][name] for i in rows]) for name in names
        }
        try:
            hours[rows] = owner(chip, include=include, **columns).cost_usd_per_gpu_hour
        except ValueError as error:
            for i in rows:
                reasons[i] = reasons[i] or str(error)
    return hours
