"""The best fleet of all that the simulator can serve, with a proof: branch and bound over shapes.

The shapes that the screen likes best are simulated first. Then every other shape is asked whether
it could be better than the best so far. The work that requests ask for (`econ.plan.bounds`) rules
most out without a simulation; of the rest the largest fleet that would still be better is
simulated, and smaller ones where that one keeps the SLO. When nothing can be better any more, the
best is the optimum.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from econ.plan.better import better_by, mtok_per_hour, waves
from econ.plan.fleets import NEVER, Found, Row, Shape, least_size
from econ.plan.search import (
    BY_MEANS,
    COST,
    KEYS,
    LATENCY,
    PROFIT,
    ROUNDING,
    Demand,
    in_servers,
    paid_gpus,
    server_gpus,
)
from econ.plan.site import with_site
from econ.plan.trials import Draws
from econ.serving import warm_up
from econ.tco.token_cost import cost_usd_per_mtok

WAVE = 8  # shapes that are looked at together, in as many processes as there are
TRIES = 4  # times as many shapes as asked for are simulated first at most
N_KINDS = 3  # accelerators of a group of which a fleet is shown
N_BOUGHT = 6  # and of those to buy: what binds for years must be surer of the SLO
FASTEST = "tokens_per_s_per_user"
SIMULATED = [
    *("policy", "n_replicas", "fleet_gpus", "paid_gpus", "usd_per_hour", "busy_frac", "good_frac"),
    *("good_frac_se", "n_requests", "p95_ttft_s", "p95_tpot_s", "binding"),
    *(COST, "cost_low_usd_per_good_mtok", "cost_high_usd_per_good_mtok", "constraint", "reason"),
]


Value: TypeAlias = float  # of the objective, in its unit
Label: TypeAlias = int  # of a row of the screen
Groups: TypeAlias = Sequence[Mapping[str, float] | Collection[str]]  # of accelerators, by name


class Task(NamedTuple):
    """The rows of one shape under one policy; for other objectives than cost, one row."""

    labels: tuple[Label, ...]
    policy: str
    n_first: int  # position of the batch limit to try first
    is_liked: bool  # whether the screen lets it pass
    bound: Value  # of the objective, smaller is better: no fleet of it can be below


class Solved(NamedTuple):
    """What a task came to: the fleet found, or none where the bound rules all out."""

    found: Found | None
    n_least: tuple[int, ...]  # replicas of each row, by the bound
    n_simulated: int
    error: str = ""  # why the simulator cannot represent the shape
    n_held: int = NEVER  # replicas that the power of the site holds, without spares


class Refuted(NamedTuple):
    """Replicas of a row that are not enough under a policy, and why."""

    n_replicas: int
    constraint: str
    reason: str


@dataclass
class Proof:
    """What the search found and what it can say about the rest.

    Parameters
    ----------
    rows : pandas.DataFrame
        A row for each task whose smallest fleet was found, indexed as the search's; one with a
        ``constraint`` where no fleet keeps the SLO.
    refuted : dict
        Row of the search → what was found not to be enough under each policy.
    gap_frac : float
        By how much anything left out could be better than the best row; NaN without one.
    n_shapes, n_simulated : int
        Shapes of which fleets were simulated, and the fleets.
    """

    rows: pd.DataFrame
    refuted: dict[Any, dict[str, Refuted]] = field(default_factory=dict)
    gap_frac: float = math.nan
    n_shapes: int = 0
    n_simulated: int = 0


class Search:
    """Tasks, and the best so far.

    Parameters
    ----------
    frame : pandas.DataFrame
        From `econ.plan.search.search_frame`, with the site's energy and carbon; its
        rows are numbered from 0.
    demand : Demand
        What has to be served.
    draws : Draws
        The requests.
    objective : str
        A column of ``frame``.
    policies : sequence of str
        Scheduling policies.
    n_jobs : int, optional
        Processes, as in joblib.
    progress : bool
        Show a bar.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        demand: Demand,
        draws: Draws,
        objective: str,
        policies: Sequence[str],
        n_jobs: int | None = None,
        progress: bool = False,
    ) -> None:
        self.frame, self.demand, self.draws, self.objective = frame, demand, draws, objective
        self.columns = [frame[name].to_numpy() for name in Row._fields]
        self.policies, self.n_jobs, self.progress = policies, n_jobs, progress
        self.sign = -1.0 if objective in (FASTEST, PROFIT) else 1.0
        self.best: dict[str, Value] = {}  # by accelerator; of the objective, smaller is better
        self.labels: list[int] = []
        self.values: list[dict[str, Any]] = []
        self.proof = Proof(frame.iloc[:0])

    def run(self, n_refined: int, gap_frac: float, groups: Groups = ()) -> Proof:
        """Simulate the best ``n_refined`` shapes, then all that could be better by the gap.

        With ``groups`` of accelerators, so for each of them: what one found, the next knows.
        """
        from tqdm.auto import tqdm

        tasks = list(self._tasks())
        warm_up(4 * len(self.draws) * self.draws.n_requests * n_refined)
        done: set[Task] = set()
        names = {task: self._accelerator(task) for task in tasks}
        with tqdm(total=len(tasks), unit="deployment", disable=not self.progress) as bar:
            for group in groups or [set(names.values())]:
                mine = [task for task in tasks if names[task] in group]
                if isinstance(group, Mapping):
                    mine.sort(key=lambda task: self._bought(task, group))
                    self._vary(mine, done, N_BOUGHT)
                    continue
                self._prove(mine, group, n_refined, gap_frac, done, bar)
                self._vary(mine, done, N_KINDS if groups else 0)
        if self.labels:
            rows = self.frame.iloc[self.labels]
            values = pd.DataFrame(self.values, index=rows.index)
            self.proof.rows = rows.assign(**{name: values[name].array for name in values})
        if self.best:
            self.proof.gap_frac = gap_frac
        return self.proof

    def _prove(
        self,
        tasks: Sequence[Task],
        group: Collection[str],
        n_refined: int,
        gap_frac: float,
        done: set[Task],
        bar: Any,
    ) -> None:
        """The best of a group of accelerators; ``done`` are the tasks that need no other look."""
        n_good = 0
        for wave in waves(_one_a_shape(tasks, self.frame), n_refined, TRIES):
            if n_good >= n_refined:
                break
            fresh = [task for task in wave if task not in done]
            n_good += self._solve(fresh, math.inf) + len(wave) - len(fresh)
            done |= set(fresh)
            bar.update(len(fresh))
        rest = [task for task in tasks if task not in done]
        best = self._best_of(group)
        while wave := [t for t in rest if t.bound < better_by(best, gap_frac)][:WAVE]:
            self._solve(wave, better_by(best, gap_frac))
            rest = [task for task in rest if task not in set(wave)]
            best = self._best_of(group)
            bar.update(len(wave))
        bar.update(len(rest))

    def _vary(self, tasks: Sequence[Task], done: set[Task], n_kinds: int) -> None:
        """Simulate shapes of more accelerators in this order, until a few kinds keep the SLO."""
        tried: dict[str, int] = {}
        kinds: set[str] = set()
        for task in _one_a_shape(tasks, self.frame) if n_kinds else ():
            name = self._accelerator(task)
            if name not in self.best and tried.get(name, 0) < TRIES and task not in done:
                tried[name] = tried.get(name, 0) + 1
                self._solve([task], math.inf)
                done.add(task)
            kinds |= {name} & self.best.keys()
            if len(kinds) >= n_kinds:
                return

    def _bought(self, task: Task, usd_per_gpu_hour: Mapping[str, float]) -> tuple[bool, float, int]:
        """What a shape costs in whole servers of one's own, by the screen: what it likes first."""
        chip = self.columns[Row._fields.index("accelerator")][task.labels[0]]
        n_gpu = float(self.frame["fleet_gpus"].to_numpy()[task.labels[task.n_first]])
        usd = in_servers(n_gpu, chip) * usd_per_gpu_hour[chip.id]
        return not task.is_liked, usd, int(n_gpu)

    def _best_of(self, group: Collection[str]) -> Value:
        return min((value for name, value in self.best.items() if name in group), default=math.inf)

    def _accelerator(self, task: Task) -> str:
        name: str = self.columns[Row._fields.index("accelerator")][task.labels[0]].id
        return name

    def _tasks(self) -> Iterator[Task]:
        """All that the simulator can serve, best by the screen first."""
        can = (self.frame["pp"] == 1) & self.frame["constraint"].isin(["", *BY_MEANS])
        rows = self.frame[can]
        value = self.sign * rows[self.objective].to_numpy("float64")
        liked = (rows["constraint"] == "").to_numpy()
        bound, labels = np.asarray(self._bounds(rows), "float64"), rows.index.to_numpy()
        order = np.lexsort([rows["tpot_s"].to_numpy(), value, ~liked])
        if self.objective not in (COST, PROFIT) or not len(order):
            for i in order:
                for policy in self.policies:
                    yield Task((labels[i],), policy, 0, bool(liked[i]), bound[i])
            return
        code = rows.groupby(list(KEYS), observed=True, sort=False).ngroup().to_numpy()[order]
        n_batch = rows["concurrency"].to_numpy()
        of_shape = np.split(order[by := np.argsort(code, kind="stable")],
                            np.flatnonzero(np.diff(code[by])) + 1)  # fmt: skip
        rank = np.argsort(order)  # of each row by the screen
        for shape in sorted(of_shape, key=lambda shape: int(rank[shape[0]])):
            # whole replicas make ties: the fewest places leave bursts no room, the most are slow
            ties = shape[(value[shape] == value[shape[0]]) & liked[shape]]
            first = ties[len(ties) // 2] if len(ties) else shape[0]
            by_limit = shape[np.argsort(n_batch[shape], kind="stable")]
            at, least = int(np.flatnonzero(by_limit == first)[0]), bound[shape].min()
            for policy in self.policies:
                yield Task(tuple(labels[by_limit]), policy, at, len(ties) > 0, least)

    def _bounds(self, rows: pd.DataFrame) -> Any:
        """The objective of each row on the fewest replicas that any fleet of it has."""
        if self.objective == FASTEST:
            return -rows[FASTEST]
        n_least = np.array([min(map(least_size, self.policies))] * len(rows))
        if self.objective in (COST, PROFIT):
            gpus = paid_gpus(self.demand, rows["accelerator"],
                             (n_least + self.demand.n_spare) * rows["n_gpu"])  # fmt: skip
            usd = gpus * rows["usd_per_gpu_hour"]
            if self.objective == PROFIT:
                return usd - self.demand.most_usd_per_hour
            return usd / mtok_per_hour(self.demand)
        busiest = np.minimum(
            1.0, self.demand.rate_per_s / (n_least * rows["requests_per_s_per_replica"])
        )
        return with_site(rows.assign(busy_frac=busiest), self.demand.scenario)[self.objective]

    def _solve(self, tasks: Sequence[Task], below: float) -> int:
        """The smallest fleet of each task that is better than ``below``; how many there are."""
        from joblib import Parallel, delayed

        earns = self.objective == PROFIT
        usd = below * mtok_per_hour(self.demand) if self.objective == COST else math.inf
        usd = below + self.demand.most_usd_per_hour if earns else usd
        calls = (
            delayed(_solved)(self._rows(task), task, self.demand, self.draws, usd) for task in tasks
        )
        n_good = 0
        for task, solved in zip(tasks, Parallel(n_jobs=self.n_jobs)(calls), strict=True):
            self.proof.n_simulated += solved.n_simulated
            self.proof.n_shapes += solved.n_simulated > 0
            n_good += self._take(task, solved, math.isinf(below))
        return n_good

    def _rows(self, task: Task) -> list[Row]:
        return [Row(*(column[i] for column in self.columns)) for i in task.labels]

    def _take(self, task: Task, solved: Solved, is_free: bool) -> bool:
        """Note what a task came to; whether a fleet keeps the SLO."""
        found = solved.found
        if found is None or not found.trial.keeps:
            n_refuted, constraint, words = _lost(solved, self.demand)
            if found is not None and is_free:
                given = {"policy": task.policy, "binding": found.trial.binding,
                         "constraint": constraint, "reason": words}  # fmt: skip
                self._note(task.labels[found.n_row], dict.fromkeys(SIMULATED, math.nan) | given)
            self._refute(task, [n_refuted or n - 1 for n in solved.n_least], constraint, words)
            return False
        label = task.labels[found.n_row]
        values = priced(self._rows(task)[found.n_row], self.demand, task.policy, found)
        self._note(label, values)
        value = values.get(self.objective)
        if self.objective == PROFIT:
            value = self.demand.most_usd_per_hour * values["good_frac"] - values["usd_per_hour"]
        elif value is None:
            part = with_site(self.frame.loc[[label]].assign(**values), self.demand.scenario)
            value = part[self.objective].iloc[0]
        name = self._accelerator(task)
        self.best[name] = min(self._best_of([name]), self.sign * float(value))
        words = f"simulated: {found.n_replicas} replicas are the fewest that keep the SLO"
        binding = found.trial.binding if found.trial.binding in LATENCY else "ttft"
        self._refute(task, [found.n_replicas - 1] * len(task.labels), binding, words)
        return True

    def _note(self, label: int, values: dict[str, Any]) -> None:
        self.labels.append(label)
        self.values.append(values)

    def _refute(self, task: Task, n: Sequence[int], constraint: str, words: str) -> None:
        for label, n_refuted in zip(task.labels, n, strict=True):
            refuted = self.proof.refuted.setdefault(label, {})
            known = refuted.get(task.policy)
            if known is None or known.n_replicas < n_refuted:
                refuted[task.policy] = Refuted(n_refuted, constraint, words)


def _one_a_shape(tasks: Sequence[Task], frame: pd.DataFrame) -> list[Task]:
    """The first of the tasks of each shape and policy that the screen lets pass."""
    liked = [task for task in tasks if task.is_liked]
    rows = frame.loc[[task.labels[0] for task in liked], list(KEYS)]
    is_again = rows.assign(policy=[task.policy for task in liked]).duplicated()
    return [task for task, again in zip(liked, is_again, strict=True) if not again]


def _solved(
    rows: Sequence[Row], task: Task, demand: Demand, draws: Draws, usd_per_hour: float
) -> Solved:
    """A task on its own: the smallest fleet that keeps the SLO and costs less per hour."""
    try:
        shape = Shape(rows, task.policy, demand, draws, task.n_first)
    except ValueError as error:
        return Solved(None, (NEVER,) * len(rows), 0, str(error))
    found = shape.best_fleet(usd_per_hour)
    return Solved(found, tuple(shape.n_least.tolist()), len(shape.trials), n_held=shape.n_held)


def _lost(solved: Solved, demand: Demand) -> tuple[int | None, str, str]:
    """Replicas that are not enough (None: those of the bound), the constraint, the words."""
    if solved.error:
        return NEVER, "split", solved.error
    if solved.found is None and min(solved.n_least) >= NEVER:
        return (
            None,
            "ttft",
            "no number of replicas is enough: even alone too many requests are late",
        )
    held = f"site_mw = {demand.scenario.site_mw} holds {solved.n_held} replicas"
    if solved.found is None and min(solved.n_least) > solved.n_held:
        return None, "power", f"{held}, the load takes {min(solved.n_least)}"
    if solved.found is None:
        return None, "ttft", "fewer replicas than the work of the requests takes within the SLO"
    n, trial = solved.found.n_replicas, solved.found.trial
    must = f"{demand.slo.attainment_frac:.1%} must"
    words = (
        trial.error or f"{n} replicas meet the SLO for {trial.good_frac:.1%} of requests, {must}"
    )
    if n >= solved.n_held:
        return n, "power", f"{held}: {words}"
    return n, trial.binding if trial.binding in LATENCY else "ttft", words


def priced(row: Row, demand: Demand, policy: str, found: Found) -> dict[str, Any]:
    """Cost per good token of the fleet; its band keeps the ratio that the search had."""
    trial, n_replicas = found.trial, found.n_replicas + demand.n_spare
    size = server_gpus(demand, row.accelerator)

    def paid(n_replicas: int) -> int:
        return math.ceil(n_replicas * row.n_gpu / size) * size

    n_paid = paid(n_replicas)
    good_rate = demand.output_tokens_per_s * trial.good_frac / n_paid
    cost = cost_usd_per_mtok(row.usd_per_gpu_hour, good_rate, demand.utilisation_frac)
    ends = {}
    for end, factor in (("low", 1 / row.rate_p90_factor), ("high", row.rate_p90_factor)):
        n = math.ceil(found.n_replicas * factor * ROUNDING) + demand.n_spare
        ends[f"cost_{end}_usd_per_good_mtok"] = cost * paid(n) / n_paid
    names = ("good_frac", "good_frac_se", "n_requests", "p95_ttft_s", "p95_tpot_s", "binding")
    return {
        "policy": policy,
        "n_replicas": n_replicas,
        "fleet_gpus": n_replicas * row.n_gpu,
        "paid_gpus": n_paid,
        "usd_per_hour": n_paid * row.usd_per_gpu_hour,
        "busy_frac": demand.rate_per_s / (n_replicas * row.requests_per_s_per_replica),
        **{name: getattr(trial, name) for name in names},
        COST: cost,
        **ends,
        "constraint": "",
        "reason": "",
    }
