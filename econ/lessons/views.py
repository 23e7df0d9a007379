"""How a question is shown: by one script for a reader, in words and HTML where nothing runs.

The script (``learn.js``) looks every verdict up in a specification that is computed here, so that
it works without a kernel. In a notebook the record that it makes is stored by `Learn`.

What ends a lesson: two sentences with computed numbers.

>>> takeaway("A full server costs **2** USD. Half full, it costs 4.")
Takeaway. A full server costs **2** USD. Half full, it costs 4.
"""

from __future__ import annotations

import functools
import math
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from econ.charts.render import is_static
from econ.charts.tables import DOLLAR, Say, safe
from econ.lessons.interface import say, script_texts
from econ.lessons.quantities import SPELLINGS, units_of
from econ.lessons.question import Question, choices, hints, orders, prompt, zones

Record = dict[str, Any]


@functools.cache
def script() -> str:
    """The script of all questions; it ends with the line that exports it."""
    return Path(__file__).with_name("learn.js").read_text(encoding="utf-8")


def markup(words: str) -> str:
    """Words with **bold**, *stress* and `code`, in paragraphs, as HTML.

    >>> markup("Give **USD**, *not* cents.")
    '<p>Give <strong>USD</strong>, <em>not</em> cents.</p>'
    """
    text = safe(words.strip())
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"(?<![\w*])\*(?!\s)([^*]+?)\*(?!\w)", r"<em>\1</em>", text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    parts = [p.replace("\n", "<br>") for p in re.split(r"\n\s*\n", text)]
    return "".join(f"<p>{p}</p>" for p in parts)


class Learn(anywidget.AnyWidget):
    """One question on the page; its record is stored whenever the page changes it."""

    _esm = ""  # set when the first one is made
    spec = traitlets.Dict().tag(sync=True)
    record = traitlets.Dict().tag(sync=True)
    everywhere: ClassVar[weakref.WeakSet[Learn]] = weakref.WeakSet()

    def __init__(self, view: View):
        type(self)._esm = script()
        super().__init__(spec=view.spec, record=view.record())
        self._view = view
        self.observe(self._store, "record")
        Learn.everywhere.add(self)

    def _store(self, change: Any) -> None:
        self._view.store(change["new"])

    def refresh(self) -> None:
        """Show what is stored."""
        self.unobserve(self._store, "record")
        self.record = self._view.record()
        self.observe(self._store, "record")


def refresh(id: str) -> None:
    """Let every view of a question that is on the page show what is stored."""
    for widget in list(Learn.everywhere):
        if widget.spec["id"] == id:
            widget.refresh()


class View:
    """A question to look at.

    ``words``: what the test run compares; ``html``: the same where no script runs; ``spec``: what
    the script needs; ``record()``: what is stored of it; ``store(record)``: stores what changed.
    """

    def __init__(
        self,
        words: str,
        html: str,
        spec: dict[str, Any],
        record: Callable[[], Record],
        store: Callable[[Record], None],
    ):
        self.words, self.html, self.spec = words, html, {**spec, "texts": script_texts()}
        self.record, self.store = record, store

    def __repr__(self) -> str:
        return self.words

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if is_static():
            bundle = {"text/plain": self.words, "text/html": self.html}
            display(bundle, raw=True)  # type: ignore[no-untyped-call]
        else:
            display(Learn(self))  # type: ignore[no-untyped-call]


# -- an exercise ---------------------------------------------------------------------------------
def exercise_spec(q: Question, shuffled: list[str]) -> dict[str, Any]:
    """All that the script needs to check an exercise; ``shuffled``: the order items start in."""
    spec: dict[str, Any] = {
        "id": q.id,
        "mode": "exercise",
        "kind": q.kind,
        "prompt": markup(f"**{q.id}.** {prompt(q)}"),
        "unit": q.unit,
        "hints": [markup(h) for h in hints(q)],
        "rubric": list(q.rubric),
    }
    if q.kind == "number":
        units = units_of(q.unit)
        spec["units"] = units
        spec["spellings"] = {s: name for s, name in SPELLINGS.items() if name in units}
        spec["refusal"] = (
            say("number_of_unit_asked", unit=q.unit) if q.unit else say("number_asked")
        )
        spec["zones"] = [
            [_finite(z.low), _finite(z.high), z.verdict.mark, z.verdict.words, z.verdict.idea]
            for z in zones(q)
        ]
    elif q.kind == "order":
        spec["items"] = [[key, q.items[key]] for key in shuffled]
        spec["orders"] = {" ".join(keys): _triple(v) for keys, v in orders(q).items()}
    else:
        spec["options"] = [[key, label] for key, label in q.options.items()]
        spec["code"] = q.code
        spec["choices"] = {key: _triple(v) for key, v in choices(q).items()}
    return spec


def _triple(verdict: Any) -> list[str]:
    return [verdict.mark, verdict.words, verdict.idea]


def _finite(end: float) -> float | None:
    return end if math.isfinite(end) else None


def listed(q: Question) -> str:
    """The options or items of a question, one a line; empty for a number."""
    many = {**q.options, **q.items}
    return "".join(f"\n- {key}: {label}" for key, label in many.items())


def folded(summary: str, words: str) -> str:
    """HTML that opens on demand."""
    return f"<details><summary>{safe(summary)}</summary>{markup(words)}</details>"


def static_html(head: str, q: Question, *folds: str) -> str:
    """A question where no script runs: prompt, options, what opens on demand."""
    many = {**q.options, **q.items}
    rows = "".join(f"<li>{safe(key)}: {safe(label)}</li>" for key, label in many.items())
    return markup(head) + (f"<ul>{rows}</ul>" if rows else "") + "".join(folds)


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
