#!/usr/bin/env python3
"""Code lines of each package, without blank lines, comments and docstrings.

    make sizes

writes ``tests/house/sizes.json``, a record that the tests hold. Lowering it is part of any change;
raising it is a commit of its own that says what the lines buy.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "tests" / "house" / "sizes.json"


def code_lines(text: str) -> int:
    """Lines that do something."""
    words: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        owner = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if owner and ast.get_docstring(node) is not None:
            words |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(i not in words and bool(s.strip()) and s.strip()[0] != "#" for i, s in lines)


def sizes() -> dict[str, int]:
    """Code lines by package; modules beside the packages count as ``econ``."""
    counts: dict[str, int] = {}
    for path in sorted((ROOT / "econ").rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        package = "econ" if len(parts) == 2 else ".".join(parts[:2])
        counts[package] = counts.get(package, 0) + code_lines(path.read_text(encoding="utf-8"))
    return counts


if __name__ == "__main__":
    now = sizes()
    before = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    RECORD.write_text(json.dumps(now, indent=2) + "\n")
    for package, lines in now.items():
        change = lines - before.get(package, 0)
        print(f"{package:<18} {lines:>6,} {change:>+6,}")
    print(f"{'in all':<18} {sum(now.values()):>6,}")
