"""A panel without a kernel: its model tabulated over a few values of each control.

A page cannot call Python, so every state it can reach is computed when the site is built. With six
controls a full table would have millions of states; each control keeps a few of its values, spread
over its range, so that the table stays below `MOST_STATES`. The default and the presets are in it.
"""

from __future__ import annotations

import itertools
from typing import Any

import ipywidgets as widgets
import numpy as np
from altair.utils.schemapi import debug_mode

from econ.charts.live import live_spec, records, shape
from econ.charts.panels import Panel
from econ.charts.tables import drawn_words, is_drawn

MOST_STATES = 180
FINEST = 12  # values of one control; beyond them a reader sees no more
SLIDER_WEIGHT = 2  # a slider of three stops is no slider
DIGITS = 4  # significant digits of a drawn number


def options(control: widgets.DOMWidget) -> list[tuple[str, Any]]:
    """All values a control can take, with their words; a slider of many steps at `FINEST`."""
    if isinstance(control, widgets.Checkbox):
        return [("no", False), ("yes", True)]
    if hasattr(control, "options"):
        return [o if isinstance(o, tuple) else (str(o), o) for o in control.options]
    steps = round((control.max - control.min) / control.step)
    at = {*np.linspace(0, steps, FINEST).round().astype(int).tolist()}
    at.add(round((control.value - control.min) / control.step))
    values = [control.min + i * control.step for i in sorted(at)]
    exact = [int(v) if isinstance(control, widgets.IntSlider) else round(v, 10) for v in values]
    return [(f"{v:,}", v) for v in exact]


def choose(
    sizes: list[int], wanted: list[set[int]], weights: list[int], most: int = MOST_STATES
) -> list[list[int]]:
    """Which of each control's values to keep, so that their combinations number at most ``most``.

    ``sizes``: how many values there are; ``wanted``: indices that must stay; ``weights``: how many
    values a control should have relative to the others. The control that has fewest for its weight
    grows first, by the value farthest from those it has.

    >>> choose([10, 2], [{4}, {0}], [1, 1], most=8)
    [[0, 2, 4, 9], [0, 1]]
    """
    kept = [set(w) or {0} for w in wanted]
    while True:
        product = int(np.prod([len(k) for k in kept]))
        can = [
            i
            for i, k in enumerate(kept)
            if len(k) < min(sizes[i], FINEST) and product // len(k) * (len(k) + 1) <= most
        ]
        if not can:
            return [sorted(k) for k in kept]
        i = min(can, key=lambda i: len(kept[i]) / weights[i])
        rest = [v for v in range(sizes[i]) if v not in kept[i]]
        kept[i].add(max(rest, key=lambda v: min(abs(v - k) for k in kept[i])))


def axes(panel: Panel, most: int = MOST_STATES) -> list[dict[str, Any]]:
    """The controls of a page: name, label, kind, the kept values and where they stand at first."""
    every = {name: options(control) for name, control in panel.controls.items()}
    wanted = []
    for name, control in panel.controls.items():
        values = [v for _, v in every[name]]
        must = [control.value, *(p[name] for p in panel.presets.values() if name in p)]
        near = {_nearest(values, v) for v in must}
        wanted.append(near)
    weights = [1 if _is_list(c) else SLIDER_WEIGHT for c in panel.controls.values()]
    kept = choose([len(o) for o in every.values()], wanted, weights, most)
    made = []
    for (name, control), at in zip(panel.controls.items(), kept, strict=True):
        pairs = [every[name][i] for i in at]
        kind = "list" if _is_list(control) else "range"
        made.append({
            "name": name,
            "label": control.description,
            "kind": kind if len(pairs) > 1 else "fixed",
            "words": [words for words, _ in pairs],
            "values": [value for _, value in pairs],
            "first": at.index(_nearest([v for _, v in every[name]], control.value)),
        })  # fmt: skip
    return made


def _is_list(control: widgets.DOMWidget) -> bool:
    return isinstance(control, widgets.Dropdown | widgets.Checkbox)


def _nearest(values: list[Any], value: Any) -> int:
    """Where a value stands among others; a number between two stands at the nearer."""
    if value in values:
        return values.index(value)
    return int(np.argmin([abs(v - value) for v in values]))


def tabulate(panel: Panel, most: int = MOST_STATES) -> dict[str, Any]:
    """Every state of the panel's grid: controls, specifications, columns, rows and states.

    A state is ``[specification, title, words, rows]`` under the indices of its controls' values,
    joined by commas; its rows are indices too. Rows hold the columns that a specification draws.
    """
    controls = axes(panel, most)
    specs: list[dict] = []
    shapes: list[dict] = []
    columns: dict[str, None] = {}
    states: dict[str, Any] = {}
    names = [c["name"] for c in controls]
    for at in itertools.product(*(range(len(c["values"])) for c in controls)):
        values = {n: c["values"][i] for n, c, i in zip(names, controls, at, strict=True)}
        key = ",".join(map(str, at))
        try:
            with debug_mode(not shapes):  # the first chart is checked, and so is any new shape
                chart = panel.drawn(values)
        except (ValueError, ArithmeticError) as error:
            states[key] = [None, "", f"Not possible: {error}", []]
            continue
        now = shape(chart)
        if now not in shapes:
            shapes.append(now)
            specs.append(live_spec(chart))
        rows = records(chart.data)
        columns |= dict.fromkeys(rows[0] if rows else ())
        states[key] = [shapes.index(now), chart.title.text, chart.description, rows]
    words = "".join(map(drawn_words, specs))
    drawn = [c for c in columns if is_drawn(c, words)]
    pool: dict[tuple, int] = {}  # a row that many states share is sent once
    for state in states.values():
        short = [tuple(_short(row.get(c)) for c in drawn) for row in state[3]]
        state[3] = [pool.setdefault(row, len(pool)) for row in short]
    found = {"specs": specs, "columns": drawn, "rows": list(pool), "states": states}
    return {"controls": controls, **found}


def _short(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
