"""A notebook's code run in this process, to lay hands on the charts and panels its cells show.

The committed outputs hold a picture and words; a page wants the numbers behind the picture and
every state of a panel. Cells that show neither, and that no such cell rests on, are not run: the
page has their committed outputs. What a chart says of itself must be what was committed: a page
that differs from its notebook is not built.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
from static.cells import needed, value_of

from econ.charts.panels import Panel
from econ.lessons.pictures.scene import Picture
from econ.lessons.views import View

Shown = alt.TopLevelMixin | Panel | Picture | View


def shown(path: Path, compare: bool = True) -> dict[str, Shown]:
    """Charts, panels and questions by the id of the cell that ends with them, in order.

    Raises `ValueError` where a chart's words are not those committed, unless ``compare`` is off.
    """
    code = {c.id: c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"}
    wanted = {id for id, cell in code.items() if _may_show(cell)}
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *_, **__: None}
    found: dict[str, Shown] = {}
    with _in_the_folder_of(path), contextlib.redirect_stdout(io.StringIO()):
        for id in needed(wanted, {id: cell.source for id, cell in code.items()}):
            cell = code[id]
            last = value_of(cell.source, names, f"{path.name}, cell {id}")
            if isinstance(last, Shown):
                if compare:
                    _same_words(path, cell, last)
                found[id] = last
    return found


def _may_show(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell was seen to end with a picture or a question; else with words or a table."""
    shown = [o.get("data", {}) for o in cell.outputs]
    return any(
        "image/png" in data or "<table" not in data.get("text/html", "<table") for data in shown
    )


@contextlib.contextmanager
def _in_the_folder_of(path: Path):
    """As the committed outputs were made: beside the notebook, nothing kept of a learner."""
    was, static = Path.cwd(), os.environ.get("ECON_STATIC")
    os.chdir(path.parent)
    os.environ["ECON_STATIC"] = "1"
    try:
        yield
    finally:
        os.chdir(was)
        os.environ.pop("ECON_STATIC")
        if static is not None:
            os.environ["ECON_STATIC"] = static


def _same_words(path: Path, cell: nbformat.NotebookNode, thing: Shown) -> None:
    """Raise `ValueError` where a thing describes itself otherwise than in the committed output."""
    if isinstance(thing, View):
        ours, kind = thing.words, "text/html"
    else:
        ours, kind = (
            (thing.static() if isinstance(thing, Panel) else thing).description,
            "image/png",
        )
    kept = [o.data["text/plain"] for o in cell.outputs if kind in o.get("data", {})]
    if kept != [ours]:
        raise ValueError(
            f"{path.name}, cell {cell.id}: it now says {ours!r}, the committed output "
            f"{kept!r}; run make execute NOTEBOOK={path.stem}"
        )
