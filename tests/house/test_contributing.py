"""The rows and examples of CONTRIBUTING.md do what the page says."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: part
    for part in re.split(r"^## ", PAGE, flags=re.M)[1:]
    if "```csv" in part
}
BLOCK = re.compile(r"^```(csv|python) ?(\w*)\n(.*?)^```", re.M | re.S)


def _path(data: Path, table: str) -> Path:
    """Where a table lies; the dictionary of columns is beside the descriptor."""
    resources = json.loads((data / "datapackage.json").read_text())["resources"]
    paths = {r["name"]: r["path"] for r in resources}
    return data / paths.get(table, f"{table}.csv")


def _append(path: Path, text: str) -> None:
    """Rows under some of a table's columns, written under all of them."""
    with path.open(newline="", encoding="utf-8") as file:
        names = next(csv.reader(file))
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writerows(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("title", SECTIONS)
def test_the_rows_of_a_section_give_what_its_example_says(title, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(ROOT / "data", data)
    blocks = BLOCK.findall(SECTIONS[title])
    assert {kind for kind, _, _ in blocks} == {"csv", "python"}
    for kind, table, text in blocks:
        if kind == "csv":
            _append(_path(data, table), text)
    example = tmp_path / "example.md"
    example.write_text("".join(text for kind, _, text in blocks if kind == "python"))
    code = f"import doctest, sys; sys.exit(doctest.testfile({str(example)!r}, False).failed)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=600,
        env={**os.environ, "ECON_DATA": str(data), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_shows_a_row_for_each_thing_that_is_one():
    assert len(SECTIONS) >= 5
