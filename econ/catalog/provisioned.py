"""What a server of an accelerator may draw, and how many of them so many watts hold.

>>> from econ.catalog import accelerator
>>> unit = Unit.of(accelerator("h100-sxm"))
>>> unit.n_gpu, unit.power_w
(8, 10960.0)
>>> unit.held(site_w=100e3, pue=1.2), unit.held(site_w=10e3, pue=1.2)
(7, 0)
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from econ.catalog.catalog import Accelerator
from econ.catalog.tables import table

NO_LIMIT = 1 << 40  # servers


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What is placed at a time: a server or a rack; a single card where no server is known.

    Attributes
    ----------
    n_gpu : int
        Accelerators in it, e.g. 8.
    power_w : float
        What it may draw, without cooling: its provisioned power, e.g. 10,960. Where no server is
        listed, the TDP times the median ratio of the listed ones; nan without a TDP.
    """

    n_gpu: int
    power_w: float

    @classmethod
    def of(cls, chip: Accelerator) -> Unit:
        """The server of an accelerator, by its own figures, else by ``data/tco/servers.csv``."""
        servers = table("servers")
        if chip.id in servers.index:
            row = servers.loc[chip.id]
            return cls(n_gpu=int(row.n_gpu), power_w=float(row.provisioned_w))
        n_gpu = chip.n_per_server or 1
        if chip.server_power_w:
            return cls(n_gpu=n_gpu, power_w=float(chip.server_power_w))
        return cls(n_gpu=n_gpu, power_w=n_gpu * (chip.tdp_w or math.nan) * _over_tdp())

    def held(
        self, *, site_w: float | None = None, rack_w: float | None = None, pue: float = 1.0
    ) -> int:
        """Whole units that a site's watts hold, cooling included, if each fits into a rack."""
        if rack_w is not None and not self.power_w <= rack_w:
            return 0
        if site_w is None:
            return NO_LIMIT
        n = site_w / (self.power_w * pue)
        return 0 if math.isnan(n) else math.floor(n * (1 + 1e-12))


@functools.cache
def _over_tdp() -> float:
    """Provisioned power over TDP, median of the listed servers."""
    servers, chips = table("servers"), table("accelerators")
    tdp_w = chips["tdp_w"].reindex(servers.index)
    return float((servers["provisioned_w"] / servers["n_gpu"] / tdp_w).median())
