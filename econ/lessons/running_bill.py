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

from econ.catalog.guard import unknown
from econ.catalog.units import MILLI
from econ.charts.tables import Table, safe, three
from econ.latency.bound import envelope, reality_frame
from econ.lessons.l00_start import accelerators_j
from econ.scenario import Scenario
from econ.service_bill import Bill, bill

USERS = 64  # served at a time, in all lessons
Lines = dict[str, float]
UNITS = {
    "time to first token": "s",
    "time per output token": "ms",
    "whole answer": "s",
    "energy of an answer": "J",
    "cost of an answer": "USD",
    "cost of a million output tokens": "USD",
}


def _envelope() -> Lines:
    slowdown = float(reality_frame()["slowdown"].median())
    one = envelope(Scenario.default(), USERS, slowdown=slowdown)
    return dict(zip(UNITS, (one.prefill_s, one.step_s / MILLI, one.answer_s, accelerators_j(one),
                            one.accelerator_usd, one.cost_usd_per_mtok), strict=True))  # fmt: skip


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
def _busy() -> Bill:
    busy: Bill = bill(Scenario.default(), concurrency=USERS)
    return busy


@functools.cache
def used_frac() -> float:
    """Share of the service's capacity that the trace's mean rate takes up."""
    rate_per_s = float(Scenario.default().workload.rate_per_s)
    return rate_per_s * _busy().answer_s / USERS


def _under_load(**changes: object) -> Bill:
    s = Scenario.default().with_(utilisation_frac=used_frac(), **changes)
    loaded: Bill = bill(s, concurrency=USERS)
    return loaded


def _joules() -> Lines:
    return {"energy of an answer": _under_load().site_j_per_answer}


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
        "the prompts of the other users.",
    ),
    "05": (
        lambda: _lines(_under_load()),
        "The trace's requests fill a part of the capacity only, and the idle hours are paid, too.",
    ),
    "07": (
        _joules,
        "Joules follow from a power law instead of TDP, and include the server around the "
        "accelerators, their idle hours and the building.",
    ),
    "11": (
        lambda: _lines(_under_load(tenure="owned")),
        "The hour is owned: capital with its cost, space, electricity and staff take the place of "
        "the rent.",
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
    if lesson not in STEPS:
        raise unknown("lesson with a line of the bill", lesson, STEPS)
    before: Lines = {}
    after: Lines = {}
    for number in list(STEPS)[: list(STEPS).index(lesson) + 1]:
        before, after = after, after | STEPS[number][0]()
    frame = pd.DataFrame({"line": list(UNITS), "after": [after[line] for line in UNITS]})
    if before:
        frame.insert(1, "before", [before[line] for line in UNITS])
    else:
        frame = frame.rename(columns={"after": "value"})
    return BillStep(frame.assign(unit=list(UNITS.values())), STEPS[lesson][1])
