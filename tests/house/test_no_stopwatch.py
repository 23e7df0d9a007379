"""Speed is measured in ``bench/``: a test that reads a clock fails on a busy machine."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOCKS = {"perf_counter", "process_time", "perf_counter_ns", "process_time_ns", "thread_time"}
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def clocks(text: str) -> list[str]:
    """Calls that read a stopwatch."""
    return [
        f"line {node.lineno}: {node.func.attr}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]


@pytest.mark.parametrize("path", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_test_reads_a_stopwatch(path):
    assert not clocks(path.read_text(encoding="utf-8"))


def test_the_rule_sees_a_stopwatch():
    assert clocks("import time\nstart = time.perf_counter()")
