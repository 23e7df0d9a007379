"""The answer of `econ.decide`: what was weighed, and the page that says it."""

from __future__ import annotations

from dataclasses import dataclass

from econ.decision.pages import answer_line, memo_markdown
from econ.decision.result import Weighing


@dataclass(frozen=True, kw_only=True, eq=False)
class Decision(Weighing):
    """What to run, where, at what price, and how sure; attributes as in `Weighing`."""

    def __str__(self) -> str:
        """The answer in one line."""
        return answer_line(self)

    def memo(self) -> str:
        """One page for whoever decides, as Markdown."""
        return memo_markdown(self)
