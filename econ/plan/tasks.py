"""One task of a search: the smallest fleet of a shape that keeps the SLO, its price, its losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from econ.plan.fleets import NEVER, Found, Row, Shape
from econ.plan.search import COST, KEYS, LATENCY, ROUNDING, Demand, server_gpus
from econ.plan.trials import Draws
from econ.tco.token_cost import cost_usd_per_mtok

Value: TypeAlias = float  # of the objective, in its unit
Label: TypeAlias = int  # of a row of the screen
Shapes: TypeAlias = dict[tuple[Any, ...], Shape]  # what is built and simulated already


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """The rows of one shape under one policy; for other objectives than cost, one row."""

    accelerator: str
    labels: tuple[Label, ...]
    policy: str
    n_first: int  # position of the batch limit to try first
    is_liked: bool  # whether the screen lets it pass
    value: Value  # of the objective by the screen, smaller is better
    bound: Value  # no fleet of it can be below


def tasks_of_shapes(
    code: np.ndarray,
    n_batch: np.ndarray,
    order: np.ndarray,
    value: np.ndarray,
    bound: np.ndarray,
    is_liked: np.ndarray,
    chips: Sequence[Any],
    labels: np.ndarray,
    policies: Sequence[str],
) -> Iterator[Task]:
    """One task a shape and policy, in the order of the best row of each.

    All arrays but ``order`` (rows, best first) have an entry a row; ``code`` numbers the shapes.
    """
    best_first = order[np.argsort(code[order], kind="stable")]
    by_limit = np.lexsort([n_batch, code])
    starts = np.flatnonzero(np.diff(code[by_limit], prepend=-1))
    ends = [*starts[1:].tolist(), len(code)]
    place = np.empty(len(code), int)
    place[by_limit] = np.arange(len(code))
    rank = np.argsort(order)
    firsts = best_first[starts]
    # whole replicas make ties: the fewest places leave bursts no room, the most are slow
    is_tie = (value[best_first] == value[firsts][code[best_first]]) & is_liked[best_first]
    n_ties = np.add.reduceat(is_tie.astype(int), starts)
    middle = best_first[starts + n_ties // 2]
    least = np.minimum.reduceat(bound[by_limit], starts)
    by_shape = labels[by_limit].tolist()
    for k in np.argsort(rank[firsts]).tolist():
        of_shape = tuple(by_shape[starts[k] : ends[k]])
        at = int(place[middle[k]] - starts[k])
        for policy in policies:
            yield Task(
                chips[firsts[k]].id, of_shape, policy, at, bool(n_ties[k]), value[firsts[k]],
                least[k],
            )  # fmt: skip


TOO_MANY = "n_replicas"  # begins the simulator's words where a fleet has more than it takes


class Solved(NamedTuple):
    """What a task came to: the fleet found, or none where the bound rules all out."""

    found: Found | None
    n_least: tuple[int, ...]  # replicas of each row, by the bound
    n_simulated: int
    error: str = ""  # why the simulator cannot represent the shape
    n_held: int = NEVER  # replicas that the power of the site holds, without spares


def shape_of(
    rows: Sequence[Row],
    policy: str,
    demand: Demand,
    draws: Draws,
    shapes: Shapes,
    n_first: int = 0,
) -> Shape:
    """The shape of rows under a policy, with what was built and simulated of it before.

    Raises
    ------
    ValueError
        Where the simulator cannot represent it.
    """
    one = rows[0]
    limits = tuple(row.concurrency for row in rows)
    key = (one.accelerator.id, *one[1 : len(KEYS)], policy, limits)
    if key not in shapes:
        built = Shape(rows, policy, demand, draws)
        shapes[key] = built.sharing(shapes.setdefault(built.machine, built))
    return shapes[key].paid(rows, demand, n_first)


def solved_task(
    rows: Sequence[Row],
    task: Task,
    demand: Demand,
    draws: Draws,
    shapes: Shapes,
    is_fewest: bool,
    usd_per_hour: float = math.inf,
) -> Solved:
    """A task on its own: the smallest fleet that keeps the SLO and costs less per hour."""
    try:
        shape = shape_of(rows, task.policy, demand, draws, shapes, task.n_first)
    except ValueError as error:
        return Solved(None, (NEVER,) * len(rows), 0, str(error))
    n_before = len(shape.trials)
    try:
        fleet = shape.best_fleet(usd_per_hour, is_fewest)
    except ValueError as error:
        if not str(error).startswith(TOO_MANY):  # replicas, for the simulator
            raise
        return Solved(None, (NEVER,) * len(rows), 0, str(error))
    n_simulated = len(shape.trials) - n_before
    return Solved(fleet, tuple(shape.n_least.tolist()), n_simulated, n_held=shape.n_held)


def lost(solved: Solved, demand: Demand) -> tuple[int | None, str, str]:
    """Replicas that are not enough (None: those of the bound), the constraint, the words."""
    if solved.error:
        return NEVER, "split", solved.error
    if solved.found is None and min(solved.n_least) >= NEVER:
        return (
            None,
            "ttft",
            "no number of replicas is enough: even alone too many requests are late",
        )
    limit = f"site_mw = {demand.scenario.site_mw} holds {solved.n_held} replicas"
    if solved.found is None and min(solved.n_least) > solved.n_held:
        return None, "power", f"{limit}, the load takes {min(solved.n_least)}"
    if solved.found is None:
        return None, "ttft", "fewer replicas than the work of the requests takes within the SLO"
    n, trial = solved.found.n_replicas, solved.found.trial
    must = f"{demand.slo.attainment_frac:.1%} must"
    words = (
        trial.error or f"{n} replicas meet the SLO for {trial.good_frac:.1%} of requests, {must}"
    )
    if n >= solved.n_held:
        return n, "power", f"{limit}: {words}"
    return n, trial.binding if trial.binding in LATENCY else "ttft", words


def priced(row: Row, demand: Demand, policy: str, fleet: Found) -> dict[str, Any]:
    """Cost per good token of the fleet; its band keeps the ratio that the search had."""
    trial, n_replicas = fleet.trial, fleet.n_replicas + demand.n_spare
    size = server_gpus(demand, row.accelerator)

    def paid(n_replicas: int) -> int:
        return math.ceil(n_replicas * row.n_gpu / size) * size

    n_paid = paid(n_replicas)
    good_rate = demand.output_tokens_per_s * trial.good_frac / n_paid
    cost = cost_usd_per_mtok(row.usd_per_gpu_hour, good_rate, demand.utilisation_frac)
    ends = {}
    for end, factor in (("low", 1 / row.rate_p90_factor), ("high", row.rate_p90_factor)):
        n = math.ceil(fleet.n_replicas * factor * ROUNDING) + demand.n_spare
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
