"""The pages of the API: one for each station, in the order of the chain, and one of quantities.

Each page lists what its package offers (``__all__``). Below stand the quantities in its
signatures and results, with unit and meaning from ``data/columns.csv``, the one dictionary that
axes, tables and the data package use too.
"""

from __future__ import annotations

import dataclasses
import html
import importlib
import inspect
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import increment
import latency_model

import econ
from econ.catalog.columns import Column, columns

# below the chain: what a reader needs for a chain of their own
OTHERS = ("uncertainty", "ledger", "charts")


def packages() -> list[str]:
    """The sub-packages with a page, in reading order.

    >>> packages()[:3]
    ['catalog', 'tokens', 'latency']
    """
    offered = [n for n in econ.__all__ if inspect.ismodule(getattr(econ, n))]
    chain = [n for n in offered if n not in (*OTHERS, "lessons")]
    return [*chain, *OTHERS]


def write(out: Path) -> None:
    """Write ``out/api``: the pages of the packages, the objects, the quantities, the index."""
    names = packages()
    pages = {"econ": _objects(), **{f"econ.{n}": _offered(f"econ.{n}") for n in names}}
    described: set[int] = set()  # what two packages offer stands on the first one's page
    for name, things in pages.items():
        new = {n: thing for n, thing in things.items() if id(thing) not in described}
        described |= {id(thing) for thing in new.values()}
        (out / "api" / f"{name}.md").write_text(_page(name, new), encoding="utf-8")
    (out / "api" / "latency-model.md").write_text(latency_model.page(), encoding="utf-8")
    (out / "api" / "quantities.md").write_text(_quantities(), encoding="utf-8")
    (out / "api" / "index.md").write_text(_index(names), encoding="utf-8")


def _objects() -> dict[str, Any]:
    """What ``import econ`` gives beside the packages."""
    things = {n: getattr(econ, n) for n in econ.__all__ if n != "__version__"}
    return {n: thing for n, thing in things.items() if not inspect.ismodule(thing)}


def _offered(package: str) -> dict[str, Any]:
    module = importlib.import_module(package)
    return {n: getattr(module, n) for n in module.__all__}


def _page(package: str, things: dict[str, Any]) -> str:
    """One block for Sphinx's own markup: each costs a parser of its own."""
    directives = [f".. automodule:: {package}\n   :no-members:\n"]
    for name, thing in things.items():
        if directive := _directive(thing):
            path = thing.__name__ if inspect.ismodule(thing) else f"{package}.{name}"
            title = f"```\n\n## {name}\n\n```{{eval-rst}}\n" if inspect.ismodule(thing) else ""
            rest = "\n   :members:" if directive != "autofunction" else ""
            directives.append(f"{title}.. {directive}:: {path}{rest}\n")
    blocks = [
        f"# `{package}`\n",
        f"% the code it describes: {increment.content()}\n",  # another code, another page
        "```{eval-rst}\n" + "\n".join(directives) + "```\n",
    ]
    used = _used(things.values())
    if used:
        blocks.append("## Quantities on this page\n\n" + _table(used))
    return "\n".join(blocks)


def _directive(thing: Any) -> str | None:
    if inspect.ismodule(thing):
        return "automodule"
    if inspect.isclass(thing):
        return "autoclass"
    return "autofunction" if callable(thing) else None


def _used(things: Iterable[Any]) -> list[Column]:
    """Quantities among the parameters and fields of these things, by name."""
    known, names = columns(), set()
    for thing in things:
        members = vars(thing).values() if isinstance(thing, ModuleType) else (thing,)
        for member in members:
            if dataclasses.is_dataclass(member):
                names |= {field.name for field in dataclasses.fields(member)}
            elif inspect.isfunction(member):
                names |= set(inspect.signature(member).parameters)
    return [known[n] for n in sorted(names & known.keys())]


def _table(quantities: Iterable[Column]) -> str:
    """A table of quantities; HTML, since a meaning may hold any character."""
    rows = "\n".join(
        f"<tr><td><code>{html.escape(q.name)}</code></td><td>{html.escape(q.unit)}</td>"
        f"<td>{html.escape(q.title)}: {html.escape(q.meaning)}</td></tr>"
        for q in quantities
    )
    head = "<tr><th>name</th><th>unit</th><th>title and meaning</th></tr>"
    place = '<div class="econ-output econ-quantities" tabindex="0" role="group" '
    place += 'aria-label="Quantities">'
    return f"````{{raw}} html\n{place}<table>{head}\n{rows}\n</table></div>\n````\n"


def _quantities() -> str:
    text = (
        "# Quantities\n\nEvery column and field of the kit with its unit. A name carries its unit, "
        "and the same name means the same thing everywhere.\n\n"
    )
    return text + _table(q for q in columns().values() if q.is_number)


def _index(names: list[str]) -> str:
    answers = {n: importlib.import_module(f"econ.{n}").__doc__.splitlines()[0] for n in names}
    rows = "\n".join(f"| [`econ.{n}`](econ.{n}.md) | {answers[n]} |" for n in names)
    pages = "\n".join(["econ", *(f"econ.{n}" for n in names), "latency-model", "quantities"])
    return f"""# API

One scenario flows through one chain. Each station takes it first and returns a frozen result
with `.frame()`, `.band(metric)` and `.regime`; names carry their [unit](quantities.md).
All latencies come from [one model](latency-model.md), written out with its formulas and constants.

| part | what it answers |
|---|---|
| [`econ`](econ.md) | The scenario and its parts; sweeps, uncertainty, the whole bill |
{rows}

```{{toctree}}
:hidden:
:maxdepth: 1

{pages}
```
"""
