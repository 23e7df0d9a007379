"""Each exercise with its expected value, for the instructor: ``build/answers.txt``.

The values are those of the committed notebooks; a learner's own numbers differ.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from econ.lessons.answers import exercises  # noqa: E402
from econ.lessons.question import find, hints, prompt, truth  # noqa: E402

OUT = ROOT / "build" / "answers.txt"


def lines() -> list[str]:
    """Prompt, value and unit of every exercise, with the idea behind each wrong answer."""
    text: list[str] = []
    for id in exercises():
        q, true = find(id), truth(find(id))
        value = true if isinstance(true, str) else f"{true:.6g}"
        text += [f"{id}  {prompt(q)}", f"      {value} {q.unit}".rstrip()]
        text += [f"      hint: {words}" for words in hints(q)] + [""]
    return text


def write(out: Path = OUT) -> Path:
    """Write them all."""
    os.environ["ECON_STATIC"] = "1"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines()), encoding="utf-8")
    return out


if __name__ == "__main__":
    print(write())
