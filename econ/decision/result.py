"""What a decision answers: every option with its cost, band, P(SLO), and which one to take."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econ.catalog.guard import one_of
from econ.catalog.ranges import Range
from econ.catalog.units import DAYS_PER_YEAR, MONTHS_PER_YEAR
from econ.decision.books import Parts
from econ.decision.fleets import Fleet
from econ.decision.speeds import ANOTHER, UNPUBLISHED
from econ.plan import Plan
from econ.scenario import Scenario
from econ.station import Result
from econ.tco.earning import Earning

TABLES = (
    "parts",
    "bought",
    "by_year_usd",
    "running_by_year_usd",
    "capital_by_year_usd",
    "rates",
    "se_usd",
)  # of an option: no single number or word
RACK = re.compile(r"nvl\d")  # of GPUs, by its name
UNNAMED = ("lists of clouds", "own", "your quote")  # no name of a shop


def chips_words(n_gpu: float, accelerator: str) -> str:
    """So many accelerators; the name of a rack is none of one of its GPUs.

    >>> chips_words(2, "h100-sxm"), chips_words(10, "gb200-nvl72"), chips_words(1, "gb200-nvl72")
    ('2 × h100-sxm', '10 GPUs of gb200-nvl72', '1 GPU of gb200-nvl72')
    """
    if not RACK.search(accelerator):
        return f"{n_gpu:,.0f} × {accelerator}"
    return f"{n_gpu:,.0f} GPU{'s' if n_gpu != 1 else ''} of {accelerator}"


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to serve the load.

    Attributes
    ----------
    kind : str
        api, api-batch, on-demand, spot, reserved, reserved-3y, own, or a base with what exceeds
        it: own+burst, own+api, reserved+burst, …
    seller : str
        Who sells tokens or hours; ``own`` for servers of one's own.
    model : str
        As the seller lists it, or the scenario's.
    accelerator : str
        Empty for an API.
    n_gpu : int
        Accelerators at the peak of today's load; 0 for an API.
    usd_per_day, usd_per_year : float
        At today's load and prices, staff and all; what is bought at its annuity.
    low_usd_per_year, high_usd_per_year : float
        Nine draws in ten of that first year: speed, discount, staff, power, money.
    npv_usd, npv_low_usd, npv_high_usd : float
        Cost over the horizon in today's money: mean, 5 % and 95 % of the draws, with growth and
        price paths.
    regret_usd : float
        What it costs on average beyond the cheapest eligible option of each draw.
    n_gpu_sure : int
        Accelerators that suffice in nine of ten cases; ``low_usd_per_year`` to
        ``high_usd_per_year`` pays for those that each case needs.
    p_keeps_slo : float
        Probability that the SLO is kept: by this seller, or by the replicas that each case needs.
    commitment_months : float
        How long it binds.
    exit_usd : float
        What leaving after one year costs: payments still owed, or capital not got back.
    as_of, source : str
        Of its price.
    evidence : str
        What P(SLO) rests on.
    words : str
        Precision and split, or the list price.
    rates : tuple of float
        USD per Mtok of fresh input, cached input and output; or USD per GPU-hour, or per server.
    reason : str
        Why it cannot be chosen; empty where it can.
    parts : mapping of str to float
        USD of the first year by what it is paid for.
    bought : mapping of str to float
        USD of the first year's purchase by what is bought.
    by_year_usd : tuple of float
        The typical cost of each year, capital at its annuity.
    running_by_year_usd, capital_by_year_usd : tuple of float
        What is typically paid through each year beside capital, and bought at its start.
    resale_usd : float
        What servers are typically sold for at the horizon.
    npv_typical_usd : float
        Cost over the horizon in today's money in the typical case, in which nothing is drawn.
    se_usd : mapping of str to float
        Standard errors of what is drawn, by its name here: what other draws would change.
    variant : str
        Precision and split, where another option is as many of the same accelerators.
    """

    kind: str
    seller: str
    model: str
    accelerator: str = ""
    n_gpu: int = 0
    n_gpu_sure: int = 0
    usd_per_day: float
    usd_per_year: float
    low_usd_per_year: float
    high_usd_per_year: float
    npv_usd: float
    npv_low_usd: float
    npv_high_usd: float
    regret_usd: float = 0.0
    p_keeps_slo: float
    commitment_months: float = 0.0
    exit_usd: float = 0.0
    as_of: str = ""
    source: str = ""
    evidence: str = ""
    words: str = ""
    rates: tuple[float, ...] = ()
    reason: str = ""
    parts: Parts = field(default_factory=dict)
    bought: Parts = field(default_factory=dict)
    by_year_usd: tuple[float, ...] = ()
    running_by_year_usd: tuple[float, ...] = ()
    capital_by_year_usd: tuple[float, ...] = ()
    resale_usd: float = 0.0
    npv_typical_usd: float = 0.0
    se_usd: Parts = field(default_factory=dict)
    variant: str = ""

    @property
    def is_api(self) -> bool:
        """Whether it sells tokens, not hours."""
        return self.kind.startswith("api")

    @property
    def is_unproven(self) -> bool:
        """Whether nothing is published about this seller's speed on this model."""
        return self.evidence == UNPUBLISHED or ANOTHER in self.evidence

    @property
    def usd_per_month(self) -> float:
        """A twelfth of the year."""
        return self.usd_per_year / MONTHS_PER_YEAR

    @property
    def name(self) -> str:
        """What a reader calls it."""
        if self.is_api:
            service = self.kind.removeprefix("api").removeprefix("-")
            return f"{service} API of {self.seller}".strip()
        verbs = {"own": "owned", "reserved": "reserved for a year",
                 "reserved-3y": "reserved for three years", "spot": "rented on the spot market",
                 "on-demand": "rented by the hour"}  # fmt: skip
        base, _, rest = self.kind.partition("+")
        whom = "" if self.seller in UNNAMED else f" from {self.seller}"
        more = {"burst": ", peaks rented by the hour", "api": ", peaks sent to an API", "": ""}
        variant = f" ({self.variant})" if self.variant else ""
        machines = chips_words(self.n_gpu, self.accelerator)
        return f"{machines}{variant} {verbs[base]}{whom}{more[rest]}"

    @property
    def in_words(self) -> str:
        """The name within a sentence: an API has an article, a number of machines none."""
        return f"the {self.name}" if self.is_api else self.name


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighing(Result):
    """All options of a decision and what was found about them.

    Attributes
    ----------
    scenario : Scenario
        What was asked.
    weights : str
        Where the weights are: the model as it was named, e.g. a Hugging Face id.
    options : tuple of Option
        The chosen one, then those that can be chosen, the cheapest over the horizon first.
    tied_with : tuple of str
        Names of options whose mean cost is the chosen one's within the band
        (`econ.decision.judging.TIE_FRAC`): it is preferred as surer, or as binding less.
    horizon_years : int
        Over which they are compared.
    offer : Offer, optional
        What accepted answers earn or cost, over all models and tiers that were asked for.
    deadline_h : float
        Hours that work may wait; 0 where single requests have an SLO.
    tokens_per_day : float
        Input and output of today's load.
    plan : Plan, optional
        The search behind the fleets; None where only APIs were asked for.
    fleets : mapping of (str, str) to Fleet
        By accelerator and ``"rent"`` or ``"own"`` the first that was found; a surer one may cost
        more. `fleet_of` an option finds its own.
    by_option : mapping of str to Fleet
        By the name of the option that rents or buys it.
    missing : mapping of str to str
        Family of options (api, rent, own) → why none of it can be chosen.
    break_even : pandas.DataFrame
        Columns option, against, tokens_per_day, year: from which volume, and at the stated growth
        from which year, an option costs less than the best API.
    worth : pandas.DataFrame
        What each measurable input is worth knowing: input, how, value_usd, its standard error
        value_se_usd, and may_swap: whether other draws could rank the next input first.
    npv_draws : pandas.DataFrame
        Cost over the horizon, a column an option, a row a draw.
    ranges : mapping of str to Range
        What is uncertain.
    life_years : float
        Over which servers are written off in the typical case.
    cash : pandas.DataFrame
        Columns option, month, usd, total_usd: the best of each family, typical case.
    what_would_change_it, measure_next, notes : tuple of str
        Sentences.
    """

    scenario: Scenario = field(repr=False)
    weights: str = ""
    options: tuple[Option, ...] = field(repr=False)
    tied_with: tuple[str, ...] = ()
    offer: Earning | None = field(repr=False, default=None)
    deadline_h: float = 0.0
    horizon_years: int
    tokens_per_day: float
    plan: Plan | None = field(repr=False, default=None)
    fleets: Mapping[tuple[str, str], Fleet] = field(repr=False, default_factory=dict)
    by_option: Mapping[str, Fleet] = field(repr=False, default_factory=dict)
    missing: Mapping[str, str] = field(repr=False, default_factory=dict)
    break_even: pd.DataFrame = field(repr=False)
    worth: pd.DataFrame = field(repr=False)
    npv_draws: pd.DataFrame = field(repr=False)
    ranges: Mapping[str, Range] = field(repr=False)
    life_years: float = 5.0
    cash: pd.DataFrame = field(repr=False)
    what_would_change_it: tuple[str, ...] = field(repr=False, default=())
    measure_next: tuple[str, ...] = field(repr=False, default=())
    notes: tuple[str, ...] = field(repr=False, default=())

    @property
    def eligible(self) -> tuple[Option, ...]:
        """The options that can be chosen, cheapest over the horizon first."""
        return tuple(option for option in self.options if not option.reason)

    @property
    def chosen(self) -> Option:
        """The eligible option with the least mean cost over the horizon, or the best of a tie."""
        return self.options[0]

    @property
    def next_best(self) -> Option | None:
        """The next eligible option that is another thing: API, rent or own; else the next."""
        first, others = family_of(self.chosen), self.eligible[1:]
        return next((o for o in others if family_of(o) != first), others[0] if others else None)

    @property
    def surest(self) -> Option | None:
        """The cheapest option that keeps the SLO with nine chances in ten."""
        return next((o for o in self.eligible if o.p_keeps_slo >= 0.9), None)

    @property
    def best_if_true(self) -> Option:
        """The cheapest option if every seller and every prediction were as good as the best."""
        able = [o for o in self.options if not o.reason or "SLO" in o.reason]
        return min(able, key=lambda option: option.npv_usd)

    def best_of(self, family: str) -> Option | None:
        """The best eligible option of a family: ``"api"``, ``"rent"`` or ``"own"``."""
        one_of("family of options", family, FAMILIES)
        return next((o for o in self.eligible if family_of(o) == family), None)

    @property
    def usd_per_year(self) -> float:
        """The chosen option's first year."""
        return self.chosen.usd_per_year

    @property
    def usd_per_day(self) -> float:
        """The chosen option's first day."""
        return self.chosen.usd_per_day

    @property
    def p_keeps_slo(self) -> float:
        """Of the chosen option."""
        return self.chosen.p_keeps_slo

    @property
    def regime(self) -> str:
        """How far the chosen fleet lies from what was measured; empty for an API."""
        fleet = self.fleet_of(self.chosen)
        return fleet.regime if fleet else ""

    def row(self) -> dict[str, Any]:
        """The chosen option's numbers and words."""
        row = _plain(self.chosen)
        return {name: value for name, value in row.items() if name not in TABLES}

    def frame(self) -> pd.DataFrame:
        """All options, one row each, eligible ones first."""
        rows = [_plain(option) | {"option": option.name} for option in self.options]
        frame = pd.DataFrame(rows).drop(columns=list(TABLES))
        return frame[["option", *(c for c in frame if c != "option")]]

    def band(self, metric: str, coverage_frac: float = 0.9) -> tuple[float, float]:
        """Low and high of the chosen option: ``usd_per_day``, ``usd_per_year`` or ``npv_usd``."""
        one = self.chosen
        bands = {
            "usd_per_year": (one.low_usd_per_year, one.high_usd_per_year),
            "usd_per_day": (
                one.low_usd_per_year / DAYS_PER_YEAR,
                one.high_usd_per_year / DAYS_PER_YEAR,
            ),
            "npv_usd": (one.npv_low_usd, one.npv_high_usd),
        }
        one_of("metric with a band", metric, bands)
        if coverage_frac != 0.9:
            raise ValueError(f"coverage_frac = {coverage_frac} is outside its range: 0.9")
        return bands[metric]

    def fleet(self) -> Fleet | None:
        """The fleet to run: the chosen one, else the best that could be run instead of the API."""
        own = next((o for o in self.eligible if o.accelerator), None)
        return self.fleet_of(own) if own else None

    def fleet_of(self, option: Option) -> Fleet | None:
        """The fleet that an option rents or buys; None for an API."""
        return self.by_option.get(option.name)


FAMILIES = ("api", "rent", "own")


def family_of(option: Option) -> str:
    """api, rent or own: a base of one's own counts as own."""
    if option.is_api:
        return "api"
    return "own" if option.kind.startswith("own") else "rent"


def _plain(option: Option) -> dict[str, Any]:
    names = [f.name for f in dataclasses.fields(option)]
    row = {name: getattr(option, name) for name in names}
    position = names.index("usd_per_year") + 1
    items = list(row.items())
    items.insert(position, ("usd_per_month", option.usd_per_month))
    return dict(items)
