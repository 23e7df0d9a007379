"""Whole machines: what is bought comes in units, so a break-even can come, go and come again.

>>> u = units(peak_per_s=6.67, per_s_per_instance=2.5, gpus_per_instance=2, gpus_per_server=8)
>>> int(u.n_instances), int(u.n_servers), round(float(u.used_frac), 2)
(3, 1, 0.67)
>>> users = np.arange(1, 301)
>>> api, nodes = 100.0 * users, 2_000.0 * np.ceil(users / 24)
>>> print(break_even(users, nodes, api))
pays from 20; no longer from 25; pays from 40; no longer from 49; pays from 60; no longer from 73; \
pays from 80; no longer from 97; pays from 100
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from econ.catalog.guard import count, each, fraction, not_negative, positive
from econ.tco.finance import Amount

SLACK = 1e-9  # relative; a demand that fills a unit exactly does not open the next


@dataclass(frozen=True, kw_only=True)
class Units:
    """Whole units for a demand: numbers or arrays.

    ``used_frac`` is the peak over what the servers in use could serve; ``n_gpu`` and ``n_servers``
    hold the spares too.
    """

    n_instances: Amount
    n_servers: Amount
    n_spare_servers: Amount
    n_racks: Amount
    n_gpu: Amount
    used_frac: Amount


def units_needed(n_wanted: Amount, n_per_unit: Amount) -> Amount:
    """Units needed: what is wanted over what one gives, rounded up.

    Examples
    --------
    >>> units_needed(np.array([0.0, 0.1, 1.0, 1.1]), 0.1).tolist()
    [0.0, 1.0, 10.0, 11.0]
    """
    each(not_negative, "n_wanted", n_wanted)
    each(positive, "n_per_unit", n_per_unit)
    return np.ceil(np.asarray(n_wanted, dtype=float) / n_per_unit * (1 - SLACK))


def units(
    *,
    peak_per_s: Amount,
    per_s_per_instance: Amount,
    gpus_per_instance: int = 1,
    gpus_per_server: int = 8,
    n_spare_servers: int = 0,
    spare_frac: float = 0.0,
    servers_per_rack: int = 1,
) -> Units:
    """Instances for a peak, servers for the instances, spares, racks; each rounded up.

    Parameters
    ----------
    peak_per_s : float or array
        Requests per second (or users) at the peak, e.g. 6.67.
    per_s_per_instance : float or array
        What one instance serves within the SLO, in the same unit, e.g. 2.5.
    gpus_per_instance, gpus_per_server : int
        An instance within a server shares it with others as far as whole instances fit; a larger
        one takes whole servers.
    n_spare_servers : int
        Servers that stand by, whatever the size.
    spare_frac : float
        Servers that stand by, as a share of those in use, rounded up, e.g. 0.05.
    servers_per_rack : int
        Servers of a rack.

    Returns
    -------
    Units

    Raises
    ------
    ValueError
        For a number outside its range.
    """
    count("gpus_per_instance", gpus_per_instance, 1)
    count("gpus_per_server", gpus_per_server, 1)
    count("n_spare_servers", n_spare_servers)
    count("servers_per_rack", servers_per_rack, 1)
    fraction("spare_frac", spare_frac)
    n_instances = units_needed(peak_per_s, per_s_per_instance)
    n_per_server = gpus_per_server // gpus_per_instance
    if n_per_server:
        serving = np.ceil(n_instances / n_per_server)
        n_possible = serving * n_per_server
    else:
        serving = n_instances * np.ceil(gpus_per_instance / gpus_per_server)
        n_possible = n_instances
    spare = np.ceil(serving * spare_frac - SLACK) + n_spare_servers
    servers = serving + spare
    possible_per_s = np.maximum(n_possible, 1) * per_s_per_instance
    return Units(
        n_instances=n_instances,
        n_servers=servers,
        n_spare_servers=spare,
        n_racks=np.ceil(servers / servers_per_rack),
        n_gpu=servers * gpus_per_server,
        used_frac=np.asarray(peak_per_s, dtype=float) / possible_per_s,
    )


@dataclass(frozen=True)
class BreakEven:
    """Where one option is cheaper than another, over a quantity: every crossing, not the first.

    ``pays_from`` and ``stops_at`` alternate; ``searched_to`` is the largest quantity tried.
    """

    pays_from: tuple[float, ...]
    stops_at: tuple[float, ...]
    searched_to: float

    @property
    def first(self) -> float | None:
        """The first point at which it pays; None if it never does."""
        return self.pays_from[0] if self.pays_from else None

    @property
    def lasting(self) -> float | None:
        """The point from which it pays for good, within what was searched, or None."""
        return self.pays_from[-1] if len(self.pays_from) > len(self.stops_at) else None

    def __str__(self) -> str:
        if not self.pays_from:
            return f"never, up to {self.searched_to:,.6g}"
        steps = [(x, f"pays from {x:,.6g}") for x in self.pays_from]
        steps += [(x, f"no longer from {x:,.6g}") for x in self.stops_at]
        return "; ".join(text for _, text in sorted(steps, key=lambda step: step[0]))


def break_even(quantity: Amount, challenger_usd: Amount, incumbent_usd: Amount) -> BreakEven:
    """Every change of the cheaper option over a quantity that is given point by point.

    Parameters
    ----------
    quantity : array
        Rising, e.g. whole users 1, 2, 3, … For costs in steps give every point: between two that
        are far apart a break-even can come and go unseen.
    challenger_usd, incumbent_usd : array
        What each costs at every point. The challenger pays where it costs no more.

    Returns
    -------
    BreakEven

    Raises
    ------
    ValueError
        For a quantity that does not rise, or a cost that is missing.

    Examples
    --------
    >>> break_even([1, 2, 3], [5, 5, 5], [4, 6, 8]).lasting
    2.0
    """
    x, challenger, incumbent = (
        np.asarray(v, dtype=float) for v in (quantity, challenger_usd, incumbent_usd)
    )
    for name, values in (("challenger_usd", challenger), ("incumbent_usd", incumbent)):
        for row in np.flatnonzero(np.isnan(values))[:1]:
            raise ValueError(f"{name}[{row}] = nan is outside its range: a cost at every point")
    pays = challenger <= incumbent
    if x.ndim != 1 or x.size == 0 or x.shape != pays.shape or not (np.diff(x) > 0).all():
        raise ValueError("quantity is outside its range: rising, and as long as the costs")
    before = np.concatenate([[False], pays[:-1]])
    return BreakEven(
        tuple(x[pays & ~before].tolist()), tuple(x[~pays & before].tolist()), float(x[-1])
    )
