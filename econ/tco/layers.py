"""The owner of an accelerator: layers of cost, each a row quoted in its own way.

A layer is a row of ``data/tco/layers.csv``: what is bought (capital) or paid month by month
(operation), by which measure it is quoted, its low, typical and high, and the group under which a
bill shows it. `owner` turns the rows into an `Ownership`: whatever is bought and run together, a
server or a rack. Its cost per GPU-hour counts every hour of the year, busy or not; dividing by the
useful ones is the next step (`econ.tco.token_cost`).

>>> h200 = owner("h200-sxm", server_usd=258_001, spare_frac=0, life_years=6)  # as published
>>> round(h200.capital_usd), round(h200.cost_usd_per_gpu_hour, 2)
(361255, 1.59)
>>> round(h200.capital_usd_per_gpu_hour, 2), round(h200.operating_usd_per_gpu_hour, 2)
(1.15, 0.44)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from econ.catalog import catalog, given, table
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import each, not_negative, one_of, positive, unknown
from econ.catalog.units import MONTHS_PER_YEAR
from econ.scenario import Scenario
from econ.tco.finance import Amount
from econ.tco.ownership import Asset, Charge, Ownership, colocation, electricity, share_of_capital

HOUSING = ("colocation", "own building")
LEVELS = ("low", "typical", "high")
# inputs of `owner` that are no layers -> rows of data/tco/tco_inputs.csv
TERMS = {
    "cost_of_capital_frac": "cost-of-capital",
    "life_years": "life",
    "facility_years": "facility-years",
    "pue": "pue",
    "power_load_frac": "power-load",
}
LIVES = {"server": "life_years", "facility": "facility_years"}
SERVER = ("n_gpu", "server_usd", "provisioned_w")  # from data/tco/servers.csv
DEFAULTS: dict[str, Amount] = {"residual_frac": 0.0, "n_fleet_gpu": None}


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A row of ``data/tco/layers.csv``."""

    layer: str
    title: str
    expense: str
    group: str
    quote: str
    unit: str
    per: str
    low: float
    typical: float
    high: float
    counted: bool
    housing: str
    life: str
    resold: bool
    source: str


# per what it is quoted -> USD of capital, or USD per month of operation, of one server or rack
PER: dict[str, Callable[[Layer, Amount, Mapping[str, Amount]], Amount]] = {
    "server": lambda layer, quote, own: quote,
    "gpu": lambda layer, quote, own: quote * own["n_gpu"],
    "server_price": lambda layer, quote, own: quote * own["server_usd"],
    "w": lambda layer, quote, own: quote * own["provisioned_w"],
    "kw_month": lambda layer, quote, own: colocation(own["provisioned_w"], quote).usd_per_month,
    "kwh": lambda layer, quote, own: (
        electricity(
            own["provisioned_w"], quote, pue=own["pue"], power_load_frac=own["power_load_frac"]
        ).usd_per_month
    ),
    "server_month": lambda layer, quote, own: quote,
    "gpu_month": lambda layer, quote, own: quote * own["n_gpu"],
    "server_year": lambda layer, quote, own: quote / MONTHS_PER_YEAR,
    "gpu_year": lambda layer, quote, own: quote * own["n_gpu"] / MONTHS_PER_YEAR,
    "capital_year": lambda layer, quote, own: (
        share_of_capital(own["capital_usd"], quote, layer.layer).usd_per_month
    ),
    "fleet_year": lambda layer, quote, own: (
        quote * own["n_gpu"] / own["n_fleet_gpu"] / MONTHS_PER_YEAR
    ),
}


def cost_layers() -> tuple[Layer, ...]:
    """All rows of ``data/tco/layers.csv``, in the order in which a bill shows them.

    >>> [layer.layer for layer in cost_layers() if not layer.counted]
    ['licences', 'staff', 'support', 'insurance']
    """
    rows = table("layers")[list(Layer.__dataclass_fields__)]
    return tuple(Layer(**row) for row in rows.to_dict("records"))


def owner(
    of: str | Accelerator | Scenario,
    *,
    housing: str = "colocation",
    level: str = "typical",
    include: Collection[str] = (),
    method: str = "annuity",
    **inputs: Amount,
) -> Ownership:
    """The owner of one server or rack: every layer of ``data/tco/layers.csv`` that applies.

    Parameters
    ----------
    of : str, Accelerator or Scenario
        An accelerator, or a scenario: it brings its accelerator, the electricity price and PUE of
        its site, its server price, cost of capital and life, and the size of its fleet.
    housing : str
        ``"colocation"``, or ``"own building"``, which is capital in place of the rent.
    level : str
        low, typical or high of every input at once: an extreme, not a likely case.
    include : collection of str
        Layers that are counted only when asked for: licences, staff, support, insurance.
    method : str
        How capital is spread (`econ.tco.finance.METHODS`).
    **inputs : float or array
        The quotation of any layer by its name in the table (``network_usd_per_gpu=3_300``); what
        is bought (``server_usd``, ``n_gpu``, ``provisioned_w``); the terms
        (``cost_of_capital_frac``, ``life_years``, ``facility_years``, ``residual_frac``, ``pue``,
        ``power_load_frac``); ``n_fleet_gpu``, over which what is paid for a whole fleet is spread.
        Arrays of samples give arrays of costs.

    Returns
    -------
    Ownership

    Raises
    ------
    ValueError
        For a number outside its range, or an unknown price: the message names what to set.
    UnknownName
        For a name that no table holds, with the nearest.

    Notes
    -----
    Capital C becomes an annuity, C·(i + (1 − R)·i/((1 + i)ⁿ − 1)) a month; electricity is
    provisioned power × mean load × PUE × price for every hour.

    References
    ----------
    The `source` of each row; the build-up follows SemiAnalysis' H200 case (``semianalysis-tco``).

    Examples
    --------
    >>> plain = owner("h100-sxm")
    >>> more = owner("h100-sxm", include=["licences"])
    >>> round(more.cost_usd_per_gpu_hour - plain.cost_usd_per_gpu_hour, 3)     # 4,500 a GPU-year
    0.514
    >>> owner("h100-sxm", housing="own building").assets[-1].years
    14.0
    """
    for kind, value, known in (("housing", housing, HOUSING), ("level", level, LEVELS)):
        one_of(kind, value, known)
    rows = _counted(cost_layers(), housing, include, inputs)
    stated = owner_inputs(of) if isinstance(of, Scenario) else {}
    chip = (
        of.deployment.resolved_accelerator if isinstance(of, Scenario) else catalog.accelerator(of)
    )
    own = _terms(level) | DEFAULTS | _server(chip, level) | stated | inputs
    _require(own, rows, level, chip.id)
    own = {name: _checked(name, value) for name, value in own.items() if value is not None}
    own.setdefault("n_fleet_gpu", own["n_gpu"])
    rows = [replace(layer, source=_source(layer, of, chip, inputs)) for layer in rows]
    quoted = {layer.layer: own.get(layer.quote, getattr(layer, level)) for layer in rows}
    bought = [
        Asset(
            layer.layer,
            PER[layer.per](layer, quoted[layer.layer], own),
            own["cost_of_capital_frac"],
            own[LIVES[layer.life]],
            own["residual_frac"] if layer.resold else 0.0,
            method,
            layer.group,
            layer.source,
        )
        for layer in rows
        if layer.expense == "capital"
    ]
    own["capital_usd"] = sum(asset.capital_usd for asset in bought)
    running = (layer for layer in rows if layer.expense == "operation")
    charges = tuple(_charge(layer, quoted[layer.layer], own) for layer in running)
    return Ownership(n_gpu=own["n_gpu"], assets=tuple(bought), charges=charges, name=chip.id)


def extra_charges(include: Collection[str], *, n_gpu: float) -> tuple[Charge, ...]:
    """Optional layers of a fleet of rented accelerators: licences and staff, at typical prices.

    >>> [round(c.usd_per_month) for c in extra_charges(["licences", "staff"], n_gpu=8)]
    [3000, 30000]
    """
    rows = {layer.layer: layer for layer in cost_layers() if not layer.counted}
    fleet = {"n_gpu": n_gpu, "n_fleet_gpu": n_gpu}
    for name in include:
        one_of("layer", name, rows)
        if rows[name].per not in ("gpu_month", "gpu_year", "fleet_year"):
            raise ValueError(
                f"{name} is counted in {rows[name].unit}: it needs tenure='owned' and no "
                "cost_usd_per_gpu_hour"
            )
    return tuple(_charge(rows[name], rows[name].typical, fleet) for name in include)


def _charge(layer: Layer, quote: Amount, own: Mapping[str, Amount]) -> Charge:
    return Charge(layer.layer, PER[layer.per](layer, quote, own), layer.group, layer.source)


def _source(layer: Layer, of: object, chip: Accelerator, inputs: Mapping[str, Amount]) -> str:
    """Where the quotation comes from: the caller, the scenario, the table of servers, the row."""
    if layer.quote in inputs:
        return "given"
    if isinstance(of, Scenario) and layer.quote == "electricity_usd_per_kwh":
        rows, site = table("sites"), of.site
        return str(rows["electricity_source"][site]) if isinstance(site, str) else site.source
    if isinstance(of, Scenario) and layer.quote == "server_usd" and of.finance.server_usd:
        return of.finance.source or "given"
    servers = table("servers")
    return str(servers["source"][chip.id]) if layer.quote == "server_usd" else layer.source


def _counted(
    rows: Collection[Layer], housing: str, include: Collection[str], inputs: Mapping[str, Amount]
) -> list[Layer]:
    """The layers of this owner: those of the housing, and the optional ones that are named."""
    quotes = {layer.quote: layer for layer in rows}
    for name in set(include) - {layer.layer for layer in rows}:
        raise unknown("layer", name, [layer.layer for layer in rows])
    for name, value in inputs.items():
        if name not in {*quotes, *TERMS, *SERVER, *DEFAULTS}:
            raise unknown("input of an owner", name, [*quotes, *TERMS, *SERVER, *DEFAULTS])
        needed = quotes[name].housing if name in quotes else ""
        if needed not in ("", housing) and np.any(value):
            raise ValueError(f"{name} = {value!r} needs housing={needed!r}, not {housing!r}")
    return [
        layer
        for layer in rows
        if layer.housing in ("", housing)
        and (layer.counted or layer.layer in include or layer.quote in inputs)
    ]


def _terms(level: str) -> dict[str, Amount]:
    opposite = {"low": "high", "high": "low"}  # a longer life is the cheaper end
    return {
        name: getattr(given("tco_inputs", id), opposite.get(level, level) if years else level)
        for name, id in TERMS.items()
        for years in [name.endswith("_years")]
    }


def _server(chip: Accelerator, level: str) -> dict[str, Amount]:
    """What is bought as one, from the tables; an accelerator of your own says what it knows."""
    rows = table("servers")
    if chip.id not in rows.index:
        return {"n_gpu": chip.n_per_server, "provisioned_w": chip.server_power_w}
    row = rows.loc[chip.id]
    return {
        "n_gpu": int(row.n_gpu),
        "provisioned_w": float(row.provisioned_w),
        "server_usd": float(row[f"{level}_usd"]),
    }


def owner_inputs(scenario: Scenario) -> dict[str, Amount]:
    """What a scenario says to its `owner`: the site's electricity and PUE, money, life, fleet.

    Raises ``ValueError`` for a site without a price of electricity or without a PUE.
    """
    site, finance = scenario.resolved_site, scenario.finance
    for name in ("electricity_usd_per_kwh", "pue"):
        if getattr(site, name) is None:
            raise ValueError(
                f"{name} of {site.id} is unknown, which an owner needs: set it with "
                f"scenario.with_({name}=...), or cost_usd_per_gpu_hour"
            )
    return {
        "electricity_usd_per_kwh": site.electricity_usd_per_kwh,
        "pue": site.pue,
        "n_fleet_gpu": scenario.deployment.n_gpu,
        **{
            name: value
            for name in ("cost_of_capital_frac", "life_years", "server_usd")
            if (value := getattr(finance, name)) is not None
        },
    }


def _require(own: Mapping[str, Amount], rows: Iterable[Layer], level: str, chip: str) -> None:
    """Raise with everything that neither a table nor the caller says."""
    missing = [name for name in ("n_gpu", "provisioned_w") if own.get(name) is None]
    missing += [
        layer.quote
        for layer in rows
        if own.get(layer.quote) is None and np.isnan(getattr(layer, level))
    ]
    if missing:
        raise ValueError(
            f"{', '.join(missing)} of {chip}: unknown in data/tco/servers.csv; set "
            f"{'it' if len(missing) == 1 else 'them'} in econ.tco.owner, or server_usd in the "
            "scenario and n_per_server and server_power_w in an accelerator of your own, or the "
            "whole hour as cost_usd_per_gpu_hour"
        )


def _checked(name: str, value: Amount) -> Amount:
    check = positive if name in ("n_gpu", "n_fleet_gpu") else not_negative
    return each(check, name, value) if name != "cost_of_capital_frac" else value
