"""One live chart: its rows are replaced in place, so a slider's move is on screen in about 30 ms.

The widget carries Vega with it (bundled by vl-convert, nothing is fetched). Its summary is an
``aria-live`` region, so a screen reader hears what a sighted reader sees change; it is written
when the chart beside it has been drawn. A title that states a number follows the rows; where the
rest of the chart changes too (other categories, another scale) it is drawn anew.

The newest value wins twice over: ipywidgets holds back all but the newest value of a slider while
the kernel is busy, and the browser skips the states that arrive while it draws. However fast a
slider is moved, the chart ends at its last value.

What a page watches while it is open: the size of a file before it is sent, and its kernel.

A file that is too large is not sent at all, as a server ends a connection that carries more than
it takes. Where a kernel no longer answers, a banner says so; JupyterLab has a dialog of its own.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import traitlets
from altair.utils.schemapi import SchemaBase, UndefinedType

from econ.catalog.documents import replace
from econ.charts.plot import Drawing
from econ.charts.render import themed

GHOSTLY = {"line", "bar", "point", "area", "circle", "tick", "rule"}  # marks that leave a trace
GHOST_OPACITY = 0.22
VIEW = ("mark", "encoding", "transform", "params", "projection")


# written into the wheel for a browser, which has no vl-convert
BUNDLE = Path(__file__).with_name("live.bundle.js")


def source() -> str:
    """The widget's own script, without Vega."""
    return Path(__file__).with_name("live.js").read_text(encoding="utf-8")


def bundle(code: str = "") -> str:
    """A script with Vega in it: the widget's own, or another."""
    try:
        import vl_convert
    except ImportError:
        raise ImportError(
            "live charts need vl-convert-python: pip install 'inference-economics[notebooks]'"
        ) from None
    return vl_convert.javascript_bundle(code or source())


@functools.cache
def script() -> str:
    """The widget's script: written beside this file by the first kernel, read by all others."""
    if BUNDLE.exists():
        return BUNDLE.read_text(encoding="utf-8")
    recipe = f"{metadata.version('vl-convert-python')}\n{source()}"
    name = f"live.{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.js"
    file = BUNDLE.parent / "__pycache__" / name
    if file.exists():
        return file.read_text(encoding="utf-8")
    text = bundle()
    with contextlib.suppress(OSError):  # a folder that cannot be written to
        file.parent.mkdir(exist_ok=True)
        replace(file, text.encode())  # kernels may start at the same time
    return text


class LiveChart(anywidget.AnyWidget):
    """A chart whose rows, title and summary change together, in one message."""

    _esm = ""  # set when the first one is made: building it needs vl-convert
    spec = traitlets.Dict().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    title = traitlets.Any("").tag(sync=True)  # a line or a list of lines
    summary = traitlets.Unicode("").tag(sync=True)
    revision = traitlets.Int(0).tag(sync=True)

    def __init__(self, chart: Drawing):
        type(self)._esm = script()
        self._shape = shape(chart)
        super().__init__(
            spec=live_spec(chart),
            rows=records(rows_of(chart)),
            title=chart.title.text,
            summary=chart.description,
        )

    def show(self, chart: Drawing) -> None:
        """Show another state of the chart: other rows, title and words; all of it if need be."""
        with self.hold_sync():
            now = shape(chart)
            if now != self._shape:
                self._shape, self.spec = now, live_spec(chart)
            self.rows, self.title = records(rows_of(chart)), chart.title.text
            self.summary = chart.description
            self.revision += 1

    def refuse(self, why: str) -> None:
        """Show no rows, and why."""
        with self.hold_sync():
            self.rows, self.summary = [], why
            self.revision += 1


def rows_of(chart: Drawing) -> pd.DataFrame:
    """The one table that a chart draws."""
    rows: Any = chart.data
    return rows


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON knows them: what is not a finite number becomes null.

    >>> records(pd.DataFrame({"x": [1.5, float("inf")], "name": ["a", None]}))
    [{'x': 1.5, 'name': 'a'}, {'x': None, 'name': None}]
    """
    names, columns = list(frame), [_plain(frame[name]) for name in frame]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(column: pd.Series) -> list[Any]:
    values: list[Any] = column.tolist()
    if column.dtype.kind in "iub":
        return values
    return [None if isinstance(v, float) and not math.isfinite(v) else v for v in values]


def shape(chart: Drawing) -> Any:
    """What a chart's specification follows from, without what a live chart replaces: rows, the
    title's words, the description. Equal shapes have equal specifications; nothing is copied.
    """
    rows = rows_of(chart)
    title = _parts({k: v for k, v in chart.title._kwds.items() if k != "text"}, rows)
    rest = {k: v for k, v in chart._kwds.items() if k not in ("description", "title")}
    return title, _parts(rest, rows), tuple(rows.columns), tuple(map(str, rows.dtypes))


def _parts(value: Any, rows: pd.DataFrame) -> Any:
    """A part of a chart as tuples; a table other than its own rows equals none."""
    if isinstance(value, SchemaBase):
        kind = type(value).__name__
        return kind, _parts(value._args, rows), _parts(value._kwds, rows)
    if isinstance(value, dict):
        return tuple(
            (k, _parts(v, rows)) for k, v in value.items() if not isinstance(v, UndefinedType)
        )
    if isinstance(value, list | tuple):
        return tuple(_parts(v, rows) for v in value)
    if isinstance(value, pd.DataFrame):
        return "rows" if value is rows else object()
    return value


def live_spec(chart: Drawing) -> dict[str, Any]:
    """A chart's specification with its one table left open, for the widget to fill.

    The title is not part of it: the page writes it above the chart. A chart of one view has its
    marks twice, the second time faint, over the table ``ghost``: what stood there before the last
    change.

    Raises `ValueError` for a chart of several tables: only one of them could follow a control.
    """
    spec = themed(chart.to_dict())
    tables = spec.pop("datasets", {})
    name = spec.get("data", {}).get("name")
    if name not in tables or len(tables) != 1:
        raise ValueError("a live chart draws one table, shared by all its layers")
    spec["data"] = {"name": "live"}
    subtitle = spec.pop("title").get("subtitle")
    if subtitle:
        spec["title"] = {"text": subtitle, "fontSize": 12, "fontWeight": "normal"}
    return _with_ghost(spec)


def _with_ghost(spec: dict[str, Any]) -> dict[str, Any]:
    views = spec.get("layer") or [{k: spec.pop(k) for k in VIEW if k in spec}]
    if not all("mark" in view for view in views):  # several views, or nested layers
        return spec
    faint = [_faint(view) for view in views if _mark_of(view) in GHOSTLY]
    return {**spec, "layer": [*views, *faint], "datasets": {"ghost": []}} if faint else spec


def _mark_of(view: dict[str, Any]) -> str:
    mark = view["mark"]
    return str(mark["type"] if isinstance(mark, dict) else mark)


def _faint(view: dict[str, Any]) -> dict[str, Any]:
    mark = view["mark"] if isinstance(view["mark"], dict) else {"type": view["mark"]}
    mark = {**mark, "opacity": GHOST_OPACITY, "tooltip": None}
    encoding = {
        k: v for k, v in view.get("encoding", {}).items() if k not in ("opacity", "tooltip")
    }
    for channel in set(encoding) & {"color", "shape"}:
        encoding[channel] = {**encoding[channel], "legend": None}  # or its symbols would be faint
    rest = {k: v for k, v in view.items() if k not in ("params", "name")}
    return {**rest, "mark": mark, "encoding": encoding, "data": {"name": "ghost"}}


class Watch(anywidget.AnyWidget):
    """An invisible part of a page.

    Parameters
    ----------
    most_bytes : int
        The largest file that is sent, e.g. 32,000,000.
    on_refused : callable
        Called with what was chosen (``"trace"`` or ``"model"``), the file's name and its bytes.
    """

    _esm = Path(__file__).with_name("watch.js")
    most_bytes = traitlets.Int().tag(sync=True)
    refused: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, most_bytes: int, on_refused: Callable[[str, str, int], Any]) -> None:
        super().__init__(most_bytes=most_bytes)
        self.observe(lambda change: on_refused(*change["new"][:3]), "refused")
