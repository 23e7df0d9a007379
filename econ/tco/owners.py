"""The owner of an accelerator, put together from ``data/``: servers, inputs, places.

>>> own = owner("h200-sxm")
>>> [a.name for a in own.assets]
['server', 'network', 'storage', 'installation', 'spares']
>>> 1.6 < own.cost_usd_per_gpu_hour < 2.3
True
>>> owner("h200-sxm", housing="own building").assets[-1].years
14.0
"""

from __future__ import annotations

import functools
import inspect

import numpy as np
import pandas as pd

from econ.catalog import table
from econ.catalog.guard import each, not_negative, positive, unknown
from econ.tco.ownership import Asset, Charge, Ownership, colocation, electricity, per_year

HOUSING = ("colocation", "own building")
LEVELS = ("low", "typical", "high")
# parameter of `owner_of` -> row of data/tco_inputs.csv
INPUTS = {
    "network_usd_per_gpu": "network-usd-per-gpu",
    "storage_usd_per_gpu": "storage-usd-per-gpu",
    "installation_usd_per_gpu": "installation-usd-per-gpu",
    "spare_frac": "spare-frac",
    "rate_per_year": "cost-of-capital",
    "years": "life",
    "colocation_usd_per_kw_per_month": "colocation",
    "electricity_usd_per_kwh": "electricity",
    "pue": "pue",
    "power_load_frac": "power-load",
    "hands_usd_per_month": "hands-usd-per-server",
}
BUILDING = {"facility_usd_per_w": "facility-usd-per-w", "facility_years": "facility-years"}


def tco_input(id: str) -> pd.Series:
    """A row of ``data/tco_inputs.csv``: low, typical, high, unit, source."""
    rows = table("tco_inputs")
    if id not in rows.index:
        raise unknown("input of a TCO", id, rows.index)
    return rows.loc[id]


def server(accelerator: str) -> pd.Series:
    """A row of ``data/servers.csv``: what is bought as one, its price and provisioned power."""
    rows = table("servers")
    if accelerator not in rows.index:
        raise unknown("accelerator with a server price", accelerator, rows.index)
    return rows.loc[accelerator]


def owner_of(
    *,
    server_usd: float,
    provisioned_w: float,
    n_gpu: float,
    network_usd_per_gpu: float,
    storage_usd_per_gpu: float,
    installation_usd_per_gpu: float,
    spare_frac: float,
    rate_per_year: float,
    years: float,
    electricity_usd_per_kwh: float,
    pue: float,
    power_load_frac: float,
    hands_usd_per_month: float,
    colocation_usd_per_kw_per_month: float = 0.0,
    facility_usd_per_w: float = 0.0,
    facility_years: float = 14.0,
    residual_frac: float = 0.0,
    licence_usd_per_gpu_per_year: float = 0.0,
    staff_usd_per_gpu_per_year: float = 0.0,
    method: str = "annuity",
    name: str = "",
) -> Ownership:
    """An `Ownership` of one server or rack from named inputs: numbers, or arrays of samples.

    Spares are a share of the servers; the residual is the server's. A building of one's own stands
    in place of colocation where ``facility_usd_per_w`` is given.
    """
    server_usd, network_usd_per_gpu, storage_usd_per_gpu, installation_usd_per_gpu = (
        each(not_negative, name, value)
        for name, value in (("server_usd", server_usd),
                            ("network_usd_per_gpu", network_usd_per_gpu),
                            ("storage_usd_per_gpu", storage_usd_per_gpu),
                            ("installation_usd_per_gpu", installation_usd_per_gpu))
    )  # fmt: skip
    n_gpu, spare_frac = each(positive, "n_gpu", n_gpu), each(not_negative, "spare_frac", spare_frac)
    provisioned_w = each(not_negative, "provisioned_w", provisioned_w)
    facility_usd_per_w = each(not_negative, "facility_usd_per_w", facility_usd_per_w)
    parts = {
        "server": server_usd,
        "network": network_usd_per_gpu * n_gpu,
        "storage": storage_usd_per_gpu * n_gpu,
        "installation": installation_usd_per_gpu * n_gpu,
        "spares": server_usd * spare_frac,
    }
    resold = {"server", "spares"}
    owned = [
        Asset(part, usd, rate_per_year, years, residual_frac if part in resold else 0.0, method)
        for part, usd in parts.items()
    ]
    charges = [
        electricity(
            provisioned_w, electricity_usd_per_kwh, pue=pue, power_load_frac=power_load_frac
        ),
        Charge("hands and internet", hands_usd_per_month),
    ]
    if np.any(facility_usd_per_w):
        price = facility_usd_per_w * provisioned_w
        owned.append(Asset("facility", price, rate_per_year, facility_years, 0.0, method))
    else:
        charges.insert(0, colocation(provisioned_w, colocation_usd_per_kw_per_month))
    if np.any(licence_usd_per_gpu_per_year):
        charges.append(per_year("licences", licence_usd_per_gpu_per_year, n_gpu))
    if np.any(staff_usd_per_gpu_per_year):
        charges.append(per_year("staff", staff_usd_per_gpu_per_year, n_gpu))
    return Ownership(n_gpu=n_gpu, assets=tuple(owned), charges=tuple(charges), name=name)


def owner(
    accelerator: str, *, housing: str = "colocation", level: str = "typical", **changes: float
) -> Ownership:
    """The owner of one server or rack, from the tables, with any input of `owner_of` changed.

    ``level``: low, typical or high of every input at once (an extreme, not a likely case).

    >>> cheap, dear = (owner("h100-sxm", level=x).cost_usd_per_gpu_hour for x in ("low", "high"))
    >>> cheap < owner("h100-sxm").cost_usd_per_gpu_hour < dear
    True
    """
    known = inspect.signature(owner_of).parameters
    for name in changes:
        if name not in known:
            raise unknown("input of owner_of", name, known)
    return owner_of(**owner_inputs(accelerator, housing=housing, level=level) | changes)


def owner_inputs(accelerator: str, *, housing: str = "colocation", level: str = "typical") -> dict:
    """The inputs of `owner_of` from the tables."""
    return dict(_inputs(accelerator, housing, level))


@functools.cache
def _inputs(accelerator: str, housing: str, level: str) -> dict:
    if level not in LEVELS:
        raise unknown("level", level, LEVELS)
    if housing not in HOUSING:
        raise unknown("housing", housing, HOUSING)
    bought, names = server(accelerator), dict(INPUTS)
    if housing == "own building":
        names = names | BUILDING
        del names["colocation_usd_per_kw_per_month"]
    dear = {"low": "high", "high": "low"}  # a longer life is the cheaper end
    read = {
        name: float(tco_input(id)[dear.get(level, level) if name.endswith("years") else level])
        for name, id in names.items()
    }
    return {
        "server_usd": float(bought[f"{level}_usd"]),
        "provisioned_w": float(bought.provisioned_w),
        "n_gpu": int(bought.n_gpu),
        "name": accelerator,
        **read,
    }


def published_frame(**changes: float) -> pd.DataFrame:
    """Ours against one analyst's published owner costs: accelerator, owner, ours, published.

    Ours takes typical inputs, the same for all; only server price and power differ. As published
    for the H200: six years, no spares.

    >>> published_frame().query("accelerator == 'h200-sxm'")["published_usd"].item()
    1.59
    """
    listed = table("owner_costs")
    rows = []
    for accelerator in table("servers").index:
        mine = listed[(listed["accelerator"] == accelerator) & (listed["owner"] == "neocloud")]
        if mine.empty:
            continue
        cost = owner(
            accelerator, **{"spare_frac": 0.0, "years": 6.0} | changes
        ).cost_usd_per_gpu_hour
        low, high = (
            owner(accelerator, level=x, **changes).cost_usd_per_gpu_hour for x in ("low", "high")
        )
        rows.append((accelerator, cost, float(mine["usd_per_gpu_hour"].iloc[0]), low, high))
    columns = ["accelerator", "ours_usd", "published_usd", "low_usd", "high_usd"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(gap=frame["ours_usd"] / frame["published_usd"] - 1)
