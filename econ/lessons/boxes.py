"""What ends a lesson: two sentences with computed numbers.

>>> takeaway("A full server costs **2** USD. Half full, it costs 4.")
Takeaway. A full server costs **2** USD. Half full, it costs 4.
"""

from __future__ import annotations

from econ.charts.tables import DOLLAR, Say


class Takeaway(Say):
    """Two sentences in a box of their own."""

    def __repr__(self) -> str:
        return f"Takeaway. {self.text}"

    def _repr_markdown_(self) -> str:
        return "> **Takeaway.** " + self.text.replace("\n", "\n> ").replace("$", DOLLAR)


def takeaway(text: str) -> Takeaway:
    """A box with what a lesson leaves behind: two sentences with computed numbers.

    Parameters
    ----------
    text : str
        Markdown, e.g. an f-string of the lesson's own numbers.
    """
    return Takeaway(text)
