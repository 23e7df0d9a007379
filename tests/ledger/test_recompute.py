"""Formulas: what they may hold, inputs that are formulas, inputs of another row, what they name."""

import importlib
import json

import pytest

from econ.catalog import table
from econ.catalog.guard import UnknownName
from econ.ledger.recompute import evaluate, functions_of, inputs_of, is_model, resolve

# modules of functions of numbers that a package offers as a whole
TOOLBOXES = ("econ.serving.queueing", "econ.tco.ownership", "econ.latency.runs")
ROWS = {"a": '{"x": 2, "y": "=x + 1"}', "b": '{"as_in": "a", "x": 5}', "c": '{"as_in": "b"}'}


def test_a_name_alone_is_called_with_the_inputs():
    assert evaluate("econ.tokens.count.count_tokens", {"text": "one two"}) > 0


@pytest.mark.parametrize(
    ("formula", "value"),
    [("x[0] / x[1]", 0.5), ("{'a': 3}['a'] * 2", 6), ("sum(x) ** 2 - (x[0] < 2)", 8),
     ("ceil(x[1] / 1.5) + abs(-x[0])", 3), ("frame(a=x[0]).a.item()", 1)],
)  # fmt: skip
def test_what_a_formula_may_hold(formula, value):
    assert evaluate(formula, {"x": [1, 2]}) == value


@pytest.mark.parametrize(
    "formula",
    ["[n for n in x]", "lambda: 1", "x._private", "__import__('os')", "(x := 3)", "f'{x}'",
     "().__class__", "x if x else 1", "econ.catalog.tables.pd.DataFrame",
     "econ.catalog.tables.Path('x').exists()", "econ.catalog.table('sites').to_csv('x')"],
)  # fmt: skip
def test_what_a_formula_may_not_hold(formula):
    with pytest.raises(ValueError, match="a formula may not hold"):
        evaluate(formula, {"x": 1})


@pytest.mark.parametrize("formula", ["open('x')", "exec('1')", "eval('1')"])
def test_there_are_no_builtins(formula):
    with pytest.raises(UnknownName, match="unknown input"):
        evaluate(formula, {})


def test_inputs_of_another_row_and_formulas_among_them():
    assert inputs_of(ROWS, "b") == {"x": 5, "y": "=x + 1"}
    assert resolve(inputs_of(ROWS, "b"))["y"] == 6
    with pytest.raises(UnknownName, match="row with inputs of its own"):
        inputs_of(ROWS, "c")  # one step, no chain


def test_what_only_looks_up_is_no_model():
    assert not is_model("chip.memory_bytes / 2", {"chip": "=econ.catalog.accelerator('h100-sxm')"})
    assert is_model("chip / 2", {"chip": "=econ.catalog.model('llama-2-13b').n_params"})


@pytest.mark.parametrize("name", ["published_figures", "claims"])
def test_every_function_that_a_row_names_is_public(name):
    rows = table(name)
    for id in rows.index:
        inputs = inputs_of(rows["inputs"], id)
        formulas = [rows.loc[id, c] for c in ("compute", "recomputed", "asked") if c in rows]
        if "steps" in rows:
            formulas += [formula for _, formula, _ in json.loads(rows.loc[id, "steps"])]
        for function in {f for text in filter(None, formulas) for f in functions_of(text, inputs)}:
            home, _, word = function.rpartition(".")
            public = importlib.import_module(home).__all__ if home not in TOOLBOXES else [word]
            assert word in public, f"{id}: {function}"
            assert not word.startswith("_")
            assert not home.startswith(("econ.lessons", "econ.charts"))
