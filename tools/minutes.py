"""How long a lesson takes, measured on its own cells and written where it is stated.

``python tools/minutes.py`` lists every notebook; with ``--write`` its first cell and the README's
table say what was measured. ``tools/execute.py`` does so too for each notebook that it runs.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS, README = ROOT / "notebooks", ROOT / "README.md"
WORDS_PER_MIN = 150  # read closely, with numbers to compare; silent reading of prose is faster
# minutes of what is looked at, moved or answered; our estimates, no class has been timed
MINUTES = {"code": 0.2, "table": 0.4, "chart": 0.75, "picture": 1.0, "panel": 2.0, "predict": 0.75,
           "exercise": 2.5}  # fmt: skip
ROUND_TO = 5
FOLDED = re.compile(r"```.*?```|<[^>]*>|\]\([^)]*\)|\$\$.*?\$\$", re.S)
STATED = re.compile(r"^\*(\d+) minutes", re.M)
PANEL = re.compile(r"\bpanel\(|_panel\(")


def parts(notebook: nbformat.NotebookNode) -> dict[str, int]:
    """What a learner reads and does: words, and how many of each kind of `MINUTES`."""
    counts = dict.fromkeys(["words", *MINUTES], 0)
    for cell in notebook.cells:
        kind, n_words = _kind(cell)
        counts["words"] += n_words
        if kind:
            counts[kind] += 1
    return counts


def measured(notebook: nbformat.NotebookNode) -> float:
    """Minutes that the parts add up to."""
    counts = parts(notebook)
    return counts["words"] / WORDS_PER_MIN + sum(MINUTES[k] * counts[k] for k in MINUTES)


def stated(notebook: nbformat.NotebookNode) -> int | None:
    """Minutes that the first cell names; None where it names none, as in an appendix."""
    found = STATED.search(notebook.cells[0].source)
    return int(found[1]) if found else None


def rounded(minutes: float) -> int:
    """To five minutes: nobody plans an hour more finely."""
    return max(round(minutes / ROUND_TO), 1) * ROUND_TO


def state(notebook: nbformat.NotebookNode) -> None:
    """Write the measured minutes into the first cell, where it names any."""
    words = f"*{rounded(measured(notebook))} minutes"
    notebook.cells[0].source = STATED.sub(words, notebook.cells[0].source, count=1)


def row_of(stem: str) -> re.Pattern[str]:
    """The README's row for a notebook: all before the minutes, and the minutes."""
    return re.compile(rf"(^\|.*\]\(notebooks/{stem}\.ipynb\).*\|) (\d+) \|$", re.M)


def state_in_readme(stem: str, notebook: nbformat.NotebookNode) -> None:
    """Write what a notebook states into the last column of its row of the README."""
    text = README.read_text(encoding="utf-8")
    new = row_of(stem).sub(rf"\g<1> {stated(notebook)} |", text)
    if new != text:
        README.write_text(new, encoding="utf-8")


def _kind(cell: nbformat.NotebookNode) -> tuple[str, int]:
    """What a cell is to a learner, and how many words of prose it holds."""
    if cell.cell_type == "markdown":
        return "", _n_words(cell.source)
    tags = cell.metadata.get("tags", [])
    words = "".join(_text(output) for output in cell.outputs)
    if "solution" in tags or "setup" in tags or "exercise" in tags:
        return "", 0
    if "ask" in tags:
        return "exercise", _n_words(words)
    if "predict" in tags:
        return "predict", _n_words(words)
    if "reveal" in tags:  # a learner meets one of its sentences
        return "", _n_words(words.splitlines()[0])
    if "picture" in tags:
        return "picture", 0
    if PANEL.search(cell.source):
        return "panel", 0
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            return "chart", 0
        if html := data.get("text/html", ""):  # only who doubts opens a fold
            return ("" if html.startswith("<details") else "table"), 0
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        return "", _n_words(words)
    return "code", _n_words(words)


def _text(output: nbformat.NotebookNode) -> str:
    return str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))


def _n_words(text: str) -> int:
    return len([word for word in FOLDED.sub(" ", text).split() if any(map(str.isalnum, word))])


def main(arguments: list[str]) -> None:
    """List all notebooks; with ``--write`` state what was measured."""
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        counts = ", ".join(f"{n} {kind}" for kind, n in parts(notebook).items())
        took = f"{measured(notebook):.0f} minutes ({stated(notebook)} stated)"
        print(f"{path.stem}: {took}: {counts}")
        if "--write" in arguments:
            state(notebook)
            nbformat.write(notebook, path)
            state_in_readme(path.stem, notebook)


if __name__ == "__main__":
    main(sys.argv[1:])
