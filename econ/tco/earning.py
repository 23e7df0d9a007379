"""What a service earns: the base of everything that weighs value against cost.

`econ.value.value` screens options by means, `econ.plan.best_service` simulates fleets and
`econ.decide` weighs sellers, rents and purchases. All three ask the same question of every model
and tier on a menu (`questions`), count profit the same way (`profits`), and answer with an
`Earning`.

>>> of_one = profits(6.0, 2.0, accepted_per_hour=600.0, n_gpu=2, site_w_per_gpu=1_000.0)
>>> of_one["profit_usd_per_gpu_hour"], of_one["profit_usd_per_mw_hour"]
(2.0, 2000.0)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from econ.catalog.guard import not_negative, one_of
from econ.catalog.menus import Answering
from econ.catalog.scores import BENCHMARK
from econ.catalog.units import MEGA
from econ.scenario import Scenario
from econ.station import Result
from econ.tco.finance import Amount
from econ.terms import Slo

OWN_TIER = "the scenario's"
MOST_USD = 1e6  # that an answer may be worth
Worth = float | Mapping[str, float]  # USD of an accepted answer; by tier, if they differ
Tiers = Mapping[str, Slo]


@dataclass(frozen=True, kw_only=True)
class Earning(Result):
    """The option that earns the most, and all the others.

    Attributes
    ----------
    serves : bool
        False where every option loses money: the best is to offer nothing.
    model, tier, accelerator, precision : str
        Of the best; empty where nothing is served.
    n_gpu : int
        Its accelerators.
    profit_usd_per_hour, profit_low_usd_per_hour, profit_high_usd_per_hour : float
        Value of the accepted answers less cost, and its 90 % band.
    profit_usd_per_gpu_hour, profit_usd_per_mw_hour : float
        Over its accelerators, and over their megawatts with cooling.
    break_even_usd_per_answer : float
        Least value of an accepted answer at which any option pays.
    options : DataFrame
        Every option, best first.
    """

    serves: bool
    model: str = ""
    tier: str = ""
    accelerator: str = ""
    precision: str = ""
    n_gpu: int = 0
    profit_usd_per_hour: float = 0.0
    profit_low_usd_per_hour: float = 0.0
    profit_high_usd_per_hour: float = 0.0
    profit_usd_per_gpu_hour: float = 0.0
    profit_usd_per_mw_hour: float = 0.0
    break_even_usd_per_answer: float
    options: pd.DataFrame = field(repr=False, compare=False)

    def frame(self) -> pd.DataFrame:
        """All options, best first."""
        return self.options

    @classmethod
    def of(cls, options: pd.DataFrame, row: pd.Series, *, serves: bool, **more: Any) -> Self:
        """The answer whose best option is a row of the options; without its numbers if not served.

        ``more`` overrides what the row says.
        """
        edge = float(options["break_even_usd_per_answer"].min())
        if not serves:
            return cls(serves=False, break_even_usd_per_answer=edge, options=options)
        plain = row.to_dict()
        named = {name: plain[name] for name in cls.__dataclass_fields__ if name in plain}
        return cls(**{**named, "serves": True, "break_even_usd_per_answer": edge,
                      "options": options, **more})  # fmt: skip


def profits(
    value_usd_per_hour: Amount,
    usd_per_hour: Amount,
    *,
    accepted_per_hour: Amount,
    n_gpu: Amount,
    site_w_per_gpu: Amount,
) -> dict[str, Any]:
    """Profit of an hour, over accelerators and megawatts, and the value at which it is zero.

    Takes numbers or columns. Without accelerators (an API) there is no profit over them.
    """
    n, watts = np.asarray(n_gpu, "float64"), np.asarray(site_w_per_gpu, "float64")
    profit = value_usd_per_hour - usd_per_hour
    with np.errstate(divide="ignore", invalid="ignore"):
        over = {
            "profit_usd_per_gpu_hour": np.where(n > 0, profit / n, np.nan),
            "profit_usd_per_mw_hour": np.where(n > 0, profit / (n * watts / MEGA), np.nan),
            "break_even_usd_per_answer": np.divide(usd_per_hour, accepted_per_hour),
        }
    plain = {name: one.item() if np.ndim(one) == 0 else one for name, one in over.items()}
    return {"profit_usd_per_hour": profit, **plain}


def worths(tiers: Tiers, worth: Worth) -> dict[str, float]:
    """USD of an accepted answer by tier.

    >>> worths({"quick": Slo(), "easy": Slo()}, {"quick": 0.02})
    Traceback (most recent call last):
        ...
    ValueError: value_usd_per_answer has no value for the tier 'easy'
    """
    named = worth if isinstance(worth, Mapping) else dict.fromkeys(tiers, worth)
    for name in tiers:
        if name not in named:
            raise ValueError(f"value_usd_per_answer has no value for the tier {name!r}")
    for name in named:
        one_of("tier", name, tiers)
    return {
        name: float(not_negative("value_usd_per_answer", named[name], MOST_USD)) for name in tiers
    }


def limits(s: Scenario, tiers: Tiers | None) -> dict[str, Slo]:
    """The tiers, or the scenario's own SLO as the only one."""
    return dict(tiers or {OWN_TIER: s.slo})


def questions(
    s: Scenario,
    menu: Sequence[Answering],
    tiers: Tiers,
    benchmark: str = BENCHMARK,
) -> Iterator[tuple[Answering, str, Scenario]]:
    """Every model in every tier: the scenario with its SLO and as many tokens as the model writes.

    The model itself is left to the caller: one that is only sold has no shape to put in.
    """
    for one in menu:
        times = one.longer_than(s.model_id, benchmark)
        question = s
        if times != 1:
            longer = tuple(times * float(n) for n in s.workload.output_quantile_tokens)
            question = s.with_(output_quantile_tokens=longer)
        for tier, slo in tiers.items():
            yield one, tier, question.with_(slo=slo)
