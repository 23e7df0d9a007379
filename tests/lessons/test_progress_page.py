"""A learner's progress, from what checks and predictions kept."""

from econ.lessons import check, memory, predict, progress
from econ.lessons.progress_page import progress_frame


def _row(notebook="00"):
    return progress_frame().set_index("notebook").loc[notebook].to_dict()


def test_it_counts_tried_solved_and_guessed(monkeypatch, tmp_path):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)
    before = _row()
    assert (before["tried"], before["solved"], before["guesses"]) == (0, 0, 0)
    check("00-1", 1e9)
    assert (_row()["tried"], _row()["solved"]) == (1, 0)
    check("00-4", "reading the KV cache")
    predict("00-cost", 3.0, "USD")
    after = _row()
    assert (after["tried"], after["solved"], after["guesses"]) == (2, 1, 1)
    assert _row("01") == {**_row("01"), "tried": 0, "solved": 0, "guesses": 0}
    assert "00" in repr(progress())


def test_committed_outputs_know_no_learner(monkeypatch, tmp_path):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)
    memory.remember("exercises", "00-1", {"right": True})
    monkeypatch.setenv("ECON_STATIC", "1")
    assert _row()["tried"] == 0


def test_a_damaged_file_is_no_progress(monkeypatch, tmp_path):
    monkeypatch.delenv("ECON_STATIC", raising=False)
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "learner.json"))
    (tmp_path / "learner.json").write_text('{"exercises": {"00-1": 3}}')
    assert (_row()["tried"], _row()["solved"]) == (1, 0)
