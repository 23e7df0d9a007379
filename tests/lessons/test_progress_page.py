"""A learner's progress, and a class's: only what learners did themselves."""

import json

import pytest

from econ.lessons import check, class_progress, hint, memory, predict, progress
from econ.lessons.progress_page import class_frame, progress_frame


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)


def _row(notebook="00"):
    return progress_frame().set_index("notebook").loc[notebook].to_dict()


def test_it_counts_what_was_done(capsys):
    assert not any(v for k, v in _row().items() if k != "exercises")
    assert repr(progress()) == "No prediction is locked and no exercise is tried yet."
    check("00-1", 1e9)
    check("00-4", "reading the KV cache")
    hint("00-4")
    predict("00-cost").lock(3.0)
    predict("01-language").skip()
    row = _row()
    assert (row["tried"], row["solved"], row["alone"]) == (2, 1, 1)
    assert (row["attempts"], row["hints"], row["solutions"]) == (2, 1, 0)
    assert (row["predictions"], row["skipped"], _row("01")["skipped"]) == (1, 0, 1)
    assert "00" in repr(progress())


def test_committed_outputs_know_no_learner(monkeypatch):
    check("00-1", 1)
    monkeypatch.setenv("ECON_STATIC", "1")
    assert _row()["tried"] == 0


def test_a_class_is_one_row_a_file(tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    done = {"exercises": {"00-1": {"attempts": 2, "solved": True, "aided": True, "ideas": ["x"]},
                          "00-2": {"attempts": "many", "solved": 1}}}  # fmt: skip
    (folder / "ada.json").write_text(json.dumps(done))
    (folder / "bob.json").write_text("{half")
    (folder / "cat.json").write_text(json.dumps({"exercises": {"00-1": 3}}))
    (folder / "dan.json").mkdir()
    frame = class_frame(folder).set_index("learner")
    assert frame.loc["ada", ["tried", "solved", "alone", "attempts"]].tolist() == [1, 1, 0, 2]
    assert frame.loc["ada", "ideas"] == "x"
    assert all(frame.loc[name, "reason"].startswith("not read") for name in ("bob", "cat", "dan"))
    assert "not read" in repr(class_progress(folder))


def test_memory_of_a_version_to_come_is_kept(tmp_path):
    memory.path().write_text('{"badges": [1, 2], "exercises": {}}')
    check("00-1", 1)
    assert json.loads(memory.path().read_text())["badges"] == [1, 2]
