"""What a panel's move costs in Python, for every panel of the lessons: model, chart, and the rest.

    .venv/bin/python bench/bench_moves.py [PART OF A NAME …]

Processor milliseconds of a move, the median of some and the slowest after the first, and their
parts. ``specs`` counts moves after which the whole specification was sent again. The goal is 8 ms.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from econ import lessons
from econ.charts.panels import Panel

MOVES = 12


def panels(words: tuple[str, ...]) -> Iterator[tuple[str, Panel]]:
    """Every panel that a lesson makes without being given anything."""
    for module in pkgutil.walk_packages(lessons.__path__, "econ.lessons."):
        if not module.name.split(".")[2].startswith("l"):
            continue
        for name, make in inspect.getmembers(importlib.import_module(module.name)):
            own = inspect.isfunction(make) and make.__module__ == module.name
            if own and name.endswith("_panel") and all(word in name for word in words):
                needs = [
                    p for p in inspect.signature(make).parameters.values() if p.default is p.empty
                ]
                if not needs:
                    yield f"{module.name.removeprefix('econ.lessons.')}.{name}", make()


def spent_ms(work: Callable[[], object]) -> float:
    """Processor milliseconds."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def stops(panel: Panel) -> list[dict[str, object]]:
    """Places to move to and fro: of the first control that has several."""
    for name, control in panel.controls.items():
        if hasattr(control, "step"):
            low, high = control.min, control.max
            steps = [round(k * (high - low) / control.step / 20) for k in range(6, 14)]
            return [
                {name: type(control.value)(low + n * control.step)} for n in dict.fromkeys(steps)
            ]
        if hasattr(control, "options"):
            listed = [o[1] if isinstance(o, tuple) else o for o in control.options]
            return [{name: v} for v in listed]
    return []


def measured(panel: Panel) -> tuple[float, float, float, float, int] | None:
    """Milliseconds of a move, of the slowest, of a move's model and chart, and how often the whole
    was sent."""
    places, live = stops(panel), panel._live
    if len(places) < 2:
        return None
    moves, specs, before = [], 0, live.spec
    for k in range(MOVES + 2):
        moves.append(spent_ms(functools.partial(panel.set, **places[k % len(places)])))
        specs += live.spec is not before
        before = live.spec
    values = panel._values()
    model = statistics.median(spent_ms(lambda: panel._model(**values)) for _ in range(3))
    table = panel._model(**values)
    chart = statistics.median(spent_ms(lambda: panel._chart(table)) for _ in range(3))
    return statistics.median(moves[2:]), max(moves[1:]), model, chart, specs


def main(*words: str) -> None:
    """One line a panel, the slowest first."""
    rows = [(*found, name) for name, panel in panels(words) if (found := measured(panel))]
    for whole, slowest, model, chart, specs, name in sorted(rows, reverse=True):
        print(
            f"{whole:6.1f} ms, slowest {slowest:6.1f}: model {model:5.1f}, chart {chart:5.1f}, "
            f"specs {specs:2d}  {name}"
        )
    if rows:
        print(f"{statistics.median(row[0] for row in rows):6.1f} ms median of {len(rows)} panels")


if __name__ == "__main__":
    main(*sys.argv[1:])
