"""How sure an owner's cost is: the same scenario with the ranges of ``data/`` in it.

>>> import econ
>>> answer = econ.uncertain(econ.tco.cost, with_ranges(econ.Scenario.default()), n=64)
>>> answer.interval.low < answer.interval.median < answer.interval.high
True
"""

from __future__ import annotations

from dataclasses import replace

from econ.catalog import given
from econ.catalog.ranges import Range
from econ.latency.calibration import bands
from econ.scenario import Scenario


def with_ranges(s: Scenario, *, regime: str = "calibrated") -> Scenario:
    """The owner of this scenario's machines, with a `Range` for what is not known to a digit.

    Parameters
    ----------
    s : Scenario
        Its server price, life, cost of capital, electricity price and PUE are the typical values
        where it gives them.
    regime : str
        Whose band the throughput has: calibrated, interpolated, … as in `econ.latency.predict`.

    Returns
    -------
    Scenario
        Owned, with ranges for ``server_usd``, ``cost_of_capital_frac``, ``life_years``,
        ``utilisation_frac`` (hours that are available and busy), ``electricity_usd_per_kwh``,
        ``pue`` and ``software_maturity``: for `econ.uncertain`, not for a station.

    Notes
    -----
    Low and high are the ends of what the sources of ``data/`` give. ``software_maturity`` stands
    for the error of the throughput: within the factor of nine held-out runs in ten.

    Examples
    --------
    >>> sorted(with_ranges(Scenario.default()).ranges())[:2]
    ['deployment.software_maturity', 'finance.cost_of_capital_frac']
    """
    finance, site = s.finance, s.resolved_site
    available, busy = given("tco_inputs", "available"), given("tco_inputs", "busy")
    useful = Range(
        available.low * busy.low,
        available.typical * busy.typical,
        available.high * busy.high,
        "share",
        source=busy.source,
    )
    factor = bands()[regime, "output_tokens_per_s_per_gpu"].p90_factor
    maturity = Range.within_factor(s.deployment.software_maturity, factor, "1")
    price = given("servers", s.deployment.accelerator_id)
    return s.with_(
        tenure="owned",
        cost_usd_per_gpu_hour=None,
        server_usd=_around(price, finance.server_usd),
        cost_of_capital_frac=_around(
            given("tco_inputs", "cost-of-capital"), finance.cost_of_capital_frac
        ),
        life_years=_around(given("tco_inputs", "life"), finance.life_years),
        utilisation_frac=useful,
        electricity_usd_per_kwh=_around(
            given("layers", "electricity"), site.electricity_usd_per_kwh
        ),
        pue=_around(given("tco_inputs", "pue"), site.pue),
        software_maturity=maturity,
    )


def _around(span: Range, typical: float | None) -> Range:
    """The range, moved to the value that is given: wider where it lies outside."""
    if typical is None:
        return span
    return replace(span, low=min(span.low, typical), typical=typical, high=max(span.high, typical))
