"""The best fleet of all that the simulator can serve, with a proof: branch and bound over shapes.

The shapes that the screen likes best are simulated first. Then every other shape is asked whether
it could be better than the best so far. The work that requests ask for (`econ.plan.bounds`) rules
most out without a simulation; of the rest the largest fleet that would still be better is
simulated, and smaller ones where that one keeps the SLO. When nothing can be better any more, the
best is the optimum.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from econ.plan.better import better_by, mtok_per_hour, waves
from econ.plan.fleets import Found, Row, Shape, least_size
from econ.plan.search import (
    BY_MEANS,
    COST,
    KEYS,
    LATENCY,
    PROFIT,
    Demand,
    paid_gpus,
    progress_bar,
)
from econ.plan.site import with_site
from econ.plan.surest import Wanted, cheapest_of, least_sd
from econ.plan.tasks import (
    Shapes,
    Solved,
    Task,
    Value,
    lost,
    priced,
    shape_of,
    solved_task,
    tasks_of_shapes,
)
from econ.plan.trials import Draws
from econ.serving import warm_up

WAVE = 8  # shapes that are looked at together, in as many processes as there are
TRIES = 4  # times as many shapes as asked for are simulated first at most
FASTEST = "tokens_per_s_per_user"
SIMULATED = [
    *("policy", "n_replicas", "fleet_gpus", "paid_gpus", "usd_per_hour", "busy_frac", "good_frac"),
    *("good_frac_se", "n_requests", "p95_ttft_s", "p95_tpot_s", "binding"),
    *(COST, "cost_low_usd_per_good_mtok", "cost_high_usd_per_good_mtok", "constraint", "reason"),
]


Place: TypeAlias = int  # of a row in `Proof.rows`
PriceList: TypeAlias = Mapping[str, float]  # accelerator -> USD per hour of it, on one term


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
    sure : list of list of int
        For each price list the places in ``rows`` of the cheapest fleets that are as sure as was
        wanted.
    """

    rows: pd.DataFrame
    refuted: dict[Any, dict[str, Refuted]] = field(default_factory=dict)
    gap_frac: float = math.nan
    n_shapes: int = 0
    n_simulated: int = 0
    sure: list[list[Place]] = field(default_factory=list)


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
    shapes : dict
        What other searches for this load built and simulated; this one adds to it.
    n_jobs : int, optional
        Processes, as in joblib.
    progress : bool
        Show a bar.
    is_fewest : bool
        Look for the fewest replicas of each shape, not for those with the cheapest good requests:
        within whole servers more of them cost nothing and hide what each can do.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        demand: Demand,
        draws: Draws,
        objective: str,
        policies: Sequence[str],
        shapes: Shapes,
        n_jobs: int | None = None,
        progress: bool = False,
        is_fewest: bool = False,
    ) -> None:
        self.frame, self.demand, self.draws, self.objective = frame, demand, draws, objective
        self.columns = [frame[name].to_numpy() for name in Row._fields]
        self.policies, self.shapes, self.is_fewest = policies, shapes, is_fewest
        self.is_owned = demand.scenario.finance.tenure == "owned"
        self.n_jobs, self.progress = n_jobs, progress
        self.sign = -1.0 if objective in (FASTEST, PROFIT) else 1.0
        self.best: dict[str, Value] = {}  # by accelerator; of the objective, smaller is better
        self.labels: list[int] = []
        self.values: list[dict[str, Any]] = []
        self.proof = Proof(frame.iloc[:0])

    def run(
        self,
        n_refined: int,
        gap_frac: float,
        lists: Sequence[PriceList] = (),
        n_kinds: int = 0,
        wanted: Sequence[Wanted] = (),
    ) -> Proof:
        """Simulate the best ``n_refined`` shapes, then all that could be better by the gap.

        With price lists (the objective is cost), so for each: the best at those prices, and fleets
        of ``n_kinds`` accelerators. What one list found, the next knows. What is ``wanted`` of
        each list says how sure of the SLO its cheapest fleet has to be besides.
        """
        tasks = list(self._tasks())
        warm_up(4 * len(self.draws) * self.draws.n_requests * n_refined)
        done: set[Task] = set()
        usd_of_row = self.frame["usd_per_gpu_hour"].to_numpy()
        row_usd = {task.accelerator: float(usd_of_row[task.labels[0]]) for task in tasks}
        with progress_bar(len(tasks), self.progress) as advance:
            for n_list, usd in enumerate(lists or [row_usd]):
                times = {name: usd[name] / row_usd[name] for name in usd.keys() & row_usd.keys()}
                own_tasks = [task for task in tasks if task.accelerator in times]
                if lists:
                    own_tasks.sort(key=lambda t: (not t.is_liked, t.value * times[t.accelerator]))
                self._prove(own_tasks, times, n_refined, gap_frac, done, advance)
                self._vary(own_tasks, done, n_kinds)
                if wanted and self.best:
                    self.proof.sure.append(self._secure(own_tasks, times, wanted[n_list]))
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
        times: Mapping[str, float],
        n_refined: int,
        gap_frac: float,
        done: set[Task],
        advance: Callable[[int], object],
    ) -> None:
        """The best where the hour of each accelerator costs so many times what its rows say.

        ``done`` are the tasks that need no other look.
        """
        n_good = 0
        for wave in waves(_one_a_shape(tasks, self.frame), n_refined, TRIES):
            if n_good >= n_refined:
                break
            fresh = [task for task in wave if task not in done]
            n_good += self._solve(fresh, [math.inf] * len(fresh)) + len(wave) - len(fresh)
            done |= set(fresh)
            advance(len(fresh))
        rest = [task for task in tasks if task not in done]
        most = better_by(self._best_of(times), gap_frac)
        while todo := [t for t in rest if t.bound * times[t.accelerator] < most][:WAVE]:
            self._solve(todo, [most / times[task.accelerator] for task in todo])
            looked = set(todo)
            rest = [task for task in rest if task not in looked]
            most = better_by(self._best_of(times), gap_frac)
            advance(len(todo))
        advance(len(rest))

    def _vary(self, tasks: Sequence[Task], done: set[Task], n_kinds: int) -> None:
        """Simulate shapes of more accelerators in this order, until a few kinds keep the SLO."""
        tried: dict[str, int] = {}
        kinds: set[str] = set()
        for task in _one_a_shape(tasks, self.frame) if n_kinds else ():
            name = task.accelerator
            if name not in self.best and tried.get(name, 0) < TRIES and task not in done:
                tried[name] = tried.get(name, 0) + 1
                self._solve([task], [math.inf])
                done.add(task)
            kinds |= {name} & self.best.keys()
            if len(kinds) >= n_kinds:
                return

    def _secure(
        self, tasks: Sequence[Task], times: Mapping[str, float], wanted: Wanted
    ) -> list[Place]:
        """The places of the cheapest fleets that are sure enough, noted where they are not yet."""
        places: list[Place] = []
        firsts = self.frame.iloc[[task.labels[0] for task in tasks]]
        factors = np.array([times[task.accelerator] for task in tasks])
        usd = firsts["usd_per_gpu_hour"].to_numpy()
        least_usd = np.array([self._most_usd(task.bound) for task in tasks])
        bounds = least_usd * factors + wanted.extra(least_usd / usd)
        for n_sd in map(least_sd, wanted.chances):
            best = cheapest_of(
                tasks,
                bounds,
                factors,
                lambda task: (rows := self._rows(task), self._shape(task, rows)),
                n_sd,
                self.is_owned,
                wanted.extra,
            )
            if best:
                places.append(self._placed(*best))
        return places

    def _shape(self, task: Task, rows: Sequence[Row]) -> Shape:
        of = self.demand, self.draws, self.shapes, task.n_first
        return shape_of(rows, task.policy, *of)

    def _placed(self, task: Task, rows: Sequence[Row], fleet: Found) -> int:
        """Where a fleet stands among those noted."""
        label = task.labels[fleet.n_row]
        values = priced(rows[fleet.n_row], self.demand, task.policy, fleet)
        for place, known in enumerate(self.values):
            is_same = self.labels[place] == label and known.get("policy") == task.policy
            if is_same and known.get("n_replicas") == values["n_replicas"]:
                return place
        self._note(label, values)
        return len(self.labels) - 1

    def _best_of(self, times: Mapping[str, float]) -> Value:
        fleet = (value * times[name] for name, value in self.best.items() if name in times)
        return min(fleet, default=math.inf)

    def _tasks(self) -> Iterator[Task]:
        """All that the simulator can serve, best by the screen first."""
        can = (self.frame["pp"] == 1) & self.frame["constraint"].isin(["", *BY_MEANS])
        rows = self.frame[can]
        value = self.sign * rows[self.objective].to_numpy("float64")
        liked = (rows["constraint"] == "").to_numpy()
        bound, labels = np.asarray(self._bounds(rows), "float64"), rows.index.to_numpy()
        chips = rows["accelerator"].to_numpy(object)
        order = np.lexsort([rows["tpot_s"].to_numpy(), value, ~liked])
        if self.objective not in (COST, PROFIT) or not len(order):
            for i in order:
                for policy in self.policies:
                    yield Task(
                        chips[i].id, (labels[i],), policy, 0, bool(liked[i]), value[i], bound[i]
                    )
            return
        code = rows.groupby(list(KEYS), observed=True, sort=False).ngroup().to_numpy()
        yield from tasks_of_shapes(
            code, rows["concurrency"].to_numpy(), order, value, bound, liked, chips, labels,
            self.policies,
        )  # fmt: skip

    def _bounds(self, rows: pd.DataFrame) -> Any:
        """The objective of each row on the fewest replicas that any fleet of it has."""
        if self.objective == FASTEST:
            return -rows[FASTEST]
        n_least = min(map(least_size, self.policies))
        if self.objective in (COST, PROFIT):
            n_replicas = n_least + self.demand.n_spare
            gpus = paid_gpus(self.demand, rows["accelerator"], n_replicas * rows["n_gpu"])
            usd = gpus * rows["usd_per_gpu_hour"]
            if self.objective == PROFIT:
                return usd - self.demand.most_usd_per_hour
            return usd / mtok_per_hour(self.demand)
        busiest = np.minimum(
            1.0, self.demand.rate_per_s / (n_least * rows["requests_per_s_per_replica"])
        )
        return with_site(rows.assign(busy_frac=busiest), self.demand.scenario)[self.objective]

    def _solve(self, tasks: Sequence[Task], below: Sequence[Value]) -> int:
        """The smallest fleet of each task that is better than ``below``; how many there are."""
        is_alone = self.n_jobs in (None, 1) and "joblib" not in sys.modules  # none configured it
        if not is_alone:
            from joblib import Parallel, delayed, effective_n_jobs

            is_alone = effective_n_jobs(self.n_jobs) == 1  # then what one task built, others find
        shapes = self.shapes if is_alone else {}
        calls = [
            (
                self._rows(task),
                task,
                self.demand,
                self.draws,
                shapes,
                self.is_fewest,
                self._most_usd(value),
            )
            for task, value in zip(tasks, below, strict=True)
        ]
        if is_alone:
            answers: Iterable[Solved] = (solved_task(*call) for call in calls)
        else:
            answers = Parallel(n_jobs=self.n_jobs)(delayed(solved_task)(*call) for call in calls)
        n_good = 0
        for task, value, solved in zip(tasks, below, answers, strict=True):
            self.proof.n_simulated += solved.n_simulated
            self.proof.n_shapes += solved.n_simulated > 0
            n_good += self._take(task, solved, math.isinf(value))
        return n_good

    def _most_usd(self, below: Value) -> float:
        """What an hour of a fleet may cost that is better than ``below``."""
        if self.objective == PROFIT:
            return below + self.demand.most_usd_per_hour
        return below * mtok_per_hour(self.demand) if self.objective == COST else math.inf

    def _rows(self, task: Task) -> list[Row]:
        at = list(task.labels)
        return [*map(Row._make, zip(*(column[at] for column in self.columns), strict=True))]

    def _take(self, task: Task, solved: Solved, is_free: bool) -> bool:
        """Note what a task came to; whether a fleet keeps the SLO."""
        fleet = solved.found
        if fleet is None or not fleet.trial.keeps:
            n_refuted, constraint, words = lost(solved, self.demand)
            if fleet is not None and is_free:
                fields = {"policy": task.policy, "binding": fleet.trial.binding,
                         "constraint": constraint, "reason": words}  # fmt: skip
                self._note(task.labels[fleet.n_row], dict.fromkeys(SIMULATED, math.nan) | fields)
            self._refute(task, [n_refuted or n - 1 for n in solved.n_least], constraint, words)
            return False
        label = task.labels[fleet.n_row]
        values = priced(self._rows(task)[fleet.n_row], self.demand, task.policy, fleet)
        self._note(label, values)
        value = values.get(self.objective)
        if self.objective == PROFIT:
            value = self.demand.most_usd_per_hour * values["good_frac"] - values["usd_per_hour"]
        elif value is None:
            part = with_site(self.frame.loc[[label]].assign(**values), self.demand.scenario)
            value = part[self.objective].iloc[0]
        name = task.accelerator
        self.best[name] = min(self.best.get(name, math.inf), self.sign * float(value))
        words = f"simulated: {fleet.n_replicas} replicas are the fewest that keep the SLO"
        binding = fleet.trial.binding if fleet.trial.binding in LATENCY else "ttft"
        self._refute(task, [fleet.n_replicas - 1] * len(task.labels), binding, words)
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
