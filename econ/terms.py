"""The terms of a service: what latency is promised, and what an accelerator-hour costs.

>>> Slo(ttft_s=0.5).tpot_s
0.05
>>> Finance(utilisation_frac=80)
Traceback (most recent call last):
    ...
ValueError: utilisation_frac = 80 is outside its range: 0 to 1 (a share, not a percentage)
"""

from __future__ import annotations

from dataclasses import dataclass

from econ.catalog.guard import fraction, one_of, positive
from econ.catalog.ranges import ends
from econ.catalog.units import DAY_S, HOUR_S

TENURES = ("rented", "owned")


@dataclass(frozen=True, kw_only=True)
class Slo:
    """The service level objective: limits on TTFT and TPOT, and the share of requests within both.

    Parameters
    ----------
    ttft_s : float or Range
        Time to first token, e.g. 1.0 for a chat.
    tpot_s : float or Range
        Time per output token after the first, e.g. 0.05 for 20 tokens per second.
    attainment_frac : float or Range
        Share of requests that must meet both, e.g. 0.95.
    """

    ttft_s: float = 1.0
    tpot_s: float = 0.05
    attainment_frac: float = 0.95

    def __post_init__(self) -> None:
        ends(positive, "ttft_s", self.ttft_s, DAY_S)
        ends(positive, "tpot_s", self.tpot_s, HOUR_S)
        ends(fraction, "attainment_frac", self.attainment_frac)


@dataclass(frozen=True, kw_only=True)
class Finance:
    """What an accelerator-hour costs and how much of it is used.

    Parameters
    ----------
    tenure : str
        rented (at a list rent or at ``cost_usd_per_gpu_hour``) or owned (`econ.tco` builds the
        hour from server, money, space, electricity and staff).
    term : str
        Of a list rent: on-demand, spot, reserved, …; an owner has none.
    cost_usd_per_gpu_hour : float or Range, optional
        Your own price of an hour, all in; None for the list rent or the owner's built-up cost.
    utilisation_frac : float or Range
        Share of the paid hours in which the accelerators serve requests, e.g. 0.6.
    cost_of_capital_frac, life_years, server_usd : float or Range, optional
        Of an owner: the price of a server or rack of this accelerator, e.g. 258,000 for eight H100;
        None for the typical value in ``data/``.
    source : str
        Where the price comes from.
    """

    tenure: str = "rented"
    term: str = "on-demand"
    cost_usd_per_gpu_hour: float | None = None
    utilisation_frac: float = 1.0
    cost_of_capital_frac: float | None = None
    life_years: float | None = None
    server_usd: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        one_of("tenure", self.tenure, TENURES)
        if self.tenure == "owned" and self.term != "on-demand":
            raise ValueError(f"term = {self.term!r} is of a rent: it needs tenure='rented'")
        if self.cost_usd_per_gpu_hour is not None:
            ends(positive, "cost_usd_per_gpu_hour", self.cost_usd_per_gpu_hour, 10_000)
        ends(positive, "utilisation_frac", self.utilisation_frac)
        ends(fraction, "utilisation_frac", self.utilisation_frac)
        for name, check, limits in (
            ("cost_of_capital_frac", fraction, ()),
            ("life_years", positive, (50,)),
            ("server_usd", positive, (1e9,)),
        ):
            value = getattr(self, name)
            if value is None:
                continue
            ends(check, name, value, *limits)
            if self.tenure == "rented" or self.cost_usd_per_gpu_hour is not None:
                raise ValueError(
                    f"{name} = {value} is an owner's input: it needs tenure='owned' and no "
                    "cost_usd_per_gpu_hour"
                )
