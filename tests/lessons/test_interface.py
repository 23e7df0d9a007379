"""The interface in one place, so that a translation adds a column and nothing else."""

import re

import pytest

from econ.catalog import UnknownName, table
from econ.lessons import exercise, predict, reveal
from econ.lessons.interface import languages, say, script_texts
from econ.lessons.views import script

PLACE = re.compile(r"\{(\w+)\}")


@pytest.fixture
def german(monkeypatch):
    monkeypatch.setenv("ECON_LANGUAGE", "german")


@pytest.mark.parametrize("language", languages())
def test_every_translation_fills_the_same_places(language):
    rows = table("interface")
    for key, words in rows[language].items():
        assert sorted(PLACE.findall(words)) == sorted(PLACE.findall(rows.at[key, "english"])), key


def test_a_lesson_speaks_german(german):
    assert say("not_answered", id="02-1") == "02-1: noch nicht beantwortet."
    asked, answered, worked = predict("02-true"), reveal("02-true"), exercise("02-1")
    assert "<b>Schätze.</b>" in asked.html or "<strong>Schätze.</strong>" in asked.html
    assert asked.spec["texts"]["lock"] == "Festlegen"
    assert "Zuerst die Schätzung festlegen" in answered.spec["waiting"]
    assert "Die richtige Antwort: " in answered.words
    assert "Tipp: ein Anstoß" in worked.html
    assert worked.spec["refusal"].startswith("Gefragt ist eine Zahl in ")


def test_the_script_has_no_words_of_its_own():
    code = script().partition("function render")[2]
    code = re.sub(r"//.*", "", code)
    used = set(re.findall(r'\bt\(\s*(?:[^"()]*\? )?"(\w+)"', code))
    used |= set(re.findall(r'"(\w+)"(?=[,)])', "".join(re.findall(r"\bt\([^)]*\)", code))))
    used |= set(re.findall(r'\? "(\w+)" : "(\w+)"', code) and ["up", "down", "twin", "next_hint"])
    assert set(script_texts()) <= used
    literal = re.findall(r"[\"`]([A-Z][a-z]+[^\"`]*)[\"`]", code)
    assert [w for w in literal if w not in ("Enter", "INPUT")] == []


def test_a_language_that_nobody_translated_names_those_there_are(monkeypatch):
    monkeypatch.setenv("ECON_LANGUAGE", "germn")
    with pytest.raises(UnknownName, match="unknown language 'germn'; nearest: german"):
        say("predict")
