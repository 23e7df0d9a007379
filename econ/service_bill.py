"""One bill for one service: the whole chain of a scenario, from tokens to USD, in a dozen lines.

Every station speaks once, of the same users at the same operating point, and in the same unit, one
answer. The question of the course, what does an answer cost and may one second be promised, is this
table; `Bill.against` shows what a change of the scenario replaces in it. With the ``price`` of a
seller the same answer stands beside it by API.

>>> from econ.scenario import Scenario
>>> s = Scenario.default().with_(utilisation_frac=0.6)
>>> before, after = bill(s), bill(s.with_(precision="bf16"))
>>> after.usd_per_answer > before.usd_per_answer
True
>>> after.against(before)["quantity"].head(3).tolist()
['concurrency', 'ttft_s', 'tpot_s']
>>> own = bill(s.with_(cached_frac=0.5), price="gpt-5-mini", n=400)
>>> own.api.seller, own.lines()["api_usd_per_answer"] > own.usd_per_answer
('OpenAI', True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econ import energy, latency, serving, tco
from econ.catalog import Price
from econ.catalog.columns import column
from econ.catalog.guard import one_of
from econ.catalog.prices import CACHE_TTL_S
from econ.catalog.units import MTOK
from econ.plan.sellers import SellerSide, seller_side
from econ.scenario import Scenario
from econ.station import Result, station
from econ.tokens import Replay, SessionLoad, Sessions
from econ.tokens.tasks import NO_TASK, PER, per_frame

N_REQUESTS = 2_000  # simulated: enough that the share within the SLO moves by less than a percent
# line of the bill -> the station that says it
LINES = {
    "input_tokens": "tokens",
    "cached_tokens": "tokens",
    "output_tokens": "tokens",
    "concurrency": "latency",
    "ttft_s": "latency",
    "tpot_s": "latency",
    "answer_s": "latency",
    "good_frac": "serving",
    "site_j_per_answer": "energy",
    "carbon_g_per_answer": "energy",
    "electricity_usd_per_answer": "energy",
    "usd_per_answer": "tco",
    "usd_per_mtok": "tco",
}
# and of a workload of sessions, in `econ.tokens.tasks.Task.figures`
OF_TASKS = {
    **{f"{name}_s": "latency" for name in ("session", "task")},
    **{f"site_j_per_{per}": "energy" for per in ("session", "task")},
    **{f"usd_per_{per}": "tco" for per in ("session", "task")},
}
# and where a seller's price is named
OF_SELLER = {"api_cached_tokens": "seller", "api_usd_per_answer": "seller"}
OF_SELLER_TASKS = {f"api_usd_per_{per}": "seller" for per in ("session", "task")}

# line of the bill -> the number of that station's result whose band it shares
BANDS = {
    "ttft_s": ("latency", "ttft_s"),
    "tpot_s": ("latency", "tpot_s"),
    "site_j_per_answer": ("energy", "site_j_per_output_token"),
    "usd_per_answer": ("cost", "usd_per_request"),
    "usd_per_mtok": ("cost", "usd_per_mtok"),
}


@dataclass(frozen=True, kw_only=True)
class Bill(Result):
    """One answer of a service, line by line; the stations' own results stand behind it.

    Attributes
    ----------
    scenario : Scenario
        What was asked.
    concurrency : float
        Users served at a time: the most that the SLO allows unless given.
    latency, service, energy, cost
        Results of `econ.latency.predict`, `econ.serving.simulate`, `econ.energy.energy` and
        `econ.tco.cost` for these users.
    api : SellerSide, optional
        The same answer by a seller's list (`econ.plan.seller_side`): its price, the share that its
        cache serves, and what the seller says of joules, which is nothing about this answer.
    """

    scenario: Scenario = field(repr=False)
    concurrency: float
    latency: latency.Prediction
    service: serving.Service
    energy: energy.Energy
    cost: tco.Cost
    api: SellerSide | None = None

    @property
    def input_tokens(self) -> float:
        """Tokens read for an answer, on average."""
        return self.scenario.workload.mean_input_tokens

    @property
    def cached_tokens(self) -> float:
        """Of these, tokens that a prefix cache holds already."""
        return self.input_tokens * self.scenario.workload.cached_frac

    @property
    def output_tokens(self) -> float:
        """Tokens written, on average."""
        return self.scenario.workload.mean_output_tokens

    @property
    def ttft_s(self) -> float:
        """Wait for the first token."""
        return self.latency.ttft_s

    @property
    def tpot_s(self) -> float:
        """Wait for each later token."""
        return self.latency.tpot_s

    @property
    def answer_s(self) -> float:
        """Time of a whole answer."""
        return float(latency.answer_s(self.ttft_s, self.tpot_s, self.output_tokens))

    @property
    def good_frac(self) -> float:
        """Share of requests within the SLO when they arrive as the workload says."""
        return self.service.good_frac

    @property
    def site_j_per_answer(self) -> float:
        """Joules at the site's meter, idle hours and building included."""
        return self.energy.site_j_per_output_token * self.output_tokens

    @property
    def carbon_g_per_answer(self) -> float:
        """Grams of CO2e in use, by the site's grid."""
        return self.energy.location_carbon_g_per_mtok / MTOK * self.output_tokens

    @property
    def electricity_usd_per_answer(self) -> float:
        """USD of electricity: part of the hour's price, not on top of it."""
        return self.energy.electricity_usd_per_mtok / MTOK * self.output_tokens

    @property
    def usd_per_answer(self) -> float:
        """USD of the accelerators, idle hours included."""
        return self.cost.usd_per_request

    @property
    def usd_per_mtok(self) -> float:
        """The same per million output tokens."""
        return self.cost.usd_per_mtok

    @property
    def regime(self) -> str:
        """How far the case lies from what was measured."""
        return self.latency.regime

    def lines(self) -> dict[str, float]:
        """The numbers of the bill by name, with those of sessions where its calls are turns."""
        lines = {name: float(getattr(self, name)) for name in LINES}
        if self.scenario.workload.task is not None:
            figures = self._figures()
            lines |= {name: figures[name] for name in OF_TASKS}
        if self.api is None:
            return lines
        lines |= {
            "api_cached_tokens": self.input_tokens * self.api.cached_frac,
            "api_usd_per_answer": self.api.usd_per_answer,
        }
        of_api = self.api.figures()
        return lines | {n: of_api[n.removeprefix("api_")] for n in OF_SELLER_TASKS if of_api}

    def _figures(self) -> dict[str, float]:
        if (task := self.scenario.workload.task) is None:
            raise ValueError(NO_TASK)
        return task.figures(
            usd=self.usd_per_answer, site_j=self.site_j_per_answer, duration_s=self.answer_s
        )

    def per_frame(self) -> pd.DataFrame:
        """USD, joules and seconds ``per`` turn, session and finished task; of sessions only.

        With a seller also ``api_usd``; joules and seconds no seller states.
        """
        frame = per_frame(self._figures())
        if self.api is None:
            return frame
        of_api = self.api.figures()
        return frame.assign(api_usd=[of_api[f"usd_per_{per}"] for per in PER])

    def row(self) -> dict[str, Any]:
        """The lines of the bill by name, whether the SLO is kept, and the regime."""
        return self.lines() | {"meets_slo": self.service.meets_slo, "regime": self.regime}

    def band(self, metric: str, coverage_frac: float = 0.9) -> tuple[float, float]:
        """Low and high of a line, as far off as its station's number may be."""
        unit = metric.split("_per_")[0]
        if (
            (task := self.scenario.workload.task)
            and metric in OF_TASKS
            and unit in ("usd", "site_j")
        ):
            ends = self.band(f"{unit}_per_answer", coverage_frac)
            low, high = (task.figures(**{unit: end})[metric] for end in ends)
            return low, high
        one_of("line of the bill with a band", metric, BANDS)
        part, name = BANDS[metric]
        result = getattr(self, part)
        times = getattr(self, metric) / getattr(result, name)
        low, high = result.band(name, coverage_frac)
        return low * times, high * times

    def frame(self) -> pd.DataFrame:
        """The bill as a table: quantity, title, value, low, high, unit, and whose number it is."""
        rows = []
        places = LINES | OF_TASKS | OF_SELLER | OF_SELLER_TASKS
        for name, value in self.lines().items():
            banded = name in BANDS or (name in OF_TASKS and "_per_" in name)
            low, high = self.band(name) if banded else (None, None)
            of = column(name)
            rows.append((name, of.title, value, low, high, of.unit, places[name]))
        columns = ["quantity", "title", "value", "low", "high", "unit", "station"]
        return pd.DataFrame(rows, columns=columns)

    def against(self, before: Bill) -> pd.DataFrame:
        """The lines in which this bill differs from another: before, after, and their ratio."""
        was, now = before.lines(), self.lines()
        rows = self.frame()[["quantity", "title", "unit"]].assign(
            before=[was.get(name, math.nan) for name in now], after=list(now.values())
        )
        rows = rows[rows["before"] != rows["after"]].reset_index(drop=True)
        return rows.assign(ratio=rows["after"] / rows["before"])


@station(headline="usd_per_answer")
def bill(
    s: Scenario,
    *,
    concurrency: float | None = None,
    n: int = N_REQUESTS,
    price: Price | str | None = None,
    service: str = "standard",
    ttl_s: float | None = CACHE_TTL_S,
    sessions: SessionLoad | Replay | Sessions | str | None = None,
) -> Bill:
    """The bill of one answer of a service.

    Parameters
    ----------
    s : Scenario
        The service.
    concurrency : float, optional
        Users served at a time over all replicas, e.g. 32; the most within the SLO by default.
    n : int
        Requests that the simulator serves for the share within the SLO, e.g. 2000.
    price : Price or str, optional
        Of a seller, to set the same answer beside it by API, e.g. ``"gpt-5-mini"``.
    service, ttl_s, sessions
        Tier, life of a cache entry and sessions at that seller, as in `econ.plan.seller_side`.

    Raises
    ------
    ValueError
        Where a station refuses the scenario, nobody can be served within the SLO, or a seller's
        side cannot be told.
    """
    users = latency.users_within(s) if concurrency is None else concurrency
    if not users:
        latency.predict(s, concurrency=s.n_replicas)  # says why, where one user is too many
        raise ValueError(
            f"nobody is served within ttft_s = {s.slo.ttft_s:g} and tpot_s = {s.slo.tpot_s:g}: "
            "relax the SLO or name a concurrency"
        )
    return Bill(
        scenario=s,
        concurrency=float(users),
        latency=latency.predict(s, concurrency=users),
        service=serving.simulate(s, n=n),
        energy=energy.energy(s, concurrency=users),
        cost=tco.cost(s, concurrency=users),
        api=None
        if price is None
        else seller_side(s, price, service=service, ttl_s=ttl_s, sessions=sessions),
    )
