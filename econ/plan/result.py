"""What a plan answers: its rows, the best of them, what rules out the rest."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, unknown
from econ.plan.candidates import CONSTRAINTS
from econ.plan.fleets import deployed
from econ.plan.frontier import on_frontier
from econ.plan.optimum import Proof
from econ.plan.rows import all_rows, simulated_rows
from econ.plan.search import Demand
from econ.scenario import Scenario
from econ.station import Result
from econ.terms import Finance

CALIBRATED = ("calibrated",)


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan(Result):
    """Every deployment that was looked at, best first, and what was rejected by what.

    Parameters
    ----------
    demand : Demand
        The scenario, its peak and its spares.
    screen : pandas.DataFrame
        What the search went by (`econ.plan.search.screened_frame`); ``rows`` say all of it.
    evidence : Proof
        What was simulated, and what that rules out.
    n_policies : int
        Scheduling policies that were looked at.
    is_trace : bool
        Whether requests are those of a trace.
    accelerators : mapping of str to Accelerator
        What was looked at, by name.
    objective : str
        The column that orders the rows.
    given_prices : frozenset of str
        Accelerators whose price was given to `plan`.
    """

    demand: Demand = field(repr=False)
    screen: pd.DataFrame = field(repr=False)
    evidence: Proof = field(repr=False)
    n_policies: int = 1
    is_trace: bool = False
    accelerators: Mapping[str, Accelerator] = field(repr=False)
    objective: str = "cost_usd_per_good_mtok"
    given_prices: frozenset[str] = frozenset()

    @functools.cached_property
    def rows(self) -> pd.DataFrame:
        """Every deployment, best first.

        Beyond the deployment: ``basis`` (simulated, screened, rejected), latency with its band,
        ``fleet_gpus``, cost, energy and carbon per token with bands, ``on_frontier``,
        ``constraint`` and ``reason``. ``arrivals`` is the law of the arrivals; ``rests_on`` says
        whether a row's fleet rests on means, which count every token as good, or on the share of
        requests that a simulation finds within the SLO: ``good_frac``, its standard error
        ``good_frac_se``, over ``n_requests``. Rows of one basis are in order of the objective.
        """
        return all_rows(self)

    @property
    def gap_frac(self) -> float:
        """By how much a deployment that was left out could be better than the best.

        Of all that the simulator can serve: 0 is a proof. NaN where nothing was simulated.
        """
        return self.evidence.gap_frac

    @property
    def n_simulated(self) -> int:
        """Fleets that were simulated."""
        return self.evidence.n_simulated

    def frame(self) -> pd.DataFrame:
        """All rows, best first."""
        return self.rows

    @functools.cached_property
    def simulated(self) -> pd.DataFrame:
        """The rows that met the SLO under real arrivals."""
        return simulated_rows(self)

    @property
    def feasible(self) -> pd.DataFrame:
        """The rows that meet the SLO, simulated ones first."""
        return self.rows[self.rows["basis"] != "rejected"]

    @property
    def best(self) -> pd.Series:
        """The best row that meets the SLO.

        Where deployments were simulated and none met the SLO, the screened ones are not offered
        instead: what failed the better ones, bursts or long requests, is not in the screen.

        Raises
        ------
        ValueError
            Where no row meets the SLO, with what ruled them out.
        """
        if len(self.simulated):
            return self.simulated.iloc[0]
        feasible = self.feasible
        ran = self.rows[self.rows["policy"] != ""] if "policy" in self.rows else self.rows[:0]
        if len(ran):
            raise ValueError(
                f"{len(feasible):,} deployments pass the screen at mean lengths, but none of "
                f"{len(ran)} simulated meets the SLO under these arrivals (the first: "
                f"{ran['reason'].iloc[0]}): relax ttft_s, tpot_s or attainment_frac"
            )
        if feasible.empty:
            losses = self.constraints().itertuples(index=False)
            counts = {str(constraint): n for constraint, n in losses}
            causes = ", ".join(f"{constraint} {n:,}" for constraint, n in counts.items())
            price = "give prices_usd_per_gpu_hour (--price), " if "price" in counts else ""
            if "power" in counts:  # the words of the one that asks for least
                words = self.rows.loc[self.rows["constraint"] == "power", "reason"].iloc[0]
                price += f"more power ({words}), "
            raise ValueError(
                f"none of {len(self.rows):,} deployments meets the SLO; ruled out by {causes}: "
                f"{price}relax ttft_s or tpot_s, or allow more accelerators, precisions or splits"
            )
        return feasible.iloc[0]

    @property
    def headline(self) -> str:
        """The best row in two or three sentences: fleet, arrivals, what it rests on, how sure.

        Raises
        ------
        ValueError
            Where no row meets the SLO.
        """
        best, demand = self.best, self.demand
        n_gpu, slo = int(best["fleet_gpus"]), demand.slo
        policy = f", {best['policy'].replace('_', ' ')}" if best.get("policy") else ""
        words = (
            f"{n_gpu} × {best['accelerator']} ({best['precision']}, {int(best['n_gpu'])} a replica"
            f"{policy}) for {demand.peak_per_s:.3g} requests/s, {best['arrivals']}: "
            f"${best['usd_per_hour']:.2f} per hour. "
        )
        if best["rests_on"] == "means":
            words += "This rests on means: no request was simulated."
        else:
            words += (
                f"Simulated: {best['good_frac']:.1%} (± {best['good_frac_se']:.1%}) of requests "
                f"within the SLO, {slo.attainment_frac:.1%} must; {self.proof}."
            )
        if demand.value_usd_per_answer is not None:
            profit, edge = best["profit_usd_per_hour"], best["break_even_usd_per_answer"]
            words += (
                f" At ${demand.value_usd_per_answer:g} an answer it "
                f"{'earns' if self.serves else 'loses'} ${abs(profit):.2f} per hour; from "
                f"${edge:.2g} on it pays."
            )
        if self.regime not in CALIBRATED:
            words += f" Beyond the calibrated region ({self.regime}): confirm by a measurement."
        return words

    @property
    def serves(self) -> bool:
        """Whether the best row earns anything; without a value of an answer always."""
        if self.demand.value_usd_per_answer is None:
            return True
        return bool(self.best["profit_usd_per_hour"] > 0)

    @property
    def proof(self) -> str:
        """How far the best row is from the optimum of all that the simulator can serve."""
        if math.isnan(self.gap_frac):
            return "nothing was simulated"
        scope = "no deployment that can be simulated"
        if self.gap_frac == 0:
            return f"{scope} is better (gap 0 %)"
        return f"{scope} is better by more than {self.gap_frac:.1%}"

    def constraints(self) -> pd.DataFrame:
        """How many deployments each constraint rules out, in the order of their tests."""
        counts = self.rows["constraint"].astype(str).value_counts()
        rows = [
            (name or "none: meets the SLO", int(counts.get(name, 0))) for name in ("", *CONSTRAINTS)
        ]
        frame = pd.DataFrame(rows, columns=["constraint", "n_deployments"])
        return frame[frame["n_deployments"] > 0].reset_index(drop=True)

    def frontiers(self, n_most: int = 6) -> pd.DataFrame:
        """For each accelerator its screened rows that no other of it beats on cost and speed.

        The accelerators with the cheapest best deployment come first, at most ``n_most`` of them.
        """
        count("n_most", n_most, 1, 50)
        cost, speed = "cost_usd_per_good_mtok", "tokens_per_s_per_user"
        rows = self.rows[(self.rows["basis"] == "screened") & (self.rows[cost] > 0)]
        rows = rows.assign(accelerator=rows["accelerator"].astype(str))
        least = rows.groupby("accelerator")[cost].min().sort_values(kind="stable")
        parts = [rows[:0]]
        for name in least.index[:n_most]:
            one = rows[rows["accelerator"] == name]
            edge = one[on_frontier(one, [cost], [speed])]
            parts.append(edge.drop_duplicates([cost, speed]))
        columns = ["accelerator", "precision", "tp", "concurrency", speed, cost, "fleet_gpus"]
        frame = pd.concat(parts)[columns].sort_values(speed, kind="stable")
        return frame.reset_index(drop=True)

    def scenario(self, row: pd.Series | None = None) -> Scenario:
        """The scenario on a row's deployment: its whole fleet, at its price.

        Parameters
        ----------
        row : pandas.Series, optional
            A row of the plan; None for the best.
        """
        row = self.best if row is None else row
        scenario = self.demand.scenario
        policy = row["policy"] if row.get("policy") else scenario.deployment.launch.policy
        chip = self.accelerators[str(row["accelerator"])]
        on_row = deployed(scenario, row, chip, int(row["fleet_gpus"]), policy)
        return on_row.with_(finance=self._finance(chip, float(row["usd_per_gpu_hour"])))

    def _finance(self, chip: Accelerator, usd_per_gpu_hour: float) -> Finance:
        """The scenario's terms for an accelerator: a price, or an owner's inputs where they count.

        The price of a server is that of the scenario's own accelerator.
        """
        scenario = self.demand.scenario
        finance = scenario.finance
        is_own = chip == scenario.deployment.resolved_accelerator
        is_built = finance.tenure == "owned" and finance.cost_usd_per_gpu_hour is None
        if is_built and chip.id not in self.given_prices:
            return finance if is_own else dataclasses.replace(finance, server_usd=None)
        return Finance(
            tenure=finance.tenure,
            term=finance.term,
            cost_usd_per_gpu_hour=usd_per_gpu_hour,
            utilisation_frac=finance.utilisation_frac,
            source=finance.source,
        )

    @property
    def cost_usd_per_good_mtok(self) -> float:
        """What a million good output tokens cost on the best row."""
        return float(self.best["cost_usd_per_good_mtok"])

    @property
    def regime(self) -> str:
        """How far the best row lies from what was measured (`econ.latency.calibration.REGIMES`)."""
        return str(self.best["regime"])

    def row(self) -> dict[str, Any]:
        """The best row's numbers and words; only a ``reason`` where no row meets the SLO."""
        try:
            best = self.best
        except ValueError as error:
            return {"reason": str(error)}
        return {
            str(name): value.item() if hasattr(value, "item") else value
            for name, value in best.items()
        }

    def band(self, metric: str, coverage_frac: float = 0.9) -> tuple[float, float]:
        """Low and high of a metric of the best row; 90 % of held-out cases lie inside.

        Raises
        ------
        UnknownName
            For a metric without a band.
        ValueError
            For a coverage other than 0.9: whole replicas have no narrower band.
        """
        first, _, rest = metric.partition("_")
        ends = [f"{first}_{end}_{rest}" for end in ("low", "high")]
        if not set(ends) <= set(self.rows):
            banded = [c.replace("_low_", "_") for c in self.rows if "_low_" in c]
            raise unknown("metric with a band", metric, banded)
        if coverage_frac != 0.9:
            raise ValueError(f"coverage_frac = {coverage_frac} is outside its range: 0.9")
        low, high = (float(self.best[end]) for end in ends)
        return low, high
