"""Lessons for nbgrader: ``python tools/assignment.py [NOTEBOOK …]`` writes ``build/source``.

A folder a lesson, as nbgrader's ``source`` wants it: ``nbgrader generate_assignment 02_latency``
then takes the solutions out, and ``nbgrader autograde`` gives a point for each exercise. All
learners get the same numbers, so that what is graded is what was asked.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "source"
CHECK = re.compile(r'^check\("([^"]+)", (\w+)\)$', re.M)
SAME_NUMBERS = 'import os\nos.environ["ECON_STATIC"] = "1"  # the same numbers for everybody'
HIDDEN = """
### BEGIN HIDDEN TESTS
from econ.lessons.question import find, judge
assert judge(find("{id}"), {name}).mark == "right"
### END HIDDEN TESTS"""


def assignment(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with each exercise as a cell to solve and a cell that grades it."""
    solutions = {}
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []):
            *lines, last = cell.source.removeprefix("# Solution\n").splitlines()
            solutions[re.search(r'"([^"]+)"', last)[1]] = "\n".join(lines)
    cells = [notebook.cells[0], nbformat.v4.new_code_cell(SAME_NUMBERS)]
    for cell in notebook.cells[1:]:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags and (found := CHECK.search(cell.source)):
            cells += _graded(found[0], found[1], found[2], solutions[found[1]])
        elif "solution" not in tags:
            if cell.cell_type == "code":
                cell = nbformat.v4.new_code_cell(cell.source, metadata={"tags": tags})
            cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def _graded(check: str, id: str, name: str, solution: str) -> list[nbformat.NotebookNode]:
    solved = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    test = check + HIDDEN.format(id=id, name=name)
    return [
        nbformat.v4.new_code_cell(solved, metadata=_marks(f"{id}-answer", solution=True)),
        nbformat.v4.new_code_cell(test, metadata=_marks(id, grade=True, locked=True, points=1)),
    ]


def _marks(id: str, **marks: object) -> dict[str, object]:
    """The metadata by which nbgrader knows a cell."""
    usual = {"grade": False, "locked": False, "solution": False, "task": False}
    known = {"schema_version": 3, "grade_id": id, "cell_type": "code"}
    return {"nbgrader": {**usual, **known, **marks}}


def write(out: Path = OUT, names: list[str] | None = None) -> list[Path]:
    """Write the assignments (of all lessons, or those named); their paths."""
    every = {p.stem: p for p in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
    paths = []
    for stem in [Path(n).stem for n in names or every]:
        path = out / stem / f"{stem}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(assignment(nbformat.read(every[stem], as_version=4)), path)
        paths.append(path)
    return paths


if __name__ == "__main__":
    print(*write(names=sys.argv[1:] or None), sep="\n")
