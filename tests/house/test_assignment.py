"""Lessons as nbgrader assignments: each exercise is graded, and only a right answer passes."""

import os
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import assignment  # noqa: E402

from econ.lessons import answers  # noqa: E402

LESSONS = sorted(p.stem for p in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.parametrize("stem", LESSONS)
def test_every_exercise_is_a_cell_to_solve_and_a_cell_that_grades(stem, tmp_path):
    (path,) = assignment.write(tmp_path, [stem])
    cells = nbformat.read(path, as_version=4).cells
    nbformat.validate(nbformat.read(path, as_version=4))
    marks = [c.metadata["nbgrader"] for c in cells if "nbgrader" in c.metadata]
    graded = [m["grade_id"] for m in marks if m["grade"]]
    assert sorted(graded) == answers.exercises(stem[:2])
    assert len({m["grade_id"] for m in marks}) == len(marks) == 2 * len(graded)
    assert not any("solution(" in c.source for c in cells if c.cell_type == "code")
    assert not any(c.get("outputs") for c in cells)


def test_the_solution_passes_and_another_answer_does_not(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(os.environ, "ECON_STATIC", "1")
    (path,) = assignment.write(tmp_path, ["02_latency"])
    cells = [c for c in nbformat.read(path, as_version=4).cells if "nbgrader" in c.metadata]
    names = {}
    exec("import econ\nfrom econ.lessons import check, given", names)
    solve, grade = cells[0].source, cells[1].source
    exec(solve, names)
    exec(grade, names)
    with pytest.raises(AssertionError):
        exec(f"answer = 1e9\n{grade}", names)
    assert capsys.readouterr().out.count("02-1: ") == 2
