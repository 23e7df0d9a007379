"""A panel is a model call, a chart and controls; it holds no formula of its own.

>>> import pandas as pd
>>> from econ.charts.grammar import figure
>>> def model(slope):
...     return pd.DataFrame({"time_s": [0.0, 1.0], "length_px": [0.0, slope]})
>>> def chart(frame):
...     return figure(frame, "time_s", "length_px", finding="How steep?")
>>> steepness = panel(model, chart, slope=slider(1, 5, value=2),
...                   presets={"flat": {"slope": 1}, "steep": {"slope": 5}})
>>> steepness.readout
'How steep? Lines of Length (px) over Time (s) from 0 to 1: 0 to 2 px.'
>>> steepness.set(slope=4).readout
'How steep? Lines of Length (px) over Time (s) from 0 to 1: 0 to 4 px.'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import altair as alt
import ipywidgets as widgets
import pandas as pd
from altair.utils.schemapi import debug_mode

from econ.catalog.guard import in_range, one_of, positive, unknown
from econ.charts import words
from econ.charts.grammar import finish
from econ.charts.live import LiveChart, rows_of
from econ.charts.plot import Drawing
from econ.charts.render import is_static

MOST_ROWS = 500  # beyond this a live chart is no longer redrawn within 50 ms


class Panel:
    """A chart that follows its controls.

    ``model(**values)`` gives a table; ``chart(table)`` draws it, with a description from the
    table's numbers; ``controls`` are named widgets; ``presets`` (name → values) make the static
    twin that stands in for the panel on GitHub, in print and in the test run; ``heading`` is its
    title, for charts whose own title holds for one state only.
    """

    def __init__(
        self,
        model: Callable[..., pd.DataFrame],
        chart: Callable[[pd.DataFrame], Drawing],
        controls: list[widgets.DOMWidget],
        presets: dict[str, dict[str, Any]],
        heading: str = "",
    ):
        self._model, self._chart, self.presets = model, chart, presets
        self._heading = heading
        self.controls = {c.name: c for c in controls}
        self.error = ""
        self._live = LiveChart(self.drawn(self._values()))
        for control in controls:
            control.observe(self._follow, "value")
        row = widgets.Box(controls, layout={"flex_flow": "row wrap", "margin": "0 0 4px 8px"})
        self.widget = widgets.VBox([row, self._live]).add_class("econ-panel")

    def _values(self) -> dict[str, Any]:
        return {name: control.value for name, control in self.controls.items()}

    def drawn(self, values: dict[str, Any]) -> Drawing:
        """The chart of some values; it may add labels, so its table is what is shown."""
        chart = self._chart(self._model(**values))
        if (n := len(rows_of(chart))) > MOST_ROWS:
            raise ValueError(f"a panel draws at most {MOST_ROWS} rows; this chart has {n}")
        return chart

    def _follow(self, _change: Any = None) -> None:
        """Show what the controls say; where the model refuses, show its words instead."""
        try:
            with debug_mode(False):  # the first chart was checked, and so is any new shape
                drawn = self.drawn(self._values())
        except (ValueError, ArithmeticError) as error:
            self.error = str(error)
            self._live.refuse(f"Not possible: {error}")
        else:
            self.error = ""
            self._live.show(drawn)

    @property
    def readout(self) -> str:
        """The chart's finding in words, or why there is none."""
        return self._live.summary

    def set(self, **values: Any) -> Panel:
        """Move controls by name; a value that a control does not have is refused, none is moved."""
        for name, value in values.items():
            one_of("control", name, self.controls)
            _admit(self.controls[name], value)
        for name, value in values.items():
            self.controls[name].value = value
        return self

    def static(self) -> Drawing:
        """The twin without a kernel: one small chart for each preset."""
        drawn = {name: self.drawn(values) for name, values in self.presets.items()}
        small = [
            c.properties(
                title=alt.Title(name, fontSize=13),
                width=195,
                height=c.height if isinstance(c.height, int) and c.height < 200 else 200,
            )
            for name, c in drawn.items()
        ]
        description = " ".join(f"{name}: {c.description}" for name, c in drawn.items())
        heading = self._heading or next(iter(drawn.values())).title.text
        return finish(alt.hconcat(*small, spacing=28), title=heading, description=description)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.static() if is_static() else self.widget)  # type: ignore[no-untyped-call]


def panel(
    model: Callable[..., pd.DataFrame],
    chart: Callable[[pd.DataFrame], Drawing],
    /,
    *,
    presets: dict[str, dict[str, Any]],
    heading: str = "",
    **controls: Any,
) -> Panel:
    """A chart that follows its controls, which are named as the model's own parameters.

    Parameters
    ----------
    model : callable
        ``model(**values)`` gives a table of at most 500 rows.
    chart : callable
        ``chart(table)`` draws it, e.g. with `econ.charts.figure`.
    presets : dict
        Name → values of some controls, the others as they start: the static twin that stands in
        for the panel on GitHub, in print and in the test run.
    heading : str
        Title of the twin, for charts whose own title holds for one state only.
    **controls
        `slider`, `choice`, `switch`, or a list of options whose first is chosen.

    Returns
    -------
    Panel
        Shown as the last value of a cell; ``.set(name=value)`` moves a control.
    """
    control_widgets = []
    for name, control in controls.items():
        widget = control if isinstance(control, widgets.DOMWidget) else choice(list(control))
        widget.name = name
        widget.description = widget.description or words.axis_title(name)
        control_widgets.append(widget)
    start = {widget.name: widget.value for widget in control_widgets}
    full = {name: {**start, **values} for name, values in presets.items()}
    return Panel(model, chart, control_widgets, full, heading)


def _admit(control: widgets.DOMWidget, value: Any) -> None:
    """Refuse what ipywidgets would clamp in silence or answer with a traceback of its own."""
    if hasattr(control, "options"):
        known = [o[1] if isinstance(o, tuple) else o for o in control.options]
        if value not in known:
            raise unknown(control.name, value, map(str, known))
    elif hasattr(control, "min"):
        in_range(control.name, value, control.min, control.max)


_WIDE = {"layout": {"width": "330px"}, "style": {"description_width": "150px"}}


def slider(
    low: float, high: float, *, value: float, step: float = 1, log: bool = False, label: str = ""
) -> widgets.DOMWidget:
    """A slider over numbers; with ``log`` it moves through 1, 2, 5, 10, …

    Its label is the dictionary's title of the parameter that it moves, unless it is given.
    """
    in_range("value", value, low, high)
    positive("step", step)
    if log:
        stops = _stops(positive("low", low), high)
        nearest = min(stops, key=lambda s: abs(math.log(s / value)))
        options = [(f"{s:,}", s) for s in stops]  # 1,000,000, never 1e+06
        return widgets.SelectionSlider(options=options, value=nearest, description=label, **_WIDE)
    are_integers = all(float(v).is_integer() for v in (low, high, value, step))
    kind = widgets.IntSlider if are_integers else widgets.FloatSlider
    return kind(value=value, min=low, max=high, step=step, description=label, **_WIDE)


def _stops(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, … from low to high."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    stops = [round(m * 10.0**e, 12) for e in exponents for m in (1, 2, 5)]
    inside = [s for s in stops if low <= s <= high]
    return [int(s) if float(s).is_integer() else s for s in inside]


def choice(options: Iterable[Any], *, value: Any = None, label: str = "") -> widgets.DOMWidget:
    """A drop-down list; its first option is chosen unless ``value`` is."""
    listed = list(options)
    if value is None:
        value = listed[0][1] if isinstance(listed[0], tuple) else listed[0]
    return widgets.Dropdown(options=listed, value=value, description=label, **_WIDE)


def switch(*, value: bool, label: str = "") -> widgets.DOMWidget:
    """A box to tick."""
    return widgets.Checkbox(value=value, description=label, indent=False)
