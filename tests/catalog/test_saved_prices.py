"""Where the price package cannot be installed (a browser), a list that a build saved stands in."""

import datetime
import json
import shutil
import sys

import pandas as pd
import pytest

from econ.catalog import prices, prices_now_frame, tables

MOMENT = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)


@pytest.fixture
def without_the_package(monkeypatch, tmp_path):
    """The tables in a folder of their own, and no genai-prices; the folder."""
    shutil.copy(tables.data_dir() / "datapackage.json", tmp_path)
    monkeypatch.setenv("ECON_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    (tmp_path / prices.SAVED).parent.mkdir()
    return tmp_path


def test_a_saved_list_says_what_the_package_says(request):
    listed, saved = prices_now_frame(MOMENT), prices.prices_now_json(MOMENT)
    folder = request.getfixturevalue("without_the_package")
    (folder / prices.SAVED).write_text(saved, encoding="utf-8")
    again = prices_now_frame(MOMENT)
    assert set(again["source"]) == {f"{listed['source'].iloc[0]}, saved 2026-11-29"}
    pd.testing.assert_frame_equal(again.drop(columns="source"), listed.drop(columns="source"))
    only = prices_now_frame(named=lambda name: name == "gpt-4o-mini")
    assert set(only["model"]) == {"gpt-4o-mini"}


def test_without_either_one_sentence_says_what_to_install(without_the_package):
    assert not (without_the_package / prices.SAVED).exists()
    with pytest.raises(ImportError, match="today's prices need genai-prices: pip install"):
        prices_now_frame()


def test_the_saved_list_is_plain_json():
    rows = json.loads(prices.prices_now_json(MOMENT))
    assert len(rows) > 1000
    assert all(None not in row.values() for row in rows)
