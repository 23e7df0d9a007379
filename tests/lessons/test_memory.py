"""What a learner has done: kept whole, whatever stands in the file or in its way."""

import json

import pytest

from econ.lessons import memory


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """A memory of this test's own."""
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "state" / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)
    return memory.path()


@pytest.mark.parametrize("kept", ["3", "[]", "null", '{"exercises": 3}', "{half", "\xff"])
def test_a_damaged_file_is_an_empty_memory_and_heals(file, kept):
    file.parent.mkdir()
    file.write_text(kept, encoding="latin-1")
    assert memory.recall() == {}
    assert memory.recall().get("exercises", {}) == {}
    memory.remember("exercises", "x", {"right": True})
    assert json.loads(file.read_text()) == {"exercises": {"x": {"right": True}}}


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(file, monkeypatch):
    memory.remember("guesses", "g", {"value": 1.0})
    before = file.read_bytes()

    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(memory.os, "replace", refuse)
    memory.remember("guesses", "g", {"value": 2.0})
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_without_a_name_it_lies_in_the_users_state(monkeypatch, tmp_path):
    monkeypatch.delenv("ECON_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert memory.path() == tmp_path / "inference-economics" / "learner.json"
