"""Notebooks, glossary and API as the Markdown that Sphinx reads.

Markdown cells go through as they are, code is shown, outputs are the committed ones; a chart is
drawn anew as SVG with its words and its numbers, a panel becomes its grid, a diagram a picture.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import altair as alt
import increment
import inpage
import mermaidx
import nbformat
import vl_convert
from grid import MOST_STATES, tabulate
from place import buttons
from replay import shown

from econ.catalog import table
from econ.charts import table_of
from econ.charts.panels import Panel
from econ.charts.theme import FAINT, GROUND, INK, MUTED
from econ.lessons.pictures.scene import Picture
from econ.lessons.views import View

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "cache"
DIAGRAM = re.compile(r"```mermaid\n(.*?)```", re.S)
LINK = re.compile(r"\[([^\]]+)\]\((\w+)\.ipynb(#[\w-]+)?\)")
DESCRIPTION = re.compile(r"accDescr:\s*(.+)")
MINUTES = re.compile(r"\*(\d+) minutes")
# a chart's ink and ground on a dark page
DARK = {INK: "#e6e9ed", GROUND: "transparent", FAINT: "#ffffff2e", MUTED: "#a5acb5"}
LIVE, ASK = ("live", "panel"), ("learn", "question")  # scripts of panels, of questions
SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')


def title_of(notebook: nbformat.NotebookNode) -> str:
    """The notebook's title."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ").strip()


def minutes_of(notebook: nbformat.NotebookNode) -> str:
    """The time it takes, as its first cell says; empty where it does not."""
    found = MINUTES.search(notebook.cells[0].source)
    return found[1] if found else ""


def name_of(stem: str) -> str:
    """The short name of a notebook.

    >>> name_of("00_start_here")
    '00 Start here'
    """
    number, _, words = stem.partition("_")
    small = words.replace("_", " ").replace("tco", "TCO")
    return f"{number} {small[:1].upper()}{small[1:]}"


def scripts(names: tuple[str, ...], root: str) -> str:
    """A page loads what it needs, and no more."""
    return "".join(f'<script defer src="{root}_static/{name}.js"></script>' for name in names)


def python_script(stem: str, root: str) -> str:
    """The tag that lets a page of a notebook run Python once a reader asks for it."""
    words = {
        "core": inpage.CORE,
        "first": " ".join(inpage.FIRST),
        "later": " ".join(inpage.LATER),
        "megabytes": inpage.MEGABYTES,
        "more": inpage.MORE_MEGABYTES,
        "notebook": stem,
        "root": root,
    }
    data = "".join(f' data-{name}="{value}"' for name, value in words.items())
    return f'<script defer src="{root}_static/python.js"{data}></script>'


def raw(markup: str) -> str:
    """HTML for Sphinx to pass on; four backticks, so that none within ends it."""
    return f"````{{raw}} html\n{markup}\n````"


def write_notebook(path: Path, out: Path, known: set[str]) -> dict[str, str]:
    """Write one notebook's page, its charts and grids; its title and minutes.

    ``out``: the folder of Sphinx sources; pictures and grids go to its ``_extra``. ``known``: the
    notebooks that the site has; a link to another becomes its words.
    """
    notebook = nbformat.read(path, as_version=4)
    things = taken(drawn(path), out)
    blocks = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            blocks.append(_prose(cell.source, f"{path.stem}-{cell.id}", out, known))
            continue
        markup = things.get(cell.id, "")
        if "econ-question" in markup:
            outputs = [] if "solution" in _tags(cell) else [raw(markup)]
        else:
            outputs = [_output(o) for o in cell.outputs if "image/png" not in o.get("data", {})]
            outputs.append(raw(markup) if markup else "")
        is_sentence = cell.metadata.get("jupyter") == {"source_hidden": True}
        code = "" if is_sentence else _code(cell)
        if code and "solution" not in _tags(
            cell
        ):  # the page's own Python finds the cell by this mark
            code = raw(f'<span class="econ-cell" data-cell="{cell.id}"></span>') + "\n\n" + code
        block = "\n\n".join(filter(None, [code, *outputs]))
        blocks.append(_folded_solution(block) if "solution" in _tags(cell) else block)
    link = f'<a href="../{path.name}" download><code>{path.name}</code></a>'
    download = raw(f"<p>Run it yourself: {link} in JupyterLab.</p>")
    (out / "_extra" / path.name).write_bytes(path.read_bytes())
    blocks.insert(1, download)
    if links := buttons(path.name):
        anchors = "".join(f'<a href="{url}">{words}</a>' for words, url in links.items())
        blocks.insert(2, raw(f'<p class="econ-launch">{anchors}</p>'))
    if (out / "_static" / inpage.ARCHIVE).exists():
        blocks.append(raw(python_script(path.stem, "../")))
    panels = [f"{path.stem}-{id}" for id, markup in things.items() if "data-grid" in markup]
    asks = any("econ-question" in markup for markup in things.values())
    if tags := scripts((LIVE if panels else ()) + (ASK if asks else ()), "../"):
        blocks.append(raw(tags))
    (out / "notebooks" / f"{path.stem}.md").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    book = {"stem": path.stem, "title": title_of(notebook), "minutes": minutes_of(notebook)}
    return {**book, "name": name_of(path.stem), "panel": next(iter(panels), "")}


def _tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _code(cell: nbformat.NotebookNode) -> str:
    source = cell.source.removeprefix("# Solution\n")
    return f"````{{code-block}} python\n{source}\n````"


def _folded_solution(block: str) -> str:
    return (
        f"{raw('<details class=econ-solution><summary>Solution</summary>')}\n\n{block}\n\n"
        + raw("</details>")
    )


def _prose(source: str, id: str, out: Path, known: set[str]) -> str:
    def picture(found: re.Match) -> str:
        words = DESCRIPTION.search(found[1])[1].strip()
        name = f"{id}.svg"
        upright = found[1].replace("flowchart LR", "flowchart TB")  # a page is higher than wide
        drawing = mermaidx.render(upright, theme="neutral").svg()
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)
        drawing = drawing.replace('width="100%"', f'width="{box[1]}" height="{box[2]}"', 1)
        (out / "_extra" / name).write_text(drawing, encoding="utf-8")
        return raw(_scrolled(_picture(name, words, drawing, "econ-diagram")))

    def link(found: re.Match) -> str:
        words, name, place = found.groups()
        if place == "#Glossary":
            return f"[{words}](../glossary.md)"
        return f"[{words}]({name}.md{place or ''})" if name in known else words

    source = source.replace("](#Glossary)", "](../glossary.md)")  # a notebook with one of its own
    return LINK.sub(link, DIAGRAM.sub(picture, source))


def _scrolled(pictures: str) -> str:
    return (
        '<div class="econ-chart" tabindex="0" role="group" aria-label="Chart">'
        + pictures
        + "</div>"
    )


def _picture(name: str, words: str, drawing: str, scheme: str = "") -> str:
    """A picture with its size, so that nothing jumps when it arrives."""
    width, height = (round(float(v)) for v in SIZE.search(drawing).groups())
    alternative = html.escape(words, quote=True)
    return (
        f'<img src="../{name}" alt="{alternative}" class="{scheme}" loading="lazy" '
        f'width="{width}" height="{height}">'
    )


def _output(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return raw(f'<pre class="econ-output">{html.escape(output["text"])}</pre>')
    data = output["data"]
    if "text/html" in data:
        inner = data["text/html"]
        return raw(
            f'<div class="econ-output" tabindex="0" role="group" aria-label="Table">{inner}</div>'
        )
    if "text/markdown" in data:
        return data["text/markdown"]
    return raw(f'<pre class="econ-output">{html.escape(data["text/plain"])}</pre>')


def drawn(path: Path) -> Path:
    """The folder in which a notebook's charts and panels are, as markup by cell and as files.

    They are kept in ``build/cache`` until the notebook's code or anything that it calls changes,
    so that a changed sentence does not compute them again.
    """
    notebook = nbformat.read(path, as_version=4)

    def draw(part: Path) -> dict[str, str]:
        cells = {cell.id: cell for cell in notebook.cells}
        return {
            id: _question(thing, cells[id]) if isinstance(thing, View)
            else _drawn(thing, f"{path.stem}-{id}", part)
            for id, thing in shown(path).items()
        }  # fmt: skip

    return remembered(path.stem, recipe(notebook), draw)


def recipe(notebook: nbformat.NotebookNode) -> str:
    """What a notebook's charts and panels follow from, beside the code that it calls."""
    return "\n".join(c.source + json.dumps(c.outputs) for c in notebook.cells
                     if c.cell_type == "code")  # fmt: skip


def _place(name: str, recipe: str) -> Path:
    digest = hashlib.sha256(f"{recipe}\n{increment.behaviour()}".encode()).hexdigest()
    return CACHE / f"{name}-{digest[:24]}"


def is_remembered(name: str, recipe: str) -> bool:
    """Whether what follows from the recipe and all that it can call is in the cache."""
    return _place(name, recipe).exists()


def remembered(name: str, recipe: str, draw: Callable[[Path], dict[str, str]]) -> Path:
    """The folder of what ``draw`` made when the recipe and all that it can call were the same.

    All: the package's code without its comments and docstrings, its data, these tools, and every
    installed version.
    """
    folder = _place(name, recipe)
    if not folder.exists():
        part = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_made(CACHE)))
        _made(part / "_extra")
        (part / "cells.json").write_text(json.dumps(draw(part)), encoding="utf-8")
        for old in CACHE.glob(f"{name}-????????????????????????"):
            shutil.rmtree(old, ignore_errors=True)
        part.rename(folder)
    return folder


def taken(folder: Path, out: Path) -> dict[str, str]:
    """Copy what was remembered to ``out``; its markup."""
    shutil.copytree(folder / "_extra", out / "_extra", dirs_exist_ok=True)
    markup: dict[str, str] = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    return markup


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _drawn(thing: alt.TopLevelMixin | Panel, name: str, out: Path) -> str:
    if isinstance(thing, Panel):
        return panel_markup(thing, name, out)
    if isinstance(thing, Picture):
        return _asked("econ-moving", thing.spec, thing.svg(thing.still))
    return chart_markup(thing, name, out) + table_of(thing)._repr_html_()


def chart_markup(chart: alt.TopLevelMixin, name: str, out: Path) -> str:
    """A chart as pictures for a light and for a dark page, under its title in words.

    A title in the page wraps to any width; one in the picture would be cut on a phone.
    """
    spec = chart.to_dict()
    heading = spec.pop("title")
    title = " ".join([heading["text"]] if isinstance(heading["text"], str) else heading["text"])
    if "subtitle" in heading:
        spec["title"] = {"text": heading["subtitle"], "fontSize": 12, "fontWeight": "normal"}
    light = vl_convert.vegalite_to_svg(spec)
    pictures = []
    for scheme, drawing in (("light", light), ("dark", _dark(light))):
        (out / "_extra" / f"{name}-{scheme}.svg").write_text(drawing, encoding="utf-8")
        pictures.append(
            _picture(f"{name}-{scheme}.svg", chart.description, drawing, f"only-{scheme}")
        )
    words = f'<p class="econ-title">{html.escape(title)}</p>'
    return words + _scrolled("".join(pictures))


def _dark(drawing: str) -> str:
    """The picture on a dark ground; data keep their colours."""
    for ours, dark in DARK.items():
        drawing = drawing.replace(f'"{ours}"', f'"{dark}"')
    return drawing


def panel_markup(
    panel: Panel, name: str, out: Path, root: str = "../", most: int = MOST_STATES
) -> str:
    """The place where the page's script draws a panel, and its twin where no script runs.

    ``root``: of the site, from the page; ``most``: states to compute.
    """
    grid = json.dumps(tabulate(panel, most), ensure_ascii=False, separators=(",", ":"))
    code = f"(window.econGrids??={{}})[{json.dumps(name)}]={grid};\n"
    (out / "_extra" / f"{name}.js").write_text(code, encoding="utf-8")
    still = chart_markup(panel.static(), name, out).replace('src="../', f'src="{root}')
    return (
        f'<div class="econ-panel" data-grid="{name}" data-cell="{name.partition("-")[2]}"></div>'
        f"<noscript>{still}</noscript>"
        f'<script defer src="{root}{name}.js"></script>'
    )


def _question(view: View, cell: nbformat.NotebookNode) -> str:
    """The place where the page's script shows a question, and its words where no script runs."""
    return _asked("econ-question", view.spec, "".join(o["data"]["text/html"] for o in cell.outputs))


def _asked(kind: str, spec: dict[str, Any], still: str) -> str:
    """What the page's script draws from a specification, and what stands where none runs."""
    text = json.dumps(spec, ensure_ascii=False).replace("</", "<\\/")
    return (
        f'<div class="{kind}"><script type="application/json">{text}</script></div>'
        f"<noscript>{still}</noscript>"
    )


def write_glossary(out: Path, stems: list[str]) -> None:
    """The glossary, each term with its unit, meaning and notebook."""
    pages = {stem[:2]: stem for stem in stems}
    lines = ["# Glossary", "", "The terms as this kit uses them.", "", "```{glossary}"]
    for row in table("glossary").itertuples():
        head = f" ({row.expansion})" if isinstance(row.expansion, str) and row.expansion else ""
        unit = f" *Unit: {row.unit}.*" if isinstance(row.unit, str) and row.unit else ""
        number = str(row.notebook).zfill(2)
        link = (
            f" Notebook {{doc}}`{number} </notebooks/{pages[number]}>`." if number in pages else ""
        )
        lines += [row.Index if isinstance(row.Index, str) else row.term,
                  f"  {row.meaning}{head}{unit}{link}", ""]  # fmt: skip
    (out / "glossary.md").write_text("\n".join([*lines, "```", ""]), encoding="utf-8")
