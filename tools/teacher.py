"""Pages for the teacher: ``python tools/teacher.py [FOLDER]`` writes ``build/lessons.html``.

A page of all lessons, from the notebooks: board pictures, predictions with what to say to wrong
ideas, exercises for pairs, what breaks, what stays. With a folder of learners' progress files also
``build/class.html``: who has done what, which wrong ideas the class met most, in predictions and in
exercises, and a map of who met which.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import nbformat
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import minutes  # noqa: E402
from slides import MARKDOWN, opening  # noqa: E402

from econ.catalog import table  # noqa: E402
from econ.lessons import class_progress, picture  # noqa: E402
from econ.lessons.progress_page import class_frame, ideas_frame  # noqa: E402
from econ.lessons.question import find, inputs, prompt, text  # noqa: E402

BUILD = ROOT / "build"
STYLE = (
    ":root{color-scheme:light dark}body{font:17px/1.5 system-ui,sans-serif;max-width:52rem;"
    "margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;display:block;overflow:auto}"
    "th,td{padding:.2em .7em;border-bottom:1px solid #8886;text-align:left}h2{margin-top:2.5em}"
    "@media print{h2{break-before:page}}"
)


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{title}</h1>{body}</body>'
        "</html>\n"
    )


def lesson(notebook: nbformat.NotebookNode) -> str:
    """What a teacher needs of one lesson, in Markdown."""
    title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    lines = [f"## {title}", "", f"*{minutes.stated(notebook)} minutes.*", ""]
    for name in dict.fromkeys(re.findall(r'picture\("(\w+)"\)', code)):
        lines += [f"**On the board:** {picture(name).question}", ""]
    for id in dict.fromkeys(re.findall(r'predict\("([\w-]+)"\)', code)):
        q = find(id)
        lines += [f"**Predict ({id}).** {prompt(q)}", ""]
        lines += [f"* *{_held(w.answer, q.options)}:* {text(w.says, inputs(q))}" for w in q.wrong]
        lines += ["", f"Because: {text(q.because, inputs(q))}", ""]
    lines += ["**In pairs:** each answers alone, then both compare how, as the numbers differ.", ""]
    for id in dict.fromkeys(re.findall(r'exercise\("([\w-]+)"\)', code)):
        lines += [f"* {id}: {prompt(find(id))}"]
    for cell in notebook.cells:
        part = re.search(r"^## Break it[^\n]*\n(.*?)(?=^## |\Z)", cell.source, re.S | re.M)
        if cell.cell_type == "markdown" and part:
            lines += ["", f"**Break it.** {opening(part[1])}"]
        for output in cell.get("outputs", []):
            words = output.get("data", {}).get("text/plain", "")
            if "> **Takeaway.**" in output.get("data", {}).get("text/markdown", ""):
                lines += ["", f"**What stays.** {words.removeprefix('Takeaway. ')}"]
    return "\n".join(lines)


def _held(answer: object, options: dict[str, str] | None) -> str:
    """Who is met by a sentence: a span of numbers, or a choice in its words."""
    if isinstance(answer, tuple) and len(answer) == 2:
        low, high = answer
        return f"more than {low:g}" if high == float("inf") else f"{low:g} to {high:g}"
    return (options or {}).get(str(answer), "for the number that this mistake gives")


def lessons_page() -> str:
    """All lessons on one page."""
    books = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    words = "\n\n".join(lesson(nbformat.read(path, as_version=4)) for path in books)
    return _page("Lesson by lesson", MARKDOWN.render(words))


def class_page(folder: Path) -> str:
    """What a class has done, what to talk about first, and who met which wrong idea."""
    met, rows = ideas_frame(folder), table("misconceptions")
    met = met[met["idea"].isin(rows.index)]
    parts = [f"<p>{len(class_frame(folder))} files.</p>", class_progress(folder)._repr_html_()]
    parts.append("<h2>Wrong ideas, the most common first</h2>")
    for id, n in met.groupby("idea")["learner"].nunique().sort_values(ascending=False).items():
        where = met[met["idea"] == id]
        kinds = where.groupby("kind")["learner"].nunique()
        counts = ", ".join(f"{kind}s: {count}" for kind, count in kinds.items())
        title = f"{n} × {rows.loc[id, 'idea']} (notebook {rows.loc[id, 'notebook']}; {counts})"
        parts.append(f"<h3>{html.escape(title)}</h3>" + MARKDOWN.render(_says(id, where)))
    if met.empty:
        parts.append("<p>None was met.</p>")
    else:
        parts += ["<h2>Who met which</h2>", "<p>P: in a prediction; E: in an exercise.</p>",
                  idea_map(met)]  # fmt: skip
    return _page("The class", "".join(parts))


def _says(idea: str, where: pd.DataFrame) -> str:
    """The sentence for a wrong idea, of the question where most of the class met it."""
    q = find(where["question"].value_counts().index[0])
    return next((text(w.says, inputs(q)) for w in q.wrong if w.idea == idea), "")


def idea_map(met: pd.DataFrame) -> str:
    """A row for each wrong idea, in the order of the course, and a column for each learner."""
    rows = table("misconceptions")
    marks = met.assign(mark=met["kind"].str[0].str.upper())
    grid = marks.pivot_table(
        index="idea", columns="learner", values="mark", fill_value="",
        aggfunc=lambda kinds: " ".join(sorted(set(kinds), reverse=True)),
    )  # fmt: skip
    grid = grid.loc[[id for id in rows.index if id in grid.index]]
    grid.index = [f"{rows.loc[id, 'notebook']} {rows.loc[id, 'idea']}" for id in grid.index]
    return str(grid.rename_axis(None, axis="columns").to_html())


def write(folder: Path | None = None, out: Path = BUILD) -> list[Path]:
    """The page of lessons, and that of a class where its folder is named."""
    out.mkdir(parents=True, exist_ok=True)
    pages = {"lessons.html": lessons_page()}
    if folder is not None:
        if not folder.is_dir():
            sys.exit(f"{folder} is not a folder of progress files")
        pages["class.html"] = class_page(folder)
    for name, page in pages.items():
        (out / name).write_text(page, encoding="utf-8")
    return [out / name for name in pages]


if __name__ == "__main__":
    print("\n".join(map(str, write(*map(Path, sys.argv[1:2])))))
