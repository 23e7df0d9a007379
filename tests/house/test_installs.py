"""The package in a read-only place, under other locales and clocks, and without a network."""

import sys

import pytest

from tools import installs

pytestmark = pytest.mark.slow


@pytest.mark.skipif(sys.platform == "win32", reason="its cases are those of Linux and macOS")
def test_every_case_that_this_machine_permits_says_the_same(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["installs.py"])
    assert installs.main() == 0
    said = capsys.readouterr().out
    assert "ok: no home at all" in said
    assert "WRONG" not in said
