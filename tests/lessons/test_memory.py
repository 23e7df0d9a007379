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


@pytest.mark.parametrize(
    "stored",
    ["3", "[]", "null", '{"exercises": 3}', '{"exercises": {"00-1": 3}}', "{half", "\xff", "",
     "[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_set_aside_and_said(file, stored, capsys):
    file.parent.mkdir()
    file.write_text(stored, encoding="latin-1")
    assert memory.recall() == {}
    assert "was damaged. It now lies at" in capsys.readouterr().out
    memory.remember("exercises", "x", {"solved": True})
    assert json.loads(file.read_text()) == {"exercises": {"x": {"solved": True}}}
    assert (file.parent / "learner.damaged-1.json").read_text(encoding="latin-1") == stored
    assert capsys.readouterr().out == ""


def test_the_second_damage_does_not_erase_the_first(file):
    file.parent.mkdir()
    for text in ("{one", "{two"):
        file.write_text(text)
        memory.recall()
    kept = [(file.parent / f"learner.damaged-{n}.json").read_text() for n in (1, 2)]
    assert kept == ["{one", "{two"]


def test_a_file_that_cannot_be_read_is_left_alone(file, monkeypatch):
    memory.remember("exercises", "x", {"solved": True})
    before = file.read_bytes()

    def refuse(*_, **__):
        raise PermissionError("not yours")

    with monkeypatch.context() as patch:
        patch.setattr(memory.Path, "open", refuse)
        assert memory.recall() == {}
        memory.remember("exercises", "y", {"solved": True})
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_stops_no_lesson(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "file" / "below.json"))
    memory.remember("exercises", "x", {"solved": True})
    assert memory.recall() == {}
    assert memory.seed() == 0


def test_a_learner_has_one_number_of_their_own(file, monkeypatch):
    drawn = memory.seed()
    assert drawn > 0
    assert memory.seed() == drawn
    monkeypatch.setenv("ECON_STATIC", "1")
    assert memory.seed() == 0


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(file, monkeypatch):
    memory.remember("predictions", "g", {"said": 1.0})
    before = file.read_bytes()

    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", refuse)
    memory.remember("predictions", "g", {"said": 2.0})
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_without_a_name_it_lies_in_the_users_state(monkeypatch, tmp_path):
    monkeypatch.delenv("ECON_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert memory.path() == tmp_path / "inference-economics" / "learner.json"
