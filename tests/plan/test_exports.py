"""Exports never replace a file, never leave half of one, and hold nothing a spreadsheet runs."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from econ.catalog.documents import free_name
from econ.plan.exports import export
from econ.scenario import Scenario

FRAME = pd.DataFrame({"chip": ["h100", "=cmd|' /C calc'!A0"], "usd": [-1.5, 2.0]})


def test_what_is_written_is_read_back(tmp_path):
    csv = export(FRAME, tmp_path / "plan.csv")
    assert pd.read_csv(csv)["usd"].tolist() == [-1.5, 2.0]
    parquet = export(FRAME, tmp_path / "plan.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), FRAME)
    json = export(Scenario.default(), tmp_path / "scenario.json")
    assert Scenario.from_json(json.read_text()) == Scenario.default()
    assert export("<p>x</p>", tmp_path / "report.html").read_text() == "<p>x</p>"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "plan.csv", "plan.parquet", "report.html", "scenario.json",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["plan.csv", "plan.parquet"])
def test_a_file_that_is_there_stays_as_it_is(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=rf"{name} is there already.*plan-2\."):
        export(FRAME, tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_nor_through_a_dangling_link(tmp_path):
    (tmp_path / "plan.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        export(FRAME, tmp_path / "plan.csv")
    assert not (tmp_path / "elsewhere").exists()


def test_one_that_appears_meanwhile_wins(tmp_path, monkeypatch):
    def late(source, target):
        target.write_text("theirs")
        raise FileExistsError

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(FileExistsError, match="plan-2"):
        export(FRAME, tmp_path / "plan.csv")
    assert (tmp_path / "plan.csv").read_text() == "theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        export(FRAME, tmp_path / "plan.csv")
    assert list(tmp_path.iterdir()) == []


def test_without_links_it_still_does_not_replace(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(95, "not supported")

    monkeypatch.setattr(os, "link", no_links)
    assert export(FRAME, tmp_path / "plan.csv").exists()
    with pytest.raises(FileExistsError):
        export(FRAME, tmp_path / "plan.csv")


def test_formulas_are_quoted_and_numbers_are_not(tmp_path):
    text = export(FRAME, tmp_path / "plan.csv").read_text()
    assert "'=cmd" in text
    assert "-1.5" in text
    assert "'-1.5" not in text


def test_free_names_and_bad_calls(tmp_path):
    assert free_name(tmp_path / "a.csv").name == "a.csv"
    for name in ("a.csv", "a-2.csv"):
        (tmp_path / name).touch()
    assert free_name(tmp_path / "a.csv").name == "a-3.csv"
    with pytest.raises(ValueError, match=r"unknown ending of an export '.xls'"):
        export(FRAME, tmp_path / "plan.xls")
    with pytest.raises(ValueError, match="takes a Scenario"):
        export(FRAME, tmp_path / "plan.json")
    with pytest.raises(FileNotFoundError, match="the folder 'nowhere' is not there"):
        export(FRAME, tmp_path / "nowhere" / "plan.csv")
