"""Each exercise with its expected value, for the instructor: ``build/answers.txt``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from econ import lessons  # noqa: E402,F401  (registers the exercises)
from econ.lessons.answers import EXERCISES  # noqa: E402

OUT = ROOT / "build" / "answers.txt"
PROMPT = re.compile(r"\*\*(\w\w-\d)\.?\*\*\.?\s*(.+)", re.S)


def prompts() -> dict[str, str]:
    """What each exercise asks, from the notebooks."""
    asked = {}
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown" and (match := PROMPT.search(cell.source)):
                asked[match[1]] = " ".join(match[2].replace("**", "").split())
    return asked


def lines() -> list[str]:
    """Prompt, value and unit of every exercise that a notebook asks."""
    text: list[str] = []
    for id, prompt in prompts().items():
        if id not in EXERCISES:
            raise ValueError(f"exercise {id} is asked in a notebook and not registered")
        task = EXERCISES[id]
        truth = task.expected()
        value = truth if isinstance(truth, str) else f"{truth:.6g}"
        text += [f"{id}  {prompt}", f"      {value} {task.unit}".rstrip(), ""]
    return text


def write(out: Path = OUT) -> Path:
    """Write them all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines()), encoding="utf-8")
    return out


if __name__ == "__main__":
    print(write())
