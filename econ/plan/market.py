"""Which accelerators a plan looks at, and what an hour of each costs.

>>> from econ.scenario import Scenario
>>> prices = prices_of(Scenario.default(), {"h200-sxm": 2.5})
>>> prices["h100-sxm"], prices["h200-sxm"]
(3.85, 2.5)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from econ.catalog import catalog
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import positive
from econ.catalog.rents import rents
from econ.scenario import Scenario


def market(
    scenario: Scenario,
    accelerators: Iterable[str | Accelerator] | None,
    prices_usd_per_gpu_hour: Mapping[str, float] | None,
) -> tuple[list[Accelerator], dict[str, float]]:
    """The accelerators to look at, and what an hour of each costs by name.

    An accelerator of your own has no list price, even where it bears a name of the catalogue.
    """
    given = dict(prices_usd_per_gpu_hour or {})
    own = scenario.deployment.resolved_accelerator
    if accelerators is None:
        priced = sorted({*_list_prices(scenario), *given, own.id})
        accelerators = [own if name == own.id else name for name in priced]
    chips: dict[str, Accelerator] = {}
    for item in listed("accelerators", accelerators):
        chip = item if isinstance(item, Accelerator) else _named(item, own)
        if chips.setdefault(chip.id, chip) != chip:
            raise ValueError(f"two accelerators are called {chip.id!r}: rename one of them")
    return list(chips.values()), prices_of(scenario, given, chips.values())


def prices_of(
    scenario: Scenario,
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
    accelerators: Iterable[Accelerator] = (),
) -> dict[str, float]:
    """USD per GPU-hour by accelerator: list rents of the scenario's term, its own price, yours.

    Parameters
    ----------
    scenario : Scenario
        Its ``finance.term`` selects the rents; its ``finance.cost_usd_per_gpu_hour``, where there
        is one, is the price of its own accelerator.
    prices_usd_per_gpu_hour : mapping of str to float, optional
        These come before all others.
    accelerators : iterable of Accelerator, optional
        Objects of your own among them need a price.

    Raises
    ------
    ValueError
        For a price outside its range, or an accelerator of your own without one.
    UnknownName
        For the price of an accelerator that nobody knows.
    """
    own = scenario.deployment.resolved_accelerator
    chips = {chip.id: chip for chip in (own, *accelerators)}
    prices = _list_prices(scenario)
    priced = {chips[n].id if n in chips else catalog.accelerator(n).id: usd
              for n, usd in (prices_usd_per_gpu_hour or {}).items()}  # fmt: skip
    if scenario.finance.cost_usd_per_gpu_hour is not None:
        priced = {own.id: float(scenario.finance.cost_usd_per_gpu_hour), **priced}
    for name, usd in priced.items():
        positive(f"price of {name} in USD per GPU-hour", usd, 10_000)
    for chip in accelerators:
        if not _is_listed(chip):
            prices.pop(chip.id, None)
            if chip.id not in priced:
                raise ValueError(
                    f"no price of {chip.id}, an accelerator of your own: give "
                    f"prices_usd_per_gpu_hour={{{chip.id!r}: …}}"
                )
    return prices | priced


def _list_prices(scenario: Scenario) -> dict[str, float]:
    if scenario.finance.tenure == "owned":
        return {}
    return rents(scenario.finance.term)


def _named(name: Any, own: Accelerator) -> Accelerator:
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
