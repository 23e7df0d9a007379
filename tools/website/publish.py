"""The notebooks as a static site, ``build/site``: ``python tools/website/publish.py [NAME …]``.

Nothing on a page asks another host for anything, and no page needs Python: it opens from a disk.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
from joblib import Parallel, delayed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "tools")]

import api  # noqa: E402
import handout  # noqa: E402
import home  # noqa: E402
import increment  # noqa: E402
import inpage  # noqa: E402
import notebook_names  # noqa: E402
import pages  # noqa: E402
import scoreboard  # noqa: E402
import slides  # noqa: E402

from econ.charts.live import bundle, source  # noqa: E402
from econ.lessons import views  # noqa: E402
from econ.lessons.pictures import scene  # noqa: E402

PREVIEW = '<meta property="og:title"'
EXPORT = "export default { render };"
TEACHING = ("guide", "hosting")  # pages of the workshop
FILE = re.compile(r"\[([^\]]+)\]\([\w./]+\.py\)")
HAND_OUT = "handout"
N_JOBS = 2  # a notebook's models fill a core


def script() -> str:
    """The live chart's own script with Vega in it, as a plain script: it runs from a disk too."""
    own = source()
    if EXPORT not in own:
        raise ValueError(f"econ/charts/live.js no longer ends with {EXPORT!r}")
    code = own.replace(EXPORT, "window.econLive = { render };")
    return f"(()=>{{{bundle(code)}}})();\n"


def learn_script() -> str:
    """The scripts of questions and pictures, as plain ones."""
    named = {"econLearn": views.script(), "econPicture": scene.script()}
    return "".join(
        f"(()=>{{{code.replace(EXPORT, f'window.{name} = {{ render }};')}}})();\n"
        for name, code in named.items()
    )


def recipes(paths: list[Path]) -> dict[str, str]:
    """What takes long to draw, by name, the longest first; each with what it follows from."""
    sheet = handout.TEMPLATE.read_text("utf-8") + Path(handout.__file__).read_text("utf-8")
    books = {p.stem: pages.recipe(nbformat.read(p, as_version=4)) for p in paths}
    return {home.STEM: home.CELLS["ways"], **books, HAND_OUT: sheet}


def drawn(name: str, recipe: str) -> Path:
    """The folder of a notebook's charts and panels, of the front page's or of the hand-out."""
    if name == home.STEM:
        return home.drawn()
    if name == HAND_OUT:
        return pages.remembered(name, recipe, _hand_out)
    return pages.drawn(ROOT / "notebooks" / f"{name}.ipynb")


def _draw(name: str, recipe: str) -> None:
    sys.path[:0] = [str(HERE), str(ROOT)]  # a worker starts without
    import publish

    publish.drawn(name, recipe)


def write_sources(out: Path, paths: list[Path]) -> None:
    """Everything Sphinx reads."""
    shutil.rmtree(out, ignore_errors=True)
    for folder in ("notebooks", "api", "_extra", "_static"):
        (out / folder).mkdir(parents=True)
    try:
        inpage.write(out / "_static" / inpage.ARCHIVE, ROOT / "build" / "cache-python")
    except ConnectionError as error:
        print(f"Pages cannot run Python: {error}")
    known = {path.stem for path in paths}
    wanted = recipes(paths)
    new = {name: how for name, how in wanted.items() if not pages.is_remembered(name, how)}
    if new:
        Parallel(n_jobs=N_JOBS)(delayed(_draw)(*item) for item in new.items())
    books = [pages.write_notebook(path, out, known) for path in paths]
    pages.taken(drawn(HAND_OUT, wanted[HAND_OUT]), out)
    decks = slides.write([p.stem for p in paths if p.stem[0].isdigit()],
                         out / "_extra" / "slides", pdf=False)  # fmt: skip
    pages.write_glossary(out, [b["stem"] for b in books])
    scoreboard.write(out)
    api.write(out)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    home.write(out, books, [d.stem for d in decks], readme)
    for name in TEACHING:
        text = (ROOT / "workshop" / f"{name}.md").read_text(encoding="utf-8")
        words = FILE.sub(r"\1", text)  # of a checkout; the site has no such file
        (out / f"{name}.md").write_text(words, encoding="utf-8")
    shutil.copy(HERE / "conf.py", out)
    for extra in increment.static_files():
        shutil.copy(extra, out / "_static")
    (out / "_static" / "live.js").write_text(script(), encoding="utf-8")
    (out / "_static" / "learn.js").write_text(learn_script(), encoding="utf-8")
    images = ROOT / "notebooks" / "images"
    if images.exists():
        shutil.copytree(images, out / "notebooks" / "images")


def _hand_out(part: Path) -> dict[str, str]:
    handout.write(part / "_extra" / "handout.html", pdf=False)
    return {}


def build(out: Path = ROOT / "build" / "site", names: list[str] | None = None) -> Path:
    """Build the site (of all notebooks, or those named) and return its folder."""
    wanted = notebook_names.named(names or [], usage=__doc__)
    sources, new = (out.with_name(f"{out.name}-{kind}") for kind in ("sources", "new"))
    write_sources(new, wanted)
    again = increment.prepare(new, sources, out)
    shutil.rmtree(new)
    words = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", *again]
    words += ["-d", sources / ".doctrees", sources, out]
    path = os.pathsep.join([str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": path})
    if done.returncode:
        raise RuntimeError(f"Sphinx ended with {done.returncode}; what it said stands above")
    for page in out.rglob("*.html"):
        _mend(page)
    increment.done(sources)
    return out


def _mend(page: Path) -> None:
    """What Sphinx leaves out: heading levels, code that keys can scroll, words for a preview."""
    text = page.read_text(encoding="utf-8")
    if PREVIEW in text:  # of the last build, and as it was
        return
    text = text.replace('role="heading"', 'role="heading" aria-level="2"')
    for kind, name in (("sidebar", "All pages"), ("toc", "On this page")):  # else two of one name
        text = text.replace(
            f'<aside class="{kind}-drawer', f'<aside aria-label="{name}" class="{kind}-drawer'
        )
    text = text.replace('<div class="highlight"><pre>', '<div class="highlight"><pre tabindex="0">')
    top = r'<a href="#" class="back-to-top.*?</a>'  # else outside every landmark
    text = re.sub(top, r'<nav aria-label="Top">\g<0></nav>', text, flags=re.S)
    # what scrolls sideways on a phone is reached by keys too
    text = re.sub(r'<div class="(table|math)-wrapper', r'<div tabindex="0" class="\1-wrapper', text)
    if "<h1" not in text:  # the search page
        text = re.sub(r'<article role="main".*?>', r"\g<0><h1>Search</h1>", text)
    page.write_text(text.replace("</head>", f"{_preview(text)}</head>", 1), encoding="utf-8")


def _preview(text: str) -> str:
    """What a search engine or a chat shows of a page: its title and its first long paragraph."""
    article = text.partition('role="main"')[2]
    paragraphs = (_plain(p) for p in re.findall(r"<p>(.+?)</p>", article, re.S))
    words = next((p for p in paragraphs if len(p) > 60), "")
    title = _plain(re.search(r"<title>(.+?)</title>", text, re.S)[1])
    if not words:
        return f'{PREVIEW} content="{title}">'
    words = textwrap.shorten(words, 200, placeholder=" …")
    return (
        f'<meta name="description" content="{words}"><meta property="og:type" content="article">'
        f'{PREVIEW} content="{title}">'
        f'<meta property="og:description" content="{words}">'
    )


def _plain(markup: str) -> str:
    """The words of a piece of HTML, fit for an attribute."""
    words = html.unescape(re.sub(r"<[^>]+>", "", markup))
    return html.escape(" ".join(words.split()), quote=True)


if __name__ == "__main__":
    print(build(names=sys.argv[1:] or None) / "index.html")
