"""``econ lab``: what a learner changed is never overwritten."""

import pytest

from econ import cli
from econ.course_command import START_PAGE, copy_notebooks


def test_a_changed_notebook_stays(tmp_path):
    copy_notebooks(tmp_path)
    (tmp_path / START_PAGE).write_text("mine")
    (tmp_path / "01_tokens.ipynb").unlink()
    assert copy_notebooks(tmp_path) == (["01_tokens.ipynb"], [START_PAGE])
    assert (tmp_path / START_PAGE).read_text() == "mine"
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("jupyterlab")
    (tmp_path / "file").write_text("")
    assert cli.main(["lab", "--folder", str(tmp_path / "file")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "name another, econ lab --folder" in said
