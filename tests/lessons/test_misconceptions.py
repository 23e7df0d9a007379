"""A learner's walk: whoever holds a wrong idea meets the sentence written for it, in its lesson."""

from pathlib import Path

import nbformat
import pytest

from econ.catalog import table
from econ.lessons import check, memory, predict, reveal
from econ.lessons.question import inputs, questions_of, text
from econ.lessons.views import markup

ROOT = Path(__file__).resolve().parents[2]
LESSONS = {p.stem[:2]: p for p in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
IDEAS = table("misconceptions")
MET = {w.idea: (q, w) for q in questions_of().values() for w in q.wrong if w.idea}


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)


def _novice(q, wrong):
    """What somebody with this idea says."""
    answer = wrong.answer(inputs(q)) if callable(wrong.answer) else wrong.answer
    if isinstance(answer, tuple) and not q.items:
        low, high = answer
        return min((low + high) / 2, 2 * low) if high != float("inf") else 2 * low + 1
    return answer


@pytest.mark.parametrize("id", IDEAS.index)
def test_a_novice_meets_the_sentence_for_each_wrong_idea(id, capsys):
    number = IDEAS.loc[id, "notebook"]
    if id not in MET:
        assert number not in LESSONS, f"lesson {number} does not meet {id!r}"
        pytest.skip(f"lesson {number} is not there yet")
    q, wrong = MET[id]
    says = text(wrong.says, inputs(q))
    if q.id[3:].isdigit():
        check(q.id, _novice(q, wrong))
        assert says in capsys.readouterr().out
        assert id in memory.entry("exercises", q.id)["ideas"]
    else:
        assert "locked" in predict(q.id).lock(_novice(q, wrong))
        assert markup(says)[3:-4] in reveal(q.id).record()["words"]


def test_a_sentence_belongs_to_a_row_of_the_table():
    assert set(MET) <= set(IDEAS.index)


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_asks_all_that_is_written_for_it(number):
    cells = nbformat.read(LESSONS[number], as_version=4).cells
    source = "\n".join(c.source for c in cells if c.cell_type == "code")
    for id in questions_of(number):
        if id[3:].isdigit():
            assert f'exercise("{id}")' in source, f"no cell of lesson {number} asks {id}"
            assert f'check("{id}", answer)' in source
            assert f'solution("{id}", answer)' in source
        else:
            assert f'predict("{id}")' in source
            assert source.index(f'predict("{id}")') < source.index(f'reveal("{id}")')
