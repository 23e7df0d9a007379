"""The workshop: its map and guide point at what is there, its prints are made from the models."""

import itertools
import os
import re
import stat
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import answers  # noqa: E402
import handout  # noqa: E402
import minutes  # noqa: E402
import preflight  # noqa: E402
import slides  # noqa: E402
import teacher  # noqa: E402

from econ.lessons import check, given, predict  # noqa: E402

BOOKS = {
    p.stem[:2]: nbformat.read(p, as_version=4)
    for p in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
}
GUIDE = (ROOT / "workshop" / "guide.md").read_text(encoding="utf-8")


def _source(book, kind):
    return "\n".join(c.source for c in book.cells if c.cell_type == kind)


CODE = "\n".join(_source(book, "code") for book in BOOKS.values())


def test_what_the_guide_shows_live_is_there():
    pictures, asked = (re.findall(rf"`{word} ([\w-]+)`", GUIDE) for word in ("picture", "predict"))
    assert len(pictures) > 5
    assert len(asked) > 4
    for name in pictures:
        assert f'picture("{name}")' in CODE, name
    for id in asked:
        assert f'predict("{id}")' in _source(BOOKS[id[:2]], "code"), id
    for number, part in re.findall(r"`(\d\d): ([^`]+)`", GUIDE):
        assert f"## {part}" in _source(BOOKS[number], "markdown"), f"{number}: {part}"


def test_the_guide_names_exercises_that_exist():
    checked = set(re.findall(r'check\("(\d\d-\d)"', CODE))
    named = set(re.findall(r"(?<![\d:])\b(\d\d-\d)\b", GUIDE))
    assert len(named) > 10
    assert named <= checked


@pytest.mark.parametrize(("title", "minutes"), [("Ninety minutes", 90), ("Half a day", 210),
                                                ("A finance room", 120)])  # fmt: skip
def test_the_times_of_a_format_add_up(title, minutes):
    part = GUIDE.partition(f"## {title}")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+):(\d\d) \| (\d+) \|", part, re.M)
    clock = 0
    for hours, mins, long in rows:
        assert int(hours) * 60 + int(mins) == clock
        clock += int(long)
    assert clock == minutes


def test_a_day_has_no_gap():
    part = GUIDE.partition("## A day")[2].partition("\n## ")[0]
    rows = [tuple(map(int, r)) for r in re.findall(r"^\| (\d+):(\d\d) \| (\d+) \|", part, re.M)]
    for (h, m, long), (after_h, after_m, _) in itertools.pairwise(rows):
        assert h * 60 + m + long == after_h * 60 + after_m


def test_a_lesson_taken_whole_has_the_minutes_that_it_states():
    """Rows of one format and notebook together; a row that says part takes less than the whole."""
    n_rows = 0
    for part in GUIDE.split("\n## "):
        spent: dict[tuple[str, bool], int] = {}
        for long, number, is_part in re.findall(
            r"^\| \d+:\d\d \| (\d+) \| (\d\d)( \(part\))?:", part, re.M
        ):
            n_rows += 1
            key = (number, bool(is_part))
            spent[key] = spent.get(key, 0) + int(long)
        for (number, is_part), long in spent.items():
            stated = minutes.stated(BOOKS[number])
            assert (long < stated) if is_part else (long >= stated), (part[:20], number, long)
    assert n_rows > 25
    assert GUIDE.count("| 03 (part)") + GUIDE.count("| 03:") == 4  # in every format


def test_a_binder_builds_from_the_same_files():
    folder = ROOT / ".binder"
    for name in ("environment.yml", "requirements.lock"):
        assert (folder / name).resolve() == ROOT / name
    assert os.stat(folder / "postBuild").st_mode & stat.S_IXUSR
    assert "--no-deps" in (folder / "postBuild").read_text()


def test_answers_are_the_checks_own():
    text = "\n".join(answers.lines())
    asked = {id for book in BOOKS.values() for c in book.cells
             for id in re.findall(r'check\("(\d\d-\d)"', c.source)}  # fmt: skip
    assert asked <= set(re.findall(r"^(\d\d-\d) ", text, re.M))
    assert "history again" in text  # what a novice reads, with the wrong idea


# -- slides ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", BOOKS)
def test_a_deck_has_every_part_no_code_and_no_other_host(number):
    made = slides.slides_of(BOOKS[number])
    titles = [title for title, _ in made]
    source = "\n".join(c.source for c in BOOKS[number].cells if c.cell_type == "markdown")
    parts = [t.strip() for t in re.findall(r"^## (.+)$", source, re.M)]
    assert [p for p in parts if p in titles] == [t for t in dict.fromkeys(titles[1:]) if t in parts]
    assert {"Summary", "Exercises"} <= set(titles)
    assert 15 <= len(made) <= 70
    picked = slides.chosen(made)
    assert 5 <= len(picked) <= slides.MOST_SLIDES
    assert all(body.count("<img") <= 1 for _, body, _ in picked)
    assert any(notes for _, _, notes in picked)
    text = slides.deck(BOOKS[number])
    assert "<img" not in re.sub(r'<img alt="[^"]{20,}" src="data:', "", text)
    assert not re.findall(r'src="(?!data:)[^"#]*//', text)
    assert "check(" not in text


def test_the_first_words_end_with_a_sentence():
    long = "One. " + "word " * 80 + "end. Two."
    assert slides.opening(long) == "One."
    assert slides.opening("A. B.\n\n<details><summary>x</summary>\n\nhidden\n</details>") == "A. B."


# -- handout --------------------------------------------------------------------------------------


def test_the_handouts_numbers_are_the_models():
    text = handout.page()
    assert "nan" not in text.lower().replace("finance", "")
    assert "327,680" in text  # bytes per token of Llama-3.1-70B: 2 · 80 · 8 · 128 · 2
    assert ">295<" in text  # FLOP per byte of an H100
    assert ">4.0<" in text  # M/M/1 at 80 % load: ρ/(1 − ρ)
    assert "1.74 times the capital" in text
    assert "http" not in re.sub(r'xmlns="[^"]+"', "", text)


# -- pre-flight -----------------------------------------------------------------------------------


def test_preflight_says_what_to_do(monkeypatch, capsys):
    def bad():
        """Disk"""
        return False, "1 GB free; make room"

    monkeypatch.setattr(preflight, "MUST", [bad])
    monkeypatch.setattr(preflight, "NICE", [preflight.fonts])
    assert preflight.main() == 1
    said = capsys.readouterr().out
    assert "NO   Disk" in said
    assert "Not ready" in said


def test_preflight_is_never_stopped_by_a_nicety(monkeypatch, capsys):
    def bad():
        """Chromium"""
        raise OSError("gone")

    monkeypatch.setattr(preflight, "MUST", [preflight.python])
    monkeypatch.setattr(preflight, "NICE", [bad])
    assert preflight.main() == 0
    assert "no   Chromium     OSError: gone" in capsys.readouterr().out


def test_preflight_begins_where_nothing_is_installed(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(preflight, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(preflight, "NICE", [])
    assert preflight.main() == 1
    assert "run: make setup" in capsys.readouterr().out


# -- the teacher's pages --------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["00", "05"])
def test_a_lessons_page_has_its_questions_and_what_to_say(number):
    page = teacher.lesson(BOOKS[number])
    code = _source(BOOKS[number], "code")
    for id in re.findall(r'(?:predict|exercise)\("([\w-]+)"\)', code):
        assert id in page
    assert "**On the board:**" in page
    assert "**What stays.**" in page


def test_the_class_page_ranks_what_a_class_got_wrong(tmp_path, monkeypatch):
    for learner in ("ann", "bob"):
        monkeypatch.setenv("ECON_STATE", str(tmp_path / f"{learner}.json"))
        check("06-2", given("06-2").tokens)
    predict("06-true").lock("decode")  # the same idea, by bob alone
    predict("16-true").lock("30")
    (tmp_path / "cut.json").write_text("{")
    page = teacher.class_page(tmp_path)
    assert "3 files" in page
    assert "2 × " in page
    assert "paid too" in page  # the sentence for rates per decode GPU
    assert "not read" in page
    assert "exercises: 2, predictions: 1" in page
    assert "1 × A rack of GB200" in page
    rows = dict(re.findall(r"<th>(06|16)[^<]*</th>((?:\s*<td>[^<]*</td>)+)", page))
    cells = {k: re.findall(r"<td>([^<]*)</td>", v) for k, v in rows.items()}
    assert cells == {"06": ["E", "P E"], "16": ["", "P"]}  # ann, bob


def test_every_promise_of_hosting_names_a_test_that_is_there():
    text = (ROOT / "workshop" / "hosting.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) >= 7
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}: {test}"
