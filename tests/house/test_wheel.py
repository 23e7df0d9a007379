"""The wheel, installed into an empty environment far from the repository, does what it promises.

The environment is a new ``venv``. It holds the wheel and, linked from the environment of this run,
the distributions that the wheel's metadata asks for and those these ask for in turn: nothing else,
so that a dependency that is used but not declared is missed here as a newcomer would miss it.
"""

import importlib.metadata as metadata
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(metadata.distribution("numpy").locate_file(""))


def _needed(requirements: list[str], extras: set[str]) -> set[str]:
    """Names of the distributions that these requirements need, directly or through others."""
    names: set[str] = set()
    todo = [(text, extras) for text in requirements]
    while todo:
        text, chosen = todo.pop()
        need = Requirement(text)
        marks = [{"extra": extra} for extra in chosen or {""}]
        if need.marker and not any(need.marker.evaluate(mark) for mark in marks):
            continue
        name = re.sub(r"[-_.]+", "-", need.name).lower()
        if name in names:
            continue
        names.add(name)
        todo += [(t, set(need.extras)) for t in metadata.distribution(name).requires or []]
    return names


def _link(names: set[str], target: Path) -> None:
    """Put these distributions into another environment's site-packages, as links."""
    for name in names:
        tops = {
            part
            for file in metadata.distribution(name).files or []
            if (part := file.parts[0]) not in ("..", "__pycache__")
        }
        for top in tops:
            if (HERE / top).exists() and not (target / top).exists():
                (target / top).symlink_to(HERE / top)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"  # a build leaves files beside its sources, and may read old ones
    for name in ("econ", "data", "notebooks"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    with zipfile.ZipFile(tree / "econ" / "site.zip", "w") as box:  # as a release packs it
        box.writestr("index.html", "<h1>the pages</h1>")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, tree],
        check=True, timeout=600,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def _environment(folder: Path, wheel: Path, extras: set[str]) -> Path:
    """A new environment with the wheel and what it asks for; the folder of its programs."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        capture_output=True, text=True, check=True, timeout=600,
    ).stdout.strip()  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps",
         "--no-index", wheel],
        check=True, timeout=600,
    )  # fmt: skip
    (ours,) = metadata.distributions(name="inference-economics", path=[site])
    _link(_needed(ours.requires or [], extras), Path(site))
    return folder / "bin"


@pytest.fixture(scope="module")
def core(wheel, tmp_path_factory) -> Path:
    """An environment without any extra."""
    return _environment(tmp_path_factory.mktemp("core") / "env", wheel, set())


def _run(command: list, folder: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ECON_"))}
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, cwd=folder, timeout=600, env=clean,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_every_module_table_and_mark(wheel):
    with zipfile.ZipFile(wheel) as box:
        names = set(box.namelist())
    modules = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("econ/**/*.py")}
    tables = {f"econ/{p.relative_to(ROOT).as_posix()}" for p in ROOT.glob("data/**/*.csv")}
    assert len(tables) > 40
    books = {f"econ/{p.relative_to(ROOT).as_posix()}" for p in ROOT.glob("notebooks/*.ipynb")}
    assert books <= names
    assert wheel.stat().st_size < 15e6
    scripts = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("econ/**/*.js")}
    scripts = {name for name in scripts if "__pycache__" not in name}
    marks = {"econ/data/datapackage.json", "econ/py.typed"}
    assert modules | tables | scripts | marks <= names


def test_the_readmes_example_runs_where_no_repository_is(core, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text((ROOT / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    code = "import doctest, sys; sys.exit(doctest.testfile('README.md', False).failed)"
    _run([core / "python", "-c", code], tmp_path)
    where = _run([core / "python", "-c", "import econ; print(econ.__file__)"], tmp_path)
    assert str(core.parent) in where


def test_econ_plan_runs_where_no_repository_is(core, tmp_path):
    write = "import econ; print(econ.Scenario.default().to_json())"
    (tmp_path / "scenario.json").write_text(_run([core / "python", "-c", write], tmp_path))
    out = _run(
        [core / "econ", "plan", "scenario.json", "--accelerators", "h100-sxm", "--json"], tmp_path
    )
    assert '"h100-sxm"' in out


def test_the_pages_travel_in_the_wheel(core, tmp_path):
    code = "from econ.site_command import Pages, _prebuilt; print(Pages(_prebuilt()).read('/')[1])"
    assert "the pages" in _run([core / "python", "-c", code], tmp_path)


def test_import_econ_is_light(core, tmp_path):
    code = (
        "import sys, econ; s = set(sys.modules); "
        "print(*sorted(s & {'pandas', 'numpy', 'scipy', 'altair', 'econ.catalog'}))"
    )
    assert _run([core / "python", "-c", code], tmp_path).strip() == ""


def test_a_notebook_runs_where_no_repository_is(wheel, tmp_path):
    programs = _environment(tmp_path / "env", wheel, {"notebooks"})
    notebook = tmp_path / "00_start_here.ipynb"
    notebook.write_bytes((ROOT / "notebooks" / notebook.name).read_bytes())
    code = (
        "import nbformat, ipykernel.kernelspec, sys\n"
        "from nbconvert.preprocessors import ExecutePreprocessor\n"
        f"book = nbformat.read({str(notebook)!r}, 4)\n"
        "ipykernel.kernelspec.install(prefix=sys.prefix)\n"
        "ExecutePreprocessor(timeout=300).preprocess(book, {'metadata': {'path': '.'}})\n"
        "print(sum(o.output_type == 'error' for c in book.cells for o in c.get('outputs', [])))"
    )
    assert _run([programs / "python", "-c", code], tmp_path).strip() == "0"


def test_econ_lab_copies_the_course_or_says_what_is_missing(core, tmp_path):
    """Without the extra there is no JupyterLab: one sentence, and nothing is copied."""
    done = subprocess.run(
        [core / "econ", "lab", "--folder", tmp_path / "course"],
        capture_output=True, text=True, cwd=tmp_path, timeout=600,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ECON_"))},
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'inference-economics[notebooks]'" in done.stderr
    assert not (tmp_path / "course").exists()
    code = (
        "from pathlib import Path; from econ.course_command import copy_notebooks; "
        "print(*copy_notebooks(Path('course'))[0])"
    )
    names = _run([core / "python", "-c", code], tmp_path).split()
    assert names == sorted(p.name for p in ROOT.glob("notebooks/[0-9A]*.ipynb"))
