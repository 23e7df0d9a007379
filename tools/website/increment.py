"""What a build keeps of the last one, so that Sphinx reads and writes again only what changed.

Sphinx compares times of files: a source is therefore written only where its content differs. What
it cannot see there is in digests: of what makes every page (another one, and all begins anew), of
what stands on every page, the sidebar's titles above all (every page is written again), of the
package's code to the letter (in each page of the API) and of what that code does (charts and grids
are computed again). A build that fails leaves no digests, and the next one begins anew.
"""

from __future__ import annotations

import ast
import contextlib
import filecmp
import functools
import hashlib
import json
import shutil
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CODE = (ROOT / "econ", (".py", ".js")), (HERE, (".py",)), (ROOT / "tools" / "lite.py", (".py",))
DATA = (ROOT / "data", (".csv", ".toml", ".json"))
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
STAMP, BEHAVIOUR = ".built.json", ROOT / "build" / "behaviour"


def mirror(new: Path, old: Path) -> list[Path]:
    """Give ``old`` the files of ``new``, touching only those that differ; what it had beyond them.

    Names that begin with a dot are the builder's own and stay.
    """
    wanted = {p.relative_to(new) for p in new.rglob("*") if p.is_file()}
    for name in wanted:
        if not (old / name).exists() or not filecmp.cmp(new / name, old / name, shallow=False):
            (old / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new / name, old / name)
    there = {p.relative_to(old) for p in old.rglob("*") if p.is_file()} if old.exists() else set()
    gone = sorted(n for n in there - wanted if not n.parts[0].startswith("."))
    for name in gone:
        (old / name).unlink()
    return gone


@functools.cache
def content() -> str:
    """Digest of the package, its data and these tools, to the letter."""
    digest = hashlib.sha256()
    for path in _files(*CODE, DATA):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def behaviour() -> str:
    """Digest of what they do, with all that is installed; comments and docstrings do nothing.

    It is kept under the digest of all that it follows from: the code is parsed once, not by each
    process of each build.
    """
    of = hashlib.sha256((content() + _installed()).encode()).hexdigest()
    with contextlib.suppress(OSError, ValueError):
        was, digest = BEHAVIOUR.read_text("ascii").split()
        if was == of:
            return digest
    digest = _behaviour()
    BEHAVIOUR.parent.mkdir(parents=True, exist_ok=True)
    BEHAVIOUR.write_text(f"{of} {digest}", "ascii")
    return digest


def _behaviour() -> str:
    digest = hashlib.sha256(_installed().encode())
    for path in _files(*CODE, DATA):
        text = path.read_bytes()
        if path.suffix == ".py":
            text = without_docstrings(text.decode()).encode()
        digest.update(path.relative_to(ROOT).as_posix().encode() + text)
    return digest.hexdigest()


def without_docstrings(code: str) -> str:
    """Code as its tree, in which comments and docstrings are not.

    >>> one, two = 'def f():\\n    "One."\\n    return 1', 'def f():\\n    return 1  # two'
    >>> without_docstrings(one) == without_docstrings(two)
    True
    """
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


def _files(*places: tuple[Path, tuple[str, ...]]) -> list[Path]:
    found = [
        path
        for top, kinds in places
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.suffix in kinds and "__pycache__" not in path.parts
    ]
    return sorted(found)


@functools.cache
def _installed() -> str:
    versions = {f"{d.metadata['Name']} {d.version}" for d in metadata.distributions()}
    return "\n".join([sys.version, *sorted(versions)])


def makers() -> str:
    """Digest of what makes every page: these tools and all that is installed."""
    digest = hashlib.sha256(_installed().encode())
    for path in sorted(HERE.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def frame(sources: Path) -> str:
    """Digest of what stands on every page: all titles, their order, style and its scripts."""
    texts = {p.relative_to(sources).as_posix(): p.read_text("utf-8") for p in _pages(sources)}
    titles = [(name, text.partition("\n")[0]) for name, text in sorted(texts.items())]
    trees = [text.split("```{toctree}")[1:] for _, text in sorted(texts.items())]
    digest = hashlib.sha256(json.dumps([titles, trees]).encode())
    for path in static_files():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def static_files() -> list[Path]:
    """The site's own scripts and styles; Python may have left its bytecode beside them."""
    return sorted(path for path in (HERE / "static").iterdir() if path.is_file())


def _pages(sources: Path) -> list[Path]:
    return [p for p in sources.rglob("*.md") if p.relative_to(sources).parts[0][0] not in "._"]


def prepare(new: Path, sources: Path, site: Path) -> list[str]:
    """Bring sources and site to the state of ``new``; the words that Sphinx needs besides.

    Nothing is kept where the last build did not end well, or was made by other tools.
    """
    try:
        last = json.loads((sources / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        last = {}
    if last.get("makers") != makers() or not site.exists():
        for folder in (sources, site):
            shutil.rmtree(folder, ignore_errors=True)
        last = {}
    (sources / STAMP).unlink(missing_ok=True)
    for name in mirror(new, sources):
        inside = Path(*name.parts[1:]) if name.parts[0] == "_extra" else name
        (site / inside.with_suffix(".html" if name.suffix == ".md" else name.suffix)).unlink(
            missing_ok=True
        )
    return ["-a"] if last and last["frame"] != frame(sources) else []


def done(sources: Path) -> None:
    """A build ended well: the next one may go on from it."""
    stamp = {"makers": makers(), "frame": frame(sources)}
    (sources / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
