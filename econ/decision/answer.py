"""The answer of `econ.decide`: what was weighed, and the page that says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.units import KILO
from econ.decision.pages import answer_line, memo_markdown, question
from econ.decision.result import FAMILIES, Weighing
from econ.decision.tasks import Tasks
from econ.decision.words import usd_words
from econ.tco.earning import Earning
from econ.tokens.tasks import PER

# what `Decision.to_dict` says of an option, in this order
JSON_KEYS = (
    "kind", "seller", "model", "accelerator", "n_gpu", "usd_per_day", "usd_per_year",
    "low_usd_per_year", "high_usd_per_year", "p_keeps_slo", "name", "n_gpu_sure", "npv_usd",
    "npv_low_usd", "npv_high_usd", "regret_usd", "commitment_months", "exit_usd", "as_of", "source",
    "evidence", "words", "reason", "by_year_usd",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Decision(Weighing):
    """What to run, where, at what price, and how sure; attributes as in `Weighing`."""

    def __str__(self) -> str:
        """The answer in one line."""
        return answer_line(self)

    tasks: Tasks | None = field(repr=False, default=None)

    def per_task_frame(self) -> pd.DataFrame:
        """Every option: USD, joules and seconds of a turn, a session and a finished task.

        Raises
        ------
        ValueError
            Where no sessions were asked about.
        """
        if self.tasks is None:
            raise ValueError("no sessions were asked about: decide(scenario, sessions=…)")
        workload = self.scenario.workload
        per_request = workload.mean_input_tokens + workload.mean_output_tokens
        return self.tasks.per_frame(
            [(option, self.fleet_of(option)) for option in self.options],
            self.tokens_per_day / per_request,
        )

    def task_words(self) -> list[str]:
        """What turns, sessions and tasks cost by the best of each family; empty for requests."""
        if self.tasks is None:
            return []
        best = [self.best_of(family) for family in FAMILIES]
        rows = zip(self.options, self.per_task_frame().itertuples(), strict=True)
        return [_task_words(row) for option, row in rows if option in best]

    def memo(self) -> str:
        """One page for whoever decides, as Markdown."""
        task_lines = [f"- {words}" for words in self.task_words()]
        of_tasks = (
            "\n".join(["", "## What a finished task costs", "", *task_lines, ""])
            if task_lines
            else ""
        )
        return memo_markdown(self) + of_tasks

    def to_dict(self) -> dict[str, Any]:
        """What ``econ decide --json`` prints."""
        rows = [{key: _json(getattr(o, key)) for key in JSON_KEYS} for o in self.options]
        return {
            "question": question(self),
            "chosen": rows[0],
            "tied_with": list(self.tied_with),
            "options": rows,
            "value": _offer(self.offer),
            "per_task": None
            if self.tasks is None
            else [
                {str(key): _json(value) for key, value in row.items()}
                for row in self.per_task_frame().to_dict("records")
            ],
            "what_would_change_it": list(self.what_would_change_it),
            "measure_next": list(self.measure_next),
            "break_even": [
                {key: _json(value) for key, value in row.items()}
                for row in self.break_even.to_dict("records")
            ],
            "horizon_years": self.horizon_years,
            "tokens_per_day": _json(self.tokens_per_day),
            "rests_on": list(self.notes),
        }


def _task_words(row: Any) -> str:
    """A row of `Decision.per_task_frame` as a sentence."""
    usd = [usd_words(getattr(row, f"usd_per_{per}")) for per in PER]
    head = f"{row.option}: {usd[0]} a turn, {usd[1]} a session, {usd[2]} a finished task; "
    cached = f"{row.hit_frac:.1%} of the input from a cache; "
    if np.isnan(row.site_j_per_task):
        return f"{head}{cached}its joules and seconds are not published."
    kj = row.site_j_per_task / KILO
    return f"{head}{cached}{kj:,.3g} kJ and {row.task_s:,.0f} s of the model for a task."


def _offer(offer: Earning | None) -> dict[str, Any] | None:
    """Profit and break-even, and every option's; None where nothing was said of value."""
    if offer is None:
        return None
    rows = offer.frame().to_dict("records")
    return {name: _json(value) for name, value in offer.row().items()} | {
        "options": [{str(key): _json(value) for key, value in row.items()} for row in rows]
    }


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value
