"""The form of a notebook, and that its committed outputs are whole."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LESSONS = [p for p in NOTEBOOKS if p.stem[0].isdigit()]  # an appendix (A1) is for looking things up
TAGS = {"setup", "picture", "predict", "reveal", "ask", "exercise", "solution"}
OUTSIDE_PROSE = {"reveal", "ask", "exercise", "solution"}
NETWORK = re.compile(
    r"\b(import requests|requests\.[a-z]|urllib|httpx|pooch\.retrieve|read_csv\(\s*['\"]https?:)"
)
MOST_BYTES = 1_000_000


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def path(request):
    """Each notebook's path."""
    return request.param


@pytest.fixture
def book(path):
    """Each notebook."""
    return nbformat.read(path, as_version=4)


@pytest.fixture(params=LESSONS, ids=lambda p: p.stem)
def lesson(request):
    """Each notebook that teaches."""
    return nbformat.read(request.param, as_version=4)


def _code(book):
    return [c for c in book.cells if c.cell_type == "code"]


def _lines(cell) -> int:
    return len([line for line in cell.source.splitlines() if line.strip()])


def test_it_is_valid_and_small(path, book):
    nbformat.validate(book)
    assert path.stat().st_size <= MOST_BYTES


def test_a_lesson_is_neither_short_nor_long(lesson):
    assert 40 <= len(lesson.cells) <= 90


def test_cells_are_short(book):
    lines = [_lines(c) for c in _code(book)]
    assert max(lines) <= 15
    assert np.percentile(lines, 90) <= 10
    assert 1 <= np.median(lines) <= 4


def test_one_title_that_asks(book):
    titles = [
        line for c in book.cells if c.cell_type == "markdown"
        for line in re.sub(r"```.*?```", "", c.source, flags=re.S).splitlines()
        if line.startswith("# ")
    ]  # fmt: skip
    assert len(titles) == 1
    assert titles[0].endswith("?")


def test_objectives_name_exercises_that_exist(lesson):
    text = "\n".join(c.source for c in lesson.cells)
    goals = next(c.source for c in lesson.cells if "You will be able to" in c.source)
    named = set(re.findall(r"\b(\d\d-\d)\b", goals))
    checked = set(re.findall(r'check\("(\d\d-\d)"', text))
    assert named
    assert named <= checked
    assert 3 <= len(checked) <= 5


def test_parts_of_the_anatomy_are_there(lesson):
    text = "\n".join(c.source for c in lesson.cells if c.cell_type == "markdown")
    for part in ("Predict", "By hand|by hand", "Reconcile", "Break it", "How sure",
                 "## Exercises", "## Summary", r"\*\*Limits"):  # fmt: skip
        assert re.search(part, text), part


def test_tags_are_known_and_setup_is_short(book):
    for cell in book.cells:
        assert set(cell.metadata.get("tags", [])) <= TAGS
    (setup,) = [c for c in _code(book) if "setup" in c.metadata.get("tags", [])]
    assert _lines(setup) <= 8


def test_prose_stands_before_code(book):
    bare = 0
    for before, cell in zip(book.cells, book.cells[1:], strict=False):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or OUTSIDE_PROSE & set(tags):
            continue
        bare = bare + 1 if before.cell_type == "code" else 0
        assert bare <= 2, f"three cells of code without a word:\n{cell.source}"


def test_every_solution_is_right_and_hidden(book):
    solutions = [c for c in _code(book) if "solution" in c.metadata.get("tags", [])]
    exercises = [c for c in _code(book) if "exercise" in c.metadata.get("tags", [])]
    assert len(solutions) == len(exercises)
    for cell in solutions:
        assert cell.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
        assert cell.source.startswith("# Solution\n")  # all that a folded cell shows
        (output,) = cell.outputs
        assert output["data"]["text/plain"].endswith("the worked solution is right.")
        assert 'solution("' in cell.source  # a check would count as the learner's
    for cell in exercises:
        assert cell.source.startswith("answer = ...")
        assert "not answered yet" in cell.outputs[0]["text"]


def test_outputs_are_whole_and_in_order(book):
    counts = [c.execution_count for c in _code(book)]
    assert counts == list(range(1, len(counts) + 1))
    for cell in _code(book):
        for output in cell.outputs:
            assert output.output_type != "error"


def test_pictures_have_words(book):
    for cell in _code(book):
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                assert len(data["text/plain"]) > 40
                assert output.metadata["image/png"]["alt"] == data["text/plain"]
    for cell in book.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"!\[\s*\]\(", cell.source)
            assert ("mermaid" not in cell.source) or ("accDescr:" in cell.source)


def test_at_most_three_panels_and_no_network(book):
    source = "\n".join(c.source for c in _code(book))
    assert len(re.findall(r"\bpanel\(|_panel\(", source)) <= 3
    assert not NETWORK.search(source)


def test_committed_by_the_one_script(book):
    assert set(book.metadata) == {"kernelspec", "language_info"}
    for cell in _code(book):
        assert "execution" not in cell.metadata
        for output in cell.outputs:
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
