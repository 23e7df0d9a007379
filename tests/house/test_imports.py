"""Imports point downwards, and importing asks no network and loads nothing heavy."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "econ").rglob("*.py"))
# what may open a connection; a function may import one of them when it is called
NETWORK = {"socket", "ssl", "http", "urllib", "ftplib", "requests", "httpx", "aiohttp", "pooch"}
# loaded only by the rooms that need them, and by none below the views
HEAVY = {
    "altair", "ipywidgets", "anywidget", "IPython", "mistral_common", "tokenizers", "frictionless",
    "matplotlib", "numba", "dask", "genai_prices", "scipy.optimize", "scipy.stats", "SALib",
}  # fmt: skip


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _lint(config: Path) -> subprocess.CompletedProcess:
    """Run import-linter with a configuration."""
    command = "from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--config", str(config)],
        capture_output=True, text=True, cwd=ROOT, timeout=600,
    )  # fmt: skip


def _contracts() -> dict[str, dict]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {contract["type"]: contract for contract in linter["contracts"]}


def test_the_chain_is_the_folder_list_without_circles_and_draws_nothing():
    assert set(_contracts()) == {"layers", "forbidden", "acyclic_siblings"}
    done = _lint(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout


def test_the_contract_would_catch_an_upward_import(tmp_path):
    config = tmp_path / "contract.ini"
    upside_down = _contracts()["layers"]["layers"][::-1]
    config.write_text(
        "[importlinter]\nroot_package = econ\n"
        "[importlinter:contract:1]\nname = layers\ntype = layers\ncontainers = econ\nlayers =\n"
        + "".join(f"    {layer}\n" for layer in upside_down)
    )
    done = _lint(config)
    assert done.returncode != 0
    assert "0 kept, 1 broken" in done.stdout


def test_every_part_of_the_library_is_forbidden_to_draw():
    drawing = {"econ.charts", "econ.lessons", "econ.report", "econ.app", "econ.cli",
               "econ.decide_command", "econ.course_server"}  # fmt: skip
    own = {_name(p.parent if p.name == "__init__.py" else p) for p in (ROOT / "econ").glob("*.py")}
    own |= {f"econ.{p.parent.name}" for p in (ROOT / "econ").glob("*/__init__.py")}
    library = own - drawing - {"econ", "econ.__main__", "econ.calibrate"}
    assert set(_contracts()["forbidden"]["source_modules"]) == library


def _imported_at_load(tree: ast.Module) -> set[str]:
    """Top-level packages that a module imports when it is loaded, not inside its functions."""
    found: set[str] = set()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "urllib.parse":
            continue  # takes addresses apart and asks for none
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_module_reaches_for_the_network_when_loaded(path):
    assert not _imported_at_load(ast.parse(path.read_text(encoding="utf-8"))) & NETWORK


def test_the_rule_sees_imports_at_load_only():
    code = "try:\n    import urllib.request\nexcept ImportError: pass\ndef f():\n    import pooch"
    assert _imported_at_load(ast.parse(code)) == {"urllib"}


LOAD = """
import importlib, socket, sys
def refuse(*args, **kwargs): raise AssertionError("network at import")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
for name in {names!r}:
    importlib.import_module(name)
print(*sorted(set({heavy!r}) & set(sys.modules)))
"""


def _load(names: list[str], heavy: frozenset[str] = frozenset(HEAVY)) -> str:
    """Import modules in a fresh interpreter that has no network; what it loaded of ``heavy``."""
    code = LOAD.format(names=names, heavy=sorted(heavy))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, cwd=ROOT, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_modules_load_without_network_or_warning():
    _load([name for name in map(_name, MODULES) if not name.endswith("__main__")])


def test_a_lesson_loads_what_it_uses():
    names = ["econ.lessons.answers", "econ.lessons.predictions", "econ.lessons.l01_tokens"]
    assert not _load(names, frozenset({"econ.plan", "econ.serving", "econ.lessons.l12_decision"}))


def test_below_the_views_nothing_heavy_is_loaded():
    names = [
        n
        for n in map(_name, MODULES)
        if not n.startswith(("econ.charts", "econ.lessons", "econ.report", "econ.app"))
        and not n.endswith("__main__")
    ]
    assert len(names) > 10
    assert _load(names) == ""


def test_every_name_that_is_imported_late_is_there():
    for name in ("econ", "econ.lessons"):
        package = importlib.import_module(name)
        assert [n for n in package.__all__ if getattr(package, n, None) is None] == []
