"""Runs in a page's worker: cells of the page's notebook, each after those it needs.

`run` and `move` answer with JSON for ``python.js``. Nothing here knows a lesson.
"""

import ast
import builtins
import contextlib
import io
import json
import os

cells = {}  # id → source, as the notebook has it or as the reader changed it
names = {"__name__": "__main__", "display": lambda *_, **__: None}
done = {}  # id → the source that was run
panels = {}


def start(sources):
    """The cells of the notebook by id, in order."""
    os.environ["ECON_STATE"] = os.devnull  # the page itself keeps what a learner has done
    cells.update(json.loads(sources))


def bound_and_used(source):
    """Names that a cell binds or changes, and those that it uses without binding them first."""
    bound, used = set(), set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            bound |= _root(node)
    for line in tree.body[:-1]:  # a call that shows nothing may change what it is called on
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call):
            bound |= _root(line.value.func)
    return bound, used - set(dir(builtins))


def _root(node):
    """The name before dots and brackets, where there are any."""
    inner = node
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    return {inner.id} if isinstance(inner, ast.Name) and inner is not node else set()


def needed(wanted, sources):
    """These cells and those before them that they rest on, in order; ``sources``: by id."""
    found, missing = set(wanted), set()
    for id in reversed(sources):
        try:
            bound, used = bound_and_used(sources[id])
        except SyntaxError:  # a reader's own; it is told when that cell is run
            continue
        if id in found or bound & missing:
            found.add(id)
            missing |= used
    return [id for id in sources if id in found]


def run(id, source=None):
    """Run a cell, and before it those that it needs and that have not run as they stand."""
    if source is not None:
        cells[id] = source
    printed = io.StringIO()
    try:
        value = None
        for cell in needed({id}, cells):
            if cell == id or done.get(cell) != cells[cell]:
                with contextlib.redirect_stdout(printed if cell == id else io.StringIO()):
                    value = value_of(cells[cell], names, cell)
                done[cell] = cells[cell]
        answer = _shown(id, value)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"} | _missing(error)
    return json.dumps({"printed": printed.getvalue()} | answer)


def move(id, values):
    """The state of a panel for the values of its controls."""
    try:
        return json.dumps(_state(panels[id].drawn(json.loads(values))))
    except (ValueError, ArithmeticError, ModuleNotFoundError) as error:
        return json.dumps({"refused": f"Not possible: {error}"} | _missing(error))


def _missing(error):
    """The package that the page may still load."""
    is_missing = isinstance(error, ModuleNotFoundError) and error.name
    return {"missing": error.name.partition(".")[0]} if is_missing else {}


def value_of(source, names, where):
    """Run a cell; the value of its last line, if that is an expression."""
    tree = ast.parse(source, where)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, where, "exec"), names)
    return eval(compile(ast.Expression(last.value), where, "eval"), names) if last else None


def _state(chart):
    from econ.charts.live import live_spec, records

    return {
        "spec": live_spec(chart),
        "title": chart.title.text,
        "summary": chart.description,
        "rows": records(chart.data),
    }


def _shown(id, value):
    from econ.charts.panels import Panel
    from econ.charts.plot import Drawing

    if isinstance(value, Panel):
        panels[id] = value
        controls = [_control(c) for c in value.controls.values()]
        return {"controls": controls, "state": _state(value.drawn(value._values()))}
    if isinstance(value, Drawing):
        try:
            return {"state": _state(value)}
        except ValueError:  # of several tables: its words stand for it
            return {"words": str(value.description)}
    if hasattr(value, "words"):
        return {"words": value.words}
    if hasattr(value, "_repr_html_"):
        return {"html": value._repr_html_()}
    return {} if value is None else {"words": repr(value)}


def _control(control):
    """A control with all its stops; a slider over named options stays a slider."""
    import ipywidgets as widgets

    numbers = hasattr(control, "step")
    if isinstance(control.value, bool):
        pairs = [("no", False), ("yes", True)]
    elif numbers:
        n = round((control.max - control.min) / control.step)
        values = [control.min + i * control.step for i in range(n + 1)]
        whole = isinstance(control.value, int)
        pairs = [(f"{v:,}", v) for v in (int(v) if whole else round(v, 10) for v in values)]
    else:
        pairs = [o if isinstance(o, tuple) else (str(o), o) for o in control.options]
    values = [value for _, value in pairs]
    off = [abs(v - control.value) if numbers else v != control.value for v in values]
    is_list = isinstance(control, widgets.Dropdown | widgets.Checkbox)
    return {
        "name": control.name,
        "label": control.description,
        "kind": "list" if is_list else "range",
        "words": [words for words, _ in pairs],
        "values": values,
        "first": off.index(min(off)),
    }
