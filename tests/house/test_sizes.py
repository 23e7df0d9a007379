"""Size is a record: it goes down with any change, and up only in a commit that says why."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from sizes import RECORD, code_lines, sizes  # noqa: E402

NOW = sizes()


def test_every_package_has_a_record():
    assert set(json.loads(RECORD.read_text())) == set(NOW)


@pytest.mark.parametrize("package", NOW)
def test_no_package_is_larger_than_its_record(package):
    record = json.loads(RECORD.read_text())[package]
    assert NOW[package] <= record, (
        f"{package} has {NOW[package]:,} code lines, its record is {record:,}: make it smaller, or "
        "raise the record with `make sizes` in a commit of its own that says what the lines buy"
    )


def test_what_counts_as_a_line_of_code():
    text = '"""Words."""\n\n# a comment\nx = 1\n\n\ndef f():\n    """More words."""\n    return x\n'
    assert code_lines(text) == 3
