"""Names carry their unit: numeric fields of dataclasses and parameters of public functions."""

import ast
import sys
from pathlib import Path

import pytest

from econ.catalog.columns import columns

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from sizes import code_lines  # noqa: E402

MODULES = sorted((ROOT / "econ").rglob("*.py"))
SUFFIXES = (
    "_s", "_ms", "_ps", "_w", "_j", "_usd", "_bytes", "_px", "_frac", "_tokens", "_params", "_flop",
    "_per_s", "_per_user", "_op_per_s", "_per_kwh", "_per_mtok", "_per_gpu_hour", "_per_year",
    "_per_token", "_per_flop", "_per_answer", "_per_request", "_steps",
    "_per_sequence", "_per_gpu", "_per_param", "_per_element", "_factor", "_cv",
    "_per_month",
    "_per_token", "_per_total_token", "_per_sequence", "_per_gpu", "_per_param", "_per_element",
    "_per_month", "_per_day", "_per_seat", "_per_w", "_per_flop", "_per_answer", "_per_request",
    "_factor", "_ratio", "_cv", "_bits", "_elements", "_steps", "_years", "_hours", "_gb", "_g",
    "_wh", "_kwh", "_kw", "_mw", "_months", "_per_hour", "_per_kw_month", "_elasticity",
    "_se",  # in the unit of the number whose standard error it is
)  # fmt: skip
# counts of the architecture
COUNTS = ("n_", "mla_")
COUNT_ENDS = (
    "_size", "_dim", "_rank", "_layers", "_heads", "_domain", "_per_server", "_experts",
    "_per_instance", "_per_rack",
)  # fmt: skip
KNOWN = set(columns())
# rooms about names, numbers or pixels themselves
GENERIC = {"guard.py", "units.py", "grammar.py", "theme.py", "panels.py", "tables.py",
           "quantities.py", "question.py", "samples.py"}  # fmt: skip
RATIOS = {"over", "under", "new", "old"}  # arithmetic on bare published numbers
DRAWN = {"guess", "height", "step"}


def _numeric(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    names = {n.id for n in ast.walk(annotation) if isinstance(n, ast.Name)}
    return bool(names & {"int", "float"}) and "Callable" not in names


def _names(tree: ast.Module):
    """Fields of classes, parameters of functions and methods; inside a function is its own."""
    owners = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_")]
    for item in (item for owner in owners for item in owner.body):
        if isinstance(item, ast.AnnAssign) and _numeric(item.annotation):
            yield item.target.id, item.lineno
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_"):
            for a in [*item.args.args, *item.args.kwonlyargs]:
                if _numeric(a.annotation):
                    yield a.arg, item.lineno


def carries_unit(name: str) -> bool:
    """Whether a name says its unit, is a count, or stands in the dictionary of quantities."""
    return (
        name.endswith(SUFFIXES)
        or name.startswith(COUNTS)
        or name.endswith(COUNT_ENDS)
        or name in KNOWN
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_numbers_carry_their_unit(path):
    allowed = set(RATIOS) if path.parent.name == "ledger" else set()
    if path.parent.name in ("charts", "lessons"):
        allowed |= DRAWN
    if path.name in GENERIC:
        return
    bad = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for name, line in _names(ast.parse(path.read_text(encoding="utf-8")))
        if not carries_unit(name) and name not in allowed
    ]
    assert not bad, "no unit in the name:\n" + "\n".join(bad)


def test_the_rule_catches_what_it_should():
    assert not carries_unit("latency")
    assert not carries_unit("power")
    assert carries_unit("ttft_s")


# powers of ten and two, and the clock; 1000 as a count of things is KILO of units.py too
VAGUE = {  # they say how a thing came to be, not what it is
    "made", "found", "kept", "said", "told", "given", "asked", "held", "shown", "whole", "mine",
    "there",
}  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_local_names_say_what_they_are(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    fields = {
        item.target
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for item in owner.body
        if isinstance(item, ast.AnnAssign)
    }
    names = [
        (node.lineno, getattr(node, "id", None) or getattr(node, "arg", ""))
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in fields)
        or isinstance(node, ast.arg)
    ]
    assert not [f"line {line}: {name}" for line, name in names if name in VAGUE]


CONSTANTS = {10.0**n for n in (-12, -9, -6, -3, 3, 6, 9, 12, 15, 18)}
CONSTANTS |= {2.0**n for n in (10, 20, 30, 40)} | {24, 60, 365, 3600, 3.6, 3.6e6, 8760, 86400}


LITERAL = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Constant)


def _constant(node: ast.expr) -> float | None:
    """The value of a literal, or of arithmetic on literals (``2**30``, ``-1e6``)."""
    if not all(isinstance(n, LITERAL) for n in ast.walk(node)):
        return None
    value = eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": {}})
    return float(value) if isinstance(value, int | float) else None


def conversions(text: str) -> list[str]:
    """Products and quotients by a conversion constant, on either side.

    ``60 * MICRO`` is a quantity with its unit, not a conversion.
    """
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv):
            sides = (node.left, node.right)
            named = any(isinstance(s, ast.Name) and s.id.isupper() for s in sides)
            if not named and {_constant(s) for s in sides} & CONSTANTS:
                found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_conversions_live_in_one_room(path):
    # a question states its numbers in a learner's units: thousand USD, percent, GB
    if path.name in ("units.py", "guard.py") or path.parent.name == "questions":
        return
    bad = conversions(path.read_text(encoding="utf-8"))
    assert not bad, f"{path.name}: conversions belong in econ/catalog/units.py:\n" + "\n".join(bad)


@pytest.mark.parametrize("line", ["x / 2**30", "1e6 * x", "x * 3600", "x // 86_400", "x * 1024"])
def test_a_conversion_is_seen(line):
    assert conversions(line)


@pytest.mark.parametrize("line", ["x * 2 / (n - 1) ** 3", "min(x, 1e6)", "60 * MICRO", "x + 1000"])
def test_what_is_no_conversion_is_let_be(line):
    assert not conversions(line)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_small_and_documented(path):
    text = path.read_text(encoding="utf-8")
    assert code_lines(text) <= 300
    assert ast.get_docstring(ast.parse(text))
