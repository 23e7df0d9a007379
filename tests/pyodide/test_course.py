"""Lessons run in WebAssembly and say what their committed outputs say.

All notebooks: ``python -m tests.pyodide.course`` (many minutes). What differs there, and why,
stands in ``workshop/hosting.md``.
"""

import shutil

import pytest

from tests.pyodide import course


@pytest.mark.browser
def test_a_lesson_says_in_webassembly_what_it_says_here(capsys):
    if not shutil.which("node"):
        pytest.skip("node is not here; it runs the browser's engine without a browser")
    try:
        course.core()
    except ConnectionError:
        pytest.skip("the package index is out of reach; the fixture comes from there")
    assert course.report(["00_start_here"]) == 0, capsys.readouterr().out


def test_what_differs_is_named():
    line = {"error": "", "printed": "1\n", "words": "two"}
    assert course.differs(line, ("1\n", ["two"])) == ""
    assert course.differs(line, ("2\n", ["two"])) == "prints '1\\n', not '2\\n'"
    assert course.differs(line, ("1\n", ["three"])) == "says 'two', not ['three']"
    assert course.differs(line | {"error": "KeyError: 'x'"}, ("1\n", ["two"])) == "KeyError: 'x'"
    said = course.committed("00_start_here")
    assert any(shown for _, shown in said.values())
