"""Which accelerators a plan looks at, and what an hour of each costs.

>>> from econ.scenario import Scenario
>>> prices = prices_of(Scenario.default(), {"h200-sxm": 2.5})
>>> prices["h100-sxm"], prices["h200-sxm"]
(3.99, 2.5)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from econ.catalog import catalog
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import positive
from econ.catalog.rents import rents
from econ.catalog.tables import table
from econ.scenario import Scenario
from econ.tco.layers import owner, owner_inputs


def market(
    scenario: Scenario,
    accelerators: Iterable[str | Accelerator] | None,
    prices_usd_per_gpu_hour: Mapping[str, float] | None,
) -> tuple[list[Accelerator], dict[str, float]]:
    """The accelerators to look at, and what an hour of each costs by name."""
    prices = dict(prices_usd_per_gpu_hour or {})
    own = scenario.deployment.resolved_accelerator
    if accelerators is None:
        names = sorted({*_priced_names(scenario), *prices, own.id})
        accelerators = [own_or_listed(name, own) for name in names]
    chips: dict[str, Accelerator] = {}
    for item in listed("accelerators", accelerators):
        chip = item if isinstance(item, Accelerator) else own_or_listed(item, own)
        if chips.setdefault(chip.id, chip) != chip:
            raise ValueError(f"two accelerators are called {chip.id!r}: rename one of them")
    return list(chips.values()), prices_of(scenario, prices, chips.values())


def prices_of(
    scenario: Scenario,
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
    accelerators: Iterable[Accelerator] | None = None,
) -> dict[str, float]:
    """USD per GPU-hour by accelerator: yours, the scenario's own, then list rents or owners' hours.

    Parameters
    ----------
    scenario : Scenario
        Its ``finance`` says whether an hour is rented, on which term, or owned: then
        `econ.tco.owner` builds it with the electricity price and the PUE of the site. Its
        ``cost_usd_per_gpu_hour``, where there is one, is the price of its own accelerator.
    prices_usd_per_gpu_hour : mapping of str to float, optional
        By accelerator, e.g. ``{"h100-sxm": 2.9}``; these come before all others.
    accelerators : iterable of Accelerator, optional
        Whose price is asked for; None for all that have one.

    Raises
    ------
    ValueError
        For a price outside its range, or an accelerator of your own without one: it has no list
        rent, even if its name is also in the catalogue.
    UnknownName
        For the price of an accelerator that nobody knows.
    """
    own, finance = scenario.deployment.resolved_accelerator, scenario.finance
    if accelerators is None:
        accelerators = [catalog.accelerator(name) for name in _priced_names(scenario)]
    chips = {chip.id: chip for chip in accelerators}
    known = chips | {own.id: own}
    prices = {
        known[name].id if name in known else catalog.accelerator(name).id: usd
        for name, usd in (prices_usd_per_gpu_hour or {}).items()
    }
    if finance.cost_usd_per_gpu_hour is not None:
        prices = {own.id: float(finance.cost_usd_per_gpu_hour)} | prices
    for name, usd in prices.items():
        positive(f"price of {name} in USD per GPU-hour", usd, 10_000)
    unpriced = [chip for chip in chips.values() if chip.id not in prices]
    if finance.tenure == "owned":
        return prices | _owners_hours(scenario, unpriced)
    rented = rents(finance.term)
    for chip in unpriced:
        if not _is_listed(chip):
            raise ValueError(
                f"no price of {chip.id}, an accelerator of your own: set cost_usd_per_gpu_hour, or "
                f"give prices_usd_per_gpu_hour={{{chip.id!r}: …}}"
            )
    return prices | {chip.id: rented[chip.id] for chip in unpriced if chip.id in rented}


def _priced_names(scenario: Scenario) -> list[str]:
    """Accelerators of the catalogue that can be rented on the scenario's term, or bought."""
    if scenario.finance.tenure == "owned":
        return list(table("servers").index)
    return list(rents(scenario.finance.term))


def _owners_hours(scenario: Scenario, chips: Iterable[Accelerator]) -> dict[str, float]:
    """What an hour of each costs its owner; the catalogue's without a known server have none."""
    terms, own = owner_inputs(scenario), scenario.deployment.resolved_accelerator
    server_usd = terms.pop("server_usd", None)  # of the scenario's own accelerator
    hours = {}
    for chip in chips:
        server = {"server_usd": server_usd} if chip == own and server_usd is not None else {}
        try:
            hours[chip.id] = float(owner(chip, **terms, **server).cost_usd_per_gpu_hour)
        except ValueError:
            if not _is_listed(chip):
                raise
    return hours


def own_or_listed(name: Any, own: Accelerator) -> Accelerator:
    """The scenario's own accelerator by its name, else the catalogue's."""
    return own if name == own.id else catalog.accelerator(name)


def _is_listed(chip: Accelerator) -> bool:
    """Whether the catalogue holds exactly this accelerator."""
    try:
        return catalog.accelerator(chip.id) == chip
    except ValueError:
        return False


def listed(name: str, values: Any) -> list[Any]:
    """Several values, or a single name, object or number, as a list."""
    if isinstance(values, str | int | float | Accelerator):
        return [values]
    if isinstance(values, Iterable):
        return list(values)
    raise ValueError(f"{name} = {values!r} is outside its range: a list")
