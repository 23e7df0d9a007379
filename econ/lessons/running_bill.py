"""The course's one bill: a chat service on four H100, of which each lesson replaces what it models.

>>> service_bill("03").because.split(":")[0]
'Latency is no longer a bound times a ratio'
>>> service_bill("03").frame["line"].tolist()[:2]
['time to first token', 'time per output token']
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import pandas as pd

from econ.catalog import precision_loss, quality
from econ.catalog.guard import one_of
from econ.catalog.units import DAY_S, KILO, MILLI
from econ.charts.tables import Table, safe, three
from econ.decision import Decision, decide
from econ.latency.bound import envelope, reality_frame
from econ.lessons import l12_decision
from econ.lessons.l00_start import accelerators_j
from econ.scenario import Scenario
from econ.service_bill import Bill, bill

USERS = 64  # served at a time, in all lessons
USD_PER_1000_RIGHT = 2.0  # what right answers in time are worth, as in lesson 14
Lines = dict[str, float]
UNITS = {
    "time to first token": "s",
    "time per output token": "ms",
    "whole answer": "s",
    "energy of an answer": "J",
    "cost of an answer": "USD",
    "cost of a million output tokens": "USD",
    "worth of an answer": "USD",
    "profit of an answer": "USD",
}


def _envelope() -> Lines:
    slowdown = float(reality_frame()["slowdown"].median())
    one = envelope(Scenario.default(), USERS, slowdown=slowdown)
    return {
        "time to first token": one.prefill_s,
        "time per output token": one.step_s / MILLI,
        "whole answer": one.answer_s,
        "energy of an answer": accelerators_j(one),
        "cost of an answer": one.accelerator_usd,
        "cost of a million output tokens": one.cost_usd_per_mtok,
    }


def _tdp_j(of: Bill) -> float:
    """Joules of an answer while every accelerator draws its thermal design power."""
    s = of.scenario
    busy_s = of.answer_s * s.deployment.n_gpu / of.concurrency
    return busy_s * float(s.deployment.resolved_accelerator.tdp_w or 0)


def _lines(of: Bill) -> Lines:
    return {
        "time to first token": of.ttft_s,
        "time per output token": of.tpot_s / MILLI,
        "whole answer": of.answer_s,
        "cost of an answer": of.usd_per_answer,
        "cost of a million output tokens": of.usd_per_mtok,
    }


@functools.cache
def _busy(scenario: Scenario | None = None) -> Bill:
    busy: Bill = bill(scenario or Scenario.default(), concurrency=USERS)
    return busy


@functools.cache
def under_load(scenario: Scenario | None = None) -> Bill:
    """The bill of the course from lesson 05 on: the trace's rate fills a part of the capacity.

    Parameters
    ----------
    scenario : Scenario, optional
        The service with a change, such as another site; by default as it is.

    Returns
    -------
    Bill
        Times of 64 users at once, cost and energy with the idle hours.

    Examples
    --------
    >>> under_load(Scenario.default().with_(site="sweden")).usd_per_answer > 0
    True
    """
    busy = _busy(scenario)
    used_frac = float(busy.scenario.workload.rate_per_s) * busy.answer_s / USERS
    return _busy(busy.scenario.with_(utilisation_frac=used_frac))


def _joules() -> Lines:
    return {"energy of an answer": under_load().site_j_per_answer}


@functools.cache
def _decision() -> Decision:
    s = Scenario.default()
    answer: Decision = decide(s, on=l12_decision.DAY, **l12_decision.SETTINGS)
    return answer


def _decided() -> Lines:
    """The best machines, whose waits are known, on the accelerators of the course."""
    machines, s = _decision().best_of("rent"), Scenario.default()
    assert machines is not None
    fleet = _decision().fleets[machines.accelerator, "rent"].scenario
    lines = _lines(under_load(s.with_(deployment=fleet.deployment)))
    usd = machines.usd_per_day / (float(s.workload.rate_per_s) * DAY_S)
    ratio = lines["cost of a million output tokens"] / lines["cost of an answer"]
    return lines | {
        "energy of an answer": under_load(s.with_(deployment=fleet.deployment)).site_j_per_answer,
        "cost of an answer": usd,
        "cost of a million output tokens": usd * ratio,
    }


def _earned() -> Lines:
    s = Scenario.default()
    loss = precision_loss(s.deployment.precision).typical
    right_frac = quality(s.resolved_model.id).score_frac * (1 - loss)
    worth = USD_PER_1000_RIGHT / KILO * right_frac * s.slo.attainment_frac
    return {"worth of an answer": worth,
            "profit of an answer": worth - _decided()["cost of an answer"]}  # fmt: skip


# lesson -> the lines that it replaces, and why
STEPS: dict[str, tuple[Callable[[], Lines], str]] = {
    "00": (
        _envelope,
        "The physical bound, stretched by the median ratio of measured servers; energy at the "
        "accelerators' thermal design power; every hour is used.",
    ),
    "03": (
        lambda: _lines(_busy()) | {"energy of an answer": _tdp_j(_busy())},
        "Latency is no longer a bound times a ratio: the model adds kernels, links, the host and "
        "the prompts of the other users. Times are those of 64 users at once, with the lengths of "
        "the trace.",
    ),
    "05": (
        lambda: _lines(under_load()),
        "The trace's requests fill a part of the capacity only, and the idle hours are paid, too. "
        "The times stay those of a batch of 64; at the trace's mean rate fewer users share a step, "
        "and their tokens come sooner.",
    ),
    "07": (
        _joules,
        "Joules follow from a power law instead of TDP, and include the server around the "
        "accelerators, their idle hours and the building.",
    ),
    "11": (
        lambda: _lines(under_load(Scenario.default().with_(tenure="owned"))),
        "The hour is owned: capital with its cost, space and electricity take the place of the "
        "rent.",
    ),
    "12": (
        _decided,
        "The owned hour left out that servers come whole and that somebody runs them. With both, "
        "H100s reserved for three years cost least of those whose waits are known; they run as "
        "narrower replicas. (Notebook 15 lets other accelerators compete.)",
    ),
    "14": (
        _earned,
        "A thousand right answers in time are worth two dollars, and not every answer is right or "
        "in time.",
    ),
}


class BillStep:
    """One lesson's change of the bill: ``frame`` (line, before, after, unit) and ``because``."""

    def __init__(self, frame: pd.DataFrame, because: str):
        self.frame, self.because = frame, because

    def _table(self) -> Table:
        formats = {c: three for c in self.frame if c in ("value", "before", "after")}
        return Table(self.frame, **formats)

    def __repr__(self) -> str:
        return f"The service's bill. {self.because}\n{self._table()!r}"

    def _repr_html_(self) -> str:
        caption = f"<p><strong>The service's bill.</strong> {safe(self.because)}</p>"
        return caption + self._table()._repr_html_()


def service_bill(lesson: str) -> BillStep:
    """The bill of the chat service before and after a lesson.

    Parameters
    ----------
    lesson : str
        Number of the notebook, e.g. ``"03"``; ``"00"`` has no before.

    Raises
    ------
    UnknownName
        For a lesson that leaves the bill as it is.
    """
    one_of("lesson with a line of the bill", lesson, STEPS)
    before: Lines = {}
    after: Lines = {}
    for number in list(STEPS)[: list(STEPS).index(lesson) + 1]:
        before, after = after, after | STEPS[number][0]()
    lines = [line for line in UNITS if line in after]
    frame = pd.DataFrame({"line": lines, "after": [after[line] for line in lines]})
    if before:
        frame.insert(1, "before", [before.get(line, float("nan")) for line in lines])
    else:
        frame = frame.rename(columns={"after": "value"})
    return BillStep(frame.assign(unit=[UNITS[line] for line in lines]), STEPS[lesson][1])
