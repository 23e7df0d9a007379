"""Minutes that a lesson states are those that its cells take."""

import sys
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import minutes

LESSONS = sorted(minutes.NOTEBOOKS.glob("[0-9]*.ipynb"))
MOST_MIN = 35


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_minutes_stated_are_minutes_measured(path):
    book = nbformat.read(path, as_version=4)
    took = minutes.measured(book)
    assert minutes.stated(book) == pytest.approx(took, rel=0.2), minutes.parts(book)
    readme = minutes.row_of(path.stem).search(minutes.README.read_text(encoding="utf-8"))
    assert int(readme[2]) == minutes.stated(book)
    assert minutes.stated(book) <= MOST_MIN, minutes.parts(book)


def _cell(source, *tags, text="", **data):
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})
    if text or data:
        bundle = {"text/plain": text, **{k.replace("_", "/"): v for k, v in data.items()}}
        cell.outputs = [nbformat.v4.new_output("display_data", data=bundle)]
    return cell


def test_what_is_read_looked_at_and_done_counts():
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Why?\n\n*7 minutes*\n\n" + "word " * 300),
            _cell("from econ import tokens", "setup"),
            _cell("picture('step')", "picture", text="not read", image_png="x"),
            _cell("figure(frame)", text="alt text is not read", image_png="x"),
            _cell("lesson.roof_panel()", text="nor this", text_html="x"),
            _cell("predict('00-cost')", "predict", text="what do you say"),
            _cell("reveal('00-cost')", "reveal", text="It is so\nwords for somebody else"),
            _cell("exercise('00-1')", "ask", text="how many are there"),
            _cell("answer = ...", "exercise", text="not read"),
            _cell("# Solution", "solution", text="not read"),
        ]
    )
    counts = minutes.parts(book)
    done = {kind: n for kind, n in counts.items() if n}
    assert done == {"words": 303 + 4 + 3 + 4, "chart": 1, "picture": 1, "panel": 1, "predict": 1,
                    "exercise": 1}  # fmt: skip
    minutes.state(book)
    assert minutes.stated(book) == 10
