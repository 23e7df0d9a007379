"""For the instructor: each exercise with its value, each wrong idea with its sentence.

``build/answers.txt``; the values are those of the committed notebooks, a learner's own differ.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from econ.catalog import table  # noqa: E402
from econ.lessons.answers import exercises  # noqa: E402
from econ.lessons.question import find, hints, inputs, prompt, questions_of, text, truth  # noqa: E402

OUT = ROOT / "build" / "answers.txt"


def lines() -> list[str]:
    """Prompt, value, unit and hints of every exercise; then every wrong idea."""
    found: list[str] = []
    for id in exercises():
        q, true = find(id), truth(find(id))
        words = [true] if isinstance(true, str) else true
        value = f"{true:.6g}" if q.kind == "number" else ", ".join(words)
        found += [f"{id}  {prompt(q)}", f"      {value} {q.unit}".rstrip()]
        found += [f"      hint: {words}" for words in hints(q)] + [""]
    return [*found, "Wrong ideas, and what each lesson says to them", "", *wrong_ideas()]


def wrong_ideas() -> list[str]:
    """Each row of the table, with the question that meets it and its sentence."""
    met = {w.idea: (q, w) for q in questions_of().values() for w in q.wrong if w.idea}
    found: list[str] = []
    for row in table("misconceptions").itertuples():
        if row.id in met:
            q, wrong = met[row.id]
            said = text(wrong.says, inputs(q))
            found += [f"{row.notebook}  {row.idea}.", f"      {q.id}: {said}", ""]
    return found


def write(out: Path = OUT) -> Path:
    """Write them all."""
    os.environ["ECON_STATIC"] = "1"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines()), encoding="utf-8")
    return out


if __name__ == "__main__":
    print(write())
