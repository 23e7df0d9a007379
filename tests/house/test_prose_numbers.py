"""Numbers in the prose of a notebook: each is computed or used by one of its own cells.

A number that is written by hand goes stale in silence. So every number in a text cell has to be
found in the code or the outputs of the same notebook, at its own rounding, also as a percentage or
with a metric prefix. Let be are small counts, years, names and dates, and minutes of reading.
"""

import calendar
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NUMBER = re.compile(r"(?<![\w.\-/#])(\d[\d,]*(?:\.\d+)?)")
NAMES = re.compile(r"\b(Llama|Qwen|GPT|Claude|Gemini|Python|Chinchilla|Vega-Lite|PUE) \d[\d.]*\w*")
MONTHS = "|".join(calendar.month_name[1:])
NOT_PROSE = (
    (re.compile(r"```.*?```", re.S), ""),
    (re.compile(r"\[[^\]]*\]\([^)]*\)"), ""),  # a link and where it leads
    (re.compile(r"`[^`]*`"), ""),
    (re.compile(r"\b\d\d-\d\b"), ""),  # an exercise's name
    (re.compile(r"^\s*\d+\. ", re.M), ""),  # a list's count
    (re.compile(r"^\*\d+ minutes.*$", re.M), ""),
    (re.compile(r"\b\d{4}-\d\d(-\d\d)?\b"), ""),
    (re.compile(rf"\b\d{{1,2}} ({MONTHS})"), ""),
    (re.compile(r"\bin 1[89]\d\d\b"), ""),
    (NAMES, ""),
)
SMALL, YEARS = 12, range(1990, 2041)
SCALES = (1.0, 1e2, 1e-2, 1e3, 1e-3, 1e6, 1e-6, 1e9, 1e-9, 1e12, 1e-12)


def numbers(text: str) -> list[tuple[float, float, str]]:
    """Value, half a unit of its last digit, and the words of each number of a text."""
    found = []
    for match in NUMBER.finditer(text):
        digits = match[1].rstrip(",").replace(",", "")
        whole = len(digits) - len(digits.rstrip("0")) if "." not in digits else 0
        places = len(digits.partition(".")[2])
        unit = 10.0 ** (-places if places else min(whole, max(len(digits) - 2, 0)))
        around = text[max(0, match.start() - 30) : match.end() + 30].replace("\n", " ")
        found.append((float(digits), unit / 2, around))
    return found


def prose(cell) -> str:
    """A text cell's words, without code, links, names and counts."""
    text = cell.source
    for pattern, instead in NOT_PROSE:
        text = pattern.sub(instead, text)
    return text


def computed(book) -> list[float]:
    """All numbers that code cells and their outputs hold, within names too."""
    known = []
    for cell in book.cells:
        if cell.cell_type == "code":
            said = [o.get("text", "") + str(o.get("data", {}).get("text/plain", ""))
                    for o in cell.outputs]  # fmt: skip
            text = re.sub(r"[-/#]", " ", " ".join([cell.source.replace("_", ""), *said]))
            known += [value for value, _, _ in numbers(text)]
    return known


def untied(book) -> list[str]:
    """The numbers of the prose that no cell of the notebook knows."""
    known, bad = computed(book), []
    for cell in book.cells:
        if cell.cell_type != "markdown":
            continue
        for value, slack, around in numbers(prose(cell)):
            if (value <= SMALL and value == int(value)) or value in YEARS:
                continue
            tied = any(abs(value - k * s) <= slack * 1.0001 for k in known for s in SCALES)
            if not tied:
                bad.append(around)
    return bad


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_number_of_the_prose_is_tied_to_a_computed_one(path):
    bad = untied(nbformat.read(path, as_version=4))
    assert not bad, "computed nowhere in this notebook:\n" + "\n".join(bad)


def _book(text: str, source: str):
    v4 = nbformat.v4
    return v4.new_notebook(cells=[v4.new_markdown_cell(text), v4.new_code_cell(source)])


@pytest.mark.parametrize(
    ("text", "source", "n_bad"),
    [
        ("It costs 37 dollars.", "x = 36", 1),
        ("It costs 37 dollars.", "x = 37.2", 0),
        ("A share of 45 %.", "x = 0.452", 0),
        ("Some 15,000 tokens.", "x = 15_220", 0),
        ("Exactly 15,221 tokens.", "x = 15_220", 1),
        ("Llama 3.1 in 2025, see [14](x_99.ipynb), 3 ways.", "x = 1", 0),
    ],
)
def test_an_untied_number_is_seen(text, source, n_bad):
    assert len(untied(_book(text, source))) == n_bad
