"""The front page: the question, the one bill, and three doors: learn, teach, decide.

The decision runs on this page: its stops were computed when the site was built, and Python in the
page takes any other.
"""

from __future__ import annotations

import re
from pathlib import Path

import inpage
import nbformat
from pages import LIVE, panel_markup, python_script, raw, remembered, scripts, taken

from econ.lessons.l12_decision import DAY, ways_panel

STEM = "decide"
CELLS = {
    "ways": "from econ.lessons.l12_decision import ways_panel\nways_panel()",
    "memo": "import econ\n"
    'chat = econ.Scenario.of("qwen3-32b", "h100-sxm").with_(rate_per_s=2, ttft_s=1, tpot_s=0.05)\n'
    "answer = econ.decide(chat, peak_factor=1.5)\n"
    "print(answer.memo())",
}
MOST_STATES = 24  # each is a whole decision: a second


def write(out: Path, books: list[dict[str, str]], decks: list[str], readme: str) -> None:
    """Write the page; ``books`` and ``decks``: the notebooks and those with slides."""
    what = re.search(r"^# .+?\n\n(.+?)\n\n", readme, re.S)[1]
    trust = re.search(r"^## How far to trust it\n\n(.+?)\n\n## ", readme, re.S | re.M)[1]
    rows = "\n".join(
        f"| {{doc}}`{b['name']} <notebooks/{b['stem']}>` | {b['title']} | {b['minutes']} | "
        + (f'<a href="slides/{b["stem"]}.html">slides {b["stem"][:2]}</a>' if deck else "")
        + " |"
        for b, deck in ((b, b["stem"] in decks) for b in books)
    )
    stems = "\n".join(f"{b['name']} <notebooks/{b['stem']}>" for b in books)
    text = f"""# Inference economics

{what}

{raw(_doors(books))}

## Decide

What does a chat cost a day: tokens by the list, rented accelerators, or your own? Prices are of
{DAY:%-d %B %Y}; the SLO is that of the course's chat.

{_decision(out)}

## Learn

| notebook | question | minutes | slides |
|---|---|---|---|
{rows}

The pages show each notebook as it was run. Its panels move here without Python at stops that were
computed beforehand; one click runs Python in the page for every stop and every cell.

## Teach

Each lesson has its slides (above), pair tasks and timings in the [guide](guide.md), and words in
the [glossary](glossary.md). Formulas and orders of magnitude stand on
<a href="handout.html">one page</a>; functions in the [API](api/index.md);
the latency model beside its peers on the [scoreboard](reference/scoreboard.md).

## How far to trust it

{trust}

```{{toctree}}
:hidden:
:caption: Notebooks

{stems}
```

```{{toctree}}
:hidden:
:caption: Reference

guide
hosting
glossary
reference/scoreboard
api/index
```
"""
    (out / "index.md").write_text(text, encoding="utf-8")


def _doors(books: list[dict[str, str]]) -> str:
    first = books[0]["stem"]
    n_lessons = sum(b["stem"][0].isdigit() for b in books)  # the rest are appendices
    doors = (
        ("Learn", f"notebooks/{first}.html", f"{n_lessons} lessons, from tokens to the decision"),
        ("Teach", "#teach", "slides, guide, hand-out, glossary"),
        ("Decide", "#decide", "API, rent or own, in USD a day"),
    )
    links = (
        f'<a href="{at}"><strong>{name}</strong><span>{words}</span></a>'
        for name, at, words in doors
    )
    return f'<nav class="econ-doors" aria-label="Ways in">{"".join(links)}</nav>'


def drawn() -> Path:
    """The folder in which the panel is."""
    return remembered(
        STEM, CELLS["ways"],
        lambda part: {"ways": panel_markup(ways_panel(), f"{STEM}-ways", part, "", MOST_STATES)},
    )  # fmt: skip


def _decision(out: Path) -> str:
    """The panel, and a cell to change and run where the page can run Python."""
    kept = taken(drawn(), out)
    blocks = [raw(kept["ways"] + scripts(LIVE, ""))]
    if (out / "_static" / inpage.ARCHIVE).exists():
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text, id=name) for name, text in CELLS.items()]
        )
        nbformat.write(notebook, out / "_extra" / f"{STEM}.ipynb")
        blocks += [
            "Your own question, as Python that runs in this page (or `econ decide` in a shell):",
            raw('<span class="econ-cell" data-cell="memo"></span>'),
            f"````{{code-block}} python\n{CELLS['memo']}\n````",
            raw(python_script(STEM, "")),
        ]
    return "\n\n".join(blocks)
