"""Names carry their unit: numeric fields of dataclasses and parameters of public functions."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "econ").rglob("*.py"))
SUFFIXES = (
    "_s", "_ms", "_ps", "_w", "_j", "_usd", "_bytes", "_px", "_frac", "_tokens", "_params", "_flop",
    "_per_s", "_per_user", "_op_per_s", "_per_kwh", "_per_mtok", "_per_gpu_hour", "_per_year",
    "_per_token", "_per_sequence", "_per_gpu", "_per_param", "_per_element", "_factor", "_cv",
)  # fmt: skip
# counts of the architecture, and what DESIGN exempts: counts, years, dimensionless numbers
COUNTS = ("n_", "mla_")
COUNT_ENDS = ("_size", "_dim", "_rank", "_layers", "_heads", "_domain", "_per_server", "_experts")
EXEMPT = {
    "tokens", "params", "batch", "concurrency", "servers", "turns", "steps", "tp", "pp", "ep", "dp",
    "k", "n", "c", "years", "pue", "slowdown", "seed", "vocab_size", "rank_correlation",
    "experts_per_token", "batches", "indent",
    "software_maturity", "tokens_per_s_per_user",
    "intervals", "bands", "median", "p90", "rounds", "size",
    "max_batch", "token_budget", "offered_load", "seeds", "id", "missing", "split", "ttft_weight",
}  # fmt: skip
# rooms about names, numbers or pixels themselves
GENERIC = {"guard.py", "units.py", "charts.py", "theme.py", "panels.py", "check.py", "tables.py"}
RATIOS = {"over", "under", "new", "old", "published"}  # the ledger's arithmetic on bare numbers
DRAWN = {"guess", "height", "value", "low", "high", "step"}


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
    """Whether a name says its unit, or is a count or exempt."""
    return (
        name.endswith(SUFFIXES)
        or name.startswith(COUNTS)
        or name.endswith(COUNT_ENDS)
        or name in EXEMPT
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_numbers_carry_their_unit(path):
    allowed = set(RATIOS) if path.name == "ledger.py" else set()
    if path.parent.name == "views":
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


CONSTANTS = {1e6, 1e9, 1e12, 3600, 8760, 2**30, 86400}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_conversions_live_in_one_room(path):
    if path.name in ("units.py", "guard.py"):
        return
    text = path.read_text(encoding="utf-8")
    bad = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult | ast.Div)
        and isinstance(node.right, ast.Constant)
        and node.right.value in CONSTANTS
    ]
    assert not bad, f"{path.name}: conversions belong in econ/facts/units.py:\n" + "\n".join(bad)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_small_and_documented(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 320
    assert ast.get_docstring(ast.parse(text))


def _code_lines(path: Path) -> int:
    """Lines that do something: without blank ones, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    words: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        owner = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if owner and ast.get_docstring(node) is not None:
            words |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(i not in words and bool(s.strip()) and s.strip()[0] != "#" for i, s in lines)


def test_the_package_stays_small():
    assert sum(map(_code_lines, MODULES)) < 8000
