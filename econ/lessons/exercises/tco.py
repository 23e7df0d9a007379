"""Answers to the exercises of notebook 07."""

from __future__ import annotations

from econ.lessons.answers import exercise
from econ.tco import annuity_usd_per_month, cost_usd_per_mtok
from econ.tco.ownership import break_even_utilisation_frac
from econ.tco.revenue import Statement, Tier
from econ.tco.whole_units import units


@exercise("07-1", unit="USD per month", hint="i = 8 %/12, n = 48: C·i / (1 − (1 + i)⁻ⁿ).")
def payment() -> float:
    """The monthly annuity of a server of $300,000 at 8 % over four years."""
    return annuity_usd_per_month(300_000, 0.08, 4)


@exercise(
    "07-2", unit="USD per million tokens", hint="The useful hour first, then its 3600 seconds."
)
def useful_tokens() -> float:
    """A million tokens at $1.59 per owned hour, 40 % useful, 800 tokens/s per GPU."""
    return cost_usd_per_mtok(1.59, 800, 0.4)


@exercise("07-3", unit="share", hint="Cost 1, profit 3: what is the revenue?")
def margin_of_a_markup() -> float:
    """The margin on revenue of a profit of 300 % on cost."""
    day = Statement(tiers=(Tier("all", 0, 4.0),), cost_usd=1.0, gpu_hours=1, days=1)
    return day.margin_frac


@exercise("07-4", unit="share", hint="Owned: every hour. Rented: the useful ones.")
def owning_pays() -> float:
    """The useful share above which an owner's hour of $1.60 beats a rent of $3.85."""
    return break_even_utilisation_frac(1.60, 3.85)


@exercise("07-5", unit="servers", tolerance_frac=1e-9, hint="Round up twice, then add the spare.")
def servers_with_a_spare() -> float:
    """Servers of eight for 130 requests/s on replicas of four GPUs at 9.4/s, and one spare."""
    need = units(peak_per_s=130, per_s_per_instance=9.4, gpus_per_instance=4, n_spare_servers=1)
    return float(need.n_servers)
