"""The README's pictures, taken from the notebooks' own outputs.

``tools/execute.py`` takes a notebook's charts anew whenever it runs it, and their words become the
README's. ``python tools/readme_pictures.py`` takes all, and the panel as JupyterLab draws it.
"""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS, README = ROOT / "notebooks", ROOT / "README.md"
IMAGES = NOTEBOOKS / "images"
# picture -> its notebook, and the words of the cell that draws it
CHARTS = {
    "bill": ("11_full_stack_tco", "lesson.bill_chart("),
    "ladder": ("03_anatomy", 'figure(rungs, "median_frac"'),
}
PANEL = ("panel", "00_start_here")


def chart(name: str, notebook: nbformat.NotebookNode) -> tuple[bytes, str]:
    """A chart's picture and its words."""
    stem, drawn = CHARTS[name]
    for cell in notebook.cells:
        if cell.cell_type == "code" and drawn in cell.source:
            data = cell.outputs[0]["data"]
            return base64.b64decode(data["image/png"]), data["text/plain"]
    raise ValueError(f"{stem} has no cell with {drawn!r}")


def take(stem: str, notebook: nbformat.NotebookNode) -> list[Path]:
    """Write the pictures that come from a notebook, and their words into the README."""
    written = []
    for name in (name for name, (of, _) in CHARTS.items() if of == stem):
        picture, words = chart(name, notebook)
        path = IMAGES / f"{name}.png"
        path.write_bytes(picture)
        text = README.read_text(encoding="utf-8")
        new = alt_of(name).sub(lambda m, words=words: f"![{words}]{m[2]}", text)
        if new != text:
            README.write_text(new, encoding="utf-8")
        written.append(path)
    return written


def alt_of(name: str) -> re.Pattern[str]:
    """The README's line for a picture: its words, and where it lies."""
    return re.compile(rf"!\[([^\]]*)\](\(notebooks/images/{name}\.png\))")


def panel() -> Path:
    """The first panel of notebook 00 as JupyterLab draws it, run from top to bottom."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tools")]
    import look

    name, stem = PANEL
    look.take(stem, panel=IMAGES / f"{name}.png")
    return IMAGES / f"{name}.png"


def main() -> None:
    """All of them."""
    for stem in {stem for stem, _ in CHARTS.values()}:
        print(*take(stem, nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)), sep="\n")
    print(panel())


if __name__ == "__main__":
    main()
