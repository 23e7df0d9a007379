"""A day's list is read from the price package once, and then from the user's cache folder."""

import datetime
import sys

import pytest

from econ.catalog import price_days
from econ.catalog.price_days import prices_of_day

DAY = datetime.date(2026, 11, 29)


def _is_wanted(name):
    return name in ("gpt-4o-mini", "claude-opus-4-8", "gemini-3.1-pro-preview")


def _rows(named=_is_wanted):
    rows = [{k: v for k, v in row.items() if v == v and v is not None} for row in
            prices_of_day(DAY, named)]  # fmt: skip
    return sorted(rows, key=lambda row: (row["provider"], row["model"]))


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """As in a process that has not loaded the package; its cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "genai_prices", raising=False)
    return tmp_path


def test_a_kept_list_says_what_the_package_says_and_spares_it(fresh, monkeypatch):
    first = _rows()  # which loads the package
    listed = _rows()
    monkeypatch.delitem(sys.modules, "genai_prices")
    monkeypatch.setattr(price_days, "prices_now_frame", None)
    assert _rows() == first == listed
    assert any(row["other_rates"] for row in first)
    assert len([*fresh.rglob("genai-prices-*.json")]) == 1


def test_a_broken_file_is_read_anew_and_old_ones_go(fresh, monkeypatch):
    listed = _rows()
    [file] = fresh.rglob("*.json")
    file.write_text("[{")
    old = file.with_name("genai-prices-0.0.1-2025-01-01-1.json")
    old.write_text("[]")
    monkeypatch.delitem(sys.modules, "genai_prices")
    assert _rows() == listed
    assert not old.exists()


def test_a_folder_that_takes_no_file_is_no_error(fresh, monkeypatch):
    (fresh / "inference-economics").write_text("a file where the folder would be")
    assert _rows()
