"""Formulas in the rows of ``data/``: Python expressions on public functions of this package.

A row's ``compute`` is a formula and its ``inputs`` (JSON) are the names in it, so that a reader can
paste both into a notebook. What a formula may hold:

* numbers, text, ``+ - * / // ** %``, comparisons, indices, and the row's inputs by name
* public functions by their full name: ``econ.tco.cost_usd_per_mtok``. A name alone, without
  brackets, is called with all inputs.
* `FUNCTIONS`: ``abs``, ``sum``, ``ceil``, ``log``, ``sqrt``, ``arange``, and ``frame``, which makes
  a table with one row; nothing else.

An input that starts with ``=`` is a formula itself, on the inputs before it. ``"as_in": "row"``
takes the inputs of another row; those that are given beside it come first.

>>> evaluate("over / under", {"over": 145, "under": 33})
4.393939393939394
>>> evaluate("econ.tco.cost_usd_per_mtok", {"cost_usd_per_gpu_hour": 3.6,
...                                         "tokens_per_s_per_gpu": 1000})
1.0
>>> evaluate("hour / 2", {"rent": 3.0, "hour": "=rent * 1.1"})
1.6500000000000001
>>> evaluate("__import__('os')", {})
Traceback (most recent call last):
    ...
ValueError: a formula may not hold '__import__'
"""

from __future__ import annotations

import ast
import functools
import importlib
import json
import math
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

import econ
from econ.catalog.guard import shown, unknown

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "arange": np.arange,
    "ceil": math.ceil,
    "frame": lambda **row: pd.DataFrame([row]),
    "log": math.log,
    "sqrt": math.sqrt,
    "sum": sum,
}
NODES = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Call, ast.keyword,
    ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Compare, ast.cmpop, ast.Subscript,
    ast.Slice, ast.List, ast.Tuple, ast.Dict,
)  # fmt: skip
# attributes that reach behind an object, or write, read and run what is no figure
REFUSED = ("_", "to_", "read_", "eval", "query", "pipe", "apply")
# what only looks a fact up; all other functions compute something
LOOKUPS = ("econ.catalog.accelerator", "econ.catalog.site", "econ.catalog.price",
           "econ.catalog.Price", "econ.catalog.table", "econ.Scenario")  # fmt: skip
SAME_AS = "as_in"


def evaluate(formula: str, inputs: Mapping[str, Any]) -> Any:
    """What a formula gives for some inputs.

    Parameters
    ----------
    formula : str
        An expression, e.g. ``"power_w / tokens_per_s"``, or the name of one public function.
    inputs : mapping
        Its names, e.g. ``{"power_w": 486.4, "tokens_per_s": 1069.6}``; values that start with
        ``=`` are formulas on the names before them.

    Returns
    -------
    Any
        A number, or whatever the expression makes.

    Raises
    ------
    ValueError
        For a formula that holds something else than the module's text lists.
    UnknownName
        For a function that does not exist, with the nearest; other errors are those of the
        functions called.
    """
    names = resolve(inputs)
    value = _run(formula, names)
    return value(**names) if callable(value) else value


def resolve(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with every formula among them replaced by what it gives, in their order.

    >>> resolve({"rent": 3.0, "dear": "=2 * rent"})
    {'rent': 3.0, 'dear': 6.0}
    """
    names = dict(inputs)
    for name, value in names.items():
        if _is_formula(value):
            names[name] = _run(value[1:], names)
    return names


def functions_of(formula: str, inputs: Mapping[str, Any] | None = None) -> list[str]:
    """The public functions that a formula and the formulas among its inputs name, sorted.

    >>> functions_of("econ.tco.cost_usd_per_mtok(rent, 90) / 2", {"rent": "=econ.tco.units(n=1)"})
    ['econ.tco.cost_usd_per_mtok', 'econ.tco.units']
    """
    texts = [formula, *(v[1:] for v in (inputs or {}).values() if _is_formula(v))]
    return sorted({name for text in texts for name in _parsed(text)[1]})


def is_model(formula: str, inputs: Mapping[str, Any] | None = None) -> bool:
    """Whether a formula calls a function that computes; if not, it is arithmetic on facts."""
    return any(name not in LOOKUPS for name in functions_of(formula, inputs))


def inputs_of(rows: Mapping[str, str] | pd.Series, id: str) -> dict[str, Any]:
    """The inputs of a row, with those of the row that it names under ``as_in``.

    Parameters
    ----------
    rows : mapping
        Identifier → JSON text, as a column ``inputs``.
    id : str
        The row.
    """
    inputs = json.loads(rows[id])
    if not isinstance(inputs, dict):
        raise ValueError(f"{inputs!r} is not an object with names")
    if (other := inputs.pop(SAME_AS, None)) is None:
        return inputs
    if other not in rows or SAME_AS in json.loads(rows[other]):
        raise unknown(f"row with inputs of its own ({SAME_AS})", str(other), rows)
    return {**inputs, **{k: v for k, v in json.loads(rows[other]).items() if k not in inputs}}


def _is_formula(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("=")


def _run(text: str, names: Mapping[str, Any]) -> Any:
    code, _ = _parsed(text)
    try:
        return eval(code, {"__builtins__": {}, "econ": econ, **FUNCTIONS, **names})
    except NameError as error:
        raise unknown("input", error.name, names) from None


@functools.cache
def _parsed(text: str) -> tuple[Any, tuple[str, ...]]:
    """Checked code, and the functions of this package that it names."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):  # the latter: a null byte
        raise ValueError(f"formula = {shown(text)} is outside its range: a formula") from None
    inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    paths = []
    for node in ast.walk(tree):
        word = getattr(node, "id", getattr(node, "attr", ""))
        refused = REFUSED if isinstance(node, ast.Attribute) else "_"
        if not isinstance(node, NODES) or word.startswith(refused):
            raise ValueError(f"a formula may not hold {word or ast.unparse(node)!r}")
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            paths.append(ast.unparse(node))
    names = tuple(_function(path) for path in paths if re.fullmatch(r"econ(\.\w+)+", path))
    return compile(tree, text, "eval"), names


def _function(path: str) -> str:
    """The part of a dotted path that names a function or class, its module imported."""
    thing, name = econ, "econ"
    for word in path.split(".")[1:]:
        if not isinstance(thing, ModuleType):
            break
        name = f"{name}.{word}"
        if not hasattr(thing, word):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                raise unknown("public function", name, _names_in(thing)) from None
        thing = getattr(thing, word)
    if not (getattr(thing, "__module__", None) or thing.__name__).startswith("econ"):
        raise ValueError(f"a formula may not hold {path!r}: it is no function of this package")
    return name


def _names_in(module: ModuleType) -> list[str]:
    return [f"{module.__name__}.{n}" for n in dir(module) if not n.startswith("_")]
