"""What accelerators cost that are bought and run together: capital and charges by the hour.

An `Ownership` is a server, a rack or a site. Its cost per GPU-hour counts every hour of the year,
busy or not; dividing by the useful ones is the next step (`econ.tco.token_cost`). What an
accelerator's owner pays, layer by layer, stands in `econ.tco.layers`.

>>> node = Ownership(
...     n_gpu=8,
...     assets=assets({"server": 258_001, "network": 76_155, "storage": 11_732, "service": 8_000,
...                    "installation": 4_500, "software": 2_867}, rate_per_year=0.1025, years=6),
...     charges=(colocation(10_930, 150), electricity(10_930, 0.087, pue=1.35, power_load_frac=0.8),
...              Charge("remote services", 131), Charge("internet", 39)),
... )
>>> node.capital_usd, round(node.cost_usd_per_gpu_hour, 2)
(361255.0, 1.59)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from econ.catalog.guard import each, fraction, in_range, not_negative, positive
from econ.catalog.units import HOURS_PER_MONTH, KILO, MONTHS_PER_YEAR
from econ.tco.finance import Amount, capital_usd_per_month, plain
from econ.tco.whole_units import units_needed


# -- what is owned -------------------------------------------------------------------------------
@dataclass(frozen=True)
class Asset:
    """Capital of one class; money as in `econ.tco.capital_usd_per_month`.

    ``group`` is where a bill shows it, ``source`` a key of ``data/sources.csv``.
    """

    name: str
    capital_usd: Amount
    rate_per_year: Amount
    years: Amount
    residual_frac: Amount = 0.0
    method: str = "annuity"
    group: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _ = self.usd_per_month  # a bad number is refused here, by name

    @property
    def usd_per_month(self) -> Amount:
        """Its monthly cost by its ``method``."""
        return capital_usd_per_month(
            self.capital_usd, self.rate_per_year, self.years, self.residual_frac, self.method
        )


@dataclass(frozen=True)
class Charge:
    """An operating cost per month, the group of a bill that shows it, and its source."""

    name: str
    usd_per_month: Amount
    group: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        each(not_negative, f"{self.name}: usd_per_month", self.usd_per_month)


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """Assets and charges that ``n_gpu`` accelerators share: a server, a rack, a site.

    Amounts may be arrays of samples, all of one length; so are the costs then.

    Parameters
    ----------
    n_gpu : float
        Accelerators that share them, e.g. 8 for a server.
    assets : tuple of Asset
        What is bought.
    charges : tuple of Charge
        What is paid by the month.
    name : str
        What a reader calls it.

    Examples
    --------
    >>> node = Ownership(n_gpu=8, assets=assets({"server": 361_255}, 0.1025, 6),
    ...                  charges=(Charge("power, space, services", 2_559.2),))
    >>> round(node.cost_usd_per_gpu_hour, 2)
    1.59
    """

    n_gpu: Amount
    assets: tuple[Asset, ...] = ()
    charges: tuple[Charge, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        each(positive, "n_gpu", self.n_gpu)

    @property
    def capital_usd(self) -> Amount:
        """What is bought, in USD."""
        return sum((plain(a.capital_usd) for a in self.assets), 0.0)

    @property
    def capital_usd_per_month(self) -> Amount:
        """Repayment and cost of capital."""
        return sum((a.usd_per_month for a in self.assets), 0.0)

    @property
    def operating_usd_per_month(self) -> Amount:
        """All charges."""
        return sum((plain(c.usd_per_month) for c in self.charges), 0.0)

    @property
    def usd_per_month(self) -> Amount:
        """Capital and operation."""
        return self.capital_usd_per_month + self.operating_usd_per_month

    @property
    def capital_usd_per_gpu_hour(self) -> Amount:
        """Capital by hour of the year and accelerator."""
        return self._per_gpu_hour(self.capital_usd_per_month)

    @property
    def operating_usd_per_gpu_hour(self) -> Amount:
        """Charges by hour of the year and accelerator."""
        return self._per_gpu_hour(self.operating_usd_per_month)

    @property
    def cost_usd_per_gpu_hour(self) -> Amount:
        """Both, for every hour of the year, used or not."""
        return self._per_gpu_hour(self.usd_per_month)

    def in_whole_units(self, n_gpu: Amount) -> Ownership:
        """As many of these, whole ones, as hold ``n_gpu`` accelerators, e.g. servers of 8 for 20.

        >>> node = Ownership(n_gpu=8, charges=(Charge("lease", 8_000.0),))
        >>> three = node.in_whole_units(20)
        >>> int(three.n_gpu), three.usd_per_month
        (24, 24000.0)
        """
        n = units_needed(n_gpu, plain(self.n_gpu))
        return replace(
            self,
            n_gpu=n * plain(self.n_gpu),
            assets=tuple(replace(a, capital_usd=n * plain(a.capital_usd)) for a in self.assets),
            charges=tuple(
                replace(c, usd_per_month=n * plain(c.usd_per_month)) for c in self.charges
            ),
        )

    def with_method(self, method: str) -> Ownership:
        """The same with all capital spread by another method, such as ``straight line``."""
        return replace(self, assets=tuple(replace(a, method=method) for a in self.assets))

    def frame(self) -> pd.DataFrame:
        """The bill of an hour, layer by layer.

        Returns
        -------
        pandas.DataFrame
            Columns layer, expense (capital or operation), group, usd_per_month, usd_per_gpu_hour,
            share_frac, source.
        """
        rows = [
            (part.name, expense, part.group or part.name, part.usd_per_month, part.source)
            for expense, parts in (("capital", self.assets), ("operation", self.charges))
            for part in parts
        ]
        frame = pd.DataFrame(rows, columns=["layer", "expense", "group", "usd_per_month", "source"])
        frame.insert(4, "usd_per_gpu_hour", self._per_gpu_hour(frame["usd_per_month"]))
        frame.insert(5, "share_frac", frame["usd_per_month"] / self.usd_per_month)
        return frame

    def groups(self) -> pd.Series:
        """USD per GPU-hour of each group, in the order of the layers."""
        return self.frame().groupby("group", sort=False)["usd_per_gpu_hour"].sum()

    def _per_gpu_hour(self, usd_per_month: Amount) -> Amount:
        return usd_per_month / (plain(self.n_gpu) * HOURS_PER_MONTH)


def assets(
    capital_usd: Mapping[str, Amount],
    rate_per_year: Amount,
    years: Amount,
    residual_frac: Amount = 0.0,
    method: str = "annuity",
) -> tuple[Asset, ...]:
    """One asset for each named sum, all with the same life, cost of capital and residual."""
    return tuple(
        Asset(name, usd, rate_per_year, years, residual_frac, method)
        for name, usd in capital_usd.items()
    )


# -- charges as they are quoted -----------------------------------------------------------------
def colocation(
    provisioned_w: Amount, colocation_usd_per_kw_per_month: Amount, name: str = "colocation"
) -> Charge:
    """Space, cooling and power capacity: billed on provisioned kW, drawn or not.

    Parameters
    ----------
    provisioned_w : float or array
        IT power that is reserved, e.g. 10,930 W for a server of eight H200.
    colocation_usd_per_kw_per_month : float or array
        e.g. 150.
    name : str
        Of the charge.

    Examples
    --------
    >>> colocation(10_930, 150).usd_per_month
    1639.5
    """
    each(not_negative, "provisioned_w", provisioned_w)
    each(not_negative, "colocation_usd_per_kw_per_month", colocation_usd_per_kw_per_month)
    usd = plain(provisioned_w) / KILO * plain(colocation_usd_per_kw_per_month)
    return Charge(name, usd)


def electricity(
    it_power_w: Amount,
    electricity_usd_per_kwh: Amount,
    *,
    pue: Amount = 1.0,
    power_load_frac: Amount = 1.0,
    name: str = "electricity",
) -> Charge:
    """Energy: nameplate IT power · mean load · PUE · price, for every hour of the month.

    Parameters
    ----------
    it_power_w : float or array
        Nameplate power of the IT, e.g. 10,930 W.
    electricity_usd_per_kwh : float or array
        e.g. 0.087.
    pue : float or array
        Power of the site over that of the IT; 1 where the power at the meter is given.
    power_load_frac : float or array
        Average over nameplate power, e.g. 0.8; 1 where the average is given.
    name : str
        Of the charge.

    Examples
    --------
    >>> round(electricity(1_000, 0.087, pue=1.35, power_load_frac=0.8).usd_per_month, 2)
    68.59
    """
    each(not_negative, "it_power_w", it_power_w)
    each(not_negative, "electricity_usd_per_kwh", electricity_usd_per_kwh)
    each(in_range, "pue", pue, 1.0, 10.0)
    each(fraction, "power_load_frac", power_load_frac)
    drawn_kw = plain(it_power_w) / KILO * plain(power_load_frac) * plain(pue)
    return Charge(name, drawn_kw * HOURS_PER_MONTH * plain(electricity_usd_per_kwh))


def share_of_capital(
    capital_usd: Amount, support_frac_per_year: Amount, name: str = "support"
) -> Charge:
    """What is quoted as a share of the price per year: support, insurance, tax."""
    each(not_negative, "capital_usd", capital_usd)
    each(fraction, f"{name}: share of capital per year", support_frac_per_year)
    usd_per_year = plain(capital_usd) * plain(support_frac_per_year)
    return Charge(name, usd_per_year / MONTHS_PER_YEAR)


def per_year(name: str, usd_per_year: Amount, n: Amount = 1) -> Charge:
    """A yearly cost of each of ``n`` things: licences per GPU, staff by head, support by server.

    Examples
    --------
    >>> per_year("licences", 4_500, n=8).usd_per_month
    3000.0
    """
    each(not_negative, f"{name}: usd_per_year", usd_per_year)
    each(not_negative, f"{name}: n", n)
    return Charge(name, plain(usd_per_year) * plain(n) / MONTHS_PER_YEAR)


def break_even_utilisation_frac(
    fixed_usd_per_gpu_hour: Amount,
    rent_usd_per_gpu_hour: Amount,
    busy_usd_per_gpu_hour: Amount = 0.0,
) -> Amount:
    """The share of hours above which owning beats renting by the useful hour; above 1: never.

    Parameters
    ----------
    fixed_usd_per_gpu_hour : float or array
        What an owner pays in every hour, e.g. 1.59.
    rent_usd_per_gpu_hour : float or array
        What a renter pays in the hours that are used, e.g. 3.85.
    busy_usd_per_gpu_hour : float or array
        What an owner pays more in useful hours (energy).

    Returns
    -------
    float or array
        fixed / (rent − busy); infinite where rent ≤ busy.

    Examples
    --------
    >>> round(break_even_utilisation_frac(1.59, 3.98), 3)
    0.399
    """
    each(not_negative, "fixed_usd_per_gpu_hour", fixed_usd_per_gpu_hour)
    each(positive, "rent_usd_per_gpu_hour", rent_usd_per_gpu_hour)
    each(not_negative, "busy_usd_per_gpu_hour", busy_usd_per_gpu_hour)
    spread = np.asarray(rent_usd_per_gpu_hour) - busy_usd_per_gpu_hour
    share = np.where(spread > 0, fixed_usd_per_gpu_hour / np.where(spread > 0, spread, 1), np.inf)
    return float(share) if share.ndim == 0 else share
