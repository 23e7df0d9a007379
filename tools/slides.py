"""A deck from each notebook: ``python tools/slides.py [NAME …]`` writes ``build/slides``.

One HTML file a notebook, with everything in it: it opens from a disk, moves by the arrow keys and
prints to PDF, which Chromium does here where there is one. A slide shows one picture under what it
says, or one prediction; the words around it are its notes. Code and solutions stay in the notebook.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import notebook_names  # noqa: E402
from printing import to_pdf  # noqa: E402

OUT = ROOT / "build" / "slides"
INSIDE = re.compile(r'<a href="(?:#|\w+\.ipynb)[^"]*">(.*?)</a>', re.S)  # of the course
MOST_SLIDES = 15  # of a lesson
MOST_WORDS = 60  # of prose on a slide; a room listens or reads
MOST_LETTERS_OVER = 90  # of the sentence over a picture; a longer one is no title
MOST_ROWS, MOST_COLUMNS, MOST_LETTERS = 10, 7, 600  # of a table
HIDDEN = {"setup", "exercise", "solution", "reveal"}
ASKED = {"predict", "ask"}  # shown by their question, without hints
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
PARTS = Path(__file__).resolve().parent / "print"


def opening(source: str) -> str:
    r"""The first words of a part, to `MOST_WORDS`, ending with a whole sentence.

    >>> opening("One sentence. Another.\n\n```mermaid\nflowchart\n```")
    'One sentence. Another.'
    """
    text = re.sub(r"```.*?```|<details>.*?</details>|<details>.*", "", source, flags=re.S)
    text = re.sub(r"\[([^\]]+)\]\(\w+\.ipynb\)", r"\1", text).strip()
    paragraphs = [p for p in re.split(r"\n\s*\n", text) if p.strip()]
    kept: list[str] = []
    for paragraph in paragraphs:
        if kept and sum(len(k.split()) for k in kept) + len(paragraph.split()) > MOST_WORDS:
            break
        kept.append(paragraph)
    words = "\n\n".join(kept)
    if len(words.split()) <= MOST_WORDS or re.search(r"^\s*(\d+\.|\*|-) ", words, re.M):
        return words
    sentences = re.split(r"(?<=[.?!:])\s+", words)
    out = sentences[0]
    for sentence in sentences[1:]:
        if len(f"{out} {sentence}".split()) > MOST_WORDS:
            break
        out = f"{out} {sentence}"
    return out


def shown(cell: nbformat.NotebookNode) -> list[str]:
    """What a cell shows that a room can read: sentences, charts, short tables."""
    found = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            words = html.escape(data["text/plain"], quote=True)
            picture = data["image/png"].replace("\n", "")
            found.append(f'<img alt="{words}" src="data:image/png;base64,{picture}">')
        elif "text/markdown" in data and len(data["text/markdown"].split()) < 2 * MOST_WORDS:
            found.append(MARKDOWN.render(data["text/markdown"]))
        elif "text/html" in data and _fits(data["text/html"]):
            found.append(data["text/html"])
    return found


def _fits(table: str) -> bool:
    """Whether a room can read a table: few rows, few columns, few letters."""
    letters = len(re.sub(r"<[^>]+>", "", table))
    rows, columns = table.count("<tr>") - 1, table.count("<th ")
    return rows <= MOST_ROWS and columns <= MOST_COLUMNS and letters <= MOST_LETTERS


def asked(source: str) -> str:
    """The last question in some prose, to stand over what answers it; empty where none is asked.

    >>> asked("The cache grows. Can decode ever reach the bend?")
    'Can decode ever reach the bend?'
    """
    text = re.sub(r"<details>.*|^\d+\. .*?$", "", source, flags=re.S | re.M)
    questions = [q for q in re.split(r"(?<=[.?!:])\s+", text) if q.endswith("?")]
    return " ".join(questions[-1].split()) if questions else ""


def slides_of(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """Title and HTML of each slide: the title, then each part's words and what it shows.

    A sentence joins the words before it; a chart or a table has a slide of its own, under the
    question that led to it.
    """
    title, _, rest = notebook.cells[0].source.partition("\n")
    first = opening(rest.partition("\n\n")[2] or rest)
    made = [(title.removeprefix("# "), MARKDOWN.render(first))]
    heading = question = ""
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            lead, *parts = re.split(r"^## (.+)$", cell.source, flags=re.M)
            question = asked(lead) if not parts else ""
            for name, body in zip(parts[::2], parts[1::2], strict=True):
                heading = name.strip()
                if words := opening(body):
                    made.append((heading, MARKDOWN.render(words)))
        elif ASKED & set(cell.metadata.get("tags", [])):
            made += [(heading, MARKDOWN.render(o.data["text/plain"])) for o in cell.outputs]
        elif not HIDDEN & set(cell.metadata.get("tags", [])):
            for thing in shown(cell):
                over = f"<p>{html.escape(question)}</p>" if question else ""
                question = ""
                was, body = made[-1]
                if not thing.startswith(("<img", "<table")) and was == heading and _plain(body):
                    made[-1] = (heading, body + over + thing)
                else:
                    made.append((heading, over + thing))
    return made


def _plain(body: str) -> bool:
    """Words only, and few enough for a sentence more."""
    return "<img" not in body and "<table" not in body and len(body.split()) < 2 * MOST_WORDS


def chosen(made: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """At most `MOST_SLIDES`: title, body and notes; what has no slide is notes of the one before.

    A slide with a picture is headed by what the picture says. Kept are the title, pictures and
    charts, predictions and the summary; of too many, an even choice.
    """
    first, last = 0, len(made) - 1
    seen = [i for i, (_, body) in enumerate(made) if "<img" in body and 0 < i < last]
    asks = [i for i, (_, body) in enumerate(made) if "Predict:" in body and 0 < i < last][:3]
    room = MOST_SLIDES - 2 - len(asks)
    step = max(len(seen) / room, 1.0)
    picked = {seen[int(k * step)] for k in range(min(room, len(seen)))}
    keep = sorted({first, last, *picked, *asks})
    found = []
    for place, i in enumerate(keep):
        until = keep[place + 1] if place + 1 < len(keep) else len(made)
        title, body = made[i]
        notes = "".join(b for _, b in made[i + 1 : until] if "<img" not in b)
        if said := re.search(r'<img alt="([^"]+)"', body):
            says = html.unescape(said[1]).split(". ")[0].rstrip(".")
            title = says if 0 < len(says) <= MOST_LETTERS_OVER else title
            picture = re.search(r"<img[^>]+>", body)
            notes = body.replace(picture[0], "") + notes if picture else notes
            body = picture[0] if picture else body
        found.append((title, body, notes))
    return found


def deck(notebook: nbformat.NotebookNode) -> str:
    """The whole HTML of a deck."""
    made = chosen(slides_of(notebook))
    sections = []
    for i, (title, body, notes) in enumerate(made):
        tag = "h1" if i == 0 else "h2"
        name = html.escape(title or made[0][0])
        body, notes = (INSIDE.sub(r"\1", part) for part in (body, notes))
        if notes:
            body += f'<details class="notes"><summary>Notes</summary>{notes}</details>'
        sections.append(
            f'<section tabindex="-1" aria-label="{i + 1} of {len(made)}: {name}">'
            f'<{tag}>{name}</{tag}>{body}<div class="n">{i + 1} / {len(made)}</div></section>'
        )
    style, keys = ((PARTS / name).read_text("utf-8") for name in ("slides.css", "slides.js"))
    head = (
        f'<meta charset="utf-8"><title>{html.escape(made[0][0])}</title>'
        '<link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style>"
    )
    body = f"<main>{''.join(sections)}</main><script>{keys}</script>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def write(names: list[str], out: Path = OUT, pdf: bool = True) -> list[Path]:
    """Decks of the notebooks named, or of all; PDF beside them where a Chromium is found."""
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for book in notebook_names.named(names, "[0-9]*", usage=__doc__):
        path = out / f"{book.stem}.html"
        path.write_text(deck(nbformat.read(book, as_version=4)), encoding="utf-8")
        made.append(path)
    if pdf:
        made += to_pdf(made)
    return made


if __name__ == "__main__":
    print("\n".join(map(str, write(sys.argv[1:]))))
