"""The one way outputs are made: whole or not at all, and the same twice."""

import sys
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import execute

pytestmark = pytest.mark.slow  # a kernel starts in each


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes a notebook of some cells and returns its path."""
    monkeypatch.setattr(execute, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("ECON_STATIC", "0")  # and so is put back after `main` has set it

    def made(*sources):
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        path = tmp_path / "lesson.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return made


def test_running_twice_gives_the_same_bytes(write):
    path = write(
        "import os\nprint(os.environ['ECON_STATIC'])",
        "import ipywidgets\nipywidgets.IntSlider()",
        "1 + 1",
    )
    execute.main(["lesson"])
    first = path.read_bytes()
    book = nbformat.read(path, as_version=4)
    assert [c.execution_count for c in book.cells] == [1, 2, 3]
    assert book.cells[0].outputs[0].text == "1\n"
    assert book.cells[2].outputs[0].data["text/plain"] == "2"
    assert set(book.metadata) == {"kernelspec", "language_info"}
    assert b"widget-view" not in first
    assert b'execution"' not in first
    execute.main(["lesson.ipynb"])
    assert path.read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == ["lesson.ipynb"]


def test_an_error_names_notebook_cell_and_words_and_changes_nothing(write):
    path = write("1 + 1", "raise ValueError('too hot')")
    before = path.read_bytes()
    with pytest.raises(SystemExit, match=r"(?s)lesson.ipynb is unchanged; cell 2: .*too hot"):
        execute.main([])
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["lesson.ipynb"]


def test_a_kernel_that_dies_gets_one_more_chance(write, tmp_path, capfd):
    mark = tmp_path / "mark"
    path = write(
        "1 + 1",
        f"import os, pathlib\nm = pathlib.Path({str(mark)!r})\n"
        "seen = m.exists(); m.touch()\nif not seen: os._exit(1)\n'alive'",
    )
    execute.main([])
    assert "cell 2: DeadKernelError, once more" in capfd.readouterr().err
    assert "alive" in path.read_text()


def test_a_cell_that_hangs_ends(write, monkeypatch):
    monkeypatch.setattr(execute, "CELL_TIMEOUT_S", 1)
    monkeypatch.setattr(execute, "TRIES", 1)
    path = write("import time; time.sleep(60)")
    before = path.read_bytes()
    with pytest.raises(SystemExit, match="cell 1: CellTimeoutError"):
        execute.main([])
    assert path.read_bytes() == before


def test_a_result_that_cannot_be_written_leaves_no_litter(write, monkeypatch):
    path = write("1")
    before = path.read_bytes()
    monkeypatch.setattr(execute, "execute", lambda *_: None)
    monkeypatch.setattr(execute.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        execute.main([])
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["lesson.ipynb"]


def test_an_unknown_notebook_lists_the_nearest(write):
    write("1")
    with pytest.raises(SystemExit, match="unknown notebook 'lessen'; nearest: lesson"):
        execute.main(["lessen"])
