"""A finished task in calls of a model: turns make a session, and a session solves its task or not.

A call that fails its task costs as much as one that solves it. So a station that knows what a turn
takes also knows what a session and a finished task take, once the workload says how many turns make
a session and how often one succeeds.

>>> task = Task(load="support", n_turns=10, solved_frac=0.5, review_usd=0.1)
>>> [round(usd, 3) for usd in task.figures(usd=0.01).values()]
[0.01, 0.1, 0.4]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from econ.catalog.guard import fraction, in_range, not_negative
from econ.catalog.ranges import ends

PER = ("turn", "session", "task")
NO_TASK = "the workload is of single requests: a task says what they add up to (econ.tokens.Task)"
SECONDS = ("mean_turn_s", "session_s", "task_s")


@dataclass(frozen=True, kw_only=True)
class Task:
    """What the calls of a workload add up to.

    Parameters
    ----------
    load : str
        The kind of session that they come from, e.g. ``"coding-agent"``.
    n_turns : float or Range
        Calls of a session, those of its sub-agents included, e.g. 84.
    solved_frac : float or Range
        Share of sessions (attempts) whose task is solved, e.g. 0.7; at 0 a finished task has no
        price, and its figures are infinite.
    review_usd : float or Range
        USD to check one attempt, e.g. 2.0.

    Raises
    ------
    ValueError
        For a number outside its range.
    """

    load: str = ""
    n_turns: float
    solved_frac: float = 1.0
    review_usd: float = 0.0

    def __post_init__(self) -> None:
        ends(in_range, "n_turns", self.n_turns, 1, 1e6)
        ends(fraction, "solved_frac", self.solved_frac)
        ends(not_negative, "review_usd", self.review_usd, 1e6)

    @property
    def attempts(self) -> float:
        """Sessions until one succeeds, on average, each tried anew."""
        return 1 / float(self.solved_frac) if self.solved_frac else math.inf

    def figures(
        self,
        *,
        usd: float | None = None,
        site_j: float | None = None,
        duration_s: float | None = None,
    ) -> dict[str, float]:
        """Of a turn, a session and a finished task, from those of a turn.

        Parameters
        ----------
        usd, site_j, duration_s : float, optional
            Of one turn, e.g. 0.02 USD, 900 J, 4 s. Only money pays for reviews.

        Returns
        -------
        dict of str to float
            ``usd_per_turn``, ``usd_per_session``, ``usd_per_task``, ``site_j_per_turn``, …,
            ``mean_turn_s``, ``session_s``, ``task_s``; what was left out has none.
        """
        names = {
            "usd": [f"usd_per_{per}" for per in PER],
            "site_j": [f"site_j_per_{per}" for per in PER],
            "duration_s": list(SECONDS),
        }
        out: dict[str, float] = {}
        for unit, value in (("usd", usd), ("site_j", site_j), ("duration_s", duration_s)):
            if value is not None:
                session = value * float(self.n_turns)
                checked = session + float(self.review_usd) * (unit == "usd")
                out |= dict(
                    zip(names[unit], (value, session, checked * self.attempts), strict=True)
                )
        return out


def per_frame(figures: Mapping[str, Any]) -> pd.DataFrame:
    """Figures of `Task.figures` as a table: ``per`` turn, session, task, and a column a unit.

    >>> task = Task(n_turns=10, solved_frac=0.5)
    >>> per_frame(task.figures(usd=0.01, duration_s=3.0)).round(2).to_dict("list")
    {'per': ['turn', 'session', 'task'], 'usd': [0.01, 0.1, 0.2], 'duration_s': [3.0, 30.0, 60.0]}
    """
    columns = {unit: [f"{unit}_per_{per}" for per in PER] for unit in ("usd", "site_j")}
    columns["duration_s"] = list(SECONDS)
    return pd.DataFrame(
        {"per": PER}
        | {
            unit: [figures[name] for name in names]
            for unit, names in columns.items()
            if names[0] in figures
        }
    )


def tasks_frame(
    tasks: Sequence[Task | None], index: pd.Index, **of_a_turn: Sequence[float]
) -> pd.DataFrame:
    """`Task.figures` for many workloads, a row each; no columns where none is of sessions."""
    if not any(tasks):
        return pd.DataFrame(index=index)
    rows = zip(tasks, *of_a_turn.values(), strict=True)
    return pd.DataFrame(
        [
            task.figures(**dict(zip(of_a_turn, turn, strict=True))) if task else {}
            for task, *turn in rows
        ],
        index=index,
    )
